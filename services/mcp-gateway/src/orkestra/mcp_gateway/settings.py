"""What mcp-gateway can be told."""

from orkestra.chassis.settings import DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings
from pydantic import Field, SecretStr, field_validator


class McpGatewaySettings(DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings):
    """Settings of mcp-gateway."""

    database_url: SecretStr = Field(..., description="PostgreSQL address with the role mcp_app, for rate limits.")
    pool_size: int = Field(5, ge=1, le=200, description="Most database connections that requests may use at once.")
    identity_address: str = Field(..., description="host:port of identity-service.")
    task_address: str = Field(..., description="host:port of task-service.")
    workflow_address: str = Field(..., description="host:port of workflow-worker's api.")
    public_url: str = Field(
        "http://127.0.0.1:8001/mcp", pattern=r"^https?://", description="Where clients reach this door."
    )
    oauth_issuers: str = Field(
        "",
        description="Issuers of access tokens, by commas, that clients are sent to; identity-service checks them.",
    )
    oauth_resource: str | None = Field(
        None,
        pattern=r"^https?://",
        description="The audience of those tokens, as agent_audience of a provider says it; else the public address.",
    )
    oauth_scope: str = Field(
        "orkestra", pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$", description="The scope that they need."
    )
    allowed_hosts: str = Field(
        "127.0.0.1:*,localhost:*,[::1]:*",
        description="Host headers that are served, by commas; host:* for any port. Others get 421.",
    )
    allowed_origins: str = Field(
        "http://127.0.0.1:*,http://localhost:*,http://[::1]:*",
        description="Origin headers that are served, by commas. Requests of browsers from elsewhere get 403.",
    )
    mcp_state_key: SecretStr = Field(
        ..., description="Secret of at least 32 characters, the same on every replica, that seals multi-step calls."
    )
    body_limit: int = Field(1024 * 1024, ge=1024, description="Largest request body in bytes.")
    rate_window: int = Field(60, ge=1, le=3600, description="Seconds that the rate limits below count over.")
    rate_per_key: int = Field(30_000, ge=1, description="Requests per window for one API key or person.")
    rate_per_tenant: int = Field(120_000, ge=1, description="Requests per window for one tenant.")
    rate_refused: int = Field(
        120, ge=1, description="Different credentials per window that may be wrong from one address before it gets 429."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, by commas, whose X-Forwarded-For is believed besides 127.0.0.1."
    )

    @field_validator("mcp_state_key")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("it needs at least 32 characters")
        return value

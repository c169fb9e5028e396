"""What api-gateway can be told."""

from orkestra.chassis.settings import DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings
from pydantic import Field, SecretStr


class ApiGatewaySettings(DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings):
    """Settings of api-gateway."""

    database_url: SecretStr = Field(..., description="PostgreSQL address with the role gateway_app, for rate limits.")
    pool_size: int = Field(5, ge=1, le=200, description="Most database connections that requests may use at once.")
    identity_address: str = Field(..., description="host:port of identity-service.")
    task_address: str = Field(..., description="host:port of task-service.")
    workflow_address: str = Field(..., description="host:port of workflow-worker's api.")
    notification_address: str = Field(..., description="host:port of notification-service.")
    body_limit: int = Field(1024 * 1024, ge=1024, description="Largest request body in bytes.")
    request_seconds: float = Field(
        30.0, gt=0, le=600, description="Longest time a request may take; a held one 50 seconds more."
    )
    transfer_seconds: float = Field(
        300.0, gt=0, le=3600, description="Longest time that a file may take to arrive and to be attached."
    )
    rate_window: int = Field(60, ge=1, le=3600, description="Seconds that the rate limits below count over.")
    rate_per_key: int = Field(30_000, ge=1, description="Requests per window for one API key or person.")
    rate_per_tenant: int = Field(120_000, ge=1, description="Requests per window for one tenant.")
    rate_per_address: int = Field(120, ge=1, description="Sign-ins per window from one address.")
    rate_refused: int = Field(
        120, ge=1, description="Different credentials per window that may be wrong from one address before it gets 429."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, by commas, whose X-Forwarded-For is believed besides 127.0.0.1."
    )

"""What dashboard can be told."""

from orkestra.chassis.settings import DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings
from pydantic import Field, SecretStr


class DashboardSettings(DatabaseAccess, HttpSettings, NatsSettings, ServiceSettings):
    """Settings of dashboard."""

    database_url: SecretStr = Field(..., description="PostgreSQL address with the role dashboard_app, for rate limits.")
    pool_size: int = Field(3, ge=1, le=200, description="Most database connections that requests may use at once.")
    identity_address: str = Field(..., description="host:port of identity-service.")
    task_address: str = Field(..., description="host:port of task-service.")
    workflow_address: str = Field(..., description="host:port of workflow-worker's api.")
    notification_address: str = Field(..., description="host:port of notification-service.")
    csrf_key: SecretStr = Field(
        ..., description="At least 32 characters, the same on every replica; forms are signed with it."
    )
    public_url: str = Field(
        "", description="Address at which browsers reach the dashboard; as each request has it where empty."
    )
    cookie_secure: bool = Field(
        True, description="Whether the session cookie goes over HTTPS only; browsers count http://127.0.0.1 as such."
    )
    temporal_ui_url: str = Field(
        "", description="Address of a run in the Temporal UI, with {workflow_id} in it; no link where empty."
    )
    trace_url: str = Field("", description="Address of a trace, with {trace_id} in it; no link where empty.")
    body_limit: int = Field(1024 * 1024, ge=1024, description="Largest request body in bytes.")
    rate_window: int = Field(60, ge=1, le=3600, description="Seconds that the rate limits below count over.")
    rate_per_address: int = Field(30, ge=1, description="Sign-ins per window from one address.")
    rate_refused: int = Field(
        300, ge=1, description="Different sessions per window that may be none from one address before it gets 429."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, by commas, whose X-Forwarded-For is believed besides 127.0.0.1."
    )

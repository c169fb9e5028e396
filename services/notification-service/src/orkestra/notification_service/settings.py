"""What notification-service is told at its start."""

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, IdentitySettings, NatsSettings, ServiceSettings
from pydantic import Field


class NotificationServiceSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, ServiceSettings):
    """Settings of notification-service."""

    retention_days: int = Field(90, ge=1, description="Days for which an entry of a feed is kept.")
    retention_sweep_seconds: float = Field(
        600.0, gt=0, description="Seconds between two looks for entries that are older than that."
    )

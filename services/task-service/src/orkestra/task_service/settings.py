"""What task-service is told at its start."""

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, IdentitySettings, NatsSettings, ServiceSettings
from pydantic import Field, SecretStr


class TaskServiceSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, ServiceSettings):
    """Settings of task-service."""

    receipt_signing_key: SecretStr = Field(
        description="Base64 text of the 32 bytes of the Ed25519 key that receipts and histories are signed with."
    )
    end_sweep_seconds: float = Field(
        5.0, gt=0, description="Seconds between two looks for ends that no workflow confirmed."
    )
    history_sweep_seconds: float = Field(
        2.0, gt=0, description="Seconds between two looks for histories whose newest entries are not signed yet."
    )
    end_sweep_age_seconds: float = Field(
        10.0, gt=0, description="Seconds after which an end that no workflow confirmed is told again."
    )

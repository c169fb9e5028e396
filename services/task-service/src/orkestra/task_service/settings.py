"""What task-service is told at its start."""

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, IdentitySettings, NatsSettings, ServiceSettings
from orkestra.rules import DEFAULT_TYPES, AttachmentLimits
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
    attachments_max_size: int = Field(
        25 * 1024 * 1024, ge=1, le=512 * 1024 * 1024, description="Most bytes of one file that is attached to a task."
    )
    attachments_max_count: int = Field(50, ge=1, le=500, description="Most files of one task.")
    attachments_types: str = Field(
        DEFAULT_TYPES,
        description="Media types that are taken, by commas; a * at the end stands for all that begin like that.",
    )
    attachments_unfinished_seconds: float = Field(
        3600.0, ge=60, description="Seconds after which a file that was begun and never finished is dropped."
    )
    attachments_sweep_seconds: float = Field(
        30.0, gt=0, description="Seconds between two looks for files to drop and content whose file is gone."
    )

    @property
    def attachment_limits(self) -> AttachmentLimits:
        """What files are taken."""
        types = tuple(each.strip() for each in self.attachments_types.split(",") if each.strip())
        return AttachmentLimits(self.attachments_max_size, self.attachments_max_count, types)

"""What task-service is told at its start."""

from typing import Self

from orkestra.chassis.settings import (
    DatabaseSettings,
    GrpcSettings,
    IdentitySettings,
    NatsSettings,
    ServiceSettings,
    secret,
)
from orkestra.rules import DEFAULT_TYPES, AttachmentLimits
from orkestra.task_service.channels.bucket import BucketAccess
from pydantic import Field, SecretStr, model_validator


class TaskServiceSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, ServiceSettings):
    """Settings of task-service."""

    receipt_signing_key: SecretStr = Field(
        description="Base64 text of the 32 bytes of the Ed25519 key that receipts and histories are signed with."
        " Several by commas: the first signs, and what the others signed goes on verifying."
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

    attachments_bucket: str | None = Field(
        None, description="Bucket of an S3 service that keeps the content of files; the database does where absent."
    )
    attachments_endpoint: str | None = Field(
        None, description="Address of the S3 service, such as https://s3.example.com; that of AWS where absent."
    )
    attachments_region: str = Field("us-east-1", description="Region of the bucket.")
    attachments_prefix: str = Field("", description="What the names of our objects begin with, for a shared bucket.")
    attachments_access_key: SecretStr | None = Field(
        None, description="Access key for the bucket; without one, as the place where this runs says (AWS_*)."
    )
    attachments_secret_key: SecretStr | None = Field(None, description="The secret of that access key.")

    @model_validator(mode="after")
    def _access_key_has_secret(self) -> Self:
        if (self.attachments_access_key is None) != (self.attachments_secret_key is None):
            raise ValueError("attachments_access_key and attachments_secret_key are given together")
        return self

    @property
    def attachment_bucket(self) -> BucketAccess | None:
        """Where the bucket is, None where the database keeps content."""
        if self.attachments_bucket is None:
            return None
        key, hidden = self.attachments_access_key, self.attachments_secret_key
        return BucketAccess(
            bucket=self.attachments_bucket,
            region=self.attachments_region,
            endpoint=self.attachments_endpoint,
            access_key=None if key is None else secret(key),
            secret_key=None if hidden is None else secret(hidden),
            prefix=self.attachments_prefix,
        )

    @property
    def attachment_limits(self) -> AttachmentLimits:
        """What files are taken."""
        types = tuple(each.strip() for each in self.attachments_types.split(",") if each.strip())
        return AttachmentLimits(self.attachments_max_size, self.attachments_max_count, types)

"""What notification-service is told at its start."""

from typing import Literal, Self

from orkestra.chassis.settings import (
    DatabaseSettings,
    GrpcSettings,
    IdentitySettings,
    NatsSettings,
    ServiceSettings,
    secret,
)
from pydantic import Field, SecretStr, field_validator, model_validator

SHORTEST_KEY = 32


class NotificationServiceSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, ServiceSettings):
    """Settings of notification-service."""

    retention_days: int = Field(90, ge=1, description="Days for which an entry of a feed is kept.")
    retention_sweep_seconds: float = Field(
        600.0, gt=0, description="Seconds between two looks for entries that are older than that."
    )
    notification_key: SecretStr | None = Field(
        None,
        description="What secrets of webhooks are made of, 32 characters or more; the service key where absent."
        " Several by commas: all is made of the first, what was made of the others is accepted.",
    )
    link_hours: float = Field(
        24.0, gt=0, le=168, description="Hours for which a link in a message leads to a decision."
    )
    dashboard_url: str | None = Field(
        None, pattern=r"^https?://", description="Public address of the dashboard, for links in messages; none without."
    )
    smtp_address: str | None = Field(None, description="host:port of the server that mail goes through; none without.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the line to the mail server is secured; none only where it is trusted."
    )
    smtp_username: str | None = Field(None, description="User name, where the mail server wants one.")
    smtp_password: SecretStr | None = Field(None, description="Password of that user.")
    mail_from: str | None = Field(None, description="Address that mail comes from; needed with SMTP_ADDRESS.")
    webhook_timeout_seconds: float = Field(10.0, gt=0, le=25, description="Longest time that one delivery may take.")
    delivery_first_pause_seconds: float = Field(
        5.0, gt=0, description="Seconds before a failed delivery is tried again; doubled each time, up to an hour."
    )
    delivery_give_up_seconds: float = Field(86_400.0, gt=0, description="Seconds after which a delivery is given up.")
    webhook_disable_after_seconds: float = Field(
        259_200.0, gt=0, description="Seconds without one success after which a webhook is disabled."
    )
    langfuse_base_url: str | None = Field(
        None, pattern=r"^https?://", description="Address of Langfuse, where people's answers go; off where absent."
    )
    langfuse_public_key: str | None = Field(None, description="Public key of the Langfuse project.")
    langfuse_secret_key: SecretStr | None = Field(None, description="Secret key of the Langfuse project.")
    langfuse_environment: str | None = Field(None, description="Langfuse environment to put spans and scores under.")
    langfuse_content: bool = Field(
        True, description="Whether titles, drafts and answers go to Langfuse; times and scores always do."
    )
    langfuse_timeout_seconds: float = Field(5.0, gt=0, le=25, description="Longest time that one call may take.")
    langfuse_give_up_seconds: float = Field(
        3600.0, gt=0, description="Seconds after a task's end from which on Langfuse is no longer tried."
    )
    task_address: str | None = Field(None, description="host:port of task-service; needed for Langfuse.")

    @field_validator("notification_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and any(len(one) < SHORTEST_KEY for one in _each(key)):
            raise ValueError(f"must have at least {SHORTEST_KEY} characters")
        return key

    @property
    def own_keys(self) -> list[bytes]:
        """What secrets are made of, and after it what they were made of before."""
        if self.notification_key is None:
            return [secret(self.service_key).encode()]
        return [one.encode() for one in _each(self.notification_key)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = (self.langfuse_public_key, self.langfuse_secret_key, self.task_address)
        if self.langfuse_base_url is not None and None in needed:
            raise ValueError("Langfuse needs LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and TASK_ADDRESS as well")
        if self.smtp_address is not None and None in (self.mail_from, self.dashboard_url):
            raise ValueError("mail needs MAIL_FROM and DASHBOARD_URL as well")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD belong together")
        return self


def _each(keys: SecretStr) -> list[str]:
    return [one.strip() for one in keys.get_secret_value().split(",")]

"""What the roles of workflow-worker can be told."""

from typing import Literal, Self

from orkestra.chassis.access import Tls
from orkestra.chassis.settings import (
    DatabaseSettings,
    GrpcSettings,
    IdentitySettings,
    NatsSettings,
    ServiceSettings,
    secret,
)
from orkestra.sdk.payloads import PayloadKeys
from pydantic import Field, SecretStr, model_validator


class RoleSettings(ServiceSettings):
    """Which of its jobs the process does."""

    role: Literal["api", "worker", "promote"] = Field(
        "api",
        description="api serves WorkflowService; worker runs workflows; promote lets new runs begin on a build.",
    )
    temporal_address: str = Field(..., description="host:port of Temporal's frontend.")
    temporal_namespace: str = Field("default", description="Namespace in Temporal that runs live in.")
    temporal_api_key: SecretStr | None = Field(None, description="API key, where Temporal wants one.")
    temporal_tls: bool = Field(False, description="Whether Temporal is spoken to by TLS; files below imply it.")
    temporal_ca_file: str | None = Field(None, description="PEM file that Temporal's certificate is checked against.")
    temporal_cert_file: str | None = Field(None, description="PEM file with this client's certificate for Temporal.")
    temporal_key_file: str | None = Field(None, description="PEM file with the key of that certificate.")
    temporal_server_name: str | None = Field(
        None, description="Name in Temporal's certificate, where it is not the address."
    )
    task_address: str = Field(..., description="host:port of task-service.")
    payload_keys: SecretStr | None = Field(
        None,
        description="Keys of what Temporal stores: id:key by spaces or lines, each 32 bytes in base64; all decrypt.",
    )
    payload_key_id: str | None = Field(
        None, description="Id of the payload key that encrypts; where absent, nothing new is encrypted."
    )

    @model_validator(mode="after")
    def _payload_keys_fit(self) -> Self:
        self.read_payload_keys()
        return self

    def read_payload_keys(self) -> PayloadKeys:
        """Return the payload keys; refuses (ValueError) ones that cannot be used."""
        text = None if self.payload_keys is None else secret(self.payload_keys)
        return PayloadKeys.parse(text, self.payload_key_id)

    @model_validator(mode="after")
    def _temporal_certificate_has_key(self) -> Self:
        Tls.of(self.temporal_ca_file, self.temporal_cert_file, self.temporal_key_file)
        return self

    @property
    def temporal_certificates(self) -> Tls | None:
        """The files that lines to Temporal are secured with."""
        return Tls.of(self.temporal_ca_file, self.temporal_cert_file, self.temporal_key_file)

    @property
    def certificates(self) -> dict[str, Tls]:
        """That for Temporal besides the others."""
        tls = self.temporal_certificates
        return super().certificates | ({} if tls is None else {"Temporal": tls})


class ApiSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, RoleSettings):
    """The role api."""

    notification_address: str | None = Field(
        None, description="host:port of notification-service; without it no delivery is forgotten and nobody erased."
    )

    codec_port: int | None = Field(
        None, ge=0, le=65535, description="Port where Temporal's pages have payloads decrypted; closed where absent."
    )
    codec_origin: str | None = Field(
        None, pattern=r"^https?://[^/]+$", description="Where Temporal's pages come from, for CORS: https://temporal.…"
    )
    codec_refused: int = Field(
        120, ge=1, description="Different credentials a minute that may be wrong from one address at the codec port."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks, by commas, of proxies whose X-Forwarded-For the codec port believes.",
    )


class WorkerSettings(RoleSettings):
    """The roles worker and promote."""

    identity_address: str = Field(..., description="host:port of identity-service.")
    workflow_address: str = Field(..., description="host:port of the role api.")
    worker_key: SecretStr = Field(..., description="The installation's key for its workers.")
    workflow_modules: str = Field(
        ..., description="Modules with workflows to run, comma separated; empty for the built-in ones alone."
    )
    task_queue: str = Field("orkestra", description="Task queue of definitions that name none.")
    build: str | None = Field(
        None,
        min_length=1,
        description="Pins runs of the deployed modules, or of the built-in ones where there are none, to this build.",
    )
    promote_seconds: float = Field(
        300.0, ge=0, le=3600, description="With the role promote: how long to wait for a worker that serves the build."
    )

    @model_validator(mode="after")
    def _promotes_a_build(self) -> Self:
        if self.role == "promote" and self.build is None:
            raise ValueError("the role promote needs ORKESTRA_BUILD, the build that new runs shall begin on")
        return self

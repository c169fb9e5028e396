"""What identity-service can be told."""

import base64
import binascii
from typing import Self

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, NatsSettings, ServiceSettings, secret
from orkestra.identity_service.operations.providers import Provider, read_providers
from pydantic import Field, SecretStr, field_validator, model_validator


class IdentityServiceSettings(GrpcSettings, NatsSettings, DatabaseSettings, ServiceSettings):
    """Settings of identity-service."""

    lookup_database_url: SecretStr = Field(..., description="The same database with the role identity_lookup.")
    token_signing_key: SecretStr = Field(..., description="Ed25519 seed that tokens are signed with: 32 bytes, base64.")
    key_pepper: SecretStr = Field(..., description="Secret of at least 32 characters that credentials are hashed with.")
    service_key: SecretStr = Field(..., description="The installation's key for its services, at least 32 characters.")
    worker_key: SecretStr = Field(..., description="The installation's key for its workers, at least 32 characters.")
    password_sign_in: bool = Field(True, description="Whether people may sign in by e-mail and password.")
    oidc_providers: SecretStr = Field(
        SecretStr("[]"), description="JSON list of the OpenID Connect providers that people sign in at."
    )
    oidc_ca_file: str | None = Field(
        None, description="PEM file that providers' certificates are checked against; the system's authorities if none."
    )

    @field_validator("key_pepper", "service_key", "worker_key")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("it needs at least 32 characters")
        return value

    @field_validator("token_signing_key")
    @classmethod
    def _is_seed(cls, value: SecretStr) -> SecretStr:
        try:
            seed = base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error:
            seed = b""
        if len(seed) != 32:
            raise ValueError("it needs to be 32 bytes in base64")
        return value

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if secret(self.service_key) == secret(self.worker_key):
            raise ValueError("ORKESTRA_SERVICE_KEY and ORKESTRA_WORKER_KEY need to differ")
        return self

    @model_validator(mode="after")
    def _people_can_sign_in(self) -> Self:
        providers = self.providers
        if not self.password_sign_in and not any(provider.client_id for provider in providers):
            raise ValueError("ORKESTRA_PASSWORD_SIGN_IN=false needs a provider in ORKESTRA_OIDC_PROVIDERS")
        return self

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers, read."""
        try:
            return read_providers(secret(self.oidc_providers), may_be_plain=self.development)
        except ValueError as wrong:
            raise ValueError(f"ORKESTRA_OIDC_PROVIDERS is not accepted: {wrong}") from None

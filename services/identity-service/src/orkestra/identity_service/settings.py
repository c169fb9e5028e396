"""What identity-service can be told."""

import base64
import binascii
from typing import Self

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, NatsSettings, ServiceSettings, secret
from pydantic import Field, SecretStr, field_validator, model_validator


class IdentityServiceSettings(GrpcSettings, NatsSettings, DatabaseSettings, ServiceSettings):
    """Settings of identity-service."""

    lookup_database_url: SecretStr = Field(..., description="The same database with the role identity_lookup.")
    token_signing_key: SecretStr = Field(..., description="Ed25519 seed that tokens are signed with: 32 bytes, base64.")
    key_pepper: SecretStr = Field(..., description="Secret of at least 32 characters that credentials are hashed with.")
    service_key: SecretStr = Field(..., description="The installation's key for its services, at least 32 characters.")
    worker_key: SecretStr = Field(..., description="The installation's key for its workers, at least 32 characters.")

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

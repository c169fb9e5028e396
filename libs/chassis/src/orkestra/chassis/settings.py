"""Typed settings of a process: read once from ORKESTRA_* variables, refused by name when wrong."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from orkestra.chassis.access import NatsAccess, Tls
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo

PREFIX = "ORKESTRA_"
TEST_PREFIX = "ORKESTRA_TEST_"
S = TypeVar("S", bound=BaseModel)


class SettingsError(Exception):
    """Settings that a process must not start with; each line names one and says what to do."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def certificates(self) -> dict[str, Tls]:
        """What the process secures its lines with, by whom it is shown to."""
        return {}


class ServiceSettings(_Settings):
    """What every process can be told."""

    development: bool = Field(False, description="Relaxes what only production needs, such as loopback targets.")
    host: str = Field("127.0.0.1", description="Address that the servers of this process listen on.")
    health_port: int = Field(
        ..., ge=0, le=65535, description="Port of /livez, /readyz and /metrics; 0 picks a free one."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line logged.")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or text for people.")
    otlp_endpoint: str | None = Field(
        None, description="OTLP/HTTP base address for traces and metrics; none where absent."
    )
    otlp_metrics_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds between two exports of metrics to the OTLP address."
    )
    drain_seconds: float = Field(10.0, gt=0, le=600, description="Longest time that held calls may take to end.")
    drain_pause_seconds: float = Field(
        0.0, ge=0, le=60, description="Time between red readiness and closed servers, for load balancers to notice."
    )
    grpc_ca_file: str | None = Field(None, description="PEM file that peers' certificates are checked against.")
    grpc_cert_file: str | None = Field(
        None, description="PEM file with this process's certificate; where set, rpcs are TLS, and mutual with a CA."
    )
    grpc_key_file: str | None = Field(None, description="PEM file with the key of that certificate.")

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        Tls.of(self.grpc_ca_file, self.grpc_cert_file, self.grpc_key_file)
        return self

    @property
    def grpc_tls(self) -> Tls | None:
        """What rpcs are secured with, None where they are not."""
        return Tls.of(self.grpc_ca_file, self.grpc_cert_file, self.grpc_key_file)

    @property
    def certificates(self) -> dict[str, Tls]:
        """That of rpcs besides the others."""
        return _with(super().certificates, "gRPC", self.grpc_tls)


class DatabaseAccess(_Settings):
    """The password of the addresses of databases."""

    database_password: SecretStr | None = Field(
        None, description="Password of the database's roles, for addresses that carry none."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete_addresses(cls, values: Any) -> Any:
        password = values.get("database_password") if isinstance(values, dict) else None
        if not password:
            return values
        return {
            name: with_password(secret(value), secret(password)) if name.endswith("database_url") else value
            for name, value in values.items()
        }

    @property
    def certificates(self) -> dict[str, Tls]:
        """That of connections to the database besides the others."""
        url = getattr(self, "database_url", "")
        return _with(super().certificates, "PostgreSQL", tls_of(secret(url)))


class DatabaseSettings(DatabaseAccess):
    """Where the service's schema is."""

    database_url: SecretStr = Field(..., description="PostgreSQL address with the role <schema>_app.")
    relay_database_url: SecretStr = Field(..., description="The same database with the role <schema>_relay.")
    sweep_database_url: SecretStr = Field(..., description="The same database with the role <schema>_sweep.")
    pool_size: int = Field(10, ge=1, le=200, description="Most connections that requests may use at once.")


class NatsSettings(_Settings):
    """Where events go."""

    nats_url: SecretStr = Field(..., description="NATS address, with credentials where it wants them.")
    nats_replicas: int = Field(1, ge=1, le=5, description="Copies of each stream; 3 in production.")
    nats_user: str | None = Field(None, description="Name that NATS knows this installation by.")
    nats_password: SecretStr | None = Field(None, description="Password of that name.")
    nats_creds_file: str | None = Field(None, description="File with a JWT and its seed, where NATS wants those.")
    nats_ca_file: str | None = Field(None, description="PEM file that NATS's certificate is checked against.")
    nats_cert_file: str | None = Field(None, description="PEM file with this client's certificate for NATS.")
    nats_key_file: str | None = Field(None, description="PEM file with the key of that certificate.")

    @model_validator(mode="after")
    def _nats_certificate_has_key(self) -> Self:
        Tls.of(self.nats_ca_file, self.nats_cert_file, self.nats_key_file)
        return self

    @property
    def nats_access(self) -> NatsAccess:
        """What NATS is shown."""
        return NatsAccess(
            user=self.nats_user,
            password=secret(self.nats_password) if self.nats_password else None,
            creds_file=self.nats_creds_file,
            tls=Tls.of(self.nats_ca_file, self.nats_cert_file, self.nats_key_file),
        )

    @property
    def certificates(self) -> dict[str, Tls]:
        """That for NATS besides the others."""
        return _with(super().certificates, "NATS", self.nats_access.tls)


class IdentitySettings(_Settings):
    """How this process proves who it is and asks who others are."""

    identity_address: str = Field(..., description="host:port of identity-service.")
    service_key: SecretStr = Field(..., description="The installation's key for its services.")


class GrpcSettings(_Settings):
    """Where rpcs come in."""

    grpc_port: int = Field(..., ge=0, le=65535, description="Port of the gRPC server; 0 picks a free one.")


class HttpSettings(_Settings):
    """Where HTTP requests come in."""

    http_port: int = Field(..., ge=0, le=65535, description="Port of the HTTP server; 0 picks a free one.")


def load(settings: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read `settings` from ORKESTRA_* variables; a secret may come from the file that ORKESTRA_<NAME>_FILE names.

    Raises SettingsError that names every unknown, missing and bad variable.
    """
    given = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith(PREFIX)}
    fields = settings.model_fields
    faults: list[str] = []
    values: dict[str, str] = {}
    for variable, text in sorted(given.items()):
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(TEST_PREFIX):
            continue
        if name in fields:
            values[name] = text
        elif name.endswith("_file") and _is_secret(fields.get(name.removesuffix("_file"))):
            _read_secret(variable, text, given=given, values=values, faults=faults)
        else:
            faults.append(_unknown(variable, fields))
    try:
        loaded = settings.model_validate(values)
    except ValidationError as refused:
        faults += [_fault(error, fields) for error in refused.errors(include_url=False, include_input=False)]
    if faults:
        raise SettingsError("\n".join(faults))
    return loaded


def redacted(settings: ServiceSettings) -> dict[str, Any]:
    """Return the settings as they may be logged: secrets are starred."""
    return settings.model_dump(mode="json")


def secret(value: str | SecretStr) -> str:
    """Return the text of a setting that may be a secret."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def with_password(url: str, password: str) -> str:
    """Return the address with `password` where it names a role and no password."""
    parts = urlsplit(url)
    role, at, place = parts.netloc.rpartition("@")
    if not at or ":" in role:
        return url
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}"))


def tls_of(url: str) -> Tls | None:
    """Return the files that an address of PostgreSQL names; the driver reads them at each connection."""
    named = dict(parse_qsl(urlsplit(url).query))
    try:
        return Tls.of(named.get("sslrootcert"), named.get("sslcert"), named.get("sslkey"))
    except ValueError:
        return None  # the driver says it


def _with(others: dict[str, Tls], peer: str, tls: Tls | None) -> dict[str, Tls]:
    return others if tls is None else others | {peer: tls}


def _is_secret(field: FieldInfo | None) -> bool:
    return field is not None and "SecretStr" in str(field.annotation)


def _read_secret(
    variable: str, path: str, *, given: Mapping[str, str], values: dict[str, str], faults: list[str]
) -> None:
    plain = variable.removesuffix("_FILE")
    if plain in given:
        faults.append(f"{plain} and {variable} are both set; keep one of them.")
        return
    try:
        values[plain.removeprefix(PREFIX).lower()] = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        faults.append(f"{variable} names a file that cannot be read: {unreadable}.")


def _unknown(variable: str, fields: Mapping[str, FieldInfo]) -> str:
    known = [PREFIX + name.upper() for name in fields]
    near = difflib.get_close_matches(variable, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"this process knows {', '.join(sorted(known))}."
    return f"{variable} is not a setting of this process; {hint}"


def _fault(error: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    variable = PREFIX + name.upper()
    if error["type"] == "missing":
        return f"{variable} is missing: {fields[name].description or 'it has no default.'}"
    return f"{variable} is not accepted: {error['msg']}." if name else f"The settings do not fit: {error['msg']}."

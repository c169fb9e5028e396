"""How the command reaches Temporal: by the settings that the services have for it, or by options over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from orkestra.cli.refusals import UsageError

if TYPE_CHECKING:
    from temporalio.service import TLSConfig

PREFIX = "ORKESTRA_TEMPORAL_"
DEFAULT_NAMESPACE = "default"
YES = ("1", "true", "t", "yes", "y", "on")


def _option(flag: str, help: str) -> typer.models.OptionInfo:  # noqa: A002 - Typer's word
    named = PREFIX + flag.removeprefix("--").replace("-", "_").upper()
    made: typer.models.OptionInfo = typer.Option(flag, envvar=named, help=help)
    return made


AddressOption = Annotated[str | None, _option("--address", "host:port of Temporal; the local stack's if absent.")]
NamespaceOption = Annotated[str, _option("--namespace", "Namespace in Temporal that runs live in.")]
ApiKeyFileOption = Annotated[
    str | None, _option("--api-key-file", "File with the API key, or the key itself in ORKESTRA_TEMPORAL_API_KEY.")
]
TlsOption = Annotated[bool, _option("--tls", "Speak TLS; an API key, a file below and --server-name imply it.")]
CaFileOption = Annotated[str | None, _option("--ca-file", "PEM file that Temporal's certificate is checked against.")]
CertFileOption = Annotated[str | None, _option("--cert-file", "PEM file with a certificate of our own.")]
KeyFileOption = Annotated[str | None, _option("--key-file", "PEM file with the key of that certificate.")]
ServerNameOption = Annotated[
    str | None, _option("--server-name", "Name in Temporal's certificate, where it is not the address.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalAccess:
    """What Temporal is shown, and checked against, besides its address."""

    namespace: str
    api_key: str | None
    tls: "TLSConfig | bool"


def temporal_access(given: Mapping[str, str]) -> TemporalAccess:
    """Return what ORKESTRA_TEMPORAL_* say; refuses (UsageError) what cannot be read or does not belong together."""
    told = {name.removeprefix(PREFIX): text for name, text in given.items() if name.startswith(PREFIX) and text}
    if ("CERT_FILE" in told) != ("KEY_FILE" in told):
        raise UsageError("A certificate for Temporal and its key are given together.")
    if "API_KEY" in told and "API_KEY_FILE" in told:
        raise UsageError(f"{PREFIX}API_KEY and {PREFIX}API_KEY_FILE are both given; keep one of them.")
    key = told.get("API_KEY") or (_read(told, "API_KEY_FILE") or b"").decode("utf-8", "replace").strip() or None
    is_tls = key is not None or told.get("TLS", "").lower() in YES
    return TemporalAccess(
        namespace=told.get("NAMESPACE", DEFAULT_NAMESPACE), api_key=key, tls=_tls(told, otherwise=is_tls)
    )


def _tls(told: Mapping[str, str], *, otherwise: bool) -> "TLSConfig | bool":
    from temporalio.service import TLSConfig  # noqa: PLC0415 - Temporal's library takes a second to import

    ca, cert, key = (_read(told, name) for name in ("CA_FILE", "CERT_FILE", "KEY_FILE"))
    if not any((ca, cert, told.get("SERVER_NAME"))):
        return otherwise
    return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key, domain=told.get("SERVER_NAME"))


def _read(told: Mapping[str, str], name: str) -> bytes | None:
    if name not in told:
        return None
    try:
        return Path(told[name]).read_bytes()
    except OSError as unreadable:
        raise UsageError(f"{PREFIX}{name} names a file that cannot be read: {unreadable}.") from None

"""The certificates that the environment names, as the services' settings do."""

from collections.abc import Mapping

from orkestra.chassis.access import Tls
from orkestra.chassis.settings import tls_of
from orkestra.cli.refusals import UsageError

PREFIXES = {"gRPC": "GRPC", "NATS": "NATS", "Temporal": "TEMPORAL"}


def certificate_files(environ: Mapping[str, str]) -> dict[str, Tls]:
    """Return them by whom they are shown to; refuses (UsageError) a certificate without its key."""
    found = {peer: _named(environ, prefix) for peer, prefix in PREFIXES.items()}
    found["PostgreSQL"] = tls_of(environ.get("ORKESTRA_ADMIN_DATABASE_URL", ""))
    return {peer: tls for peer, tls in found.items() if tls is not None}


def _named(environ: Mapping[str, str], prefix: str) -> Tls | None:
    names = [f"ORKESTRA_{prefix}_{file}_FILE" for file in ("CA", "CERT", "KEY")]
    try:
        return Tls.of(*(environ.get(name) or None for name in names))
    except ValueError:
        raise UsageError(f"{names[1]} and {names[2]} are given together.") from None

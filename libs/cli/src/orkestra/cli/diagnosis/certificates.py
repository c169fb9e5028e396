"""Certificates that the environment names, as processes are told theirs: whether they can be used, and for how long."""

from orkestra.chassis.certificates import RENEW, Certificates
from orkestra.chassis.readiness import UnwellError
from orkestra.cli.certificates import certificate_files
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok
from orkestra.cli.refusals import UsageError

NAME = "certificate for {}"
"""As processes call theirs, by whom it is shown to."""


async def look(patient: Patient) -> list[Finding]:
    """Say of each until when it is taken; authorities alone are not spoken of."""
    try:
        named = certificate_files(patient.environ)
    except UsageError as wrong:
        return [broken("certificates", wrong.detail, "Name both files, or neither.")]
    found = [await _look(peer, Certificates(tls)) for peer, tls in named.items()]
    return [one for one in found if one is not None]


async def _look(peer: str, certificates: Certificates) -> Finding | None:
    try:
        await certificates.check()
    except UnwellError as said:
        return broken(NAME.format(peer), str(said), RENEW)
    life = certificates.life()
    return None if life is None else ok(NAME.format(peer), f"is taken until {life.ends_at:%Y-%m-%d %H:%M} UTC")

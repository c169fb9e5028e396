"""Others' servers that an installation is set up with: the rooms that use them say how they are."""

import asyncio
import json

from orkestra.cli.diagnosis import certificates
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, unchecked
from orkestra.cli.diagnosis.web import get

ROOMS = {
    "identity-service": ("ORKESTRA_IDENTITY_HEALTH_URL", 9101, "OpenID Connect providers"),
    "task-service": ("ORKESTRA_TASK_HEALTH_URL", 9102, "a bucket of attachments"),
    "notification-service": ("ORKESTRA_NOTIFICATION_HEALTH_URL", 9108, "a mail server and Langfuse"),
}
ANSWER_SECONDS = 1.0
"""What a room may take besides the servers that it asks."""


async def look(name: str, patient: Patient) -> list[Finding]:
    """Have a room ask the servers that it is set up with; one that is not set up is not spoken of."""
    variable = ROOMS[name][0]
    url = patient.health[name] if patient.is_local else patient.known[variable]
    try:
        asked = f"{url.rstrip('/')}/outside?seconds={patient.seconds:g}"
        _, text = await asyncio.to_thread(get, asked, patient.seconds + ANSWER_SECONDS)
        said = json.loads(text).get("outside", [])
    except (OSError, ValueError) as away:
        if patient.is_local:
            return []  # it is said of the process itself
        remedy = f"See that it runs, that {variable} is the address of its health port, and that the way is open."
        return [broken(f"{name}: outside", f"does not answer at {url}: {away}", remedy)]
    return [_finding(name, one["name"], one["detail"], one["remedy"]) for one in said]


def unasked(name: str, patient: Patient) -> list[Finding]:
    """Say what a room elsewhere cannot be asked."""
    if name not in ROOMS or ROOMS[name][0] in patient.known:
        return []
    variable, port, used = ROOMS[name]
    remedy = f"Set {variable}, such as http://orkestra-{name}:{port}, to have {used} looked at."
    return [unchecked(f"{name}: outside", "where its health port is is not known", remedy)]


def _finding(room: str, name: str, detail: str, remedy: str) -> Finding:
    is_own = name.startswith(certificates.NAME.format(""))
    label = f"{room}: {name}" if is_own else name  # servers are asked by one room, certificates by each
    if detail != "ok":
        return broken(label, detail, remedy)
    return ok(label, "is not about to end" if is_own else "does its work")

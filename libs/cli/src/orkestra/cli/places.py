"""Where the parts of an installation are: as the environment says, or else as the local stack does."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra.cli.refusals import CommandError, NothingRunsError, UsageError
from orkestra.cli.state import StateDir

if TYPE_CHECKING:
    from orkestra.sdk.payloads import PayloadKeys

PLACES = {  # the variable that says it of an installation elsewhere: what stack.json calls it
    "ORKESTRA_ADMIN_DATABASE_URL": "postgres",
    "ORKESTRA_NATS_URL": "nats",
    "ORKESTRA_TEMPORAL_ADDRESS": "temporal",
    "ORKESTRA_IDENTITY_ADDRESS": "identity",
    "ORKESTRA_TASK_ADDRESS": "task",
    "ORKESTRA_WORKFLOW_ADDRESS": "workflow",
    "ORKESTRA_NOTIFICATION_ADDRESS": "notification",
    "ORKESTRA_URL": "rest",
    "ORKESTRA_MCP_URL": "mcp",
    "ORKESTRA_DASHBOARD_URL": "dashboard",
    "ORKESTRA_IDENTITY_HEALTH_URL": "identity_health",
    "ORKESTRA_TASK_HEALTH_URL": "task_health",
    "ORKESTRA_NOTIFICATION_HEALTH_URL": "notification_health",
}
WORKER_KEY = "ORKESTRA_WORKER_KEY"


def places(state_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return every place that is known, by its variable, with the worker's key."""
    try:
        stack = StateDir(state_dir).stack or {}
    except CommandError:
        stack = {}
    local = {variable: stack.get(name) for variable, name in PLACES.items()}
    local[WORKER_KEY] = stack.get("api_keys", {}).get("worker")
    found = {variable: environ.get(variable) or place for variable, place in local.items()}
    return {variable: place for variable, place in found.items() if place}


def needed(known: Mapping[str, str], *variables: str, state_dir: Path) -> None:
    """Refuse (NothingRunsError) where one of the places is not known."""
    missing = [variable for variable in variables if variable not in known]
    if missing:
        step = "Start one with `orkestra dev --detach`, say where it is with --state-dir, or set what is missing."
        raise NothingRunsError(f"No stack runs in {state_dir}, and {', '.join(missing)} is not set.", step=step)


def payload_keys(environ: Mapping[str, str]) -> "PayloadKeys":
    """Return the keys of what Temporal stores, as the environment or a file gives them; refuses (UsageError) others."""
    from orkestra.sdk.payloads import PayloadKeys  # noqa: PLC0415 - Temporal's library takes a second to import

    path = environ.get("ORKESTRA_PAYLOAD_KEYS_FILE")
    try:
        given = environ.get("ORKESTRA_PAYLOAD_KEYS") if path is None else Path(path).read_text("utf-8")
        return PayloadKeys.parse(given, environ.get("ORKESTRA_PAYLOAD_KEY_ID"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise UsageError(f"ORKESTRA_PAYLOAD_KEYS_FILE names a file that cannot be read: {unreadable}.") from None
    except ValueError as wrong:
        raise UsageError(f"The payload keys cannot be used: {wrong}.") from None

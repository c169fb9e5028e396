"""`orkestra doctor`: asks everything that Orkestra needs how it is, and says what to do."""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from orkestra.cli.options import JsonOption, StateOption
from orkestra.cli.output import Output
from orkestra.cli.places import places
from orkestra.cli.refusals import FAILED, NothingRunsError, refusals
from orkestra.cli.state import StateDir

if TYPE_CHECKING:
    from orkestra.cli.diagnosis.finding import Finding, Patient

Look = Coroutine[Any, Any, "list[Finding]"]


def doctor(
    *,
    seconds: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that each may take to answer.")] = 5.0,
    state_dir: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Check everything that Orkestra needs, and say what to do about what is wrong.

    What is looked at is the local stack, or an installation elsewhere, where ORKESTRA_ADMIN_DATABASE_URL,
    ORKESTRA_NATS_URL, ORKESTRA_NATS_MONITORING_URL, ORKESTRA_TEMPORAL_ADDRESS, ORKESTRA_IDENTITY_ADDRESS,
    ORKESTRA_TASK_ADDRESS, ORKESTRA_WORKFLOW_ADDRESS, ORKESTRA_NOTIFICATION_ADDRESS, ORKESTRA_URL, ORKESTRA_MCP_URL,
    ORKESTRA_DASHBOARD_URL and ORKESTRA_WORKER_KEY say it, with the services' other settings for NATS, Temporal and
    TLS; what is not said is not looked at. Mail server, bucket, Langfuse and OpenID Connect providers are asked by
    the rooms that use them, at ORKESTRA_IDENTITY_HEALTH_URL, ORKESTRA_TASK_HEALTH_URL and
    ORKESTRA_NOTIFICATION_HEALTH_URL. Exit code 1 where something is broken, 3 where nothing is known that runs.
    """
    output = Output(as_json=as_json)
    with refusals(output):
        patient = _patient(state_dir, os.environ, seconds)
        with output.waiting("Asking everything how it is"):
            found = _examined(patient, state_dir)
        is_well = not any(one.status == "broken" for one in found)
        shown = [
            {"name": one.name, "status": one.status.value, "detail": one.detail, "remedy": one.remedy} for one in found
        ]
        lines = [line for one in found for line in _lines(one)]
        end = "Nothing is broken." if is_well else "What is broken is marked; mend the topmost first."
        output.give({"is_well": is_well, "findings": shown}, *lines, "", end)
        if not patient.known:
            step = "`orkestra dev --detach` starts one; or say where an installation is, as --help lists."
            raise NothingRunsError(f"No stack runs in {state_dir}, and nothing else was named.", step=step)
    if not is_well:
        raise typer.Exit(FAILED)


def _patient(state_dir: Path, environ: Mapping[str, str], seconds: float) -> "Patient":
    from orkestra.cli.diagnosis.finding import Patient  # noqa: PLC0415 - with asyncio, which others need not

    state = StateDir(state_dir)
    stack = state.stack
    known = places(state_dir, environ)
    if stack is None or known.get("ORKESTRA_URL") != stack.get("rest"):
        return Patient(known=known, environ=environ, seconds=seconds)
    return Patient(known=known, environ=environ, seconds=seconds, health=stack.get("health", {}), logs=state.logs)


def _examined(patient: "Patient", state_dir: Path) -> "list[Finding]":
    from orkestra.cli.diagnosis import here  # noqa: PLC0415 - see above

    mine = here.look(state_dir) if patient.is_local or not patient.known else []
    return [*mine, *asyncio.run(_all(patient))]


async def _all(patient: "Patient") -> "list[Finding]":
    """Everything at once: what is away takes the whole of its time."""
    found = await asyncio.gather(*_servers(patient), *_processes(patient))
    return [one for several in found for one in several]


def _servers(patient: "Patient") -> list[Look]:
    from orkestra.cli.diagnosis import certificates, nats, postgresql, temporal  # noqa: PLC0415 - slow to import
    from orkestra.cli.diagnosis.finding import looked_at  # noqa: PLC0415 - see above

    looks = [
        ("ORKESTRA_ADMIN_DATABASE_URL", postgresql.NAME, postgresql.look, "postgres"),
        ("ORKESTRA_NATS_URL", nats.NAME, nats.look, "nats"),
        ("ORKESTRA_TEMPORAL_ADDRESS", temporal.NAME, temporal.look, "temporal"),
    ]
    shown = [] if patient.is_local else [certificates.look(patient)]
    asked = [
        looked_at(
            name, look, patient, remedy=patient.start_again(process, f"See that it runs, and that {variable} is right.")
        )
        for variable, name, look, process in looks
        if variable in patient.known
    ]
    return [*shown, *asked]


def _processes(patient: "Patient") -> list[Look]:
    from orkestra.cli.diagnosis import outside, processes  # noqa: PLC0415 - slow to import

    if patient.is_local:
        ready = [processes.ready(name, patient) for name in patient.health]
        used = [outside.look(name, patient) for name in patient.health if name in outside.ROOMS]
        return [*ready, *used, processes.keys(patient)]
    rooms = [processes.room(name, patient) for name, place in processes.ROOMS.items() if place in patient.known]
    doors = [processes.door(name, patient) for name, place in processes.DOORS.items() if place in patient.known]
    used = [outside.look(name, patient) for name, (place, *_) in outside.ROOMS.items() if place in patient.known]
    return [*rooms, *doors, *used]


def _lines(finding: "Finding") -> list[str]:
    mark = finding.status.value.upper() if finding.status == "broken" else finding.status.value
    told = [f"{mark:<10} {finding.name:<22} {finding.detail}"]
    return [*told, f"{'':<10} → {finding.remedy}"] if finding.remedy else told

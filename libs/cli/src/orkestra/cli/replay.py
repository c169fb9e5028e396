"""`orkestra replay` asks whether the code still does what it did."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from orkestra.cli.code import load
from orkestra.cli.options import JsonOption, StateOption
from orkestra.cli.output import Output
from orkestra.cli.places import payload_keys
from orkestra.cli.refusals import FAILED, CommandError, NothingRunsError, UsageError, refusals
from orkestra.cli.state import StateDir

if TYPE_CHECKING:
    from orkestra.sdk.payloads import PayloadKeys
    from temporalio.client import WorkflowHistory
    from temporalio.worker import Replayer

DEFAULT_HISTORIES = Path("tests/histories")
FAILURE = re.compile(r'message: "([^"]+)"')


@dataclass(frozen=True)
class Replay:
    """What became of one history; `failure` is None where the code does again what it did."""

    history: str
    workflow: str
    failure: str | None


def replay(
    modules: Annotated[list[str], typer.Argument(help="Modules with workflows, such as my_package.workflows.")],
    *,
    histories: Annotated[
        Path, typer.Option("--histories", help="A recorded history, or a folder of them.")
    ] = DEFAULT_HISTORIES,
    record: Annotated[
        list[str] | None, typer.Option("--record", help="First record this run into the folder; may be repeated.")
    ] = None,
    temporal_address: Annotated[
        str | None, typer.Option(envvar="ORKESTRA_TEMPORAL_ADDRESS", help="With --record; the local stack's if absent.")
    ] = None,
    state_dir: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded histories against the workflows as they are now.

    Exit code 1 where one is not deterministic any more: such code would strand the runs that wait. Histories of an
    installation that encrypts them need the keys in ORKESTRA_PAYLOAD_KEYS, or in the file ORKESTRA_PAYLOAD_KEYS_FILE.
    """
    output = Output(as_json=as_json)
    with refusals(output):
        if record:
            _record(record, histories, temporal_address or _local_temporal(state_dir), output)
        files = sorted(histories.glob("*.json")) if histories.is_dir() else [histories]
        try:
            with output.waiting(f"Replaying {len(files)} histories"):
                done = asyncio.run(_replay(modules, files, payload_keys(os.environ)))
        except ValueError as wrong:
            raise UsageError(str(wrong)) from None
    _report(done, output)
    if any(one.failure for one in done):
        raise typer.Exit(FAILED)


async def _replay(modules: list[str], files: list[Path], keys: "PayloadKeys") -> list[Replay]:
    if not files:
        raise ValueError("There is no history in the folder: `orkestra replay --record WORKFLOW_ID` writes one.")
    if not files[0].exists():
        raise ValueError(f"There is no {files[0]}: `orkestra replay --record WORKFLOW_ID` writes a folder of them.")
    recorded = [(path, _read(path)) for path in files]
    replayer = _replayer(modules, keys)
    return [await _replayed(replayer, path, history) for path, history in recorded]


async def _replayed(replayer: "Replayer", path: Path, history: "WorkflowHistory") -> Replay:
    began = history.events[0].workflow_execution_started_event_attributes
    done = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    failure = None if done.replay_failure is None else _plain(str(done.replay_failure))
    return Replay(path.name, began.workflow_type.name, failure)


def _plain(failure: str) -> str:
    """What Temporal's library means, out of the structure that it prints."""
    found = FAILURE.search(failure)
    return found[1] if found else failure


def _replayer(modules: list[str], keys: "PayloadKeys") -> "Replayer":
    from orkestra.sdk.testing.replaying import replayer_of  # noqa: PLC0415 - Temporal's library is slow to import
    from orkestra.sdk.worker import find_contents  # noqa: PLC0415 - see above

    found = find_contents(load(modules))
    return replayer_of(found.workflows, keys)


def _read(path: Path) -> "WorkflowHistory":
    from google.protobuf.json_format import ParseError  # noqa: PLC0415 - see above
    from orkestra.sdk.testing.replaying import read_history  # noqa: PLC0415 - see above

    try:
        return read_history(path)
    except (OSError, ValueError, KeyError, IndexError, ParseError) as wrong:
        raise ValueError(f"{path} is no recorded history: {wrong}") from None


def _record(workflow_ids: list[str], folder: Path, address: str, output: Output) -> None:
    from temporalio.service import RPCError  # noqa: PLC0415 - see above

    try:
        histories = asyncio.run(_fetch(workflow_ids, address))
    except (RPCError, RuntimeError) as wrong:
        step = "`orkestra workflow list` shows the runs; `orkestra doctor` asks whether Temporal answers."
        raise CommandError(f"Temporal at {address}: {wrong}", step=step) from None
    from orkestra.sdk.testing.replaying import write_history  # noqa: PLC0415 - see above

    for history in histories:
        path = folder / f"{history.workflow_id}.json"
        write_history(history, path)
        output.say(f"Recorded {path}.")


async def _fetch(workflow_ids: list[str], address: str) -> "list[WorkflowHistory]":
    from temporalio.client import Client, WorkflowHandle  # noqa: PLC0415 - see above

    client = await Client.connect(address)
    handles: list[WorkflowHandle[Any, Any]] = [client.get_workflow_handle(one) for one in workflow_ids]
    return [await handle.fetch_history() for handle in handles]


def _local_temporal(state_dir: Path) -> str:
    address: str | None = (StateDir(state_dir).stack or {}).get("temporal")
    if address is None:
        raise NothingRunsError(f"No stack runs in {state_dir}.", step="Say where Temporal is with --temporal-address.")
    return address


def _report(done: list[Replay], output: Output) -> None:
    if output.as_json:
        shown = [{"history": one.history, "workflow": one.workflow, "failure": one.failure} for one in done]
        output.give({"replays": shown})
        return
    for one in done:
        output.say(f"{'FAILED' if one.failure else 'ok':<6}  {one.workflow}  {one.history}")
        if one.failure:
            output.say(f"        {one.failure}")
    if any(one.failure for one in done):
        output.say("Put what changed behind `workflow.patched()`, or register a new version of the workflow.")

"""Recorded histories: kept as JSON, and replayed against the code as it is now."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orkestra.sdk.converter import HEADERS, data_converter_of
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.payloads import PayloadKeys
from orkestra.sdk.sandbox import sandbox
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer


async def replay(*workflows: type, histories: Path, payload_keys: PayloadKeys | None = None) -> int:
    """Replay every history (*.json) in the folder against the workflows, and return how many there are.

    Raises temporalio's NondeterminismError where the code no longer does what was recorded: a run that waits since then
    would be stranded. Refuses (ValueError) a folder without histories. Histories that are encrypted need their keys.
    """
    recorded = _read_histories(histories)
    replayer = replayer_of(workflows, payload_keys or PayloadKeys())
    for history in recorded:
        await replayer.replay_workflow(history)
    return len(recorded)


def replayer_of(workflows: Sequence[type], payload_keys: PayloadKeys) -> Replayer:
    """Return what replays histories as a worker runs them."""
    return Replayer(
        workflows=workflows,
        data_converter=data_converter_of(payload_keys),
        header_codec_behavior=HEADERS,
        interceptors=[OrkestraInterceptor()],
        workflow_runner=sandbox(),
    )


def write_history(history: WorkflowHistory, path: Path) -> None:
    """Keep a history as Temporal's JSON, with the run's id and without the names of machines."""
    kept = _nameless(json.loads(history.to_json()))
    kept["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"] = history.workflow_id
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_history(path: Path) -> WorkflowHistory:
    """Return a history that was kept; the run has its own id again, which its code may depend on."""
    history = WorkflowHistory.from_json(path.stem, path.read_text("utf-8"))
    started = history.events[0].workflow_execution_started_event_attributes
    return replace(history, workflow_id=started.workflow_id or path.stem)


def _read_histories(folder: Path) -> list[WorkflowHistory]:
    recorded = [read_history(path) for path in sorted(folder.glob("*.json"))]
    if not recorded:
        raise ValueError(f"There is no recorded history in {folder}.")
    return recorded


def _nameless(part: Any) -> Any:
    if isinstance(part, list):
        return [_nameless(one) for one in part]
    if isinstance(part, dict):
        return {name: _nameless(value) for name, value in part.items() if name != "identity"}
    return part

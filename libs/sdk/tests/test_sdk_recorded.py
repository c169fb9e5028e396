"""Histories that a test records, held against the code of today and of another day."""

import base64
import json
from pathlib import Path

import pytest
import sdk_asking
import sdk_mutant
from orkestra.sdk.header import HISTORY_FORMAT
from orkestra.sdk.testing import OrkestraTest, replay
from temporalio.workflow import NondeterminismError


async def test_a_recorded_history_replays_and_catches_code_that_does_something_else(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        await run.result()
        await run.record(tmp_path / "histories" / "answered.json")
    assert await replay(sdk_asking.asks, histories=tmp_path / "histories") == 1
    with pytest.raises(NondeterminismError):
        await replay(sdk_mutant.asks, histories=tmp_path / "histories")


async def test_an_end_that_came_with_its_signal_is_taken_where_the_history_says_so(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        await run.result()
        await run.record(tmp_path / "answered.json")
    kept = json.loads((tmp_path / "answered.json").read_text("utf-8"))
    assert [event["eventType"] for event in kept["events"]].count("EVENT_TYPE_MARKER_RECORDED") == 1
    header = kept["events"][0]["workflowExecutionStartedEventAttributes"]["header"]["fields"]["orkestra"]
    told = json.loads(base64.b64decode(header["data"]))
    assert told.pop("history_format") == HISTORY_FORMAT
    header["data"] = base64.b64encode(json.dumps(told).encode()).decode()  # as a run of an older SDK begins
    (tmp_path / "answered.json").write_text(json.dumps(kept), "utf-8")
    with pytest.raises(NondeterminismError):
        await replay(sdk_asking.asks, histories=tmp_path)


async def test_a_folder_without_histories_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no recorded history"):
        await replay(sdk_asking.asks, histories=tmp_path)


async def test_a_history_names_no_machine(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        await run.result()
        await run.record(tmp_path / "answered.json")
    assert "identity" not in (tmp_path / "answered.json").read_text("utf-8")

"""Alarms of a run's tasks: stopped where the run goes on, and left to end with it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import sdk_asking
from orkestra.sdk.header import HISTORY_FORMAT
from orkestra.sdk.testing import OrkestraTest, replay
from orkestra.testkit import eventually
from temporalio.api.enums.v1 import EventType
from temporalio.workflow import NondeterminismError


def count(history: dict[str, Any], event: str) -> int:
    return [one["eventType"] for one in history["events"]].count(f"EVENT_TYPE_TIMER_{event}")


def read(file: Path) -> dict[str, Any]:
    history: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return history


async def test_an_alarm_ends_with_the_run(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        assert await run.result() == "Blue."
        await run.record(tmp_path / "ended.json")
    history = read(tmp_path / "ended.json")
    assert (count(history, "STARTED"), count(history, "CANCELED")) == (1, 0)
    assert await replay(sdk_asking.asks, histories=tmp_path) == 1


async def test_an_alarm_is_stopped_where_the_run_goes_on(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.both_answers, sdk_asking.Words())
        first, second = await env.next_task(), await env.next_task()
        answers: dict[str, dict[str, Any]] = {"who": {"name": "Kim"}, "sure": {"sure": True}}
        await first.complete(**answers[first.current.title], by="ana")
        handle = env.client.get_workflow_handle(run.workflow_id)

        async def is_stopped() -> bool:
            kinds = [event.event_type for event in (await handle.fetch_history()).events]
            return EventType.EVENT_TYPE_TIMER_CANCELED in kinds

        await eventually(is_stopped)
        await second.complete(**answers[second.current.title], by="ana")
        assert await run.result() == "Kim is sure"
        await run.record(tmp_path / "both.json")
    history = read(tmp_path / "both.json")
    assert (count(history, "STARTED"), count(history, "CANCELED")) == (2, 1)
    assert await replay(sdk_asking.both_answers, histories=tmp_path) == 1


async def test_a_run_of_the_format_before_stops_its_alarm_as_it_did(tmp_path: Path) -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        await run.result()
        await run.record(tmp_path / "ended.json")
    history = read(tmp_path / "ended.json")
    header = history["events"][0]["workflowExecutionStartedEventAttributes"]["header"]["fields"]["orkestra"]
    told = json.loads(base64.b64decode(header["data"]))
    assert told["history_format"] == HISTORY_FORMAT
    header["data"] = base64.b64encode(json.dumps({**told, "history_format": 2}).encode()).decode()
    (tmp_path / "ended.json").write_text(json.dumps(history), "utf-8")
    with pytest.raises(NondeterminismError):  # it would have stopped the alarm before its end
        await replay(sdk_asking.asks, histories=tmp_path)

"""Ends: of a worker that is told to, even where the engine below it does not, and of runs, which hold nothing up."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any, cast

import grpc
import pytest
import sdk_asking
from orkestra.sdk import worker
from orkestra.sdk.ending import EndReports
from orkestra.sdk.header import RunHeader
from orkestra.sdk.testing import OrkestraTest
from orkestra.v1.workflow import ReportEndRequest, WorkflowStatus
from temporalio.api.enums.v1 import EventType
from temporalio.worker import Worker


class Stuck:
    """A worker whose engine lost an activity: it never ends, and shutting it down never returns."""

    task_queue = "stuck"

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def shutdown(self) -> None:
        await asyncio.Event().wait()


async def test_a_worker_that_cannot_end_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    stuck = cast("Worker", cast("Any", Stuck()))
    before = asyncio.all_tasks()
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        async with worker._polling([stuck], stop, longest_seconds=0.2):
            pass
    assert 0.2 <= time.monotonic() - began < 10
    assert stop.is_set()
    assert "did not end within 0.2 s" in caplog.text
    for left in asyncio.all_tasks() - before:
        left.cancel()


class Tokens:
    """A worker's tokens, each of one tenant."""

    def of(self, tenant_id: str | None) -> Any:
        async def token() -> str:
            return f"token of {tenant_id}"

        return token


async def test_an_end_that_nobody_hears_holds_nothing_up_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    header = RunHeader(tenant_id="t", workflow_id="w", requested_by="key")
    report = ReportEndRequest(workflow_id="w", run_id="r", status=WorkflowStatus.COMPLETED)
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nowhere:
        ends = EndReports(nowhere, cast("Any", Tokens()))
        with caplog.at_level(logging.WARNING):
            await asyncio.to_thread(ends.tell, header, report, datetime.now(UTC))  # from a run's own thread
            await asyncio.sleep(0)
            await ends.finish()
    assert "the end of w is not reported; the sweep will find it" in caplog.text


async def test_a_run_leaves_nothing_of_its_report_in_the_history() -> None:
    async with OrkestraTest() as env:
        run = await env.start(sdk_asking.asks, sdk_asking.Words())
        await (await env.next_task()).complete(answer="Blue.", by="ana")
        await run.result()
        history = await env.client.get_workflow_handle(run.workflow_id).fetch_history()
        told = [event.name for event in env.events]
    markers = [one for one in history.events if one.event_type == EventType.EVENT_TYPE_MARKER_RECORDED]
    assert len(markers) == 1  # the task is opened; its end came with the signal
    assert told[-1] == "workflow.completed"

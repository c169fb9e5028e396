"""Signals to runs, what a run tells of itself, and the answer that a run needs from whoever asked for it."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
import workflow_author
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.task import TaskStatus
from orkestra.v1.workflow import (
    AnswerNeeded,
    GetTimelineRequest,
    GetWorkflowResultRequest,
    ReportEndRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    TimelineEntry,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, TooLarge
from temporalio.api.enums.v1 import EventType
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


async def started(world: World, definition: str) -> Workflow:
    request = StartWorkflowRequest(definition=definition, input=QUESTION)
    return await world.client("agent").start_workflow(request)


def signal(run: Workflow, payload: object = "on", *, name: str = "go-on") -> SignalWorkflowRequest:
    return SignalWorkflowRequest(workflow_id=run.workflow_id, signal=name, payload=payload)


async def result(world: World, run: Workflow, *, wait: int = 15) -> Workflow:
    request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=wait)
    return await world.client("agent").get_workflow_result(request, timeout=wait + 5.0)


async def timeline(world: World, run: Workflow) -> list[TimelineEntry]:
    request = GetTimelineRequest(workflow_id=run.workflow_id)
    return (await world.client("agent").get_timeline(request)).entries


async def test_a_signal_reaches_the_run_once_for_one_request_id(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await started(world, "listens")
        request_id = str(uuid4())
        for _ in range(2):
            answer = await client.signal_workflow(signal(run), request_id=request_id)
            assert answer.workflow_id == run.workflow_id
        assert client.replayed
        with pytest.raises(InvalidArgument):
            await client.signal_workflow(signal(run, "other"), request_id=request_id)
        await client.signal_workflow(signal(run, "stop"))
        ended = await result(world, run)
    assert ended.result == ["on", "stop"]
    with pytest.raises(FailedPrecondition) as refusal:
        await client.signal_workflow(signal(run))
    assert refusal.value.reason == "WORKFLOW_NOT_RUNNING"
    assert isinstance(refusal.value.current, Workflow)
    assert refusal.value.current.status is WorkflowStatus.COMPLETED


@pytest.mark.parametrize("name", ["orkestra_task", "__temporal_x", "", "x" * 201])
async def test_the_platforms_own_signals_cannot_be_sent(world: World, name: str) -> None:
    await world.register("quiet")
    run = await started(world, "quiet")
    with pytest.raises(InvalidArgument) as refusal:
        await world.client("agent").signal_workflow(signal(run, {"task_id": "task_1", "version": 9}, name=name))
    assert [error.path for error in refusal.value.errors] == ["signal"]


async def test_who_may_signal_a_run(world: World) -> None:
    await world.register("guarded-signals")
    run = await started(world, "guarded-signals")
    await world.client("manager", subject="user_boss").signal_workflow(signal(run))
    with pytest.raises(PermissionDenied):
        await world.client("auditor", subject="user_aud").signal_workflow(signal(run))
    for stranger in (
        world.client("agent", subject="agent-2"),
        world.client("admin", tenant_id=str(uuid4())),
    ):
        with pytest.raises(NotFound):
            await stranger.signal_workflow(signal(run))
        with pytest.raises(NotFound):
            await stranger.get_timeline(GetTimelineRequest(workflow_id=run.workflow_id))
    with pytest.raises(TooLarge):
        await world.client("agent").signal_workflow(signal(run, "x" * 262_144))


async def test_a_signal_to_a_run_that_temporal_has_ended_is_refused_before_the_row_is_told(world: World) -> None:
    await world.register("gone-in-temporal")
    run = await started(world, "gone-in-temporal")
    await (await world.temporal()).get_workflow_handle(run.workflow_id).terminate()
    with pytest.raises(FailedPrecondition) as refusal:
        await world.client("agent").signal_workflow(signal(run))
    assert refusal.value.reason == "WORKFLOW_NOT_RUNNING"


async def test_the_timeline_tells_what_happened_and_nothing_of_what_was_carried(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await started(world, "busy")
        task = await world.task_of(run)
        await client.signal_workflow(signal(run, "4111-secret", name="hurry"))
        await world.tasks.change(task.task_id, "escalated")
        await world.tasks.answer(task.task_id, {"answer": "4111-secret"})
        await result(world, run)
    told = await timeline(world, run)
    assert [(entry.kind, entry.event) for entry in told if entry.event != "scheduled"] == [
        ("workflow", "started"),
        ("activity", "retried"),
        ("activity", "completed"),
        ("activity", "completed"),
        ("timer", "started"),
        ("timer", "fired"),
        ("task", "created"),
        ("signal", "received"),
        ("task", "escalated"),
        ("task", "completed"),
        ("workflow", "completed"),
    ]
    texts = [entry.text for entry in told]
    assert "The activity charge_card was tried 2 times: ConnectionError: the bank did not answer." in texts
    assert "The workflow waits for 1s." in texts
    assert "“May this be charged?” was opened for finance." in texts
    codes = {entry.code: {each.name: each.value for each in entry.details} for entry in told}
    why = "ConnectionError: the bank did not answer"
    assert codes["activity_retried"] == {"name": "charge_card", "attempts": "2", "why": why}
    assert codes["timer_started"] == {"seconds": "1"}
    assert codes["task_created"] == {"title": "May this be charged?", "people": "finance"}
    assert {entry.task_id for entry in told if entry.kind == "task"} == {task.task_id}
    assert told[0].actor == "agent-1"
    assert "4111" not in " ".join(texts)
    assert QUESTION["question"] not in " ".join(texts)


async def test_the_timeline_says_why_an_activity_is_tried_again_while_it_is(world: World) -> None:
    workflow_author.BANKS["is_open"] = False
    async with world.worker("workflow_author"):
        run = await started(world, "knocks")

        async def said() -> list[str] | None:
            texts = [entry.text for entry in await timeline(world, run)]
            return texts if "was tried" in " ".join(texts) else None

        *before, last = await eventually(said)
        assert re.fullmatch(r"The activity knock was tried \d+ times: ConnectionError: nobody opens\.", last)
        assert before[-1] == "The activity knock was asked for."
        workflow_author.BANKS["is_open"] = True
        assert (await result(world, run, wait=40)).result == "come in"
    assert [entry.event for entry in await timeline(world, run)].count("retried") == 1


async def test_the_timeline_of_a_failed_run_says_why(world: World) -> None:
    await world.register("broken")
    run = await started(world, "broken")
    failure = {"type": "CARD_REFUSED", "message": "The bank said no."}
    report = ReportEndRequest.model_validate(
        {"workflow_id": run.workflow_id, "run_id": "r", "status": "failed", "failure": failure}
    )
    await world.client("worker").report_end(report)
    assert (await timeline(world, run))[-1].text == "The run failed (CARD_REFUSED: The bank said no.)."


async def test_whoever_waits_for_a_run_is_told_at_once_that_an_answer_is_needed(world: World) -> None:
    async with world.worker("customer_support.workflows"):
        run = await started(world, "customer-support")
        task = await world.task_of(run)
        waiting = asyncio.create_task(result(world, run, wait=30))
        began = asyncio.get_running_loop().time()
        await world.tasks.ask(task.task_id, "Which order?")
        told = await waiting
        assert asyncio.get_running_loop().time() - began < 10
        assert told.status is WorkflowStatus.RUNNING
        assert told.answer_needed == AnswerNeeded(task_id=task.task_id, message="Which order?")

        await world.tasks.change(task.task_id, "answered", status=TaskStatus.CLAIMED)

        async def is_answered() -> bool:
            return (await result(world, run, wait=0)).answer_needed is None

        await eventually(is_answered)
        await world.tasks.answer(task.task_id, {"answer": "Yes."})
        assert (await result(world, run)).status is WorkflowStatus.COMPLETED
    rows = await world.rows("select * from workflow.waiting_tasks where workflow_id = $1", run.workflow_id)
    assert rows == []


async def test_a_request_that_is_heard_after_its_answer_holds_nobody(world: World) -> None:
    await world.register("reordered")
    run = await started(world, "reordered")
    task = await world.tasks.open_alone(world.tenant_id)
    world.tasks.tasks[task.task_id] = asked = task.model_copy(
        update={"workflow_id": run.workflow_id, "status": TaskStatus.WAITING, "version": 3}
    )
    world.tasks.tasks[task.task_id] = answered = asked.model_copy(update={"status": TaskStatus.OPEN, "version": 4})
    await world.tasks.publish(answered, "answered")
    await world.tasks.publish(asked, "changes_requested")
    marker = answered.model_copy(update={"status": TaskStatus.COMPLETED, "version": 5})
    await world.tasks.publish(marker, "completed")
    await world.confirmations(task, count=1)
    assert (await result(world, run, wait=0)).answer_needed is None


async def test_alarms_of_tasks_are_told_from_the_authors_timers(world: World) -> None:
    with world.tasks.ringing(timedelta(hours=1)):
        async with world.worker("workflow_author"):
            run = await started(world, "busy")
            task = await world.task_of(run)
            await world.tasks.change(task.task_id, "escalated")
            await eventually(lambda: task.task_id in world.tasks.rung)
            await world.tasks.answer(task.task_id, {"answer": "ok"})
            await result(world, run)
    history = await (await world.temporal()).get_workflow_handle(run.workflow_id).fetch_history()
    timers = [one for one in history.events if one.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    told = [entry for entry in await timeline(world, run) if (entry.kind, entry.event) == ("timer", "started")]
    assert (len(timers), len(told)) == (2, 1)


async def outcome(world: World, run: Workflow) -> object:
    """What the run returns, whatever is asked of its requester meanwhile."""

    async def has_ended() -> Workflow | None:
        state = await result(world, run, wait=0)
        return None if state.status is WorkflowStatus.RUNNING else state

    return (await eventually(has_ended)).result


async def answers(world: World, task_id: str) -> list[str | None]:
    return [request.answer for request in world.tasks.tasks[task_id].change_requests]


async def test_the_workflow_answers_what_the_reviewer_asks(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await started(world, "answers-back")
        task = await world.task_of(run)
        for round_, asked in enumerate(("Which order?", "Which day?"), 1):
            await world.tasks.ask(task.task_id, asked)

            async def is_answered(rounds: int = round_) -> bool:
                known = await answers(world, task.task_id)
                return len(known) == rounds and None not in known

            await eventually(is_answered)
        await world.tasks.answer(task.task_id, {"answer": "Fine."})
        assert await outcome(world, run) == "Fine."
    assert await answers(world, task.task_id) == ["1: Which order?", "2: Which day?"]


async def test_an_author_who_is_still_thinking_does_not_keep_the_task_from_its_end(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await started(world, "thinks-for-ever")
        task = await world.task_of(run)
        await world.tasks.ask(task.task_id, "Which order?")
        await eventually(lambda: task.task_id in world.tasks.rung)
        await world.tasks.change(task.task_id, "answered", status=TaskStatus.CLAIMED)
        await world.tasks.answer(task.task_id, {"answer": "Never mind."})
        assert await outcome(world, run) == "Never mind."


async def test_without_a_callback_the_task_waits_for_whoever_asked_for_the_run(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await started(world, "busy")
        task = await world.task_of(run)
        await world.tasks.ask(task.task_id, "Which order?")
        await eventually(lambda: task.task_id in world.tasks.rung)
        needed = (await result(world, run)).answer_needed
        assert needed is not None
        assert needed.message == "Which order?"
        await world.tasks.change(task.task_id, "answered", status=TaskStatus.CLAIMED)
        await world.tasks.answer(task.task_id, {"answer": "ok"})
        await eventually(lambda: world.tasks.tasks[task.task_id].status is TaskStatus.COMPLETED)
    assert await answers(world, task.task_id) == [None]

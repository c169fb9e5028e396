"""Between claim and decision: drafts are kept, changes asked for and answered, and the clocks stand still meanwhile."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    AdvanceClockRequest,
    AnswerTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    SlaPolicy,
    Task,
    TaskContext,
    TaskStatus,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from task_world import ANSWER, REPLY_FORM, Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]


@dataclass
class Scene:
    """A task of group support-l1, asked for by an agent and held by ana."""

    tenant: Tenant
    agent: Caller
    ana: Caller
    ben: Caller
    task: Task

    async def ask_for_changes(self, message: str = "For which order?", **fields: Any) -> Task:
        request = RequestChangesRequest(task_id=self.task.task_id, message=message, **fields)
        return await self.ana.request_changes(request)

    async def answer(self, message: str = "Order 7.", **fields: Any) -> Task:
        return await self.agent.answer_task(AnswerTaskRequest(task_id=self.task.task_id, message=message, **fields))

    async def save(self, **data: Any) -> Task:
        return await self.ana.save_draft(SaveDraftRequest(task_id=self.task.task_id, data=data))

    async def seen_by(self, caller: Caller) -> Task:
        return await caller.get_task(GetTaskRequest(task_id=self.task.task_id))

    async def history(self) -> list[tuple[str, str | None]]:
        entries = (await self.ana.get_task_history(GetTaskHistoryRequest(task_id=self.task.task_id))).entries
        return [(entry.event, entry.actor) for entry in entries]


async def scene(world: World, request: CreateTaskRequest | None = None) -> Scene:
    tenant = world.tenant()
    ana, ben, agent = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1"), tenant.agent()
    request = request or ask()
    task = await agent.create_task(request.model_copy(update={"candidate_groups": ["support-l1"]}))
    return Scene(tenant, agent, ana, ben, await ana.claimed(task))


async def test_a_draft_is_kept_for_its_assignee_alone_and_changes_nothing_else(world: World) -> None:
    it = await scene(world)
    saved = await it.save(answer="Half a sen")
    assert (saved.saved, saved.version) == ({"answer": "Half a sen"}, it.task.version)
    assert saved.saved_at is not None
    assert await it.seen_by(it.ana) == saved
    for other in (it.ben, it.agent, it.tenant.person("boss", roles=("manager",)), it.tenant.worker()):
        seen = await it.seen_by(other)
        assert (seen.saved, seen.saved_at) == (None, None)
    assert [event for event, _ in await it.history()] == ["created", "claimed"]


async def test_a_draft_survives_a_hand_over_and_ends_with_the_task(world: World) -> None:
    it = await scene(world)
    await it.save(answer="Half a sen")
    released = await it.ana.release_task(ReleaseTaskRequest(task_id=it.task.task_id))
    assert released.saved is None
    taken = await it.ben.claim_task(ClaimTaskRequest(task_id=it.task.task_id))
    assert taken.saved == {"answer": "Half a sen"}
    done = await it.ben.complete_task(CompleteTaskRequest(task_id=it.task.task_id, data=ANSWER))
    assert (done.saved, done.saved_at) == (None, None)
    [row] = await world.rows("select saved, saved_at from tasks where task_id = $1", it.task.task_id)
    assert (row["saved"], row["saved_at"]) == (None, None)
    [event] = await world.rows(
        "select after::text from task_history where task_id = $1 and event = 'completed'", it.task.task_id
    )
    assert "Half a sen" not in event["after"]


async def test_a_refused_claim_shows_nobody_elses_draft(world: World) -> None:
    it = await scene(world)
    await it.save(answer="Half a sen")
    with pytest.raises(FailedPrecondition) as refusal:
        await it.ben.claimed(it.task)
    assert isinstance(refusal.value.current, Task)
    assert refusal.value.current.saved is None


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({"answer": 7}, "data.answer", "wrong_type"),
        ({"nothing": "x"}, "data.nothing", "unknown_field"),
        ({"answer": "x" * 300_000}, "data", "too_large"),
    ],
)
async def test_a_draft_is_held_against_types_only(world: World, data: dict[str, Any], path: str, code: str) -> None:
    it = await scene(world)
    with pytest.raises(InvalidArgument) as refusal:
        await it.save(**data)
    assert [(error.path, error.code) for error in refusal.value.errors] == [(path, code)]
    assert (await it.save(answer=None, sentiment="no option")).saved == {"answer": None, "sentiment": "no option"}


async def test_asking_for_changes_lets_the_task_wait_a_day(world: World) -> None:
    it = await scene(world)
    waiting = await it.ask_for_changes()
    [asked] = waiting.change_requests
    assert (waiting.status, waiting.version, waiting.assignee) == (TaskStatus.WAITING, it.task.version + 1, it.ana.id)
    assert (asked.round, asked.message, asked.asked_by, asked.answer) == (1, "For which order?", it.ana.id, None)
    assert asked.answer_by - asked.asked_at == timedelta(hours=24)
    assert waiting.sla is not None
    assert (waiting.sla.answer_by, waiting.sla.next_step_at) == (asked.answer_by, asked.answer_by)
    for refused in (
        it.ana.complete_task(CompleteTaskRequest(task_id=it.task.task_id, data=ANSWER)),
        it.ana.release_task(ReleaseTaskRequest(task_id=it.task.task_id)),
        it.ask_for_changes(),
    ):
        with pytest.raises(FailedPrecondition) as refusal:
            await refused
        assert refusal.value.reason == "TASK_WAITING"
    state = await it.tenant.worker().advance_clock(AdvanceClockRequest(task_id=it.task.task_id))
    assert state.change_request == asked
    assert state.wake_in is not None
    assert state.wake_in > timedelta(hours=23)


async def test_an_answer_gives_the_task_back_with_what_it_replaces(world: World) -> None:
    it = await scene(world)
    await it.ask_for_changes()
    await it.save(answer="Half a sen", sentiment="neutral")
    form = {"answer": REPLY_FORM["answer"], "order": {"type": "integer"}}
    answered = await it.answer(context=TaskContext(summary="Order 7"), form=form, draft={"order": {"value": 7}})
    assert (answered.status, answered.assignee, answered.revision) == (TaskStatus.CLAIMED, it.ana.id, 2)
    [asked] = answered.change_requests
    assert (asked.answer, asked.answered_by, asked.closed_at) == ("Order 7.", it.agent.id, asked.answered_at)
    assert answered.sla is None
    assert answered.saved is None
    seen = await it.seen_by(it.ana)
    assert seen.saved == {"answer": "Half a sen"}
    assert seen.context == TaskContext(summary="Order 7")
    entries = (await it.ana.get_task_history(GetTaskHistoryRequest(task_id=it.task.task_id))).entries
    assert [entry.event for entry in entries] == ["created", "claimed", "changes_requested", "answered"]
    assert entries[-1].before is not None
    assert entries[-1].after is not None
    assert "context" not in entries[-1].before
    assert entries[-1].after["context"]["summary"] == "Order 7"
    assert entries[-1].after["revision"] == 2
    events = await world.rows("select subject, payload from outbox where tenant_id = $1 order by seq", it.tenant.id)
    assert [row["subject"].rpartition(".")[2] for row in events][-2:] == ["changes_requested", "answered"]
    assert not [row for row in events if b"which order" in row["payload"] or b"Order 7" in row["payload"]]


async def test_whoever_saw_the_older_revision_is_not_taken_at_their_word(world: World) -> None:
    it = await scene(world)
    await it.ask_for_changes()
    await it.answer(context=TaskContext(summary="Other than you thought"))
    answer = CompleteTaskRequest(task_id=it.task.task_id, data=ANSWER, revision=1)
    with pytest.raises(VersionMismatch) as refusal:
        await it.ana.complete_task(answer)
    assert refusal.value.reason == "REVISION_MISMATCH"
    done = await it.ana.complete_task(answer.model_copy(update={"revision": 2}))
    assert done.status is TaskStatus.COMPLETED


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"form": {"answer": {"type": "no such type"}}}, "form"),
        ({"draft": {"nothing": {"value": 1}}}, "draft.nothing"),
        ({"message": " "}, "message"),
        ({"message": "x" * 20_000}, "message"),
        ({"context": TaskContext(summary="x" * 300_000)}, "context"),
    ],
)
async def test_an_answer_that_cannot_be_taken_stores_nothing(world: World, fields: dict[str, Any], path: str) -> None:
    it = await scene(world)
    waiting = await it.ask_for_changes()
    with pytest.raises(InvalidArgument) as refusal:
        await it.answer(**fields)
    assert refusal.value.reason == "ANSWER_INVALID"
    assert refusal.value.errors[0].path.startswith(path)
    assert await it.seen_by(it.ana) == waiting


@pytest.mark.parametrize(
    ("fields", "path"), [({"message": ""}, "message"), ({"answer_within": "soon"}, "answer_within")]
)
async def test_changes_are_asked_for_in_words_and_for_a_time(world: World, fields: dict[str, Any], path: str) -> None:
    it = await scene(world)
    with pytest.raises(InvalidArgument) as refusal:
        await it.ask_for_changes(**fields)
    assert [error.path for error in refusal.value.errors] == [path]
    assert await it.seen_by(it.ana) == it.task


async def test_changes_are_asked_for_five_times_at_most(world: World) -> None:
    it = await scene(world)
    for _ in range(5):
        await it.ask_for_changes()
        await it.answer()
    with pytest.raises(FailedPrecondition) as refusal:
        await it.ask_for_changes()
    assert refusal.value.reason == "CHANGES_EXHAUSTED"
    assert [one.round for one in (await it.seen_by(it.ana)).change_requests] == [1, 2, 3, 4, 5]
    assert (await it.ana.list_tasks(ListTasksRequest())).tasks[0].change_requests == []


async def test_the_worker_and_the_person_asked_for_may_answer_and_nobody_else(world: World) -> None:
    tenant = world.tenant()
    cara, ana = tenant.person("cara"), tenant.person("ana", "support-l1")
    request = ask_for_run(candidate_groups=["support-l1"], on_behalf_of=cara.id)
    for caller in (cara, tenant.worker()):
        task = await ana.claimed(await tenant.worker().create_task(request.model_copy(update={"key": caller.id})))
        await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Why?"))
        answer = AnswerTaskRequest(task_id=task.task_id, message="So.")
        with pytest.raises(PermissionDenied) as refusal:
            await ana.answer_task(answer)
        assert refusal.value.reason == "NOT_THE_REQUESTER"
        with pytest.raises(NotFound):
            await world.tenant().agent().answer_task(answer)
        assert (await caller.answer_task(answer)).status is TaskStatus.CLAIMED


async def is_past(world: World, task: Task, column: str) -> bool:
    statement = f"select (sla ->> $2)::timestamptz < now() from tasks where task_id = $1"  # noqa: F541 - a test's
    [row] = await world.rows(statement, task.task_id, column)
    return bool(row[0])


async def test_the_clocks_stand_still_until_the_answer_and_run_on_after_it(world: World) -> None:
    it = await scene(world, ask(sla=SlaPolicy(complete="2s")))
    assert it.task.sla is not None
    assert it.task.sla.complete_by is not None
    await it.ask_for_changes()
    await eventually(lambda: is_past(world, it.task, "complete_by"))
    state = await it.tenant.worker().advance_clock(AdvanceClockRequest(task_id=it.task.task_id))
    assert state.status is TaskStatus.WAITING
    answered = await it.answer()
    [asked] = answered.change_requests
    assert answered.sla is not None
    assert asked.closed_at is not None
    assert answered.sla.complete_by == it.task.sla.complete_by + (asked.closed_at - asked.asked_at)
    assert answered.sla.complete_by > datetime.now(UTC)
    assert (answered.sla.answer_by, answered.sla.next_step_at) == (None, answered.sla.complete_by)

    async def expired() -> bool:
        return (await it.seen_by(it.ana)).status is TaskStatus.EXPIRED

    await eventually(expired)
    assert [event for event, _ in await it.history()][-1] == "expired"


async def test_an_answer_after_its_time_is_late_even_if_no_alarm_has_rung(world: World) -> None:
    it = await scene(world, ask(sla=SlaPolicy(complete="1h")))
    await it.ask_for_changes(answer_within="1s")
    await eventually(lambda: is_past(world, it.task, "answer_by"))
    with pytest.raises(FailedPrecondition) as refusal:
        await it.answer()
    assert refusal.value.reason == "TASK_NOT_WAITING"
    back = await it.seen_by(it.ana)
    [asked] = back.change_requests
    assert (back.status, back.assignee, asked.answer) == (TaskStatus.CLAIMED, it.ana.id, None)
    assert asked.closed_at == asked.answer_by
    assert back.sla is not None
    assert it.task.sla is not None
    assert it.task.sla.complete_by is not None
    assert back.sla.complete_by == it.task.sla.complete_by + timedelta(seconds=1)
    assert (await it.history())[-1] == ("updated", None)


async def test_of_answer_and_clock_exactly_one_gives_the_task_back(world: World) -> None:
    it = await scene(world)
    waiting = await it.ask_for_changes(answer_within="1s")
    worker = it.tenant.worker()

    async def press() -> list[Task | BaseException]:
        answers = [it.answer(), *(it.answer() for _ in range(3))]
        clocks = [worker.advance_clock(AdvanceClockRequest(task_id=it.task.task_id)) for _ in range(3)]
        answered, *_ = await asyncio.gather(
            asyncio.gather(*answers, return_exceptions=True), asyncio.gather(*clocks, return_exceptions=True)
        )
        return answered

    await eventually(lambda: is_past(world, it.task, "answer_by"), timeout=30)
    answered = await press()
    after = await it.seen_by(it.ana)
    assert (after.status, after.version) == (TaskStatus.CLAIMED, waiting.version + 1)
    assert len([one for one in answered if isinstance(one, Task)]) == 0
    await it.ask_for_changes()
    answered = await press()
    assert len([one for one in answered if isinstance(one, Task)]) == 1
    assert (await it.seen_by(it.ana)).version == waiting.version + 3


async def test_of_a_task_that_is_hidden_no_size_tells_that_it_exists(world: World) -> None:
    it = await scene(world)
    stranger = it.tenant.person("eve")
    huge = CompleteTaskRequest(task_id=it.task.task_id, data={"answer": "x" * 300_000})
    missing = huge.model_copy(update={"task_id": it.task.task_id[:-4] + "0000"})
    for request in (huge, missing):
        with pytest.raises(NotFound) as refusal:
            await stranger.complete_task(request)
        assert refusal.value.message == f"There is no task {request.task_id}."

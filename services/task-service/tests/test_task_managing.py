"""Between claiming and deciding: assigned, delegated, given back, changed and escalated by hand."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import UserStatus
from orkestra.v1.task import (
    Action,
    AdvanceClockRequest,
    AnswerTaskRequest,
    AssignTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    Priority,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SlaClock,
    SlaPolicy,
    Task,
    TaskContext,
    TaskHistoryEntry,
    TaskScope,
    TaskStatus,
    UpdateTaskRequest,
)
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, NotFound, VersionMismatch
from task_world import ANSWER, Caller, World, ask, ask_for_run, world

__all__ = ["world"]

SLA = SlaPolicy(
    claim="1h",
    complete="8h",
    escalate=[
        EscalationStep(after="50%", priority=Priority.URGENT),
        EscalationStep(after="30m", clock=SlaClock.CLAIM, remind=True),
        EscalationStep(after="75%", add_group="support-l2"),
    ],
)


class Office:
    """A tenant with people on two levels, a manager, and a task for the first level."""

    def __init__(self, world: World) -> None:
        self.world, self.tenant = world, world.tenant()
        self.ana = self.tenant.person("ana", "support-l1")
        self.ben = self.tenant.person("ben", "support-l1")
        self.eve = self.tenant.person("eve", "support-l2")
        self.boss = self.tenant.person("boss", roles=("manager",))
        self.asker = self.tenant.agent()

    async def task(self, **fields: Any) -> Task:
        return await self.asker.create_task(ask(**{"candidate_groups": ["support-l1"], "sla": SLA} | fields))

    async def claimed(self, **fields: Any) -> Task:
        return await self.ana.claimed(await self.task(**fields))

    async def last(self, task: Task) -> TaskHistoryEntry:
        history = await self.boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
        return history.entries[-1]

    async def told(self) -> list[str]:
        rows = await self.world.rows("select subject from outbox where tenant_id = $1 order by seq", self.tenant.id)
        return [row["subject"].rpartition(".")[2] for row in rows]


def assign(task: Task, **fields: Any) -> AssignTaskRequest:
    return AssignTaskRequest(**{"task_id": task.task_id, "reason": "Ana is ill."} | fields)


def delegate(task: Task, to: Caller | str, **fields: Any) -> DelegateTaskRequest:
    name = to if isinstance(to, str) else to.id
    return DelegateTaskRequest(**{"task_id": task.task_id, "assignee": name, "reason": "Knows it better."} | fields)


def update(task: Task, **fields: Any) -> UpdateTaskRequest:
    return UpdateTaskRequest(task_id=task.task_id, **fields)


async def test_a_manager_gives_a_claimed_task_to_another_person(world: World) -> None:
    office = Office(world)
    task = await office.claimed()
    given = await office.boss.assign_task(assign(task, assignee="ben@example.com", version=task.version))
    assert (given.status, given.assignee, given.claimed_at) == (TaskStatus.OPEN, office.ben.id, None)
    assert given.candidate_groups == ["support-l1"]
    assert given.sla is not None
    assert task.sla is not None
    assert given.sla.claim_by == given.updated_at + timedelta(hours=1)
    assert given.sla.complete_by == task.sla.complete_by
    entry = await office.last(task)
    assert (entry.event, entry.actor, entry.reason) == ("assigned", office.boss.id, "Ana is ill.")
    assert entry.after is not None
    assert entry.after["assignee"] == office.ben.id
    with pytest.raises(Error) as refusal:
        await office.ana.claimed(given)
    assert refusal.value.reason == "ASSIGNED_TO_ANOTHER"
    assert (await office.ben.claimed(given)).status is TaskStatus.CLAIMED
    assert await office.told() == ["created", "claimed", "assigned", "claimed"]


async def test_new_candidates_take_the_place_of_the_old(world: World) -> None:
    office = Office(world)
    task = await office.claimed()
    given = await office.boss.assign_task(
        assign(task, candidate_groups=["support-l2"], candidate_users=[office.ben.id])
    )
    assert (given.assignee, given.candidate_groups, given.candidate_users) == (None, ["support-l2"], [office.ben.id])
    with pytest.raises(NotFound):
        await office.ana.get_task(GetTaskRequest(task_id=task.task_id))
    assert [one.task_id for one in (await office.eve.list_tasks(ListTasksRequest())).tasks] == [task.task_id]
    assert (await office.ana.list_tasks(ListTasksRequest())).tasks == []


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({}, "assignee", "required"),
        ({"assignee": "ben", "reason": " "}, "reason", "required"),
        ({"assignee": "ben", "reason": "x" * 17_000}, "reason", "too_large"),
        ({"assignee": "out"}, "assignee", "excluded"),
        ({"assignee": "asker"}, "assignee", "four_eyes"),
        ({"assignee": "nobody@example.com"}, "assignee", "unknown_user"),
        ({"assignee": "gone@example.com"}, "assignee", "disabled_user"),
        ({"candidate_groups": ["nowhere"]}, "candidate_groups[0]", "unknown_group"),
    ],
)
async def test_an_assignment_that_nobody_could_take_up_is_refused_with_the_place(
    world: World, fields: dict[str, Any], path: str, code: str
) -> None:
    office = Office(world)
    office.tenant.person("gone", status=UserStatus.DISABLED)
    out, asker = office.tenant.person("out", "support-l1"), office.tenant.person("asker", "support-l1")
    bound = TaskContext(action=Action(name="refund", args={"amount": 5}))
    task = await asker.create_task(
        ask(candidate_groups=["support-l1"], excluded_users=[out.id], context=bound, sla=SLA)
    )
    people = {"ben": office.ben.id, "out": out.id, "asker": asker.id}
    if fields.get("assignee") in people:
        fields = fields | {"assignee": people[fields["assignee"]]}
    with pytest.raises(InvalidArgument) as refusal:
        await office.boss.assign_task(assign(task, **fields))
    assert (path, code) in [(error.path, error.code) for error in refusal.value.errors]
    assert await office.boss.get_task(GetTaskRequest(task_id=task.task_id)) == task
    assert await office.told() == ["created"]


async def test_whoever_was_delegated_to_gives_it_back_to_the_one_who_did(world: World) -> None:
    office = Office(world)
    task = await office.claimed(candidate_users=[office.eve.id])
    handed = await office.ana.delegate_task(delegate(task, "eve@example.com"))
    assert (handed.status, handed.assignee, handed.delegated_by) == (TaskStatus.OPEN, office.eve.id, office.ana.id)
    assert handed.sla is not None
    assert handed.sla.claim_by == handed.updated_at + timedelta(hours=1)
    with pytest.raises(Error) as refusal:
        await office.ben.claimed(task)
    assert refusal.value.reason == "ASSIGNED_TO_ANOTHER"
    mine = await office.eve.list_tasks(ListTasksRequest(scope=TaskScope.MINE))
    assert [one.delegated_by for one in mine.tasks] == [office.ana.id]
    back = await office.eve.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert (back.status, back.assignee, back.delegated_by) == (TaskStatus.OPEN, office.ana.id, None)
    to_all = await office.ana.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert to_all.assignee is None
    assert await office.told() == ["created", "claimed", "delegated", "released", "released"]
    entry = await office.last(task)
    assert (entry.event, entry.actor) == ("released", office.ana.id)


async def test_the_one_who_delegated_still_sees_the_task_and_a_manager_puts_it_back_for_all(world: World) -> None:
    office = Office(world)
    task = await office.task()
    await office.boss.assign_task(assign(task, assignee=office.eve.id))
    handed = await office.eve.delegate_task(delegate(task, office.ana))
    assert await office.eve.get_task(GetTaskRequest(task_id=task.task_id)) == handed
    await office.ana.claimed(task)
    back = await office.boss.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert (back.assignee, back.delegated_by) == (None, None)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("eve@example.com", "not_a_candidate"),
        ("ana@example.com", "already_assigned"),
        ("nobody@example.com", "unknown_user"),
        ("gone@example.com", "disabled_user"),
        ("out@example.com", "excluded"),
    ],
)
async def test_only_a_candidate_takes_a_task_on(world: World, to: str, code: str) -> None:
    office = Office(world)
    office.tenant.person("gone", "support-l1", status=UserStatus.DISABLED)
    out = office.tenant.person("out", "support-l1")
    task = await office.claimed(excluded_users=[out.id])
    with pytest.raises(InvalidArgument) as refusal:
        await office.ana.delegate_task(delegate(task, to))
    assert [(error.path, error.code) for error in refusal.value.errors] == [("assignee", code)]
    with pytest.raises(InvalidArgument):
        await office.ana.delegate_task(delegate(task, office.ben, reason=""))
    assert await office.ana.get_task(GetTaskRequest(task_id=task.task_id)) == task


@pytest.mark.parametrize("operation", ["assign", "delegate", "escalate", "complete_by"])
async def test_what_waits_and_what_has_ended_is_not_moved(world: World, operation: str) -> None:
    office = Office(world)

    async def call(task: Task) -> Task:
        match operation:
            case "assign":
                return await office.boss.assign_task(assign(task, assignee=office.ben.id))
            case "delegate":
                return await office.ana.delegate_task(delegate(task, office.ben))
            case "escalate":
                return await office.boss.escalate_task(EscalateTaskRequest(task_id=task.task_id))
        return await office.boss.update_task(update(task, complete_by=task.updated_at + timedelta(days=1)))

    task = await office.claimed()
    await office.ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Why?"))
    with pytest.raises(FailedPrecondition) as waiting:
        await call(task)
    assert waiting.value.reason == "TASK_WAITING"
    await office.asker.answer_task(AnswerTaskRequest(task_id=task.task_id, message="Because."))
    await office.ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    with pytest.raises(FailedPrecondition) as ended:
        await call(task)
    assert ended.value.reason == "TASK_NOT_LIVE"


async def test_nobody_gives_back_what_nobody_has(world: World) -> None:
    office = Office(world)
    task = await office.task()
    with pytest.raises(FailedPrecondition) as refusal:
        await office.boss.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert refusal.value.reason == "TASK_NOT_CLAIMED"


async def test_the_requester_changes_how_urgent_until_when_and_under_which_tags(world: World) -> None:
    office = Office(world)
    task = await office.claimed(tags=["a", "b"])
    by = task.updated_at + timedelta(days=2)
    changed = await office.asker.update_task(
        update(task, priority=Priority.HIGH, complete_by=by, add_tags=["c", "a"], remove_tags=["b"], reason="Later.")
    )
    assert (changed.priority, changed.tags, changed.revision) == (Priority.HIGH, ["a", "c"], 1)
    assert changed.sla is not None
    assert changed.sla.complete_by == by
    state = await office.tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))
    half = (by - task.created_at) / 2
    assert state.wake_in is not None
    assert abs(state.wake_in - half) < timedelta(minutes=5)
    entry = await office.last(task)
    assert (entry.event, entry.actor, entry.reason) == ("updated", office.asker.id, "Later.")
    assert (await office.told())[-1] == "updated"
    with pytest.raises(VersionMismatch):
        await office.boss.update_task(update(task, priority=Priority.LOW, version=task.version))


async def test_what_is_asked_changes_as_a_new_revision(world: World) -> None:
    office = Office(world)
    bound = TaskContext(summary="Old", action=Action(name="refund", args={"amount": 5}))
    task = await office.claimed(context=bound)
    changed = await office.asker.update_task(
        update(task, title="Another title", description="More", context=TaskContext(summary="New"))
    )
    assert (changed.revision, changed.title, changed.description) == (2, "Another title", "More")
    assert changed.context is not None
    assert changed.context.action == bound.action
    assert changed.action_digest != task.action_digest
    with pytest.raises(VersionMismatch) as passed_by:
        await office.ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER, revision=1))
    assert passed_by.value.reason == "REVISION_MISMATCH"
    form = {"fine": {"type": "boolean", "required": True}}
    asked = await office.asker.update_task(update(task, form=form, description=""))
    assert (asked.revision, asked.description) == (3, None)
    done = await office.ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"fine": True}, revision=3))
    assert done.result == {"fine": True}
    same = await office.task()
    assert (await office.asker.update_task(update(same, title=same.title, priority=Priority.LOW))).revision == 1


LATE = timedelta(days=21 * 365)


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({}, "", "required"),
        ({"complete_by": timedelta(minutes=-1)}, "complete_by", "out_of_range"),
        ({"complete_by": LATE}, "complete_by", "out_of_range"),
        ({"claim_by": timedelta(hours=1)}, "claim_by", "not_running"),
        ({"title": " "}, "title", "required"),
        ({"title": "x" * 301}, "title", "too_long"),
        ({"description": "x" * 17_000}, "description", "too_large"),
        ({"add_tags": [""]}, "add_tags[0]", "wrong_length"),
        ({"add_tags": [f"tag {number}" for number in range(50)]}, "tags", "too_many_items"),
        ({"form": {"a": {"type": "x"}}}, "form.a.type", "unknown_type"),
        ({"context": TaskContext(data={"a": "x" * 270_000})}, "context", "too_large"),
        ({"priority": Priority.LOW, "reason": "x" * 17_000}, "reason", "too_large"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_with_the_place(
    world: World, fields: dict[str, Any], path: str, code: str
) -> None:
    office = Office(world)
    task = await office.claimed(tags=["one"])
    moved = {name: task.updated_at + value for name, value in fields.items() if isinstance(value, timedelta)}
    with pytest.raises(InvalidArgument) as refusal:
        await office.boss.update_task(update(task, **fields | moved))
    assert (path, code) in [(error.path, error.code) for error in refusal.value.errors]
    assert await office.boss.get_task(GetTaskRequest(task_id=task.task_id)) == task


async def test_a_due_time_without_a_policy_is_a_goal_that_ends_nothing(world: World) -> None:
    office = Office(world)
    task = await office.task(sla=None)
    dated = await office.boss.update_task(update(task, complete_by=task.updated_at + timedelta(seconds=1)))
    assert dated.sla is not None

    async def breached() -> bool:
        seen = await office.boss.get_task(GetTaskRequest(task_id=task.task_id))
        return seen.sla is not None and seen.sla.breached

    await eventually(breached, timeout=20)
    seen = await office.boss.get_task(GetTaskRequest(task_id=task.task_id))
    assert (seen.status, seen.sla and seen.sla.next_step_at) == (TaskStatus.OPEN, None)
    assert (await office.told())[1:] == ["updated", "sla_breached"]


async def test_a_manager_performs_the_steps_of_the_chain_in_the_order_of_their_times(world: World) -> None:
    office = Office(world)
    office.tenant.group("support-l2")
    task = await office.task()
    by_hand = EscalateTaskRequest(task_id=task.task_id, reason="The customer has called.")
    reminded = await office.boss.escalate_task(by_hand)
    urgent = await office.boss.escalate_task(by_hand)
    wider = await office.boss.escalate_task(by_hand)
    levels = [one.sla.escalation_level for one in (reminded, urgent, wider) if one.sla]
    assert (levels, urgent.priority, wider.candidate_groups) == (
        [1, 2, 3],
        Priority.URGENT,
        ["support-l1", "support-l2"],
    )
    assert wider.sla is not None
    assert (wider.sla.performed_steps, wider.sla.next_step_at) == ([1, 0, 2], wider.sla.claim_by)
    entry = await office.last(task)
    assert (entry.event, entry.actor, entry.reason) == ("escalated", office.boss.id, "The customer has called.")
    with pytest.raises(FailedPrecondition) as refusal:
        await office.boss.escalate_task(by_hand)
    assert refusal.value.reason == "NO_STEP_LEFT"
    assert await office.told() == ["created", "reminder_due", "escalated", "escalated"]


async def test_one_of_many_at_once_wins_and_history_stays_whole(world: World) -> None:
    office = Office(world)
    task = await office.tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"], sla=SLA))
    calls = [
        office.ana.claim_task(ClaimTaskRequest(task_id=task.task_id, version=1)),
        office.ben.claim_task(ClaimTaskRequest(task_id=task.task_id, version=1)),
        office.boss.assign_task(assign(task, assignee=office.ben.id, version=1)),
        office.boss.escalate_task(EscalateTaskRequest(task_id=task.task_id, version=1)),
        office.boss.update_task(update(task, priority=Priority.LOW, version=1)),
        office.ben.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER, version=1)),
    ]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    [won] = [answer for answer in answers if isinstance(answer, Task)]
    assert all(isinstance(answer, Error) for answer in answers if answer is not won)
    entries = (await office.boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert (len(entries), won.version, len(await office.told())) == (2, 2, 2)

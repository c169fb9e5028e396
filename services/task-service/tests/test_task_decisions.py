"""Claiming, releasing, completing and cancelling, alone and at once."""

import asyncio
from collections.abc import Callable

import pytest
from orkestra.rules import decide_claim
from orkestra.task_service.rules import recorded
from orkestra.v1.task import (
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DecidedBy,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ReleaseTaskRequest,
    SlaPolicy,
    Task,
    TaskStatus,
)
from orkestra.wire import (
    Error,
    FailedPrecondition,
    InvalidArgument,
    Model,
    NotFound,
    PermissionDenied,
    VersionMismatch,
)
from task_world import ANSWER, Caller, Tenant, World, ask, ask_for_run, some_task_id, world

__all__ = ["world"]


async def opened(tenant: Tenant, **fields: object) -> Task:
    tenant.group("support-l1")
    return await tenant.worker().create_task(ask_for_run(**{"candidate_groups": ["support-l1"]} | fields))


async def events(caller: Caller, task: Task) -> list[str]:
    history = await caller.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    assert [entry.sequence for entry in history.entries] == list(range(1, len(history.entries) + 1))
    return [entry.event for entry in history.entries]


async def told(world: World, tenant: Tenant) -> list[str]:
    rows = await world.rows("select subject from outbox where tenant_id = $1 order by seq", tenant.id)
    return [row["subject"].rpartition(".")[2] for row in rows]


async def test_a_candidate_claims_an_open_task(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    claimed = await ana.claimed(task)
    assert (claimed.status, claimed.assignee, claimed.version) == (TaskStatus.CLAIMED, ana.id, 2)
    assert claimed.claimed_at is not None
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == claimed
    assert await events(ana, task) == ["created", "claimed"]
    assert await told(world, tenant) == ["created", "claimed"]


async def test_fifty_claims_at_once_have_one_winner(world: World) -> None:
    tenant = world.tenant()
    people = [tenant.person(f"p{number}", "support-l1") for number in range(50)]
    task = await opened(tenant)
    answers = await asyncio.gather(*(person.claimed(task) for person in people), return_exceptions=True)
    [winner] = [answer for answer in answers if isinstance(answer, Task)]
    losers = [answer for answer in answers if isinstance(answer, FailedPrecondition)]
    assert len(losers) == 49
    assert {refusal.reason for refusal in losers} == {"TASK_NOT_OPEN"}
    assert all(refusal.current == winner for refusal in losers)
    assert await told(world, tenant) == ["created", "claimed"]


async def test_where_an_assignee_is_named_only_that_person_claims(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
    task = await opened(tenant, assignee=ana.id)
    with pytest.raises(Error) as refusal:
        await ben.claimed(task)
    assert isinstance(refusal.value, PermissionDenied | FailedPrecondition)
    assert (await ana.claimed(task)).assignee == ana.id


async def test_a_released_task_is_open_for_its_candidates_again(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
    task = await opened(tenant)
    await ana.claimed(task)
    released = await ana.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert (released.status, released.assignee, released.version) == (TaskStatus.OPEN, None, 3)
    assert (await ben.claimed(task)).assignee == ben.id
    with pytest.raises(Error):
        await ana.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert await events(ben, task) == ["created", "claimed", "released", "claimed"]


async def test_who_lost_sight_of_a_task_is_told_of_it(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    await ana.claimed(task)
    await ana.release_task(ReleaseTaskRequest(task_id=task.task_id))
    [row] = await world.rows("select payload from outbox where tenant_id = $1 order by seq desc limit 1", tenant.id)
    assert f"user:{ana.id}".encode() in row["payload"]


async def test_the_assignee_completes_and_the_answer_is_kept(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    await ana.claimed(task)
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.status, done.result, done.completed_by) == (TaskStatus.COMPLETED, ANSWER, ana.id)
    assert (done.decided_by, done.version) == (DecidedBy.PERSON, 3)
    assert done.completed_at is not None
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == done
    [row] = await world.rows("select payload from outbox where tenant_id = $1 order by seq desc limit 1", tenant.id)
    assert b"30 days" not in row["payload"]


async def test_a_candidate_completes_in_one_step(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.status, done.assignee, done.completed_by) == (TaskStatus.COMPLETED, ana.id, ana.id)
    assert (await events(ana, task))[-1] == "completed"


async def test_of_many_answers_at_once_one_counts(world: World) -> None:
    tenant = world.tenant()
    people = [tenant.person(f"p{number}", "support-l1") for number in range(10)]
    task = await opened(tenant)
    request = CompleteTaskRequest(task_id=task.task_id, data=ANSWER)
    answers = await asyncio.gather(*(person.complete_task(request) for person in people), return_exceptions=True)
    [winner] = [answer for answer in answers if isinstance(answer, Task)]
    for answer in answers:
        if not isinstance(answer, Task):
            assert isinstance(answer, FailedPrecondition)
            assert answer.current == winner
    assert (await told(world, tenant)).count("completed") == 1


async def test_an_answer_that_does_not_fit_gets_every_error_and_changes_nothing(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    bad = CompleteTaskRequest(task_id=task.task_id, data={"sentiment": "furious", "mood": 1})
    with pytest.raises(InvalidArgument) as refusal:
        await ana.complete_task(bad)
    assert {error.path for error in refusal.value.errors} == {"data.answer", "data.sentiment", "data.mood"}
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == task
    assert await told(world, tenant) == ["created"]


async def test_numbers_of_an_answer_stay_exact(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, form={"amount": {"type": "integer", "required": True}})
    answer = CompleteTaskRequest(task_id=task.task_id, data={"amount": 2**60 + 1})
    assert (await ana.complete_task(answer)).result == {"amount": 2**60 + 1}


async def test_an_older_version_is_refused_with_the_current_task(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    claimed = await ana.claim_task(ClaimTaskRequest(task_id=task.task_id, version=1))
    for call in (
        ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER, version=1)),
        ana.release_task(ReleaseTaskRequest(task_id=task.task_id, version=1)),
        tenant.worker().cancel_task(CancelTaskRequest(task_id=task.task_id, version=1)),
    ):
        with pytest.raises(VersionMismatch) as refusal:
            await call
        assert (refusal.value.reason, refusal.value.current) == ("VERSION_MISMATCH", claimed)


async def test_the_requester_cancels_and_says_why(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    agent = tenant.agent()
    task = await agent.create_task(ask(candidate_groups=["support-l1"]))
    cancelled = await agent.cancel_task(CancelTaskRequest(task_id=task.task_id, reason="Solved by itself."))
    assert (cancelled.status, cancelled.reason) == (TaskStatus.CANCELLED, "Solved by itself.")
    assert await events(ana, task) == ["created", "cancelled"]


async def test_a_late_answer_is_recorded_once_and_refused_with_the_current_task(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    cancelled = await tenant.worker().cancel_task(CancelTaskRequest(task_id=task.task_id))
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as refusal:
            await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
        assert refusal.value.current == cancelled
        assert refusal.value.message.endswith("it is cancelled. Your answer is kept in its history.")
    assert await events(ana, task) == ["created", "cancelled", "late_answer"]
    entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert entries[-1].actor == ana.id
    assert "30 days" in str(entries[-1].after)
    assert await told(world, tenant) == ["created", "cancelled"]


async def test_history_says_what_changed(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    await ana.claimed(task)
    entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert entries[1].before is not None
    assert entries[1].after is not None
    assert entries[1].before["status"] == "open"
    assert (entries[1].after["status"], entries[1].after["assignee"]) == ("claimed", ana.id)
    assert entries[1].at >= entries[0].at


async def test_a_sensitive_value_is_not_in_history(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    form = {"iban": {"type": "text", "required": True, "sensitive": True}, "note": {"type": "text"}}
    task = await opened(tenant, form=form)
    done = await ana.complete_task(
        CompleteTaskRequest(task_id=task.task_id, data={"iban": "DE021001", "note": "as asked"})
    )
    entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert done.result == {"iban": "DE021001", "note": "as asked"}
    assert "DE021001" not in str(entries)
    assert "as asked" in str(entries[-1].after)


async def test_deciding_with_one_request_id_happens_once(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    request = CompleteTaskRequest(task_id=task.task_id, data=ANSWER)
    first = await ana.complete_task(request, request_id="r-1")
    assert await ana.complete_task(request, request_id="r-1") == first
    assert ana.replayed
    assert await told(world, tenant) == ["created", "completed"]


@pytest.mark.parametrize(
    "call", ["get_task", "claim_task", "release_task", "complete_task", "cancel_task", "get_task_history"]
)
async def test_another_tenants_task_answers_as_one_that_does_not_exist(world: World, call: str) -> None:
    tenant, other = world.tenant(), world.tenant()
    task = await opened(tenant)
    eve = other.person("eve", "support-l1", roles=("admin",))
    requests: dict[str, Callable[..., Model]] = {
        "get_task": GetTaskRequest,
        "claim_task": ClaimTaskRequest,
        "release_task": ReleaseTaskRequest,
        "cancel_task": CancelTaskRequest,
        "get_task_history": GetTaskHistoryRequest,
        "complete_task": lambda task_id: CompleteTaskRequest(task_id=task_id, data={}),
    }
    said = []
    for task_id in (task.task_id, some_task_id()):
        with pytest.raises(NotFound) as refusal:
            await getattr(eve, call)(requests[call](task_id=task_id))
        said.append((refusal.value.reason, refusal.value.message.replace(task_id, "it"), refusal.value.current))
    assert said[0] == said[1]


async def test_a_task_that_the_caller_may_not_see_answers_as_one_that_does_not_exist(world: World) -> None:
    tenant = world.tenant()
    stranger = tenant.person("stranger", "other-group")
    task = await opened(tenant)
    with pytest.raises(NotFound):
        await stranger.claimed(task)
    with pytest.raises(NotFound):
        await stranger.get_task(GetTaskRequest(task_id=task.task_id))


async def test_agents_services_and_workers_never_decide(world: World) -> None:
    tenant = world.tenant()
    agent = tenant.agent()
    tenant.group("support-l1")
    task = await agent.create_task(ask(candidate_groups=["support-l1"]))
    for caller in (agent, tenant.system(), tenant.worker()):
        for call in (
            caller.claimed(task),
            caller.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER)),
        ):
            with pytest.raises(Error) as refusal:
                await call
            assert isinstance(refusal.value, PermissionDenied | NotFound)
    assert (await agent.get_task(GetTaskRequest(task_id=task.task_id))).version == 1


async def test_excluded_people_do_not_decide(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, excluded_users=[ana.id])
    with pytest.raises(PermissionDenied):
        await ana.claimed(task)


async def test_a_plain_claim_is_what_the_rules_decide(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    tasks = [
        await opened(tenant),
        await opened(tenant, sla=SlaPolicy(complete="2h")),
        await opened(tenant, assignee=ana.id),
        await opened(tenant, sla=SlaPolicy(claim="1h", complete="2h")),
    ]
    plain = await world.rows("select task_id from tasks where tenant_id = $1 and is_claim_plain", tenant.id)
    assert {row["task_id"] for row in plain} == {task.task_id for task in tasks[:3]}
    for task in tasks:
        claimed = await ana.claimed(task)
        decision = decide_claim(task, ana.principal, claimed.updated_at, ClaimTaskRequest(task_id=task.task_id))
        assert claimed == decision.task
        entry = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries[-1]
        before, after = recorded(decision.changes[-1])
        assert entry.before == before
        assert entry.after is not None
        assert entry.after.keys() == after.keys()
        assert entry.at == claimed.claimed_at == claimed.updated_at

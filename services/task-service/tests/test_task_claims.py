"""What follows a claim is all there or none of it: who sees the task, what history says, and what is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from orkestra.task_service.rules import offers_of
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    AddCommentRequest,
    AssignTaskRequest,
    CancelTaskRequest,
    ClaimTaskRequest,
    CreateCalendarRequest,
    DelegateTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    OpenHours,
    SlaPolicy,
    Task,
    TaskStatus,
    VerifyTaskHistoryRequest,
    Weekday,
    WorkingHours,
)
from orkestra.wire import (
    Error,
    FailedPrecondition,
    Model,
    NotFound,
    PermissionDenied,
    Unavailable,
    VersionMismatch,
)
from task_world import Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]


async def opened(tenant: Tenant, **fields: Any) -> Task:
    if (tenant.id, "l1") not in tenant.world.identity.groups:
        tenant.group("l1")
    return await tenant.worker().create_task(ask_for_run(**{"candidate_groups": ["l1"]} | fields))


async def records(world: World, task: Task) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a claim writes, as it is kept: row, who sees it, history, events, and answers to repetitions."""
    kept = {
        "row": "select status, assignee, version, history_length, claimed_at from tasks where task_id = $1",
        "audience": "select audience, status, offered from task_audience where task_id = $1 order by audience",
        "history": "select sequence, event from task_history where task_id = $1 order by sequence",
        "events": "select seq, subject from outbox where convert_from(payload, 'UTF8') like '%' || $1 || '%'",
    }
    found = {name: [tuple(row) for row in await world.rows(text, task.task_id)] for name, text in kept.items()}
    keys = await world.rows("select principal from request_keys where tenant_id::text = $1", task.tenant_id)
    return found | {"keys": [tuple(row) for row in keys]}


async def shown(world: World, task: Task) -> dict[str, tuple[str, bool]]:
    """Who sees the task, in which status, and whether it is theirs to work on."""
    rows = await world.rows("select audience, status, offered from task_audience where task_id = $1", task.task_id)
    return {row["audience"]: (row["status"], row["offered"]) for row in rows}


async def history(caller: Caller, task: Task) -> list[tuple[str, str | None]]:
    entries = (await caller.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert (await caller.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))).intact
    return [(entry.event, entry.actor) for entry in entries]


@asynccontextmanager
async def refusing(world: World, table: str, task: Task) -> AsyncIterator[None]:
    """Have PostgreSQL refuse what is written of the task to a table."""
    name = f"refuse_{task.task_id}"
    await world.rows(
        f"create function {name}() returns trigger language plpgsql as "
        "$$ begin raise exception 'no room on the disk' using errcode = '53100'; end $$"
    )
    await world.rows(
        f"create trigger {name} before insert or update on {table} for each row "
        f"when (new.task_id = '{task.task_id}') execute function {name}()"
    )
    try:
        yield
    finally:
        await world.rows(f"drop function {name} cascade")


@pytest.mark.parametrize("table", ["task_audience", "task_history"])
async def test_a_claim_whose_records_cannot_be_kept_is_no_claim(world: World, table: str) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await opened(tenant)
    before = await records(world, task)
    async with refusing(world, table, task):
        with pytest.raises(Unavailable) as refused:
            await ana.claimed(task)
        assert refused.value.reason == "DATABASE_UNAVAILABLE"
        assert await records(world, task) == before
        assert await ben.get_task(GetTaskRequest(task_id=task.task_id)) == task
    claimed = await ben.claimed(task)
    assert (claimed.assignee, claimed.version) == (ben.id, 2)
    assert (await history(ben, task))[1:] == [("claimed", ben.id)]
    assert set((await shown(world, task)).values()) == {("claimed", False), ("claimed", True)}


REFUSED: dict[str, dict[str, Any]] = {
    "a stranger": {"candidate_groups": ["l2"]},
    "somebody excluded": {"excluded_users": ["ana"]},
    "not the assignee": {"assignee": "ben"},
    "whoever asked for the action": {"on_behalf_of": "ana", "four_eyes": True},
    "an older version": {},
}


@pytest.mark.parametrize(("who", "fields"), REFUSED.items(), ids=REFUSED.keys())
async def test_a_refused_claim_leaves_nothing(world: World, who: str, fields: dict[str, Any]) -> None:
    tenant = world.tenant()
    tenant.group("l2")
    people = {name: tenant.person(name, "l1") for name in ("ana", "ben")}

    def id_of(name: Any) -> Any:
        if isinstance(name, list):
            return [id_of(each) for each in name]
        return people[name].id if name in people else name

    task = await opened(tenant, **{name: id_of(value) for name, value in fields.items()})
    before = await records(world, task)
    request = ClaimTaskRequest(task_id=task.task_id, version=task.version + 1 if who == "an older version" else None)
    for _ in range(2):  # the second finds the connection as the first left it
        with pytest.raises(Error) as refused:
            await people["ana"].claim_task(request, request_id=f"claim-{task.task_id}")
        assert isinstance(refused.value, NotFound | PermissionDenied | VersionMismatch)
        assert await records(world, task) == before


async def claimed_by_candidate(tenant: Tenant) -> Task:
    ana = tenant.person("ana", "l1")
    return await ana.claimed(await opened(tenant, candidate_users=[ana.id], sla=SlaPolicy(complete="2h")))


async def claimed_by_assignee(tenant: Tenant) -> Task:
    ana = tenant.person("ana")
    return await ana.claimed(await opened(tenant, assignee=ana.id))


async def claimed_by_requester(tenant: Tenant) -> Task:
    ana = tenant.person("ana", "l1")
    return await ana.claimed(await ana.create_task(ask(candidate_groups=["l1"])))


async def claimed_by_whoever_was_mentioned(tenant: Tenant) -> Task:
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await opened(tenant)
    await ben.add_comment(AddCommentRequest(task_id=task.task_id, text="@ana@example.com: yours?"))
    return await ana.claimed(task)


async def claimed_by_manager(tenant: Tenant) -> Task:
    boss = tenant.person("boss", roles=("manager",))
    return await boss.claimed(await opened(tenant, candidate_groups=[]))


async def claimed_by_agent(tenant: Tenant) -> Task:
    agent = tenant.agent()
    return await agent.claimed(await opened(tenant, allow_agents=[agent.id]))


async def claimed_by_delegate(tenant: Tenant) -> Task:
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await ana.claimed(await opened(tenant))
    await ana.delegate_task(DelegateTaskRequest(task_id=task.task_id, assignee=ben.id, reason="Yours."))
    return await ben.claimed(task)


async def claimed_by_substitute(tenant: Tenant) -> Task:
    ana, ben = tenant.person("ana"), tenant.person("ben")
    task = await opened(tenant, candidate_users=[ana.id])
    await tenant.away(ana, ben)
    return await ben.claimed(task)


async def claimed_while_another_is_away(tenant: Tenant) -> Task:
    ana, ben, eve = tenant.person("ana", "l1"), tenant.person("ben"), tenant.person("eve")
    task = await opened(tenant, candidate_users=[ben.id])
    await tenant.away(ben, eve)
    return await ana.claimed(task)


async def claimed_on_a_calendar(tenant: Tenant) -> Task:
    ana, boss = tenant.person("ana", "l1"), tenant.person("boss", roles=("manager",))
    always = [OpenHours(weekday=day, opens="00:00", closes="24:00") for day in Weekday]
    hours = WorkingHours(time_zone="America/New_York", hours=always)
    await boss.create_calendar(CreateCalendarRequest(calendar_id="open", name="Open", working_hours=hours))
    return await ana.claimed(await opened(tenant, sla=SlaPolicy(complete="2h", calendar="open")))


@pytest.mark.parametrize(
    "way",
    [
        claimed_by_candidate,
        claimed_by_assignee,
        claimed_by_requester,
        claimed_by_whoever_was_mentioned,
        claimed_by_manager,
        claimed_by_agent,
        claimed_by_delegate,
        claimed_by_substitute,
        claimed_while_another_is_away,
        claimed_on_a_calendar,
    ],
)
async def test_whichever_way_it_is_claimed_the_records_are_those_of_the_rules(
    world: World, way: Callable[[Tenant], Awaitable[Task]]
) -> None:
    tenant = world.tenant()
    claimed = await way(tenant)
    auditor = tenant.person("auditor", roles=("auditor",))
    assert await auditor.get_task(GetTaskRequest(task_id=claimed.task_id)) == claimed
    offers = {name: ("claimed", is_offered) for name, is_offered in offers_of(claimed).items()}
    assert await shown(world, claimed) == offers
    assert (await history(auditor, claimed))[-1] == ("claimed", claimed.assignee)
    assert claimed.version == len([event for event, _ in await history(auditor, claimed)])
    assert claimed.time_to_claim is not None
    elapsed = claimed.updated_at - claimed.created_at
    assert timedelta() < claimed.time_to_claim <= elapsed
    [told] = await world.rows(
        "select payload from outbox where tenant_id = $1 and subject like '%.task.%' order by seq desc limit 1",
        tenant.id,
    )
    event = json.loads(told["payload"])
    assert (event["task"]["version"], event["task"]["assignee"]) == (claimed.version, claimed.assignee)
    assert set(offers) <= set(event["audience"])


@asynccontextmanager
async def held(world: World, task: Task) -> AsyncIterator[None]:
    """Hold the lock of the task's row."""
    connection = await asyncpg.connect(world.admin_url, server_settings={"search_path": "task"})
    try:
        async with connection.transaction():
            await connection.execute("select from tasks where task_id = $1 for update", task.task_id)
            yield
    finally:
        await connection.close()


async def in_turn(world: World, task: Task, *calls: Awaitable[Model]) -> list[Model | BaseException]:
    """Let calls meet at the task's row, each in line behind the one before, and go on one after the other."""
    waiting: list[asyncio.Future[Model]] = []
    async with held(world, task):
        for call in calls:
            waiting.append(asyncio.ensure_future(call))

            async def is_in_line(expected: int = len(waiting)) -> bool:
                found = await world.rows(
                    "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                )
                return len(found) == expected

            await eventually(is_in_line)
    return await asyncio.gather(*waiting, return_exceptions=True)


def says(caller: Caller, task: Task, text: str) -> Awaitable[Model]:
    return caller.add_comment(AddCommentRequest(task_id=task.task_id, text=text))


@pytest.mark.parametrize("first", ["mention", "claim"])
async def test_whoever_is_mentioned_as_it_is_claimed_sees_it_claimed(world: World, first: str) -> None:
    tenant = world.tenant()
    ana, eve = tenant.person("ana", "l1"), tenant.person("eve")
    task = await opened(tenant)
    calls = [says(ana, task, "@eve@example.com: look."), ana.claimed(task)]
    answers = await in_turn(world, task, *(calls if first == "mention" else reversed(calls)))
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    seen = await eve.get_task(GetTaskRequest(task_id=task.task_id))
    assert (seen.status, seen.assignee, seen.version) == (TaskStatus.CLAIMED, ana.id, 2)
    assert await shown(world, task) == {name: ("claimed", one) for name, one in offers_of(seen).items()}
    listed = await eve.list_tasks(ListTasksRequest(status=TaskStatus.CLAIMED))
    assert [one.task_id for one in listed.tasks] == [task.task_id]


@pytest.mark.parametrize("other", ["assigned", "cancelled"])
async def test_a_claim_that_comes_second_finds_what_came_first_and_leaves_nothing(world: World, other: str) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    boss = tenant.person("boss", roles=("manager",))
    task = await opened(tenant)
    given = AssignTaskRequest(task_id=task.task_id, assignee=ben.id, reason="His.")
    ended = CancelTaskRequest(task_id=task.task_id, reason="Over.")
    before: Awaitable[Model] = boss.assign_task(given) if other == "assigned" else boss.cancel_task(ended)
    won, lost = await in_turn(world, task, before, ana.claimed(task))
    assert isinstance(won, Task)
    assert isinstance(lost, PermissionDenied if other == "assigned" else FailedPrecondition)
    seen = await boss.get_task(GetTaskRequest(task_id=task.task_id))
    assert (seen.version, seen.status, seen.assignee) == (2, won.status, won.assignee)
    assert await shown(world, task) == {name: (seen.status, one) for name, one in offers_of(seen).items()}
    assert (await history(boss, task))[1:] == [(other, boss.id)]


async def test_a_claim_that_comes_first_is_followed_whole_by_what_comes_second(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    boss = tenant.person("boss", roles=("manager",))
    task = await opened(tenant)
    given = boss.assign_task(AssignTaskRequest(task_id=task.task_id, assignee=ben.id, reason="His."))
    answers = await in_turn(world, task, ana.claimed(task), given)
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    seen = await boss.get_task(GetTaskRequest(task_id=task.task_id))
    assert (seen.version, seen.status, seen.assignee) == (3, TaskStatus.OPEN, ben.id)
    assert await shown(world, task) == {name: ("open", one) for name, one in offers_of(seen).items()}
    assert (await history(boss, task))[1:] == [("claimed", ana.id), ("assigned", boss.id)]

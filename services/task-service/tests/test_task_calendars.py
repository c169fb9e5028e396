"""Calendars over gRPC: kept, named by SLAs, changed, removed; tasks keep the hours that they began with."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.rules import working_time
from orkestra.v1.task import (
    AdvanceClockRequest,
    AnswerTaskRequest,
    Calendar,
    CompleteTaskRequest,
    CreateCalendarRequest,
    DeleteCalendarRequest,
    EscalationStep,
    GetCalendarRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    Holiday,
    ListCalendarsRequest,
    ListTasksRequest,
    OpenHours,
    RequestChangesRequest,
    SlaPolicy,
    Task,
    UpdateCalendarRequest,
    Weekday,
    WorkingHours,
)
from orkestra.wire import AlreadyExists, Error, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from task_world import ANSWER, Caller, Tenant, World, ask, world

__all__ = ["world"]


def hours(opens: str = "09:00", closes: str = "17:00", *holidays: str) -> WorkingHours:
    return WorkingHours(
        time_zone="America/New_York",
        hours=[OpenHours(weekday=day, opens=opens, closes=closes) for day in Weekday],
        holidays=[Holiday(date=day, name="Rest") for day in holidays],
    )


def office(**fields: Any) -> CreateCalendarRequest:
    return CreateCalendarRequest(**{"calendar_id": "office", "name": "Office", "working_hours": hours(), **fields})


def boss_of(tenant: Tenant) -> Caller:
    return tenant.person("boss", "support-l1", roles=("manager",))


async def told(world: World, tenant: Tenant) -> list[str]:
    rows = await world.rows(
        "select subject from outbox where tenant_id = $1 and subject like '%.calendar.%' order by seq", tenant.id
    )
    return [row["subject"].rpartition(".")[2] for row in rows]


async def test_a_calendar_is_kept_found_listed_changed_and_removed(world: World) -> None:
    tenant = world.tenant()
    boss, ana = boss_of(tenant), tenant.person("ana")
    made = await boss.create_calendar(office())
    assert (made.version, made.updated_by, made.working_hours) == (1, boss.id, hours())
    await boss.create_calendar(office(calendar_id="late", group_id="support-l1"))
    assert await ana.get_calendar(GetCalendarRequest(calendar_id="office")) == made
    first = await ana.list_calendars(ListCalendarsRequest(page_size=1))
    rest = await ana.list_calendars(ListCalendarsRequest(page_size=1, page_token=first.next_page_token))
    assert [one.calendar_id for one in (*first.calendars, *rest.calendars)] == ["late", "office"]
    assert rest.next_page_token is None
    of_group = (await ana.list_calendars(ListCalendarsRequest(group_id="support-l1"))).calendars
    assert [one.calendar_id for one in of_group] == ["late"]
    change = UpdateCalendarRequest(calendar_id="office", name="Shop", working_hours=hours("08:00"), version=1)
    changed = await boss.update_calendar(change)
    assert (changed.version, changed.name, changed.created_at) == (2, "Shop", made.created_at)
    with pytest.raises(VersionMismatch) as stale:
        await boss.update_calendar(change)
    assert stale.value.current == changed
    with pytest.raises(VersionMismatch):
        await boss.delete_calendar(DeleteCalendarRequest(calendar_id="office", version=1))
    assert await boss.delete_calendar(DeleteCalendarRequest(calendar_id="office", version=2)) == changed
    with pytest.raises(NotFound):
        await boss.update_calendar(change)
    with pytest.raises(NotFound):
        await boss.get_calendar(GetCalendarRequest(calendar_id="office"))
    assert await told(world, tenant) == ["created", "created", "updated", "deleted"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"calendar_id": "always"}, "calendar_id"),
        ({"name": ""}, "name"),
        ({"working_hours": hours().model_copy(update={"time_zone": "Mars/Base"})}, "working_hours.time_zone"),
        ({"working_hours": hours().model_copy(update={"hours": []})}, "working_hours.hours"),
        ({"working_hours": hours("17:00", "09:00")}, "working_hours.hours[0].closes"),
        ({"working_hours": hours("09:00", "17:00", "2026-02-30")}, "working_hours.holidays[0].date"),
        ({"group_id": "nobody-knows"}, "group_id"),
    ],
)
async def test_a_wrong_calendar_is_refused_and_nothing_is_kept_or_told(
    world: World, fields: dict[str, Any], place: str
) -> None:
    tenant = world.tenant()
    boss = boss_of(tenant)
    with pytest.raises(InvalidArgument) as refusal:
        await boss.create_calendar(office(**fields))
    assert place in [error.path for error in refusal.value.errors]
    assert (await boss.list_calendars(ListCalendarsRequest())).calendars == []
    assert await told(world, tenant) == []


async def test_ids_are_taken_once_and_a_group_has_one_calendar(world: World) -> None:
    tenant = world.tenant()
    boss = boss_of(tenant)
    await boss.create_calendar(office(group_id="support-l1"))
    with pytest.raises(AlreadyExists) as taken:
        await boss.create_calendar(office(name="Another"))
    assert (taken.value.reason, isinstance(taken.value.current, Calendar)) == ("CALENDAR_EXISTS", True)
    with pytest.raises(AlreadyExists) as second:
        await boss.create_calendar(office(calendar_id="other", group_id="support-l1"))
    assert second.value.reason == "GROUP_HAS_CALENDAR"
    await boss.create_calendar(office(calendar_id="other"))
    with pytest.raises(AlreadyExists) as moved:
        await boss.update_calendar(
            UpdateCalendarRequest(calendar_id="other", name="x", group_id="support-l1", working_hours=hours())
        )
    assert moved.value.reason == "GROUP_HAS_CALENDAR"
    with pytest.raises(NotFound):
        await boss_of(world.tenant()).get_calendar(GetCalendarRequest(calendar_id="office"))


KEEPERS = {"manager": True, "admin": True, "member": False, "auditor": False}


@pytest.mark.parametrize("role", [*KEEPERS, "agent", "system", "worker"])
async def test_managers_keep_calendars_and_everybody_sees_them(world: World, role: str) -> None:
    tenant = world.tenant()
    boss = boss_of(tenant)
    kept = await boss.create_calendar(office())
    programs = {"agent": tenant.agent, "system": tenant.system, "worker": tenant.worker}
    caller = programs[role]() if role in programs else tenant.person("other", roles=(role,))
    assert await caller.get_calendar(GetCalendarRequest(calendar_id="office")) == kept
    change = UpdateCalendarRequest(calendar_id="office", name="x", working_hours=hours(), version=1)
    calls: list[Coroutine[Any, Any, Calendar]] = [
        caller.create_calendar(office(calendar_id="new")),
        caller.update_calendar(change),
        caller.delete_calendar(DeleteCalendarRequest(calendar_id="office")),
    ]
    for call in calls:
        if KEEPERS.get(role):
            await call
            continue
        with pytest.raises(PermissionDenied) as refusal:
            await call
        assert refusal.value.reason == "NOT_A_MANAGER"


async def opened(tenant: Tenant, calendar: str = "office") -> Task:
    sla = SlaPolicy(
        claim="4h",
        complete="20h",
        calendar=calendar,
        escalate=[EscalationStep(after="50%", remind=True)],
    )
    tenant.group("support-l1")
    return await tenant.agent().create_task(ask(candidate_groups=["support-l1"], sla=sla))


async def test_deadlines_are_counted_on_the_calendar_that_the_policy_names(world: World) -> None:
    tenant = world.tenant()
    boss = boss_of(tenant)
    calendar = await boss.create_calendar(office(group_id="support-l1"))
    counting = working_time(calendar.working_hours)
    for name in ("office", "group:support-l1"):
        task = await opened(tenant, name)
        assert task.sla is not None
        assert task.sla.complete_by == counting.after(task.created_at, timedelta(hours=20))
        assert task.sla.claim_by == counting.after(task.created_at, timedelta(hours=4))
        assert task.sla.calendar_version == 1
        state = await tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))
        assert state.wake_in is not None
        assert state.wake_in <= task.sla.claim_by - task.created_at
    listed = (await boss.list_tasks(ListTasksRequest())).tasks[0]
    assert listed.sla is not None
    assert listed.sla.hours is None
    rows = await world.rows("select payload from outbox where tenant_id = $1", tenant.id)
    assert all(b'"hours":[' not in row["payload"] for row in rows if b'"task"' in row["payload"])


@pytest.mark.parametrize("calendar", ["office", "group:support-l1", "group:", ""])
async def test_a_calendar_that_is_not_there_is_refused(world: World, calendar: str) -> None:
    tenant = world.tenant()
    boss_of(tenant)
    with pytest.raises(InvalidArgument) as refusal:
        await opened(tenant, calendar)
    assert [(error.path, error.code) for error in refusal.value.errors] == [("sla.calendar", "calendar_unknown")]


async def test_a_calendar_that_is_open_too_seldom_is_refused(world: World) -> None:
    tenant = world.tenant()
    seldom = WorkingHours(
        time_zone="UTC", hours=[OpenHours(weekday=Weekday.MONDAY, opens="12:00", closes="12:01")], holidays=[]
    )
    await boss_of(tenant).create_calendar(office(working_hours=seldom))
    with pytest.raises(InvalidArgument) as refusal:
        await opened(tenant)
    assert [(error.path, error.code) for error in refusal.value.errors] == [("sla.calendar", "open_too_seldom")]


async def test_a_live_task_keeps_the_hours_that_it_began_with(world: World) -> None:
    tenant = world.tenant()
    boss, ana = boss_of(tenant), tenant.person("ana", "support-l1")
    await boss.create_calendar(office())
    task = await opened(tenant)
    await boss.update_calendar(UpdateCalendarRequest(calendar_id="office", name="x", working_hours=hours("10:00")))
    later = await opened(tenant)
    assert later.sla is not None
    assert later.sla.calendar_version == 2
    await boss.delete_calendar(DeleteCalendarRequest(calendar_id="office"))
    seen = await ana.get_task(GetTaskRequest(task_id=task.task_id))
    assert seen.sla == task.sla
    claimed = await ana.claimed(task)
    assert claimed.sla is not None
    assert task.sla is not None
    assert claimed.sla.complete_by == task.sla.complete_by
    with pytest.raises(InvalidArgument):
        await opened(tenant)


async def test_what_a_task_waited_moves_its_deadlines_by_what_the_calendar_counts(world: World) -> None:
    tenant = world.tenant()
    await boss_of(tenant).create_calendar(office(working_hours=hours("00:00", "24:00")))
    ana, requester = tenant.person("ana", "support-l1"), tenant.agent()
    sla = SlaPolicy(complete="20h", calendar="office")
    task = await ana.claimed(await requester.create_task(ask(candidate_groups=["support-l1"], sla=sla)))
    waiting = await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Why?"))
    back = await requester.answer_task(AnswerTaskRequest(task_id=task.task_id, message="Because."))
    assert task.sla is not None
    assert task.sla.complete_by is not None
    assert back.sla is not None
    moved = working_time(task.sla.hours).after(task.sla.complete_by, back.updated_at - waiting.updated_at)
    assert (back.sla.complete_by, back.sla.answer_by) == (moved, None)


async def test_durations_add_up_to_the_whole_time(world: World) -> None:
    tenant = world.tenant()
    today = datetime.now(UTC).date()
    closed = [(today + timedelta(days=day)).isoformat() for day in (-1, 0, 1)]
    await boss_of(tenant).create_calendar(office(working_hours=hours("00:00", "24:00", *closed)))
    ana, requester = tenant.person("ana", "support-l1"), tenant.agent()
    for calendar in ("office", None):
        sla = SlaPolicy(complete="20h", calendar=calendar)
        task = await ana.claimed(await requester.create_task(ask(candidate_groups=["support-l1"], sla=sla)))
        await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Why?"))
        await requester.answer_task(AnswerTaskRequest(task_id=task.task_id, message="Because."))
        done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
        parts = (done.time_to_claim, done.time_active, done.time_waiting, done.time_paused)
        assert sum((part or timedelta() for part in parts), timedelta()) == done.updated_at - done.created_at
        assert done.time_waiting is not None
        assert done.time_waiting > timedelta()
        if calendar is None:
            assert (done.time_paused, task.time_to_claim) == (None, task.updated_at - task.created_at)
        else:
            assert (done.time_to_claim, done.time_active) == (timedelta(), timedelta())
        assert done.status_since == done.completed_at
        entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
        assert all("hours" not in ((entry.after or {}).get("sla") or {}) for entry in entries)


async def test_a_place_in_a_list_is_taken_from_the_list(world: World) -> None:
    ana = world.tenant().person("ana")
    for token in ("%", "AA"):
        with pytest.raises(Error):
            await ana.list_calendars(ListCalendarsRequest(page_token=token))

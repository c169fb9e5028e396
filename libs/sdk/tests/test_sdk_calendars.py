"""Clocks on calendars, chains and changes of deadlines in the world without servers: days pass in moments."""

from datetime import timedelta

import pytest
import sdk_workflows as author
from orkestra.rules import working_time
from orkestra.sdk.testing import OrkestraTest, office_hours
from orkestra.v1.task import Priority, TaskStatus
from orkestra.wire import FailedPrecondition, InvalidArgument

TOPIC = author.Topic(topic="returns")
OFFICE = office_hours("Europe/Berlin", holidays=["12-25"])
PEOPLE = {"ana": ["clerks"], "ben": ["clerks"], "chief": ["chiefs"]}


async def test_a_chain_is_counted_in_office_hours_and_ends_with_the_default() -> None:
    async with OrkestraTest(people=PEOPLE, calendars={"office": OFFICE}) as env:
        run = await env.start(author.by_the_calendar, TOPIC)
        task = await env.next_task()
        hours, began = working_time(OFFICE), task.current.created_at
        sla = task.current.sla
        assert sla is not None
        assert sla.claim_by == hours.after(began, timedelta(hours=2))
        assert sla.complete_by == hours.after(began, timedelta(hours=16))
        await env.skip_to(sla.complete_by + timedelta(seconds=1))
        assert await run.result() == {"good": False, "decided_by": "policy"}
        steps = [(event.name, event.at) for event in env.events if event.name != "task.created"]
        assert [name for name, _ in steps][:6] == [
            *("task.reminder_due", "task.sla_breached", "task.escalated"),
            *("task.sla_breached", "task.reminder_due", "task.completed"),
        ]
        counted = [hours.between(began, at) for name, at in steps if name == "task.escalated"]
        assert timedelta(hours=8) <= counted[0] < timedelta(hours=8, seconds=5)
        assert task.current.priority is Priority.HIGH


async def test_a_moved_due_time_sets_the_alarm_again() -> None:
    async with OrkestraTest(people=PEOPLE, calendars={"office": OFFICE}) as env:
        run = await env.start(author.by_the_calendar, TOPIC)
        task = await env.next_task()
        await task.claim(by="ana")
        await task.update(by="boss", complete_by=await env.now() + timedelta(minutes=10), reason="The customer waits.")
        await env.skip("11m")
        assert await run.result() == {"good": False, "decided_by": "policy"}


async def test_a_delegated_task_comes_back_to_whoever_delegated_it() -> None:
    async with OrkestraTest(people=PEOPLE, calendars={"office": OFFICE}) as env:
        run = await env.start(author.by_the_calendar, TOPIC)
        task = await env.next_task()
        await task.claim(by="ana")
        assert (await task.delegate("ben", by="ana")).assignee == "ben"
        back = await task.release(by="ben")
        assert (back.assignee, back.status, back.delegated_by) == ("ana", TaskStatus.OPEN, None)
        given = await task.assign(by="boss", assignee="ben", reason="Ana is ill.")
        assert (given.assignee, given.candidate_groups) == ("ben", ["clerks"])
        assert (await task.escalate(by="boss")).sla is not None
        await task.complete(by="ben", good=True)
        assert (await run.result())["good"] is True


async def test_changes_are_asked_for_as_often_as_the_task_allows() -> None:
    async with OrkestraTest(people=PEOPLE, calendars={"office": OFFICE}) as env:
        run = await env.start(author.by_the_calendar, TOPIC, requested_by="chief")
        task = await env.next_task()
        await task.claim(by="ana")
        await task.request_changes("Why?", by="ana")
        await task.answer("Because.", by="chief")
        with pytest.raises(FailedPrecondition, match="1 round of changes"):
            await task.request_changes("Why, though?", by="ana")
        await task.complete(by="ana", good=True)
        await run.result()


def test_hours_that_never_come_are_refused() -> None:
    with pytest.raises(InvalidArgument):
        OrkestraTest(calendars={"office": office_hours(days=[])})

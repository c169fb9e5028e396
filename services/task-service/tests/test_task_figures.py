"""Figures held against a fixture that was computed by hand, and who sees them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.v1.task import (
    AnswerTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    DraftFigures,
    GetTaskFiguresRequest,
    GroupLoad,
    PersonLoad,
    RequestChangesRequest,
    Span,
    Task,
    TaskContext,
)
from orkestra.wire import Error, InvalidArgument, PermissionDenied
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]

START = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
"""A Monday evening; in Berlin it is eleven."""
FORM = {"answer": {"type": "text"}, "amount": {"type": "number"}, "note": {"type": "text"}}
SCHEMA_DRAFT = {"answer": {"value": "Yes", "confidence": 0.9}, "amount": {"value": 5}}


class Office:
    """Tasks whose times are set behind the service's back, to whole minutes."""

    def __init__(self, world: World) -> None:
        self.world, tenant = world, world.tenant()
        self.tenant: Tenant = tenant
        self.bot, self.boss = tenant.agent(), tenant.person("boss", roles=("manager",))
        self.ana, self.bob = tenant.person("ana", "l1"), tenant.person("bob", "l1", "l2")

    async def asked(self, at: timedelta, **fields: Any) -> Task:
        agent = fields.pop("agent", None)
        context = TaskContext.model_validate({"agent": agent}) if agent else None
        task = await self.bot.create_task(
            ask(**{"candidate_groups": ["l1"], "form": FORM, "context": context} | fields)
        )
        for table in ("tasks", "task_audience"):
            statement = f"update {table} set created_at = $2 where task_id = $1 returning 1"
            await self.world.rows(statement, task.task_id, START + at)
        return task

    async def completed(
        self, task: Task, by: Caller, data: dict[str, Any], *, took: tuple[int, int], at: timedelta
    ) -> None:
        """Completed at a time; it was open and claimed for so many minutes."""
        await by.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))
        await self.world.rows(
            "update tasks set time_to_claim = $2, time_active = $3, completed_at = $4 where task_id = $1 returning 1",
            task.task_id, timedelta(minutes=took[0]), timedelta(minutes=took[1]), START + at,
        )  # fmt: skip

    async def figures(self, by: Caller | None = None, **asked: Any) -> Any:
        given = {"since": START - timedelta(days=1), "until": START + timedelta(days=7)} | asked
        return await (by or self.boss).get_task_figures(GetTaskFiguresRequest(**given))


def minutes(*, count: int, median: float, p95: float) -> Span:
    return Span(count=count, median=timedelta(minutes=median), p95=timedelta(minutes=p95))


async def test_every_figure_is_the_one_computed_by_hand(world: World) -> None:
    office = Office(world)
    hour, day = timedelta(hours=1), timedelta(days=1)
    took = [(1, 10), (2, 20), (3, 30), (4, 40), (10, 100)]
    for number, each in enumerate(took):
        task = await office.asked(number * hour, sla={"complete": "4h"} if number < 4 else None)
        by = office.ana if number < 3 else office.bob
        await office.completed(task, by, {"answer": "x"}, took=each, at=day + number * hour)
    breached = '{"policy": {}, "breached": true, "escalation_level": 2, "performed_steps": [0, 1]}'
    held = await office.asked(day, candidate_groups=["l1", "l2"], sla={"complete": "4h"})
    await office.ana.claimed(held)
    await world.rows(
        "update tasks set time_to_claim = $2, sla = $3::json, time_waiting = $4, time_paused = $5"
        " where task_id = $1 returning 1",
        held.task_id, timedelta(minutes=5), breached, timedelta(minutes=30), timedelta(hours=14),
    )  # fmt: skip
    dropped = await office.asked(2 * day)
    await office.bot.cancel_task(CancelTaskRequest(task_id=dropped.task_id))
    await office.asked(2 * day)
    before = await office.asked(-2 * day)
    assert before

    found = await office.figures(time_zone="Europe/Berlin")
    assert (found.asked, found.live, found.completed, found.cancelled, found.expired) == (8, 2, 5, 1, 0)
    assert found.completed_by_policy == 0
    # open: 1 2 3 4 10 of the completed and 5 of the claimed: between 3 and 4; 95 %: 5 + 0.75 * (10 - 5)
    assert found.time_to_claim == minutes(count=6, median=3.5, p95=8.75)
    # together: 11 22 33 44 110; 95 %: 44 + 0.8 * (110 - 44)
    assert found.time_to_complete == minutes(count=5, median=33, p95=96.8)
    # claimed: 10 20 30 40 100; 95 %: 40 + 0.8 * 60
    assert found.time_active == minutes(count=5, median=30, p95=88)
    assert found.time_waiting == minutes(count=1, median=30, p95=30)
    assert found.time_paused == minutes(count=1, median=840, p95=840)
    assert (found.with_sla, found.breached, found.breach_rate) == (5, 1, 0.2)
    assert (found.escalated, found.escalation_rate) == (1, 0.125)
    # eleven in the evening in Berlin: one is asked on the 2nd, five on the 3rd
    assert [(each.day, each.asked, each.completed) for each in found.days] == [
        ("2026-03-02", 1, 0), ("2026-03-03", 5, 1), ("2026-03-04", 2, 4),
    ]  # fmt: skip
    assert found.people == [
        PersonLoad(user_id=office.ana.id, claimed=1, completed=3),
        PersonLoad(user_id=office.bob.id, claimed=0, completed=2),
    ]
    assert found.groups == [
        GroupLoad(group_id="l1", open=1, claimed=1, completed=5),
        GroupLoad(group_id="l2", open=0, claimed=1, completed=0),
    ]
    assert found.drafts == []


async def test_drafts_are_counted_by_agent_model_and_prompt(world: World) -> None:
    office = Office(world)
    first = {"name": "bot", "model": "m-1", "prompt_version": "7"}
    second = {"name": "bot", "model": "m-2"}
    answers: list[tuple[dict[str, str], dict[str, Any]]] = [
        (first, {"answer": "Yes", "amount": 5, "note": "Added, nothing of the draft"}),  # kept
        (first, {"answer": "Yes", "amount": 5.0}),  # kept: 5 and 5.0 are one number
        (first, {"answer": "No", "amount": 5}),  # edited
        (first, {"answer": "No", "amount": 6}),  # edited, and all of it
        (first, {"answer": "Yes"}),  # edited: the amount was taken out
        (second, {"answer": "No"}),  # edited, and all of it
    ]
    for agent, data in answers:
        task = await office.asked(timedelta(), agent=agent, draft=SCHEMA_DRAFT)
        await office.completed(task, office.ana, data, took=(1, 1), at=timedelta(hours=1))
    await office.asked(timedelta(), agent=first, draft=SCHEMA_DRAFT)  # nobody has answered it
    found = await office.figures()
    assert found.drafts == [
        DraftFigures(
            agent="bot", model="m-1", prompt_version="7", answered=5, edited=3, overridden=1, edit_rate=0.6,
            override_rate=0.2,
        ),
        DraftFigures(agent="bot", model="m-2", answered=1, edited=1, overridden=1, edit_rate=1, override_rate=1),
    ]  # fmt: skip


async def test_figures_are_narrowed_by_type_group_and_time_and_never_of_another_tenant(world: World) -> None:
    office, other = Office(world), Office(world)
    await office.asked(timedelta(), type="refund")
    await office.asked(timedelta(), candidate_groups=["l2"])
    await other.asked(timedelta(), type="refund")
    assert (await office.figures()).asked == 2
    assert (await office.figures(type="refund")).asked == 1
    assert (await office.figures(group="l2")).asked == 1
    assert (await office.figures(until=START)).asked == 0
    empty = await office.figures(type="none")
    assert (empty.breach_rate, empty.escalation_rate, empty.time_to_claim) == (None, None, Span(count=0))
    assert (empty.days, empty.people, empty.groups, empty.drafts) == ([], [], [], [])


async def test_a_task_that_waited_tells_for_how_long(world: World) -> None:
    office = Office(world)
    task = await office.asked(timedelta())
    await office.ana.claimed(task)
    await office.ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Which?"))
    await office.bot.answer_task(AnswerTaskRequest(task_id=task.task_id, message="This."))
    assert (await office.figures()).time_waiting.count == 1


@pytest.mark.parametrize("role", ["member", "agent"])
async def test_only_overseers_see_figures(world: World, role: str) -> None:
    office = Office(world)
    caller = office.bot if role == "agent" else office.ana
    with pytest.raises(PermissionDenied) as refused:
        await office.figures(caller)
    assert refused.value.reason == "FIGURES_NOT_VISIBLE"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"since": START, "until": START}, "since"),
        ({"since": START - timedelta(days=400)}, "since"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
    ],
)
async def test_a_time_or_zone_that_cannot_be_is_refused(world: World, asked: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await Office(world).figures(**asked)
    told: Error = refused.value
    assert [error.path for error in told.errors] == [path]

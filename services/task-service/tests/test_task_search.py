"""Search: by words, labels, data and due times; a task is found by what it says now, by those who may see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.v1.task import (
    CompleteTaskRequest,
    CountTasksRequest,
    ListTasksRequest,
    Priority,
    SlaPolicy,
    Task,
    TaskContext,
    TaskCounts,
    TaskScope,
    TaskSort,
    TaskStatus,
    UpdateTaskRequest,
)
from orkestra.wire import InvalidArgument
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, world

__all__ = ["world"]


async def opened(tenant: Tenant, **fields: Any) -> Task:
    tenant.group("support-l1")
    return await tenant.worker().create_task(ask_for_run(**{"candidate_groups": ["support-l1"]} | fields))


async def titles(caller: Caller, **filters: object) -> list[str]:
    answer = await caller.list_tasks(ListTasksRequest.model_validate(filters))
    return [task.title for task in answer.tasks]


async def scene(world: World) -> tuple[Tenant, Caller]:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    order = TaskContext(summary="The parcel came late.", data={"order": {"id": 2041, "lines": [{"sku": "A-1"}]}})
    await opened(tenant, title="Refund €20", tags=["vip", "eu"], type="refund-approval", context=order)
    await opened(tenant, title="Refund €900", tags=["eu"], priority=Priority.URGENT, correlation="case-7")
    await opened(tenant, title="Angry customer", description="Wants a *refund* and a word.")
    return tenant, ana


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"q": "refund"}, {"Refund €20", "Refund €900", "Angry customer"}),
        ({"q": "REFUND late parcel"}, {"Refund €20"}),
        ({"q": "a-1"}, {"Refund €20"}),
        ({"q": "refunds"}, set()),
        ({"q": "  "}, {"Refund €20", "Refund €900", "Angry customer"}),
        ({"tags": ["eu"]}, {"Refund €20", "Refund €900"}),
        ({"tags": ["eu", "vip"], "q": "refund"}, {"Refund €20"}),
        ({"type": "refund-approval"}, {"Refund €20"}),
        ({"priority": "urgent"}, {"Refund €900"}),
        ({"correlation": "case-7", "status": "open"}, {"Refund €900"}),
        ({"correlation": "case-7", "status": "completed"}, set()),
        ({"data": ["order.id=2041"]}, {"Refund €20"}),
        ({"data": ["order.lines.sku=A-1", "order.id=2042"]}, set()),
    ],
)
async def test_tasks_are_found_by_what_they_say(world: World, filters: dict[str, Any], expected: set[str]) -> None:
    tenant, ana = await scene(world)
    boss = tenant.person("boss", roles=("manager",))
    for caller in (ana, boss):
        assert set(await titles(caller, **filters)) == expected
        assert set(await titles(caller, **filters, sort=TaskSort.NEWEST)) == expected
    counted = {name: value for name, value in filters.items() if name != "sort"}
    counts = await ana.count_tasks(CountTasksRequest.model_validate(counted))
    assert counts == TaskCounts(mine=0, groups=len(expected), all=len(expected))
    assert await titles(tenant.person("stranger", "other"), **filters) == []
    assert await titles(world.tenant().person("eve", "support-l1", roles=("admin",)), **filters) == []


async def test_what_has_changed_is_found_by_what_it_says_now(world: World) -> None:
    tenant, ana = await scene(world)
    boss = tenant.person("boss", roles=("manager",))
    [task] = (await boss.list_tasks(ListTasksRequest(correlation="case-7"))).tasks
    change = UpdateTaskRequest(
        task_id=task.task_id, title="Credit note", add_tags=["vip"], remove_tags=["eu"], priority=Priority.LOW
    )
    await boss.update_task(change)
    assert await titles(ana, q="credit") == ["Credit note"]
    assert await titles(ana, q="900") == []
    assert await titles(ana, tags=["eu"]) == ["Refund €20"]
    assert await titles(ana, tags=["vip"], priority=Priority.LOW) == ["Credit note"]
    await ana.claimed(task)
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert await titles(ana, q="credit") == []
    assert await titles(ana, q="credit", status=TaskStatus.COMPLETED) == ["Credit note"]


async def test_sensitive_values_are_never_found(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    form = {"iban": {"type": "text", "sensitive": True}, "answer": {"type": "text"}}
    context = TaskContext(data={"customer": {"iban": "DE4711"}, "city": "Berlin"})
    task = await opened(tenant, form=form, context=context, draft={"iban": {"value": "DE4711"}})
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"iban": "DE4711", "answer": "Yes"}))
    stored = await world.rows("select term from task_terms where task_id = $1", task.task_id)
    assert "city=Berlin" in {row["term"] for row in stored}
    assert not [row["term"] for row in stored if "4711" in row["term"]]


async def test_a_due_window_takes_its_start_and_leaves_its_end(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    dates = {}
    for hours in (1, 2, 3):
        task = await opened(tenant, title=f"{hours}h", sla=SlaPolicy(complete=f"{hours}h"))
        assert task.sla is not None
        dates[hours] = task.sla.complete_by
    await opened(tenant, title="never")
    for sort in TaskSort:
        assert set(await titles(ana, due_after=dates[2], sort=sort)) == {"2h", "3h", "never"}
        assert set(await titles(ana, due_after=dates[1], due_before=dates[3], sort=sort)) == {"1h", "2h"}
        assert set(await titles(ana, due_before=datetime.now(UTC) + timedelta(days=9), q="1h", sort=sort)) == {"1h"}
    assert (await ana.count_tasks(CountTasksRequest(due_before=dates[3]))).all == 2


@pytest.mark.parametrize("filters", [{}, {"q": "task"}], ids=["walked", "searched"])
async def test_pages_from_the_newest_are_stable_while_tasks_are_made(world: World, filters: dict[str, Any]) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    made = [(await opened(tenant, title=f"Task {number}")).title for number in range(5)]
    seen: list[str] = []
    token = None
    while True:
        request = ListTasksRequest(page_size=2, page_token=token, sort=TaskSort.NEWEST, **filters)
        page = await ana.list_tasks(request)
        seen += [task.title for task in page.tasks]
        token = page.next_page_token
        if token is None:
            break
        await opened(tenant, title="Task, later")
    assert seen == made[::-1]


async def test_an_assignee_is_searched_within_and_mine_stays_mine(world: World) -> None:
    tenant, ana = await scene(world)
    [task] = (await ana.list_tasks(ListTasksRequest(q="angry"))).tasks
    await ana.claimed(task)
    assert await titles(ana, scope=TaskScope.MINE, q="refund") == ["Angry customer"]
    boss = tenant.person("boss", roles=("manager",))
    assert await titles(boss, assignee=ana.id, q="refund") == ["Angry customer"]
    assert await titles(boss, group="support-l1", q="word") == ["Angry customer"]


@pytest.mark.parametrize(
    ("filters", "path"),
    [
        ({"q": "?!"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"data": ["order.id"]}, "data[0]"),
        ({"data": ["=1"]}, "data[0]"),
        ({"tags": ["a"] * 11}, "tags"),
    ],
)
async def test_a_filter_that_finds_nothing_ever_is_refused(world: World, filters: dict[str, Any], path: str) -> None:
    ana = world.tenant().person("ana")
    with pytest.raises(InvalidArgument) as refused:
        await titles(ana, **filters)
    assert [error.path for error in refused.value.errors] == [path]

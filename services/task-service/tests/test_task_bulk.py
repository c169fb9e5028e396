"""One thing done to many tasks: a result for each, whatever became of the others, and once for one request id."""

from typing import Any

import pytest
from orkestra.v1.task import (
    BulkOperation,
    BulkTask,
    BulkTasksRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    Task,
    TaskStatus,
)
from orkestra.wire import InvalidArgument
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, some_task_id, world

__all__ = ["world"]


async def opened(tenant: Tenant, *groups: str) -> Task:
    tenant.group("support-l1", *groups)
    return await tenant.worker().create_task(ask_for_run(candidate_groups=list(groups) or ["support-l1"]))


def bulk(operation: str, *tasks: Task | str, **fields: Any) -> BulkTasksRequest:
    named = [BulkTask(task_id=one if isinstance(one, str) else one.task_id) for one in tasks]
    return BulkTasksRequest(operation=BulkOperation(operation), tasks=named, **fields)


async def codes(caller: Caller, request: BulkTasksRequest) -> list[str | None]:
    return [result.code for result in (await caller.bulk_tasks(request)).results]


async def test_one_refusal_undoes_nothing_of_the_rest(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
    free, taken, hidden, last = [await opened(tenant, *groups) for groups in ([], [], ["finance"], [])]
    elsewhere = await opened(world.tenant())
    await ben.claimed(taken)
    request = bulk("claim", free, taken, hidden, elsewhere, some_task_id(), last)
    answer = await ana.bulk_tasks(request)
    assert [result.code for result in answer.results] == [
        *(None, "TASK_NOT_OPEN", "TASK_NOT_FOUND", "TASK_NOT_FOUND", "TASK_NOT_FOUND", None)
    ]
    assert [result.task_id for result in answer.results] == [one.task_id for one in request.tasks]
    assert [result.task.assignee if result.task else result.detail is None for result in answer.results] == [
        *(ana.id, False, False, False, False, ana.id)
    ]
    assert (await ben.get_task(GetTaskRequest(task_id=taken.task_id))).assignee == ben.id


async def test_each_operation_does_what_the_single_one_does(world: World) -> None:
    tenant = world.tenant()
    ana, boss = tenant.person("ana", "support-l1"), tenant.person("boss", roles=("manager",))
    tasks = [await opened(tenant) for _ in range(3)]
    tenant.group("support-l2")
    assert await codes(boss, bulk("tag", *tasks, add_tags=["late"])) == [None] * 3
    assert await codes(boss, bulk("assign", *tasks, assignee="ana@example.com", reason="Free.")) == [None] * 3
    assert await codes(ana, bulk("complete", *tasks[:2], data=ANSWER)) == [None] * 2
    assert await codes(boss, bulk("cancel", *tasks, reason="Enough.")) == ["TASK_NOT_LIVE", "TASK_NOT_LIVE", None]
    first, _, third = [await boss.get_task(GetTaskRequest(task_id=task.task_id)) for task in tasks]
    assert (first.tags, first.status, first.completed_by) == (["late"], TaskStatus.COMPLETED, ana.id)
    assert (third.status, third.reason) == (TaskStatus.CANCELLED, "Enough.")
    history = await boss.get_task_history(GetTaskHistoryRequest(task_id=third.task_id))
    assert [entry.event for entry in history.entries] == ["created", "updated", "assigned", "cancelled"]


async def test_a_wrong_answer_is_told_for_each_task_field_by_field(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant)
    [result] = (await ana.bulk_tasks(bulk("complete", task, data={"sentiment": "sour"}))).results
    assert result.code == "DATA_INVALID"
    assert {(fault.path, fault.code) for fault in result.errors} >= {("data.answer", "required")}


async def test_a_version_that_has_moved_on_is_refused_for_that_task(world: World) -> None:
    tenant = world.tenant()
    boss = tenant.person("boss", roles=("manager",))
    tasks = [await opened(tenant) for _ in range(2)]
    seen = [BulkTask(task_id=tasks[0].task_id, version=7), BulkTask(task_id=tasks[1].task_id, version=1)]
    request = BulkTasksRequest(operation=BulkOperation.TAG, tasks=seen, add_tags=["a"])
    assert await codes(boss, request) == ["VERSION_MISMATCH", None]


async def test_a_repeated_givenis_done_once_and_answered_the_same(world: World) -> None:
    tenant = world.tenant()
    boss = tenant.person("boss", roles=("manager",))
    tasks = [await opened(tenant) for _ in range(2)]
    request = bulk("cancel", *tasks)
    first = await boss.bulk_tasks(request, request_id="once")
    again = await boss.bulk_tasks(request, request_id="once")
    assert boss.replayed
    assert again == first
    history = await boss.get_task_history(GetTaskHistoryRequest(task_id=tasks[0].task_id))
    assert [entry.event for entry in history.entries] == ["created", "cancelled"]
    with pytest.raises(InvalidArgument) as refused:
        await boss.bulk_tasks(bulk("cancel", tasks[0]), request_id="once")
    assert refused.value.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (bulk("claim"), "tasks"),
        (bulk("claim", *(f"task_{n}" for n in range(101))), "tasks"),
        (bulk("claim", "task_1", "task_1"), "tasks[1].task_id"),
        (bulk("complete", "task_1"), "data"),
        (bulk("assign", "task_1", assignee="a@b.example"), "reason"),
    ],
)
async def test_what_can_be_done_to_no_task_is_refused_whole(world: World, given: BulkTasksRequest, path: str) -> None:
    ana = world.tenant().person("ana")
    with pytest.raises(InvalidArgument) as refused:
        await ana.bulk_tasks(given)
    assert refused.value.reason == "BULK_INVALID"
    assert [error.path for error in refused.value.errors] == [path]


async def test_an_agent_decides_on_none_of_many(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    agent = tenant.agent()
    assert await codes(agent, bulk("complete", task, data=ANSWER)) == ["TASK_NOT_FOUND"]

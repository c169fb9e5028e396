"""Workers die and are replaced, by the same code and by other code; no run is lost and none ends wrongly."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.sdk.builds import promote
from orkestra.testkit import Schema, eventually
from orkestra.v1.task import Task, TaskStatus
from orkestra.v1.workflow import StartWorkflowRequest
from orkestra.wire import NotFound
from workflow_process import WorkerProcess, worker_processes
from workflow_world import QUESTION, World, running_world

pytestmark = pytest.mark.timeout(300)

RUNS = 200
AT_ONCE = 20
T = TypeVar("T")
OLD = """
from orkestra.sdk import Context, task, workflow
from pydantic import BaseModel

class Refund(BaseModel):
    order: str

@workflow("refunds")
async def refunds(ctx: Context, asked: Refund) -> list[str]:
    final = await task(ctx, title="Refund?", correlation=asked.order)
    return [final.data["answer"]]
"""
NEW = """
from orkestra.sdk import Context, task, workflow
from pydantic import BaseModel
from temporalio.workflow import patched

class Refund(BaseModel):
    order: str

@workflow("refunds")
async def refunds(ctx: Context, asked: Refund) -> list[str]:
    answers = []
    if patched("is-it-real"):
        first = await task(ctx, title="Is it real?", correlation=asked.order)
        answers.append(first.data["answer"])
    final = await task(ctx, title="Refund?", correlation=asked.order)
    return [*answers, final.data["answer"]]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


async def each(asked: Iterable[Awaitable[T]]) -> list[T]:
    """Do all of it, at most 20 at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(doing: Awaitable[T]) -> T:
        async with gate:
            return await doing

    return await asyncio.gather(*map(one, asked))


async def start(world: World, definition: str, given: dict[str, str]) -> str:
    request = StartWorkflowRequest(definition=definition, input=given)
    run = await world.client("agent").start_workflow(request, request_id=uuid4().hex, timeout=60)
    return run.workflow_id


async def answer(world: World, tasks: Iterable[Task]) -> None:
    await each([world.tasks.answer(task.task_id, {"answer": task.task_id}) for task in tasks])


def open_tasks(world: World, runs: Collection[str]) -> list[Task]:
    tasks = world.tasks.tasks.values()
    return [task for task in tasks if task.workflow_id in runs and task.status is TaskStatus.OPEN]


async def asked(world: World, runs: Collection[str]) -> list[Task]:
    """The open tasks of runs, in their order, once each has one."""
    await eventually(lambda: len(open_tasks(world, runs)) == len(runs), timeout=60)
    return sorted(open_tasks(world, runs), key=lambda task: list(runs).index(task.workflow_id or ""))


async def ends(world: World, runs: Collection[str]) -> dict[str, tuple[str, Any]]:
    """How the runs have ended, once they all have."""

    async def all_ended() -> dict[str, tuple[str, Any]] | None:
        rows = await world.rows("select * from workflow.runs where workflow_id = any($1)", list(runs))
        found = {row["workflow_id"]: (row["status"], json.loads(row["result"] or "null")) for row in rows}
        return None if any(status == "running" for status, _ in found.values()) else found

    return await eventually(all_ended, timeout=100, every=0.2)


async def test_kill_9_of_every_worker_while_200_runs_wait_ends_all_of_them_right(world: World, tmp_path: Path) -> None:
    settings = replace(world.worker_settings, task_queue=f"queue-{uuid4().hex}")
    async with worker_processes(settings, tmp_path) as workers:
        first = [workers.start("customer_support.workflows") for _ in range(2)]
        for worker in first:
            await worker.serving()
        runs = await each([start(world, "customer-support", QUESTION) for _ in range(RUNS)])
        waiting = await asked(world, runs)
        for worker in first:
            worker.kill()
        await answer(world, waiting[: RUNS // 2])
        await workers.start("customer_support.workflows").serving()
        await answer(world, waiting[RUNS // 2 :])
        ended = await ends(world, runs)
    expected = {"handled_by": "human"}
    assert ended == {task.workflow_id: ("completed", {"answer": task.task_id} | expected) for task in waiting}
    assert len([task for task in world.tasks.tasks.values() if task.workflow_id in runs]) == RUNS


async def test_a_pinned_run_stays_on_its_build_and_new_ones_begin_on_the_promoted_one(
    world: World, tmp_path: Path
) -> None:
    queue = f"queue-{uuid4().hex}"
    temporal = await world.temporal()
    for name, title in (("one", "Refund?"), ("two", "Refund it?")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "refunding.py").write_text(OLD.replace('"Refund?"', f'"{title}"'))
    async with AsyncExitStack() as stack:

        async def deployed(build: str) -> None:
            settings = replace(world.worker_settings, task_queue=queue, build=build)
            (tmp_path / f"log-{build}").mkdir()
            workers = await stack.enter_async_context(worker_processes(settings, tmp_path / f"log-{build}"))
            await workers.start("refunding", code=tmp_path / build).serving()

        async def promoted(build: str) -> bool:
            try:
                await promote(temporal, queue, build)
            except NotFound:  # its first poll is on its way
                return False
            return True

        with pytest.raises(NotFound) as unknown:
            await promote(temporal, queue, "never-seen")
        assert unknown.value.reason == "BUILD_NOT_FOUND"
        await deployed("one")
        await eventually(lambda: promoted("one"))
        first = await start(world, "refunds", {"order": "1"})
        waiting = await asked(world, [first])
        await deployed("two")
        before = await asked(world, [await start(world, "refunds", {"order": "2"})])
        await eventually(lambda: promoted("two"))
        after = await asked(world, [await start(world, "refunds", {"order": "3"})])
        assert [task.title for task in (*waiting, *before, *after)] == ["Refund?", "Refund?", "Refund it?"]
        await answer(world, waiting)
        assert await ends(world, [first]) == {first: ("completed", [waiting[0].task_id])}


async def test_old_and_new_code_side_by_side_lose_nothing_and_the_old_comes_back(world: World, tmp_path: Path) -> None:
    settings = replace(world.worker_settings, task_queue=f"queue-{uuid4().hex}")
    for name, code in (("old", OLD), ("new", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "refunding.py").write_text(code)
    async with worker_processes(settings, tmp_path) as workers:

        async def deployed(name: str) -> WorkerProcess:
            worker = workers.start("refunding", code=tmp_path / name)
            await worker.serving()
            return worker

        old = await deployed("old")
        before = [await start(world, "refunds", {"order": f"before-{number}"}) for number in range(3)]
        first, second, third = await asked(world, before)

        new = await deployed("new")  # beside the old
        beside: list[str] = []
        while not any(task.title == "Is it real?" for task in open_tasks(world, beside)):
            assert len(beside) < 50
            beside.append(await start(world, "refunds", {"order": f"beside-{len(beside)}"}))
            await asked(world, beside)
        real = [task for task in await asked(world, beside) if task.title == "Is it real?"]
        await answer(world, [first, *real])
        await asked(world, beside)
        assert (await ends(world, [before[0]]))[before[0]] == ("completed", [first.task_id])

        await new.stop()  # rolled back
        await answer(world, [second])
        assert (await ends(world, [before[1]]))[before[1]] == ("completed", [second.task_id])
        final = await asked(world, beside)
        await answer(world, final)
        told = await ends(world, [run for run in beside if run not in {task.workflow_id for task in real}])
        assert {status for status, _ in told.values()} <= {"completed"}

        await deployed("new")  # and forward again
        await old.stop()
        await answer(world, [third])
        ended = await ends(world, [before[2], *beside])
    said = {task.workflow_id: [task.task_id] for task in real}
    expected = {task.workflow_id: [*said.get(task.workflow_id, []), task.task_id] for task in [third, *final]}
    assert ended == {run: ("completed", result) for run, result in expected.items()}

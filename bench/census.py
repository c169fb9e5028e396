"""Lets one workflow ask 2,000 people on the whole stack, and says how long it takes and how long its histories get.

python -m bench.census [--tasks 2000]
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from orkestra.testkit.stack import Stack, running_stack
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.task import CompleteTaskRequest, ListTasksRequest, Task, TaskServiceClient, TaskStatus
from orkestra.v1.workflow import GetWorkflowResultRequest, StartWorkflowRequest, Workflow, WorkflowServiceClient
from orkestra.wire import Error
from temporalio.client import Client

from bench.compared import session_token
from bench.story import Token

AT_ONCE = 8
PATIENCE = 60.0


@asynccontextmanager
async def author_worker(stack: Stack) -> AsyncIterator[None]:
    """Run the census' worker as an author would."""
    command = [sys.executable, "-m", "orkestra.cli", "worker", "run", "bench.census_author", "--task-queue", "census"]
    log = (stack.state_dir / "census.log").open("wb")
    process = await asyncio.create_subprocess_exec(*command, "--state-dir", stack.state_dir, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def started(workflows: WorkflowServiceClient, residents: int) -> Workflow:
    """Start the census, as soon as its definition is known."""
    request = StartWorkflowRequest(definition="census", version=1, input={"residents": residents})
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await workflows.start_workflow(request)
        except Error:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.5)


async def answer_all(tasks: TaskServiceClient, workflow_id: str, residents: int) -> None:
    """Answer every task of the run, a few at once, as they are asked."""
    answered: set[str] = set()
    gate = asyncio.Semaphore(AT_ONCE)

    async def answer(task: Task) -> None:
        async with gate:
            await tasks.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"answer": "yes"}))

    request = ListTasksRequest(workflow_id=workflow_id, status=TaskStatus.OPEN, page_size=100)
    while len(answered) < residents:
        asked = [one for one in (await tasks.list_tasks(request)).tasks if one.task_id not in answered]
        await asyncio.gather(*map(answer, asked))
        answered |= {one.task_id for one in asked}
        if not asked:
            await asyncio.sleep(0.1)


async def histories(temporal: str, workflow_id: str) -> list[int]:
    """Return how many events each history of the run has, oldest first."""
    client = await Client.connect(temporal)
    found = [one async for one in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
    return [one.history_length for one in sorted(found, key=lambda one: one.start_time)]


async def run(residents: int, port_offset: int) -> None:
    """Run the census once, and print its figures."""
    async with running_stack(port_offset=port_offset) as stack, author_worker(stack):
        info = stack.info
        async with (
            grpc.aio.insecure_channel(info["identity"]) as identity,
            grpc.aio.insecure_channel(info["task"]) as rooms,
            grpc.aio.insecure_channel(info["workflow"]) as runs,
        ):
            who = IdentityServiceClient(identity)
            workflows = WorkflowServiceClient(runs, Token(who, info["api_keys"]["system"]), timeout=60)
            person = Token(who, await session_token(info))
            began = time.monotonic()
            asked = await started(workflows, residents)
            await answer_all(TaskServiceClient(rooms, person, timeout=60), asked.workflow_id, residents)
            answered = time.monotonic() - began
            request = GetWorkflowResultRequest(workflow_id=asked.workflow_id, wait=50)
            ended = await workflows.get_workflow_result(request, timeout=60)
            took = time.monotonic() - began
            lengths = await histories(info["temporal"], asked.workflow_id)
        print(f"{ended.status}: {ended.result} of {residents} answers counted after {took:.1f} s")
        print(f"answered after {answered:.1f} s, {residents / took:.1f} tasks a second, events by history: {lengths}")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=Path(__file__).stem)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--port-offset", type=int, default=14_000)
    given = parser.parse_args()
    asyncio.run(run(given.tasks, given.port_offset))


if __name__ == "__main__":
    main()

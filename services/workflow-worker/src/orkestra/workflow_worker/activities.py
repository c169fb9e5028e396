"""What is read of task-service."""

import asyncio

import grpc
from orkestra.chassis.credentials import TokenSource
from orkestra.v1.task import (
    GetTaskHistoryRequest,
    ListTasksRequest,
    Task,
    TaskHistoryEntry,
    TaskServiceClient,
    TaskStatus,
)
from orkestra.wire import Unavailable

TASKS_SECONDS = 2.5
MOST_TASKS = 200
HISTORIES_AT_ONCE = 8


class TasksOfRuns:
    """Reads the tasks of runs from task-service, as the service itself: whoever asks was checked against the run."""

    def __init__(self, tasks: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._tasks = tasks
        self._tokens = tokens

    async def __call__(self, tenant_id: str, workflow_id: str) -> list[tuple[Task, list[TaskHistoryEntry]]]:
        """Return the run's tasks, at most 200 of each status, with their histories; Unavailable after 2.5 seconds."""
        service = TaskServiceClient(self._tasks, self._tokens.of(tenant_id))
        at_once = asyncio.Semaphore(HISTORIES_AT_ONCE)

        async def history(task: Task) -> tuple[Task, list[TaskHistoryEntry]]:
            async with at_once:
                return task, list((await service.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries)

        try:
            async with asyncio.timeout(TASKS_SECONDS):
                pages = await asyncio.gather(
                    *(
                        service.list_tasks(
                            ListTasksRequest(workflow_id=workflow_id, status=status, page_size=MOST_TASKS)
                        )
                        for status in TaskStatus
                    )
                )
                tasks = {task.task_id: task for page in pages for task in page.tasks}
                return list(await asyncio.gather(*map(history, tasks.values())))
        except TimeoutError:
            raise Unavailable("TASKS_UNAVAILABLE", "task-service does not answer.", retry_after=1.0) from None

"""What every tool works with: the rooms on behalf of whoever calls, the news, and the end of this process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
from orkestra.chassis.drain import Drain
from orkestra.mcp_gateway.tools.news import News
from orkestra.v1.identity import AccessToken, PrincipalKind
from orkestra.v1.task import GetTaskRequest, Task, TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient
from orkestra.wire import NotFound

MOST_WAIT = 50
"""Longest wait, in seconds, that a call may ask for; clients commonly give up after 60."""


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The rooms as the running request may use them; `caller` says who asks."""

    task_channel: grpc.aio.Channel
    workflow_channel: grpc.aio.Channel
    caller: Callable[[], Awaitable[AccessToken]]
    news: News
    drain: Drain

    @property
    def tasks(self) -> TaskServiceClient:
        """task-service."""
        return TaskServiceClient(self.task_channel, self._token, door="mcp")

    @property
    def workflows(self) -> WorkflowServiceClient:
        """workflow-worker."""
        return WorkflowServiceClient(self.workflow_channel, self._token, door="mcp")

    async def task(self, task_id: str) -> Task:
        """Returns a task that the caller may use here: a person every task shown to them, others what they asked for.

        Everything else is NotFound, so that the id of a task opens nothing.
        """
        found = await self.tasks.get_task(GetTaskRequest(task_id=task_id))
        if not await self.is_callers(found):
            raise NotFound("TASK_NOT_FOUND", "There is no such task that you asked for.")
        return found

    async def is_callers(self, task: Task) -> bool:
        """Whether the caller may use a task, that the room shows, at this door."""
        caller = await self.caller()
        return caller.kind is PrincipalKind.USER or task.requested_by == caller.subject

    async def _token(self) -> str:
        return (await self.caller()).token

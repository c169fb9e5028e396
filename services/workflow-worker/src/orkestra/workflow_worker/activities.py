"""What is asked of the other services: the tasks of runs, and the work of keeping house."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import grpc
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.erasing import erase_told, purge_before, subjects_of
from orkestra.chassis.streams import Nats
from orkestra.v1.identity import EraseUserRequest, GetUserRequest, IdentityServiceClient, User
from orkestra.v1.notification import EraseMessagesRequest, ForgetDeliveriesRequest, NotificationServiceClient
from orkestra.v1.task import (
    EraseWordsRequest,
    ForgetTasksRequest,
    GetTaskHistoryRequest,
    ListForgettableTasksRequest,
    ListForgettableTasksResponse,
    ListTasksRequest,
    Task,
    TaskHistoryEntry,
    TaskServiceClient,
    TaskStatus,
)
from orkestra.wire import Unavailable

STEP_SECONDS = 20.0
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


class OtherRooms:
    """What keeping house asks of the other services, as the installation's service in the tenant whose house it is."""

    def __init__(
        self,
        identity: grpc.aio.Channel,
        tasks: grpc.aio.Channel,
        notifications: grpc.aio.Channel | None,
        tokens: TokenSource,
        stream: Nats,
    ) -> None:
        self._identity = identity
        self._tasks = tasks
        self._notifications = notifications
        self._tokens = tokens
        self._stream = stream

    async def find_person(self, tenant_id: str, name: str) -> User:
        """Return the person of that id or address; NotFound where the tenant has none."""
        return await self._people(tenant_id).get_user(GetUserRequest(user_id=name))

    async def forgettable_tasks(
        self, tenant_id: str, ended_before: datetime, after: str | None
    ) -> ListForgettableTasksResponse:
        """Return the next tasks that ended before a time."""
        request = ListForgettableTasksRequest(ended_before=ended_before, after=after)
        return await self._of_tasks(tenant_id).list_forgettable_tasks(request, timeout=STEP_SECONDS)

    async def forget_tasks(self, tenant_id: str, ended_before: datetime, task_ids: Sequence[str]) -> int:
        """Delete tasks that ended before a time; return how many."""
        request = ForgetTasksRequest(task_ids=list(task_ids), ended_before=ended_before)
        return (await self._of_tasks(tenant_id).forget_tasks(request, timeout=STEP_SECONDS)).forgotten

    async def forget_deliveries(self, tenant_id: str, created_before: datetime) -> tuple[int, bool]:
        """Delete the next deliveries; return how many, and whether there may be more."""
        request = ForgetDeliveriesRequest(created_before=created_before)
        answer = await self._of_notifications(tenant_id).forget_deliveries(request, timeout=STEP_SECONDS)
        return answer.forgotten, answer.more

    async def forget_events(self, tenant_id: str, told_before: datetime) -> int:
        """Delete a tenant's events and dead letters that were told before a time; return how many."""
        jetstream, gone = self._stream.jetstream, 0
        for stream, subject in subjects_of(tenant_id):
            gone += await purge_before(jetstream, stream, subject, told_before)
        return gone

    async def erase(self, tenant_id: str, part: str, *, user_id: str, asked_by: str) -> tuple[int, bool]:
        """Erase the next of a person in one part; return how much, and whether there may be more."""
        match part:
            case "identity":
                request = EraseUserRequest(user_id=user_id, asked_by=asked_by)
                return (await self._people(tenant_id).erase_user(request, timeout=STEP_SECONDS)).erased, False
            case "task":
                words = EraseWordsRequest(user_id=user_id)
                erased = await self._of_tasks(tenant_id).erase_words(words, timeout=STEP_SECONDS)
                return erased.erased, erased.more
            case "notification":
                person = await self.find_person(tenant_id, user_id)
                messages = EraseMessagesRequest(user_id=user_id, version=person.version)
                done = await self._of_notifications(tenant_id).erase_messages(messages, timeout=STEP_SECONDS)
                return done.erased, done.more
        return await erase_told(self._stream.jetstream, tenant_id, user_id), False

    def _people(self, tenant_id: str) -> IdentityServiceClient:
        return IdentityServiceClient(self._identity, self._tokens.of(tenant_id))

    def _of_tasks(self, tenant_id: str) -> TaskServiceClient:
        return TaskServiceClient(self._tasks, self._tokens.of(tenant_id))

    def _of_notifications(self, tenant_id: str) -> NotificationServiceClient:
        if self._notifications is None:
            told = "ORKESTRA_NOTIFICATION_ADDRESS is not set for workflow-worker."
            raise Unavailable("NOTIFICATIONS_UNKNOWN", told, retry_after=30.0)
        return NotificationServiceClient(self._notifications, self._tokens.of(tenant_id))

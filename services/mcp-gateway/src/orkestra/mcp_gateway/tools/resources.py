"""What can be read: definitions, runs, tasks and their conversations."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from orkestra.mcp_gateway.tools.answering import DATA, shown
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.v1.task import ListCommentsRequest
from orkestra.v1.workflow import GetDefinitionRequest, GetWorkflowRequest
from orkestra.wire import Error, NotFound

SCHEME = "orkestra://"
COMMENTS = 200

Read = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources, as whoever asks may see them."""

    rooms: Rooms

    def add_to(self, server: MCPServer[Any]) -> None:
        """Makes them readable at the server, as JSON that says that its texts are data."""

        async def definition(name: str) -> str:
            """A workflow that can be started, with the schemas of its input and result."""
            return await self._read(self.definition, name)

        async def workflow(workflow_id: str) -> str:
            """A workflow run."""
            return await self._read(self.workflow, workflow_id)

        async def task(task_id: str) -> str:
            """A task that you asked for."""
            return await self._read(self.task, task_id)

        async def conversation(task_id: str) -> str:
            """What was said about a task: the hand-over, requests for changes with their answers, comments."""
            return await self._read(self.conversation, task_id)

        for uri, function in (
            ("workflow-definitions/{name}", definition),
            ("workflows/{workflow_id}", workflow),
            ("tasks/{task_id}", task),
            ("tasks/{task_id}/conversation", conversation),
        ):
            server.resource(f"{SCHEME}{uri}", mime_type="application/json")(function)

    async def check(self, uri: str) -> None:
        """Raises NotFound where the caller could not read `uri`."""
        if not uri.startswith(SCHEME):
            raise NotFound("RESOURCE_NOT_FOUND", "There is no such resource.")
        match [unquote(part) for part in uri.removeprefix(SCHEME).split("/")]:
            case ["workflow-definitions", name]:
                await self.definition(name)
            case ["workflows", workflow_id]:
                await self.workflow(workflow_id)
            case ["tasks", task_id] | ["tasks", task_id, "conversation"]:
                await self.rooms.task(task_id)
            case _:
                raise NotFound("RESOURCE_NOT_FOUND", "There is no such resource.")

    async def definition(self, name: str) -> dict[str, Any]:
        """Returns a definition."""
        return shown(await self.rooms.workflows.get_definition(GetDefinitionRequest(name=name)))

    async def workflow(self, workflow_id: str) -> dict[str, Any]:
        """Returns a run."""
        return shown(await self.rooms.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id)))

    async def task(self, task_id: str) -> dict[str, Any]:
        """Returns a task without what its assignee has not sent yet."""
        found = shown(await self.rooms.task(task_id))
        found.pop("saved", None)
        return found

    async def conversation(self, task_id: str) -> dict[str, Any]:
        """Returns what was said."""
        task = await self.rooms.task(task_id)
        request = ListCommentsRequest(task_id=task_id, page_size=COMMENTS)
        comments = await self.rooms.tasks.list_comments(request)
        return {
            "task_id": task_id,
            "title": task.title,
            **({} if task.context is None else shown(task.context, ("conversation", "summary"))),
            "change_requests": [shown(one) for one in task.change_requests],
            "comments": [shown(one) for one in comments.comments],
        }

    async def _read(self, read: Read, name: str) -> str:
        try:
            return json.dumps({"note": DATA, **await read(name)}, ensure_ascii=False)
        except NotFound as refusal:
            raise ResourceNotFoundError(f"{refusal.reason}: {refusal}") from refusal
        except Error as refusal:
            raise ResourceError(f"{refusal.reason}: {refusal}") from refusal

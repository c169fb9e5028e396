"""notifications/tasks: a client that holds handles is told where they stand, on the stream that it listens to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from mcp import Client, types
from mcp.client.extension import ClientExtension, NotificationBinding
from mcp.shared.exceptions import MCPError
from mcp_world import MODERN, ROUND, McpWorld, Migrated, asked_task, mcp_door
from orkestra.chassis.tokens import Signer
from orkestra.mcp_gateway.tools.handles import TASKS
from orkestra.v1.task import GetTaskRequest
from orkestra.wire import Context, Model, NotFound, Unavailable
from pydantic import ConfigDict

TASK = asked_task().task_id
OTHER = f"{TASK[:-1]}0"
SOON = 20.0


class Told(types.NotificationParams):
    """What a handle tells."""

    model_config = ConfigDict(extra="allow")


class Hearing(ClientExtension):
    """Keeps what handles tell, in order."""

    identifier = TASKS

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def notifications(self) -> list[NotificationBinding[Any]]:
        return [NotificationBinding(method="notifications/tasks", params_type=Told, handler=self._keep)]

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.told.get(), SOON)

    async def _keep(self, told: Told) -> None:
        self.told.put_nowait(told.model_dump(by_alias=True))


class Listen(types.Request[dict[str, Any], str]):
    """subscriptions/listen with what extensions add to it."""

    method: str = "subscriptions/listen"


class Ended(types.Result):
    """How a stream ends."""


class Verb(types.Request[dict[str, Any], str]):
    """tasks/get."""

    name_param = "taskId"


class Stand(types.Result):
    """What tasks/get answers."""

    model_config = ConfigDict(extra="allow")


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as world:
        world.rooms.know("ork_stranger")
        yield world


@pytest.fixture(autouse=True)
def _an_open_task(door: McpWorld) -> None:
    door.rooms.reset()
    door.rooms.answer("get_task", only_ours)


async def only_ours(_ctx: Context, request: Model) -> Model:
    assert isinstance(request, GetTaskRequest)
    if request.task_id != TASK:
        raise NotFound("TASK_NOT_FOUND", "There is no such task.")
    return asked_task()


@asynccontextmanager
async def listening(client: Client, *handles: str, **more: Any) -> AsyncIterator[asyncio.Task[Ended]]:
    request = Listen(params={"notifications": {"taskIds": list(handles), **more}})
    stream = asyncio.create_task(client.session.send_request(request, Ended))
    try:
        yield stream
    finally:
        stream.cancel()
        await asyncio.wait([stream])


async def test_a_handle_tells_what_polling_would_answer_at_first_and_at_each_change(door: McpWorld) -> None:
    hearing = Hearing()
    async with door.client(MODERN, extensions=[hearing]) as client, listening(client, TASK):
        first = await hearing.next()
        await door.news.hear("task", TASK)
        door.rooms.answer("get_task", asked_task(status="completed", version=2, result={"answer": "Yes."}))
        await door.news.hear("task", TASK)
        last = await hearing.next()
        request = Verb(method="tasks/get", params={"taskId": TASK})
        polled = (await client.session.send_request(request, Stand)).model_dump(by_alias=True)
    assert (first["status"], first["statusMessage"]) == ("working", "waiting for support-l2")
    assert last["result"]["structuredContent"]["result"] == {"answer": "Yes."}
    assert {name: last[name] for name in last if name != "_meta"} == {
        name: polled[name] for name in polled if name not in {"_meta", "resultType"}
    }
    assert hearing.told.empty(), "what did not change is not told"


async def test_the_acknowledgement_names_the_handles_that_are_held_and_comes_first(door: McpWorld) -> None:
    frames: list[Any] = []

    async def keep(message: Any) -> None:
        frames.append(message)

    hearing = Hearing()
    async with door.client(MODERN, extensions=[hearing], message_handler=keep) as client:
        uris = [f"orkestra://tasks/{TASK}"]
        async with listening(client, OTHER, TASK, "no such", resourceSubscriptions=uris):
            told = await hearing.next()
    [acknowledged] = [one for one in frames if isinstance(one, types.SubscriptionsAcknowledgedNotification)]
    honored = acknowledged.params.notifications.model_dump(by_alias=True, exclude_none=True)
    assert honored == {"taskIds": [TASK], "resourceSubscriptions": uris}
    stamp = "io.modelcontextprotocol/subscriptionId"
    assert acknowledged.params.meta is not None
    assert told["_meta"][stamp] == acknowledged.params.meta[stamp]


async def test_a_client_without_the_extension_is_told_what_is_missing(door: McpWorld) -> None:
    async with door.client(MODERN) as client, listening(client, TASK) as stream:
        with pytest.raises(MCPError) as raised:
            await asyncio.wait_for(stream, SOON)
    assert raised.value.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY
    assert raised.value.error.data == {"requiredCapabilities": {"extensions": {TASKS: {}}}}


async def test_a_handle_of_another_tells_nothing(door: McpWorld) -> None:
    hearing = Hearing()
    async with (
        door.client(MODERN, "ork_stranger", extensions=[hearing]) as client,
        listening(client, TASK) as stream,
    ):
        await asyncio.wait([stream], timeout=0.3)
        await door.news.hear("task", TASK)
        await asyncio.wait([stream], timeout=0.3)
    assert hearing.told.empty()


async def test_what_the_reviewer_asks_is_told_to_a_client_that_can_be_asked(door: McpWorld) -> None:
    async def never(*_: Any) -> types.ElicitResult:
        raise AssertionError("the server asks through the handle")

    hearing = Hearing()
    async with (
        door.client(MODERN, extensions=[hearing], elicitation_callback=never) as client,
        listening(client, TASK),
    ):
        await hearing.next()
        door.rooms.answer("get_task", asked_task(status="waiting", version=2, change_requests=[ROUND]))
        await door.news.hear("task", TASK)
        told = await hearing.next()
    assert told["status"] == "input_required"
    assert "Which order?" in told["inputRequests"]["changes-1"]["params"]["message"]


async def test_a_handle_goes_on_telling_after_its_room_was_away(door: McpWorld) -> None:
    hearing = Hearing()
    async with door.client(MODERN, extensions=[hearing]) as client, listening(client, TASK):
        await hearing.next()
        door.rooms.answer("get_task", Unavailable("DATABASE_UNAVAILABLE", "Away."))
        await door.news.hear("task", TASK)
        door.rooms.answer("get_task", asked_task(status="cancelled", version=2, reason="Asked twice."))
        await door.news.hear("task", TASK)
        told = await hearing.next()
    assert (told["status"], told["statusMessage"]) == ("cancelled", "Asked twice.")

"""Every rpc of every room is tried with what belongs to another tenant; an rpc that no matrix lists fails here."""

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import rest_matrix
import rpc_matrix
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.chassis.credentials import CredentialCache, TokenSource
from orkestra.cli.state import StateDir
from orkestra.testkit.stack import Stack
from orkestra.v1 import identity_pb2, notification_pb2, task_pb2, workflow_pb2
from orkestra.v1.identity import ExchangeCredentialRequest, IdentityServiceClient
from orkestra.v1.notification import NotificationServiceClient
from orkestra.v1.task import TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient
from orkestra.wire import Error, Model, NotFound, PermissionDenied, RpcClient, parse
from orkestra.wire.server import snake
from other_tenant import MARK, Theirs, theirs, unchanged
from rest_matrix import Tried
from test_rest_bad_input import body_of, named, needed
from test_rest_tenants_matrix import FILTERS, filled

__all__ = ["theirs"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

ROOMS: dict[str, tuple[Any, type[RpcClient]]] = {
    "identity": (identity_pb2, IdentityServiceClient),
    "task": (task_pb2, TaskServiceClient),
    "workflow": (workflow_pb2, WorkflowServiceClient),
    "notification": (notification_pb2, NotificationServiceClient),
}
CALLERS = ("admin", "agent", "person", "worker", "service")
REFUSED = (NotFound.kind, PermissionDenied.kind)
SILENT = {"FireSchedule"}
"""Answers that nothing was done, also where there is nothing: what fires may be gone meanwhile."""
Rpc = Callable[..., Awaitable[Model]]


@dataclass(frozen=True)
class Tries:
    """One rpc and how it is tried."""

    name: str
    rpc: Rpc
    how: Tried
    endpoint: Endpoint | None

    @property
    def takes(self) -> type[Model]:
        taken: type[Model] = inspect.signature(self.rpc, eval_str=True).parameters["request"].annotation
        return taken

    def request(self, ids: dict[str, str], **filters: str) -> Model:
        """The request with these ids in it, as its route would make it."""
        if self.endpoint is None:
            return parse(self.takes, json.loads(filled(rpc_matrix.REQUESTS[self.name], ids)))
        given: dict[str, Any] = {name: ids[name] for name in self.endpoint.in_path}
        if self.endpoint.has_body:
            body = rest_matrix.BODIES.get(named(self.endpoint))
            given |= json.loads(filled(body, ids) if body is not None else body_of(self.endpoint))
        else:
            given |= needed(self.endpoint)
        return parse(self.takes, given | filters)


def served() -> dict[str, tuple[str, Rpc]]:
    """Every rpc by its name, from the descriptors: the room that serves it, and the client's method."""
    found: dict[str, tuple[str, Rpc]] = {}
    for room, (described, client) in ROOMS.items():
        for service in described.DESCRIPTOR.services_by_name.values():
            found |= {method.name: (room, getattr(client, snake(method.name))) for method in service.methods}
    return found


BY_ROUTE = {endpoint.rpc.__name__: endpoint for endpoint in ENDPOINTS}


def tried(*ways: Tried) -> list[Tries]:
    found = []
    for name, (_, rpc) in served().items():
        endpoint = BY_ROUTE.get(snake(name))
        how = rpc_matrix.MATRIX[name] if endpoint is None else rest_matrix.MATRIX[named(endpoint)]
        found += [Tries(name, rpc, how, endpoint)] if how in ways else []
    return found


@dataclass(frozen=True)
class Outcome:
    """What an rpc answered: its refusal, or all of the reply."""

    kind: str
    text: str


@dataclass(frozen=True)
class Rooms:
    """The rooms of the running stack, as one of our tenant asks them without a door between."""

    channels: dict[str, grpc.aio.Channel]
    token: Callable[[], Awaitable[str]]

    async def ask(self, tries: Tries, request: Model) -> Outcome:
        room, _ = served()[tries.name]
        try:
            reply = await tries.rpc(ROOMS[room][1](self.channels[room], self.token), request, timeout=20)
        except Error as refused:
            told = [refused.reason, str(refused), *map(str, refused.errors), repr(refused.current)]
            return Outcome(refused.kind, "\n".join(told))
        return Outcome("answered", reply.model_dump_json())


@asynccontextmanager
async def rooms_of(stack: Stack) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    async with AsyncExitStack() as opened:
        yield {room: await opened.enter_async_context(grpc.aio.insecure_channel(stack.info[room])) for room in ROOMS}


@asynccontextmanager
async def asking(stack: Stack, caller: str) -> AsyncIterator[Rooms]:
    """The rooms as the demo tenant's keys, one of its people, or the installation's own keys in it ask them."""
    keys = StateDir(stack.state_dir).secrets()
    async with rooms_of(stack) as channels, stack.rest(email="ann@demo.example") as ann:
        identity, info = channels["identity"], stack.info
        if caller in ("worker", "service"):
            source = TokenSource(identity, keys[f"{caller}_key"])
            yield Rooms(channels, source.of(info["tenant"]["tenant_id"]))
            return
        session = ann.headers["authorization"].removeprefix("Bearer ")
        credential, cache = session if caller == "person" else info["api_keys"][caller], CredentialCache(identity)

        async def token() -> str:
            return (await cache.exchange(credential)).token

        yield Rooms(channels, token)


@pytest.fixture(scope="module", autouse=True)
async def _theirs_stays(stack: Stack, theirs: Theirs) -> AsyncIterator[None]:
    async with unchanged(stack, theirs):
        yield


def test_every_rpc_of_every_room_is_in_a_matrix() -> None:
    without_route = {name for name in served() if snake(name) not in BY_ROUTE}
    assert without_route - rpc_matrix.MATRIX.keys() == set(), "say in tests/security/rpc_matrix.py how these are tried"
    assert rpc_matrix.MATRIX.keys() - without_route == set(), "these have a route, or are served no longer"
    asked = {name for name, how in rpc_matrix.MATRIX.items() if how is not Tried.INSTALLATION}
    assert rpc_matrix.REQUESTS.keys() == asked


@pytest.mark.parametrize("caller", CALLERS)
async def test_their_ids_answer_as_ids_that_do_not_exist(stack: Stack, theirs: Theirs, caller: str) -> None:
    async with asking(stack, caller) as rooms:
        for tries in tried(Tried.THEIR_ID):
            real = await rooms.ask(tries, tries.request(theirs.ids))
            made_up = await rooms.ask(tries, tries.request(theirs.made_up()))
            assert real.kind == made_up.kind, (tries.name, real.text, made_up.text)
            assert theirs.unnamed(real.text) == theirs.unnamed(made_up.text), tries.name
            assert real.kind in REFUSED or tries.name in SILENT, (tries.name, real.text)
            assert theirs.in_(real.text, but=[name for name in theirs.ids if name != "receipt"]) == [], tries.name


@pytest.mark.parametrize("caller", CALLERS)
async def test_no_list_has_anything_of_theirs(stack: Stack, theirs: Theirs, caller: str) -> None:
    async with asking(stack, caller) as rooms:
        for tries in tried(Tried.LIST):
            assert tries.endpoint is not None
            assert theirs.in_((await rooms.ask(tries, tries.request({}))).text) == [], tries.name
            for name in tries.endpoint.open_fields:
                field = FILTERS.get(name, name)
                if field in theirs.ids:
                    both = theirs.ids[field], theirs.made_up()[field]
                    found = [await rooms.ask(tries, tries.request({}, **{name: value})) for value in both]
                    kinds = {(one.kind, theirs.unnamed(one.text)) for one in found}
                    assert len(kinds) == 1, (tries.name, name, kinds)


@pytest.mark.parametrize("caller", CALLERS)
async def test_their_ids_in_a_body_are_as_made_up_ones(stack: Stack, theirs: Theirs, caller: str) -> None:
    async with asking(stack, caller) as rooms:
        for number, tries in enumerate(tried(Tried.BODY)):
            real = await rooms.ask(tries, tries.request(theirs.ids | {"number": f"{caller}-r{number}"}))
            made_up = await rooms.ask(tries, tries.request(theirs.made_up() | {"number": f"{caller}-m{number}"}))
            assert real.kind == made_up.kind, (tries.name, real.text, made_up.text)
            if real.kind != "answered":
                assert theirs.unnamed(real.text) == theirs.unnamed(made_up.text), tries.name
            assert MARK not in real.text, tries.name


@pytest.mark.parametrize("caller", CALLERS)
async def test_what_names_nothing_meets_only_what_is_ours(stack: Stack, theirs: Theirs, caller: str) -> None:
    async with asking(stack, caller) as rooms:
        for tries in tried(Tried.OWN):
            answer = await rooms.ask(tries, tries.request({}))
            assert theirs.in_(answer.text) == [], tries.name


async def test_no_credential_but_the_installations_own_chooses_a_tenant(stack: Stack, theirs: Theirs) -> None:
    async with rooms_of(stack) as channels, stack.rest(email="ann@demo.example") as ann:
        identity = IdentityServiceClient(channels["identity"])
        session = ann.headers["authorization"].removeprefix("Bearer ")
        for credential in (*(stack.info["api_keys"][name] for name in ("admin", "agent", "system")), session):
            told = set()
            for tenant_id in (theirs.tenant_id, theirs.made_up()["tenant_id"]):
                asked = ExchangeCredentialRequest(credential=credential, tenant_id=tenant_id)
                with pytest.raises(Error) as refused:
                    await identity.exchange_credential(asked)
                told.add((refused.value.reason, theirs.unnamed(str(refused.value))))
            assert len(told) == 1


@pytest.mark.parametrize("caller", CALLERS)
async def test_metadata_that_names_another_tenant_is_not_believed(stack: Stack, theirs: Theirs, caller: str) -> None:
    """A token says who calls; no header beside it does."""
    async with asking(stack, caller) as rooms:
        said = [(name, theirs.tenant_id) for name in ("x-tenant-id", "x-orkestra-tenant", "x-orkestra-tenant-id")]
        metadata = [("authorization", f"Bearer {await rooms.token()}"), *said]
        asked = rooms.channels["task"].unary_unary(
            "/orkestra.v1.TaskService/ListTasks", request_serializer=None, response_deserializer=None
        )
        answer = await asked(b"", metadata=metadata, timeout=20)
    assert MARK.encode() not in answer

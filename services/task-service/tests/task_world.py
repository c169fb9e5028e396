"""A task-service in process on real PostgreSQL, driven by its client over gRPC, beside a small identity-service."""

import base64
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import grpc
import pytest
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.events import Event
from orkestra.chassis.grpc import channel as grpc_channel
from orkestra.chassis.grpc import server as grpc_server
from orkestra.chassis.migrate import migrate
from orkestra.chassis.tokens import Signer
from orkestra.rules import AttachmentLimits, mint_task_id
from orkestra.rules.receipts import ReceiptKey
from orkestra.task_service.consumers import PeopleCopies
from orkestra.task_service.operations import Chunks, Contents, Ends, Leftovers, People, TaskOperations, Tips
from orkestra.task_service.operations.contents import Store
from orkestra.testkit.databases import as_role
from orkestra.v1 import identity_pb2
from orkestra.v1.events import SubstitutionEvent
from orkestra.v1.identity import (
    AccessToken,
    ExchangeCredentialRequest,
    GetGroupRequest,
    GetSigningKeysRequest,
    GetUserRequest,
    Group,
    PrincipalKind,
    Role,
    SigningKeys,
    Substitution,
    User,
    UserStatus,
)
from orkestra.v1.task import ClaimTaskRequest, CreateTaskRequest, Task, TaskServiceClient, add_task_service
from orkestra.wire import Context, Model, NotFound, Principal
from orkestra.wire.server import Authenticate, bind

REPLY_FORM: dict[str, Any] = {
    "answer": {"type": "textarea", "label": "Answer", "required": True, "max_length": 4000},
    "sentiment": {
        "type": "select",
        "options": [{"value": word, "label": word.title()} for word in ("positive", "neutral", "frustrated")],
    },
}
M = TypeVar("M", User, Group)
ANSWER = {"answer": "Yes, within 30 days."}


class FewWordsIdentity:
    """The four rpcs of identity-service that task-service calls."""

    open_rpcs = ("GetSigningKeys", "ExchangeCredential")
    answered: tuple[str, ...] = ("GetUser", "GetGroup")

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.users: dict[tuple[str, str], User] = {}
        self.groups: dict[tuple[str, str], Group] = {}
        self.calls = 0

    def add_user(self, user: User) -> None:
        self.users[user.tenant_id, user.user_id] = self.users[user.tenant_id, user.email] = user

    async def get_user(self, ctx: Context, request: GetUserRequest) -> User:
        self.calls += 1
        return _found(self.users.get((ctx.tenant_id, request.user_id)))

    async def get_group(self, ctx: Context, request: GetGroupRequest) -> Group:
        self.calls += 1
        return _found(self.groups.get((ctx.tenant_id, request.group_id)))

    async def get_signing_keys(self, _ctx: Context, request: GetSigningKeysRequest) -> SigningKeys:
        return SigningKeys(jwks=self.signer.jwks())

    async def exchange_credential(self, _ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        principal = Principal("service", "service", request.tenant_id, frozenset({"system"}))
        token, expires_at = self.signer.sign(principal)
        return AccessToken(
            token=token,
            expires_at=expires_at,
            subject="service",
            kind=PrincipalKind.SERVICE,
            tenant_id=request.tenant_id,
        )

    def serve(self, server: grpc.aio.Server, authenticate: Authenticate) -> None:
        descriptor = identity_pb2.DESCRIPTOR.services_by_name["IdentityService"]
        answered = [method for method in descriptor.methods if method.name in (*self.open_rpcs, *self.answered)]
        bind(server, _Part(descriptor.name, descriptor.full_name, answered), self, authenticate)  # type: ignore[arg-type]  # the part that is asked


def _found(one: M | None) -> M:
    if one is None:
        raise NotFound("NOT_FOUND", "There is nobody of that name.")
    return one


class KeptTokens:
    """Tokens of the installation that are kept until they are dropped; the first is not taken any more."""

    def __init__(self, signer: Signer, tenant_id: str | None) -> None:
        principal = Principal("service", "service", tenant_id, frozenset({"system"}))
        self._left = ["no.longer.good", signer.sign(principal)[0]]

    async def __call__(self) -> str:
        return self._left[0]

    def drop(self, token: str) -> None:
        self._left.remove(token)


@dataclass(frozen=True)
class _Part:
    name: str
    full_name: str
    methods: list[Any]


@dataclass
class World:
    """Everything that the tests of task-service share."""

    admin_url: str
    address: str
    identity: FewWordsIdentity
    signer: Signer
    database: Database
    ends: Ends
    tips: Tips
    leftovers: Leftovers
    operations: TaskOperations
    channel: grpc.aio.Channel

    def tenant(self) -> "Tenant":
        return Tenant(self)

    def url(self, role: str) -> str:
        return as_role(self.admin_url, f"task_{role}")

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Look behind the service, as superuser."""
        connection = await asyncpg.connect(self.admin_url, server_settings={"search_path": "task"})
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()


@dataclass
class Tenant:
    """One tenant of a test's own."""

    world: World
    id: str = field(default_factory=lambda: str(uuid4()))

    def group(self, *names: str, **fields: Any) -> None:
        for name in names:
            known = {
                "group_id": name,
                "tenant_id": self.id,
                "name": name,
                "created_at": datetime.now(UTC),
                "version": 1,
            }
            self.world.identity.groups[self.id, name] = Group(**known, **fields)

    def person(
        self,
        name: str,
        *groups: str,
        roles: Iterable[str] = ("member",),
        status: UserStatus = UserStatus.ACTIVE,
        **fields: Any,
    ) -> "Caller":
        user_id = f"user_{uuid4().hex}"
        known = self.world.identity.groups
        self.group(*(each for each in groups if (self.id, each) not in known))
        for each in groups:
            group = known[self.id, each]
            known[self.id, each] = group.model_copy(update={"members": [*group.members, user_id]})
        self.world.identity.add_user(
            User(
                user_id=user_id,
                tenant_id=self.id,
                email=f"{name}@example.com",
                name=name,
                roles=[Role(role) for role in roles],
                groups=list(groups),
                status=status,
                created_at=datetime.now(UTC),
                version=1,
                **fields,
            )
        )
        return self._caller(user_id, "user", roles, groups=groups)

    async def away(self, person: "Caller", substitute: "Caller | None", *, version: int = 1, **fields: Any) -> None:
        """Let the service hear that a person is out of office."""
        named = substitute.id if substitute else None
        told = Substitution(user_id=person.id, substitute=named, version=version, **fields)
        await self.hear("substitution_changed", SubstitutionEvent(substitution=told), key=person.id, version=version)

    async def hear(self, event: str, payload: Model, *, key: str, version: int) -> None:
        """Let the service hear what identity-service tells."""
        heard = Event(
            id=str(uuid4()),
            tenant_id=self.id,
            aggregate="identity",
            event=event,
            key=key,
            version=version,
            time=datetime.now(UTC),
            headers={},
            data=payload.model_dump_json().encode(),
        )
        await PeopleCopies(self.world.database).hear(heard)

    def agent(self, *, on_behalf_of: Iterable[str] = ()) -> "Caller":
        return self._caller(f"key_{uuid4().hex}", "agent", ("agent",), on_behalf_of=on_behalf_of)

    def system(self) -> "Caller":
        return self._caller(f"key_{uuid4().hex}", "service", ("system",))

    def worker(self) -> "Caller":
        return self._caller("worker", "service", ("worker",), door="worker")

    def service(self) -> "Caller":
        return self._caller("service", "service", ("system",))

    def _caller(
        self,
        subject: str,
        kind: Any,
        roles: Iterable[str],
        *,
        groups: Iterable[str] = (),
        on_behalf_of: Iterable[str] = (),
        door: str = "rest",
    ) -> "Caller":
        principal = Principal(
            subject=subject,
            kind=kind,
            tenant_id=self.id,
            roles=frozenset(roles),
            groups=frozenset(groups),
            on_behalf_of=frozenset(on_behalf_of),
            name=subject,
        )
        return Caller(principal, self.world.signer, self.world.channel, door)


class Caller(TaskServiceClient, service=TaskServiceClient.service):
    """Somebody with a token, calling task-service."""

    def __init__(self, principal: Principal, signer: Signer, channel: grpc.aio.Channel, door: str) -> None:
        async def token() -> str:
            return signer.sign(principal, lifetime=timedelta(minutes=5))[0]

        super().__init__(channel, token, door=door)
        self.principal = principal
        self.id = principal.subject

    async def claimed(self, task: Task) -> Task:
        return await self.claim_task(ClaimTaskRequest(task_id=task.task_id))


def ask(**fields: Any) -> CreateTaskRequest:
    """A task to open: the story's, with `fields` over it."""
    return CreateTaskRequest(**{"title": "Customer needs help", "form": REPLY_FORM} | fields)


def ask_for_run(**fields: Any) -> CreateTaskRequest:
    """The same as a workflow's run asks."""
    run = {"workflow_id": f"wf_{uuid4().hex}", "first_run_id": str(uuid4()), "requested_by": f"key_{uuid4().hex}"}
    return ask(**run | fields)


def some_task_id() -> str:
    """An id as the SDK mints it."""
    return mint_task_id(datetime.now(UTC), secrets.randbits(74))


@asynccontextmanager
async def running(admin_url: str, *, bucket: Store | None = None) -> AsyncIterator[World]:
    """Migrate the database and serve task-service and identity-service on free ports."""
    await migrate(admin_url, "orkestra.task_service", "task")
    signer = Signer(base64.b64encode(bytes(range(32))).decode())
    identity = FewWordsIdentity(signer)
    server = grpc_server()
    identity.serve(server, signer.verifier().authenticate)
    port = server.add_insecure_port("127.0.0.1:0")
    channel = grpc_channel(f"127.0.0.1:{port}")

    def service_token(tenant_id: str | None) -> str:
        return signer.sign(Principal("service", "service", tenant_id, frozenset({"system"})))[0]

    database = await Database.connect(as_role(admin_url, "task_app"), schema="task", max_size=20)
    sweep = await Database.connect(as_role(admin_url, "task_sweep"), schema="task", max_size=2)
    receipt_key = ReceiptKey(base64.b64encode(bytes(range(32, 64))).decode())
    limits = AttachmentLimits(max_size=3 * 1024 * 1024, max_count=5)
    stores: dict[str, Store] = {"database": Chunks(database)} | ({"s3": bucket} if bucket else {})
    contents = Contents(stores, limits, into="s3" if bucket else "database")
    operations = TaskOperations(database, People(channel, service_token), receipt_key, contents, Drain())
    add_task_service(server, operations, signer.verifier().authenticate)
    await server.start()
    try:
        ends, tips = Ends(database, sweep), Tips(database, sweep, receipt_key)
        leftovers = Leftovers(database, sweep, contents)
        address = f"127.0.0.1:{port}"
        yield World(admin_url, address, identity, signer, database, ends, tips, leftovers, operations, channel)
    finally:
        await channel.close(None)
        await server.stop(None)
        await database.close()
        await sweep.close()


@pytest.fixture(scope="module")
async def world(postgres: str) -> AsyncIterator[World]:
    """A running task-service; every test makes tenants of its own in it."""
    async with running(postgres) as one:
        yield one

"""Rooms for tests of doors: a real gRPC server that serves the four contracts with answers that a test sets."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
from orkestra.chassis import grpc as chassis_grpc
from orkestra.chassis.tokens import Signer
from orkestra.v1.identity import (
    AccessToken,
    ExchangeCredentialRequest,
    IdentityServiceServer,
    PrincipalKind,
    Role,
    add_identity_service,
)
from orkestra.v1.notification import NotificationServiceServer, add_notification_service
from orkestra.v1.task import TaskServiceServer, add_task_service
from orkestra.v1.workflow import Workflow, WorkflowServiceServer, WorkflowStatus, add_workflow_service
from orkestra.wire import Context, Model, NotFound, Principal, Unauthenticated

TENANT = "0198a1b2-0000-7000-8000-000000000001"
OPEN_TO_ALL = {
    "ExchangeCredential",
    "SignIn",
    "GetSigningKeys",
    "RequestPasswordReset",
    "RedeemMailLink",
    "ListSignInMethods",
}
Answer = Callable[[Context, Any], Awaitable[Model]]


@dataclass(frozen=True)
class Asked:
    """One call that reached a room."""

    rpc: str
    ctx: Context
    request: Model


@dataclass
class Rooms:
    """What the rooms answer, and what they were asked."""

    signer: Signer
    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    people: dict[str, Principal] = field(default_factory=dict)

    def know(self, credential: str, *, subject: str | None = None, tenant_id: str | None = TENANT) -> str:
        """Makes a credential good."""
        self.people[credential] = Principal(
            subject=subject or credential, kind="agent", tenant_id=tenant_id, roles=frozenset({"agent"})
        )
        return credential

    def answer(self, rpc: str, reply: Model | Exception | Answer) -> None:
        """Sets what an rpc answers or raises from now on."""

        async def fixed(_ctx: Context, _request: Any) -> Model:
            if isinstance(reply, Model):
                return reply
            assert isinstance(reply, Exception)
            raise reply

        self.answers[rpc] = fixed if isinstance(reply, Model | Exception) else reply

    def reset(self) -> None:
        self.answers.clear()
        self.asked.clear()

    async def exchange(self, request: ExchangeCredentialRequest) -> AccessToken:
        principal = self.people.get(request.credential)
        if principal is None:
            raise Unauthenticated("CREDENTIAL_INVALID", "This credential is not known, has expired or was revoked.")
        token, expires_at = self.signer.sign(principal)
        return AccessToken(
            token=token,
            expires_at=expires_at,
            subject=principal.subject,
            kind=PrincipalKind(principal.kind),
            tenant_id=principal.tenant_id,
            roles=[Role(role) for role in principal.roles],
            groups=sorted(principal.groups),
        )


@asynccontextmanager
async def running_rooms(signer: Signer) -> AsyncIterator[Rooms]:
    rooms = Rooms(signer)
    server = chassis_grpc.server()
    authenticate = signer.verifier().authenticate
    identity: Any = _Room(IdentityServiceServer, rooms, open_rpcs=OPEN_TO_ALL)
    tasks: Any = _Room(TaskServiceServer, rooms, open_rpcs={"GetReceiptKeys"})
    workflows: Any = _Room(WorkflowServiceServer, rooms)
    notifications: Any = _Room(NotificationServiceServer, rooms)
    add_identity_service(server, identity, authenticate)
    add_task_service(server, tasks, authenticate)
    add_workflow_service(server, workflows, authenticate)
    add_notification_service(server, notifications, authenticate)
    rooms.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield rooms
    finally:
        await server.stop(0.2)


class _Room:
    def __init__(self, contract: type, rooms: Rooms, *, open_rpcs: set[str] | None = None) -> None:
        self.open_rpcs = frozenset(open_rpcs or ())
        for name, method in inspect.getmembers(contract, inspect.iscoroutinefunction):
            setattr(self, name, _recording(name, inspect.signature(method, eval_str=True), rooms))


def _recording(rpc: str, signature: inspect.Signature, rooms: Rooms) -> Answer:
    async def answer(ctx: Context, request: Any) -> Model:
        if rpc == "exchange_credential":
            return await rooms.exchange(request)
        rooms.asked.append(Asked(rpc, ctx, request))
        if rpc not in rooms.answers:
            raise NotFound("NOTHING_HERE", "There is no such thing.")
        return await rooms.answers[rpc](ctx, request)

    answer.__annotations__ = {
        "request": signature.parameters["request"].annotation,
        "return": signature.return_annotation,
    }
    return answer


def workflow(status: WorkflowStatus = WorkflowStatus.RUNNING, **values: Any) -> Workflow:
    given = {
        "workflow_id": "wf_0198a1b2c3d47e8f9a0b1c2d3e4f5a6c",
        "tenant_id": TENANT,
        "definition": "customer-support",
        "version": 1,
        "status": status,
        "input": {"n": 3},
        "started_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
        "resource_version": 1,
    }
    return Workflow.model_validate(given | values)


def channel_to(rooms: Rooms) -> grpc.aio.Channel:
    return chassis_grpc.channel(rooms.address)

"""Rooms for tests of dashboard: a real gRPC server that keeps people, tasks, runs and feeds in memory."""

import asyncio
import inspect
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import nats
from dashboard_settings import OfficeFeeds, OfficeIdentity, OfficeTasks
from dashboard_tasks import Tasks, now
from orkestra.chassis import grpc as chassis_grpc
from orkestra.chassis.tokens import Signer
from orkestra.v1.identity import (
    AccessToken,
    CheckSessionsRequest,
    CheckSessionsResponse,
    ExchangeCredentialRequest,
    GetMeRequest,
    GetUserRequest,
    Group,
    IdentityServiceServer,
    ListGroupsRequest,
    ListGroupsResponse,
    ListUsersRequest,
    ListUsersResponse,
    Me,
    PrincipalKind,
    Role,
    Session,
    SessionState,
    SignInRequest,
    SignOutRequest,
    SignOutResponse,
    Substitution,
    UpdateMeRequest,
    User,
    UserStatus,
    add_identity_service,
)
from orkestra.v1.notification import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    MarkNotificationsReadRequest,
    Notification,
    NotificationKind,
    NotificationServiceServer,
    Preferences,
    add_notification_service,
)
from orkestra.v1.task import Task, TaskServiceServer, add_task_service
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    Definition,
    GetTimelineRequest,
    GetWorkflowRequest,
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    Timeline,
    TimelineEntry,
    Workflow,
    WorkflowServiceServer,
    WorkflowStatus,
    add_workflow_service,
)
from orkestra.wire import Context, FieldError, InvalidArgument, NotFound, Principal, Unauthenticated, Unavailable

MAX_PAGE = 100
PASSWORD = "correct horse battery"
OPEN = frozenset({"ExchangeCredential", "SignIn", "GetSigningKeys", "ListSignInMethods"})
OPEN |= {"CheckSessions", "RequestPasswordReset", "RedeemMailLink", "BeginSignIn"}


@dataclass
class Identity(OfficeIdentity):
    """People with one password and their sessions."""

    signer: Signer
    open_rpcs: frozenset[str] = OPEN
    users: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    away: dict[str, Substitution] = field(default_factory=dict)
    checked: list[int] = field(default_factory=list)
    """How many sessions each check of open pages was about."""
    is_away: bool = False

    def person(
        self, name: str, tenant_id: str, *groups: str, roles: tuple[Role, ...] = (Role.MEMBER,), **more: Any
    ) -> User:
        user = User(
            user_id=f"user_{uuid4().hex}",
            tenant_id=tenant_id,
            email=f"{name.split(maxsplit=1)[0].lower()}-{secrets.token_hex(3)}@example.com",
            name=name,
            roles=list(roles),
            groups=list(groups),
            status=UserStatus.ACTIVE,
            created_at=now(),
            version=1,
            **{"time_zone": "Europe/Berlin", **more},
        )
        self.users[user.user_id] = user
        return user

    def session(self, user: User) -> str:
        token = f"ors_{secrets.token_urlsafe(24)}"
        self.sessions[token] = user.user_id
        return token

    def end_sessions(self, user: User) -> None:
        self.sessions = {token: user_id for token, user_id in self.sessions.items() if user_id != user.user_id}

    async def sign_in(self, ctx: Context, request: SignInRequest) -> Session:
        found = [user for user in self.users.values() if user.email == request.email]
        if len(found) > 1 and request.tenant is None:
            raise InvalidArgument("TENANT_REQUIRED", "This address is known in several organisations: say which.")
        if not found or request.password != PASSWORD:
            raise Unauthenticated("SIGN_IN_REFUSED", "E-mail address or password is not right.")
        return Session(token=self.session(found[0]), expires_at=now() + timedelta(hours=8), user=found[0])

    async def sign_out(self, ctx: Context, request: SignOutRequest) -> SignOutResponse:
        self.sessions.pop(request.token, None)
        return SignOutResponse()

    async def exchange_credential(self, ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        user = self.users.get(self.sessions.get(request.credential, ""))
        if user is None:
            raise Unauthenticated("CREDENTIAL_INVALID", "This credential is not known, has expired or was revoked.")
        token, expires_at = self.signer.sign(principal_of(user))
        return AccessToken(
            token=token,
            expires_at=expires_at,
            subject=user.user_id,
            kind=PrincipalKind.USER,
            tenant_id=user.tenant_id,
            roles=user.roles,
            groups=user.groups,
            name=user.name,
        )

    async def check_sessions(self, ctx: Context, request: CheckSessionsRequest) -> CheckSessionsResponse:
        self.checked.append(len(request.tokens))
        if self.is_away:
            raise Unavailable("DATABASE_UNAVAILABLE", "Away.")
        found = [self.users.get(self.sessions.get(token, "")) for token in request.tokens]
        states = [
            SessionState(
                is_good=True, subject=user.user_id, tenant_id=user.tenant_id, roles=user.roles, groups=user.groups
            )
            if user
            else SessionState(is_good=False)
            for user in found
        ]
        return CheckSessionsResponse(sessions=states)

    async def get_me(self, ctx: Context, request: GetMeRequest) -> Me:
        user = self.users[ctx.subject]
        return Me(
            subject=user.user_id,
            kind=PrincipalKind.USER,
            tenant_id=user.tenant_id,
            roles=user.roles,
            groups=user.groups,
            name=user.name,
            user=user,
        )

    async def update_me(self, ctx: Context, request: UpdateMeRequest) -> Me:
        if request.time_zone == "Europe/Nowhere":
            error = FieldError("time_zone", "unknown", "A time zone is an IANA name, such as Europe/Berlin.")
            raise InvalidArgument("REQUEST_INVALID", error.message, errors=[error])
        given = request.model_dump(include={"name", "locale", "time_zone"}, exclude_none=True)
        kept = {name: value or None for name, value in given.items()}
        user = self.users[ctx.subject].model_copy(update=kept)
        self.users[ctx.subject] = user.model_copy(update={"version": user.version + 1})
        return await self.get_me(ctx, GetMeRequest())

    async def list_users(self, ctx: Context, request: ListUsersRequest) -> ListUsersResponse:
        found = [user for user in self.users.values() if user.tenant_id == ctx.tenant_id]
        size = request.page_size or 50
        if size > MAX_PAGE:
            raise InvalidArgument("REQUEST_INVALID", "A page is shorter.")
        start = int(request.page_token or 0)
        more = str(start + size) if len(found) > start + size else None
        return ListUsersResponse(users=found[start : start + size], next_page_token=more)

    async def list_groups(self, ctx: Context, request: ListGroupsRequest) -> ListGroupsResponse:
        people = [user for user in self.users.values() if user.tenant_id == ctx.tenant_id]
        names = sorted({group for user in people for group in user.groups})
        return ListGroupsResponse(groups=[_group(name, people, ctx.tenant_id) for name in names])

    async def get_user(self, ctx: Context, request: GetUserRequest) -> User:
        user = self.users.get(request.user_id)
        if user is None or user.tenant_id != ctx.tenant_id:
            raise NotFound("USER_NOT_FOUND", "There is no such person.")
        return user


def _group(group_id: str, people: list[User], tenant_id: str) -> Group:
    members = [user.user_id for user in people if group_id in user.groups]
    name = group_id.replace("-", " ").capitalize()
    return Group(group_id=group_id, tenant_id=tenant_id, name=name, members=members, created_at=now(), version=1)


def principal_of(user: User) -> Principal:
    return Principal(
        subject=user.user_id,
        kind="user",
        tenant_id=user.tenant_id,
        roles=frozenset(role.value for role in user.roles),
        groups=frozenset(user.groups),
        name=user.name,
    )


@dataclass
class Workflows:
    """Runs as a test wants them."""

    runs: dict[str, Workflow] = field(default_factory=dict)
    timelines: dict[str, list[TimelineEntry]] = field(default_factory=dict)

    def add(self, tenant_id: str, status: WorkflowStatus = WorkflowStatus.RUNNING, **values: Any) -> Workflow:
        run = Workflow(
            **{
                "workflow_id": f"wf_{uuid4().hex}",
                "tenant_id": tenant_id,
                "definition": "customer-support",
                "version": 1,
                "status": status,
                "input": {"question": "May I return an opened headset?"},
                "started_at": now() - timedelta(minutes=5),
                "updated_at": now(),
                "resource_version": 1,
                **values,
            }
        )
        self.runs[run.workflow_id] = run
        return run

    async def list_workflows(self, ctx: Context, request: ListWorkflowsRequest) -> ListWorkflowsResponse:
        runs = [run for run in self.runs.values() if run.tenant_id == ctx.tenant_id]
        return ListWorkflowsResponse(
            workflows=[
                run
                for run in runs
                if request.status in (None, run.status) and request.business_id in (None, run.business_id)
            ]
        )

    async def get_workflow(self, ctx: Context, request: GetWorkflowRequest) -> Workflow:
        run = self.runs.get(request.workflow_id)
        if run is None or run.tenant_id != ctx.tenant_id:
            raise NotFound("WORKFLOW_NOT_FOUND", "There is no such run.")
        return run

    async def cancel_workflow(self, ctx: Context, request: CancelWorkflowRequest) -> Workflow:
        run = await self.get_workflow(ctx, GetWorkflowRequest(workflow_id=request.workflow_id))
        self.runs[run.workflow_id] = run.model_copy(update={"cancel_requested_at": now()})
        return self.runs[run.workflow_id]

    async def get_timeline(self, ctx: Context, request: GetTimelineRequest) -> Timeline:
        return Timeline(entries=self.timelines.get(request.workflow_id, []))

    async def list_definitions(self, ctx: Context, request: ListDefinitionsRequest) -> ListDefinitionsResponse:
        definition = Definition(
            name="customer-support", version=1, task_queue="q", input_schema={}, output_schema={}, start_roles=[]
        )
        return ListDefinitionsResponse(definitions=[definition])


@dataclass
class Feeds(OfficeFeeds):
    """What each person is told."""

    entries: dict[str, list[Notification]] = field(default_factory=dict)
    wishes: dict[tuple[str, str], Preferences] = field(default_factory=dict)

    def tell(self, user: User, text: str, task: Task | None = None) -> Notification:
        entry = Notification(
            notification_id=f"notification_{uuid4().hex}",
            kind=NotificationKind.GROUP_TASK,
            text=text,
            task_id=task.task_id if task else None,
            title=task.title if task else None,
            created_at=now(),
        )
        self.entries.setdefault(user.user_id, []).insert(0, entry)
        return entry

    async def list_notifications(self, ctx: Context, request: ListNotificationsRequest) -> ListNotificationsResponse:
        entries = self.entries.get(ctx.subject, [])
        unread = [entry for entry in entries if entry.read_at is None]
        return ListNotificationsResponse(notifications=entries[: request.page_size or 50], unread=len(unread))

    async def mark_notifications_read(
        self, ctx: Context, request: MarkNotificationsReadRequest
    ) -> ListNotificationsResponse:
        named = request.notification_ids
        self.entries[ctx.subject] = [
            entry.model_copy(update={"read_at": now()}) if not named or entry.notification_id in named else entry
            for entry in self.entries.get(ctx.subject, [])
        ]
        return await self.list_notifications(ctx, ListNotificationsRequest())


@dataclass
class OfficialTasks(OfficeTasks, Tasks):
    """Tasks, with what the settings and the figures show of them."""

    identity: Identity | None = None


@dataclass(frozen=True)
class Rooms:
    """The four rooms at one address."""

    identity: Identity
    tasks: Tasks
    workflows: Workflows
    feeds: Feeds
    address: str


@asynccontextmanager
async def running_rooms(signer: Signer, nats_url: str) -> AsyncIterator[Rooms]:
    client = await nats.connect(nats_url)
    identity = Identity(signer)
    tasks, workflows, feeds = OfficialTasks(client, identity=identity), Workflows(), Feeds()
    server = chassis_grpc.server()
    authenticate = signer.verifier().authenticate
    add_identity_service(server, _whole(IdentityServiceServer, identity), authenticate)
    add_task_service(server, _whole(TaskServiceServer, tasks), authenticate)
    add_workflow_service(server, _whole(WorkflowServiceServer, workflows), authenticate)
    add_notification_service(server, _whole(NotificationServiceServer, feeds), authenticate)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Rooms(identity, tasks, workflows, feeds, f"127.0.0.1:{port}")
    finally:
        await server.stop(0.2)
        await client.close()


def _whole(contract: type, room: Any) -> Any:
    """Gives the room an answer to the rpcs that no page asks."""
    room.open_rpcs = getattr(room, "open_rpcs", frozenset())
    for name, method in inspect.getmembers(contract, inspect.iscoroutinefunction):
        if not hasattr(room, name):
            signature = inspect.signature(method, eval_str=True)

            async def refuse(ctx: Context, request: Any) -> Any:
                await asyncio.sleep(0)
                raise NotFound("NOTHING_HERE", "There is no such thing.")

            refuse.__annotations__ = {
                "request": signature.parameters["request"].annotation,
                "return": signature.return_annotation,
            }
            setattr(room, name, refuse)
    return room

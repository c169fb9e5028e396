"""The demo tenants: people, groups and keys to try things with, made through identity-service's own rpcs."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import grpc
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.grpc import channel
from orkestra.v1.identity import (
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    ExchangeCredentialRequest,
    IdentityServiceClient,
    ListTenantsRequest,
    PrincipalKind,
    Role,
    SignInRequest,
    Tenant,
)
from orkestra.v1.task import CreateCalendarRequest, Holiday, OpenHours, TaskServiceClient, Weekday, WorkingHours
from orkestra.wire import AlreadyExists, Error

GROUPS = (
    "support-l1",
    "support-l2",
    "approvers",
    "finance",
    "finance-leads",
    "fraud",
    "moderators",
)  # the examples ask them
PEOPLE: dict[str, tuple[tuple[str, str, Role, tuple[str, ...]], ...]] = {  # the first of a tenant is its admin
    "demo": (
        ("admin@demo.example", "Ada Admin", Role.ADMIN, ()),
        ("manager@demo.example", "Max Manager", Role.MANAGER, ()),
        ("ann@demo.example", "Ann Able", Role.MEMBER, ("support-l1",)),
        ("ben@demo.example", "Ben Bright", Role.MEMBER, ("support-l1",)),
        ("eve@demo.example", "Eve Expert", Role.MEMBER, ("support-l2",)),
        ("auditor@demo.example", "Otto Auditor", Role.AUDITOR, ()),
    ),
    "other": (
        ("admin@other.example", "Olga Admin", Role.ADMIN, ()),
        ("ann@other.example", "Ann Other", Role.MEMBER, ("support-l1",)),
    ),
}
NAMES = {"demo": "Demo", "other": "Other"}
KEYS = {
    "admin": CreateApiKeyRequest(name="demo admin", kind=PrincipalKind.SERVICE, roles=[Role.ADMIN]),
    "agent": CreateApiKeyRequest(name="demo agent", kind=PrincipalKind.AGENT, on_behalf_of=["*"]),
    "system": CreateApiKeyRequest(name="demo system", kind=PrincipalKind.SERVICE, on_behalf_of=["*"]),
}
OFFICE = CreateCalendarRequest(  # an example's SLA counts these hours
    calendar_id="office",
    name="Office hours",
    working_hours=WorkingHours(
        time_zone="Europe/Vienna",
        hours=[OpenHours(weekday=day, opens="09:00", closes="17:00") for day in list(Weekday)[:5]],
        holidays=[Holiday(date="01-01", name="New Year"), Holiday(date="12-25", name="Christmas")],
    ),
)
DEADLINE = 15.0
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries, on a machine on which everything starts at once."""


class Demo:
    """Makes the demo tenants; what is there already stays as it is, so that it may be repeated."""

    def __init__(self, connection: grpc.aio.Channel, secrets: Mapping[str, str]) -> None:
        self._connection = connection
        self._identity = IdentityServiceClient(connection)
        self._operator = IdentityServiceClient(connection, TokenSource(connection, secrets["service_key"]).of(None))
        self._seed = secrets["demo_seed"]

    async def tenant(self, slug: str) -> dict[str, Any]:
        """A tenant with its people, groups and new API keys, as stack.json shows it."""
        tenant = await self._tenant(slug)
        admin = await self._signed_in(slug)
        await asyncio.gather(*(self._group(admin, group) for group in GROUPS))
        await asyncio.gather(*(self._person(admin, person) for person in PEOPLE[slug][1:]))
        keys = {name: await admin.create_api_key(request, timeout=DEADLINE) for name, request in KEYS.items()}
        return {
            "tenant": {"tenant_id": tenant.tenant_id, "slug": slug},
            "users": [
                {"email": email, "password": self._password(email), "roles": [str(role)], "groups": list(groups)}
                for email, _, role, groups in PEOPLE[slug]
            ],
            "api_keys": {name: created.secret for name, created in keys.items()},
        }

    async def calendar(self, slug: str, tasks: grpc.aio.Channel) -> None:
        """Keep the tenant's office hours in task-service."""
        session = await self._session(slug)
        with suppress(AlreadyExists):
            await TaskServiceClient(tasks, self._token_of(session)).create_calendar(OFFICE, timeout=DEADLINE)

    async def _tenant(self, slug: str) -> Tenant:
        listed = await self._operator.list_tenants(ListTenantsRequest(page_size=100), timeout=DEADLINE)
        for tenant in listed.tenants:
            if tenant.slug == slug:
                return tenant
        email, name, role, _ = PEOPLE[slug][0]
        admin = CreateUserRequest(email=email, name=name, roles=[role], password=self._password(email))
        request = CreateTenantRequest(slug=slug, name=NAMES[slug], admin=admin)
        return await self._operator.create_tenant(request, timeout=DEADLINE)

    async def _signed_in(self, slug: str) -> IdentityServiceClient:
        return IdentityServiceClient(self._connection, self._token_of(await self._session(slug)))

    async def _session(self, slug: str) -> str:
        """Sign the tenant's admin in."""
        email = PEOPLE[slug][0][0]
        request = SignInRequest(email=email, password=self._password(email), tenant=slug)
        return (await self._identity.sign_in(request, timeout=DEADLINE)).token

    def _token_of(self, credential: str) -> Callable[[], Awaitable[str]]:
        async def token() -> str:
            request = ExchangeCredentialRequest(credential=credential)
            return (await self._identity.exchange_credential(request, timeout=DEADLINE)).token

        return token

    async def _group(self, admin: IdentityServiceClient, group: str) -> None:
        with suppress(AlreadyExists):
            await admin.create_group(CreateGroupRequest(group_id=group), timeout=DEADLINE)

    async def _person(self, admin: IdentityServiceClient, person: tuple[str, str, Role, tuple[str, ...]]) -> None:
        email, name, role, groups = person
        request = CreateUserRequest(
            email=email, name=name, roles=[role], groups=list(groups), password=self._password(email)
        )
        try:
            await admin.create_user(request, timeout=DEADLINE)
        except AlreadyExists:
            return

    def _password(self, email: str) -> str:
        """The same for the same installation and address, so that nothing is lost when the first start is cut off."""
        return hashlib.sha256(f"{self._seed}:{email}".encode()).hexdigest()[:20]


async def bootstrap(identity_address: str, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Makes both tenants and returns what stack.json shows of them."""
    async with channel(identity_address) as connection:
        demo = Demo(connection, secrets)

        async def both() -> dict[str, Any]:
            shown, other = await asyncio.gather(demo.tenant("demo"), demo.tenant("other"))
            return {**shown, "other": other}

        for pause in PAUSES:
            try:
                return await both()
            except Error as refused:
                if not refused.retryable:
                    raise
                await asyncio.sleep(pause)
        return await both()


async def calendars(identity_address: str, task_address: str, secrets: Mapping[str, str]) -> None:
    """Makes the calendars of both tenants, after the tenants themselves."""
    async with channel(identity_address) as identity, channel(task_address) as tasks:
        demo = Demo(identity, secrets)
        await asyncio.gather(*(demo.calendar(slug, tasks) for slug in NAMES))

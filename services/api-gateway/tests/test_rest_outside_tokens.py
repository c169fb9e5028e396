"""The REST door before a real identity-service: outside access tokens, and what admins change afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from door_rooms import Rooms, channel_to, running_rooms, workflow
from identity_world import PASSWORD, SERVICE_KEY, Home, Migrated, World, running
from orkestra.api_gateway.routes.endpoint import ROOMS
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Issuer, Provider, issuers
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import IdentityServiceClient
from orkestra.wire import Context
from outside_issuers import OutsideIssuer, outside_issuer
from rest_world import rest_door

AUDIENCE = "https://api.acme.example"


@dataclass
class Front:
    """The door, and who is behind it."""

    base: str
    world: World
    home: Home
    outside: OutsideIssuer
    ann: str
    others: Rooms

    def http(self, credential: str | None) -> httpx.AsyncClient:
        headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
        return httpx.AsyncClient(base_url=self.base, headers=headers, timeout=30)

    async def admin(self) -> httpx.AsyncClient:
        return self.http((await self.world.sign_in(self.home.email("admin"), PASSWORD)).token)

    def token(self, subject: str, **claims: Any) -> str:
        return self.outside.token(**{"aud": AUDIENCE, "sub": subject, "scope": "orkestra", **claims})


@pytest.fixture(scope="module")
async def front(signer: Signer, migrated: Migrated) -> AsyncIterator[Front]:
    identity = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    gateway = await migrated("orkestra.api_gateway", "gateway")
    known, http = issuers([], development=True)
    async with http, outside_issuer() as outside, running(identity, signer, issuers=known) as world:
        home = await world.tenant()
        ann = await home.person("ann")
        provider = Provider(
            provider_id="own", name="Own", issuer=outside.url, tenant=home.tenant.slug, audience=AUDIENCE
        )
        known["own"] = Issuer(provider, http)
        async with running_rooms(signer) as others, channel_to(others) as channel:
            rooms = dict.fromkeys(ROOMS, channel) | {IdentityServiceClient: world.channel}
            credentials = CredentialCache(world.channel)
            async with rest_door(signer, gateway.app_url, rooms=rooms, credentials=credentials) as door:
                yield Front(str(door.http.base_url), world, home, outside, ann, others)


async def test_a_persons_access_token_is_a_credential_until_its_link_is_taken_away(front: Front) -> None:
    token = front.token("ann-outside", email=front.home.email("ann"), email_verified=True)
    async with front.http(token) as http, await front.admin() as admin:
        me = (await http.get("/v1/me")).json()
        assert (me["subject"], me["kind"], me["user"]["email"]) == (front.ann, "user", front.home.email("ann"))
        held, asked = asyncio.Event(), asyncio.Event()

        async def slow(_ctx: Context, _request: Any) -> Any:
            asked.set()
            await held.wait()
            return workflow()

        front.others.answer("get_workflow_result", slow)
        waiting = asyncio.create_task(http.get("/v1/workflows/wf_1/result?wait=50"))
        await asked.wait()
        [linked] = (await admin.get("/v1/linked-subjects")).json()["linked_subjects"]
        assert (linked["subject"], linked["principal"]) == ("ann-outside", front.ann)
        assert (await admin.delete(f"/v1/linked-subjects/{linked['subject_id']}")).json() == linked
        # The address alone would link her again; the provider no longer vouches for it.
        await front.world.rows("update users set email_key = 'moved', email = 'moved' where user_id = $1", front.ann)
        answer = await asyncio.wait_for(waiting, 30)
        held.set()
        assert (answer.status_code, answer.json()["code"]) == (401, "PERSON_UNKNOWN")

        async def is_out() -> bool:
            return (await http.get("/v1/me")).status_code == 401

        await eventually(is_out)


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"aud": "https://mcp.acme.example/mcp"}, 401, "ACCESS_TOKEN_INVALID"),
        ({"exp": 1}, 401, "ACCESS_TOKEN_EXPIRED"),
        ({"scope": "openid"}, 403, "SCOPE_REQUIRED"),
        ({"sub": "nobody"}, 401, "PERSON_UNKNOWN"),
    ],
)
async def test_a_token_that_is_not_right_is_a_problem_document(
    front: Front, claims: dict[str, Any], status: int, code: str
) -> None:
    async with front.http(front.token("ann-outside", **claims)) as http:
        answer = await http.get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_admin_links_a_program_to_a_key_and_changes_what_the_key_may_do(front: Front) -> None:
    async with await front.admin() as admin:
        made = (await admin.post("/v1/api-keys", json={"name": "Bot", "kind": "agent"})).json()["api_key"]
        link = {"issuer": front.outside.url, "subject": "client-7", "principal": made["key_id"]}
        assert (await admin.post("/v1/linked-subjects", json=link)).status_code == 201
        taken = await admin.post("/v1/linked-subjects", json=link)
        assert (taken.status_code, taken.json()["code"]) == (409, "SUBJECT_LINKED")
        async with front.http(front.token("client-7")) as program:
            assert (await program.get("/v1/me")).json()["subject"] == made["key_id"]
            place = f"/v1/api-keys/{made['key_id']}"
            stale = await admin.patch(place, json={"name": "New"}, headers={"If-Match": '"7"'})
            assert stale.status_code == 412
            changed = await admin.patch(place, json={"add_allowed_ips": ["192.0.2.0/24"], "version": made["version"]})
            assert changed.json()["allowed_ips"] == ["192.0.2.0/24"]

            async def is_elsewhere() -> bool:
                answer = await program.get("/v1/me")
                return (answer.status_code, answer.json().get("code")) == (403, "IP_NOT_ALLOWED")

            await eventually(is_elsewhere)
            member = await program.patch(place, json={"remove_allowed_ips": ["192.0.2.0/24"]})
            assert member.status_code == 403


async def test_groups_and_tenants_change_over_rest(front: Front) -> None:
    async with await front.admin() as admin:
        await admin.post("/v1/groups", json={"group_id": "nights", "name": "Nights"})
        assert (await admin.patch("/v1/groups/nights", json={"name": "Night shift"})).json()["name"] == "Night shift"
        assert (await admin.delete("/v1/groups/nights")).json()["name"] == "Night shift"
        assert (await admin.get("/v1/groups/nights")).status_code == 404
        refused = await admin.patch(f"/v1/tenants/{front.home.id}", json={"name": "Mine"})
        assert (refused.status_code, refused.json()["code"]) == (403, "ROLE_REQUIRED")
    async with front.http(SERVICE_KEY) as operator:
        renamed = await operator.patch(f"/v1/tenants/{front.home.id}", json={"name": "Renamed"})
        assert renamed.json()["name"] == "Renamed"


async def test_everybody_may_ask_how_people_sign_in(front: Front) -> None:
    async with front.http(None) as nobody:
        answer = await nobody.get("/v1/sign-in-methods", params={"tenant": front.home.tenant.slug})
    assert answer.json() == {"password": True, "providers": [], "by_tenant": False}

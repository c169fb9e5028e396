"""The MCP door as an OAuth resource server, with identity-service and an issuer behind it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
import pytest_asyncio
from door_rooms import TENANT, workflow
from identity_world import Home, running
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_world import ERAS, McpWorld, Migrated, asked_task, mcp_door
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Provider, issuers
from orkestra.mcp_gateway.tools.resource import Resource
from orkestra.v1.identity import CreateApiKeyRequest, PrincipalKind
from outside_issuers import CLIENT, OutsideIssuer, outside_issuer

URL = "https://mcp.acme.example/mcp"
METADATA = "https://mcp.acme.example/.well-known/oauth-protected-resource/mcp"
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"accept": "application/json, text/event-stream"}


@dataclass(frozen=True)
class World:
    door: McpWorld
    issuer: OutsideIssuer
    home: Home
    ann: str

    def token(self, **claims: Any) -> str:
        said = {"aud": URL, "sub": "ann-outside", "scope": "orkestra", "email": self.home.email("ann")}
        return self.issuer.token(**said | {"email_verified": True} | claims)

    @asynccontextmanager
    async def client(self, credential: str, era: str) -> AsyncIterator[Client]:
        headers = {"authorization": f"Bearer {credential}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.door.url, http_client=http), mode=era) as client,
        ):
            yield client

    async def refused(self, authorization: str | None) -> httpx.Response:
        headers = ACCEPT if authorization is None else ACCEPT | {"authorization": authorization}
        async with httpx.AsyncClient() as http:
            return await http.post(self.door.url, json=HELLO, headers=headers)


@pytest_asyncio.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated) -> AsyncIterator[World]:
    identity = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with outside_issuer() as issuer:
        provider = Provider(
            provider_id="corp", name="Corp", issuer=issuer.url, client_id=CLIENT, agent_audience=URL, scope="orkestra"
        )
        known, http = issuers([provider])
        resource = Resource(url=URL, issuers=[issuer.url], scope="orkestra")
        async with http, running(identity, signer, issuers=known) as behind:
            home = await behind.tenant()
            ann = await home.person("ann")
            credentials = CredentialCache(behind.channel, audience=URL)
            async with mcp_door(signer, schema.app_url, credentials=credentials, resource=resource) as door:
                yield World(door, issuer, home, ann)


@pytest.mark.parametrize("path", ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"])
async def test_everyone_is_told_which_issuers_tokens_are_taken(world: World, path: str) -> None:
    async with httpx.AsyncClient(base_url=world.door.url) as nobody:
        answer = await nobody.get(f"{world.door.url.removesuffix('/mcp')}{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "resource": URL,
        "resource_name": "Orkestra",
        "authorization_servers": [world.issuer.url],
        "scopes_supported": ["orkestra"],
        "bearer_methods_supported": ["header"],
    }


async def test_who_comes_without_a_credential_is_told_where_to_get_one(world: World) -> None:
    refused = await world.refused(None)
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    assert challenge == f'Bearer realm="orkestra", scope="orkestra", resource_metadata="{METADATA}"'
    assert refused.json()["error"]["data"]["reason"] == "CREDENTIAL_REQUIRED"


@pytest.mark.parametrize("era", ERAS)
async def test_a_persons_token_acts_as_an_agent_for_the_person(world: World, era: str) -> None:
    world.door.rooms.reset()
    world.door.rooms.answer("get_workflow", workflow())
    async with world.client(world.token(), era) as client:
        answer = await client.call_tool("workflow_status", {"workflow_id": "wf_1"})
    assert not answer.is_error, answer.content
    principal = world.door.rooms.asked[-1].ctx.principal
    assert (principal.kind, principal.subject, principal.tenant_id) == ("agent", world.ann, world.home.id)
    assert principal.on_behalf_of == {world.ann}


async def test_an_api_key_is_as_good_as_before(world: World) -> None:
    made = CreateApiKeyRequest(name="bot", kind=PrincipalKind.AGENT)
    key = await world.home.admin.create_api_key(made)
    async with world.client(key.secret, "2026-07-28") as client:
        assert (await client.list_tools()).tools


BAD: dict[str, dict[str, Any]] = {
    "for another resource": {"aud": "https://elsewhere.example"},
    "for the REST door": {"aud": "https://api.acme.example"},
    "over": {"exp": int(time.time()) - 3600},
    "of another issuer": {"iss": "https://idp.example"},
    "of somebody unknown": {"sub": "stranger", "email": "stranger@elsewhere.example"},
}


@pytest.mark.parametrize("what", BAD)
async def test_a_token_that_is_not_for_this_door_is_refused(world: World, what: str) -> None:
    refused = await world.refused(f"Bearer {world.token(**BAD[what])}")
    assert refused.status_code == 401, refused.text
    challenge = refused.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge
    assert f'resource_metadata="{METADATA}"' in challenge


async def test_a_token_without_the_scope_is_told_which_it_needs(world: World) -> None:
    refused = await world.refused(f"Bearer {world.token(scope='openid')}")
    assert refused.status_code == 403
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope", scope="orkestra"' in challenge


async def test_a_forged_token_is_refused(world: World) -> None:
    async with outside_issuer() as forger:
        forged = forger.token(iss=world.issuer.url, aud=URL, sub="ann-outside", scope="orkestra")
        assert (await world.refused(f"Bearer {forged}")).status_code == 401


@pytest.mark.parametrize("credential", [asked_task().task_id, workflow().workflow_id, TENANT])
async def test_what_names_a_task_is_no_credential(world: World, credential: str) -> None:
    assert (await world.refused(f"Bearer {credential}")).status_code == 401


async def test_a_door_without_issuers_names_none(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as door, httpx.AsyncClient() as nobody:
        refused = await nobody.post(door.url, json=HELLO, headers=ACCEPT)
        metadata = await nobody.get(f"{door.url.removesuffix('/mcp')}/.well-known/oauth-protected-resource")
    assert refused.headers["www-authenticate"] == 'Bearer realm="orkestra"'
    assert metadata.status_code == 401

"""Tenants, people, keys and the audit as the REST door passes them on, and calls that end with their caller's right."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from door_rooms import TENANT, workflow
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import (
    ApiKey,
    ChangePasswordResponse,
    CreatedApiKey,
    DeletedTenant,
    ListAuditResponse,
    Me,
    PrincipalKind,
    RedeemMailLinkResponse,
    RequestPasswordResetResponse,
    Tenant,
    User,
)
from orkestra.wire import Context, PermissionDenied, VersionMismatch
from rest_world import Migrated, RestWorld, rest_door

ANN = "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6b"
KEY = "key_0198a1b2c3d47e8f9a0b1c2d3e4f5a6f"
SINCE = "2030-01-01T00:00:00Z"
USER = User.model_validate(
    {
        "user_id": ANN,
        "tenant_id": TENANT,
        "email": "ann@acme.example",
        "name": "Ann",
        "roles": ["member"],
        "status": "active",
        "created_at": SINCE,
        "version": 3,
    }
)
TENANT_OF_THEIRS = Tenant.model_validate(
    {"tenant_id": TENANT, "slug": "acme", "name": "Acme", "status": "suspended", "created_at": SINCE, "version": 2}
)
API_KEY = ApiKey.model_validate(
    {
        "key_id": KEY,
        "tenant_id": TENANT,
        "prefix": "ork_abcdefgh",
        "name": "Bot",
        "kind": "agent",
        "roles": ["agent"],
        "created_at": SINCE,
        "version": 1,
    }
)


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _reset(door: RestWorld) -> None:
    door.rooms.reset()


def asked(door: RestWorld) -> list[tuple[str, dict[str, Any]]]:
    return [(one.rpc, one.request.model_dump(mode="json", exclude_defaults=True)) for one in door.rooms.asked]


async def test_a_tenant_is_suspended_and_resumed_at_paths_of_their_own(door: RestWorld) -> None:
    door.rooms.answer("suspend_tenant", TENANT_OF_THEIRS)
    door.rooms.answer("resume_tenant", TENANT_OF_THEIRS)
    door.rooms.answer("get_tenant", TENANT_OF_THEIRS)
    place = f"/v1/tenants/{TENANT}"
    suspended = await door.http.post(f"{place}/suspend", json={"reason": "Unpaid"}, headers={"idempotency-key": "1"})
    resumed = await door.http.post(f"{place}/resume")
    read = await door.http.get(place)
    assert {(one.status_code, one.headers["etag"]) for one in (suspended, resumed, read)} == {(200, '"2"')}
    assert suspended.json() == TENANT_OF_THEIRS.model_dump(mode="json")
    assert asked(door) == [
        ("suspend_tenant", {"tenant_id": TENANT, "reason": "Unpaid"}),
        ("resume_tenant", {"tenant_id": TENANT}),
        ("get_tenant", {"tenant_id": TENANT}),
    ]
    assert door.rooms.asked[0].ctx.request_id == "1"


async def test_a_tenant_is_deleted_with_its_slug_in_the_query_to_confirm(door: RestWorld) -> None:
    deletion = {"deletion_id": f"deletion_{'0' * 32}", "tenant_id": TENANT, "slug": "acme", "deleted_by": "service"}
    deleted = DeletedTenant.model_validate(deletion | {"deleted_at": SINCE})
    door.rooms.answer("delete_tenant", deleted)
    gone = await door.http.delete(f"/v1/tenants/{TENANT}", params={"slug": "acme", "reason": "Left"})
    assert (gone.status_code, gone.json()) == (200, deleted.model_dump(mode="json"))
    unconfirmed = await door.http.delete(f"/v1/tenants/{TENANT}")
    assert (unconfirmed.status_code, [error["path"] for error in unconfirmed.json()["errors"]]) == (422, ["slug"])
    assert asked(door) == [("delete_tenant", {"tenant_id": TENANT, "slug": "acme", "reason": "Left"})]


async def test_if_match_guards_a_change_of_a_person(door: RestWorld) -> None:
    door.rooms.answer("update_user", USER)
    changed = await door.http.patch(f"/v1/users/{ANN}", json={"name": "Ann"}, headers={"if-match": '"2"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"3"')
    assert asked(door) == [("update_user", {"user_id": ANN, "name": "Ann", "version": 2})]
    door.rooms.answer("update_user", VersionMismatch("VERSION_MISMATCH", "It has changed.", current=USER))
    stale = await door.http.patch(f"/v1/users/{ANN}", json={"name": "Ann"}, headers={"if-match": '"2"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 3)


async def test_the_caller_changes_itself_at_its_own_path(door: RestWorld) -> None:
    me = Me(subject=ANN, kind=PrincipalKind.USER, tenant_id=TENANT, roles=[], groups=[], name="Ann", user=USER)
    door.rooms.answer("update_me", me)
    body = {"locale": "de", "time_zone": "", "version": 3}
    changed = await door.http.patch("/v1/me", json=body)
    assert (changed.status_code, changed.json()["user"]["name"]) == (200, "Ann")
    assert asked(door) == [("update_me", body)]
    theirs = await door.http.patch("/v1/me", json={"user_id": ANN, "roles": ["admin"]})
    assert {error["path"] for error in theirs.json()["errors"]} == {"user_id", "roles"}


@pytest.mark.parametrize("operation", ["disable", "enable"])
async def test_a_person_is_disabled_and_enabled_by_name(door: RestWorld, operation: str) -> None:
    door.rooms.answer(f"{operation}_user", USER)
    assert (await door.http.post(f"/v1/users/ann@acme.example/{operation}")).status_code == 200
    assert asked(door) == [(f"{operation}_user", {"user_id": "ann@acme.example"})]


async def test_a_password_is_changed_in_the_session_that_asks(door: RestWorld) -> None:
    door.rooms.answer("change_password", ChangePasswordResponse())
    body = {"current_password": "the old one, long", "new_password": "the new one, long"}
    changed = await door.http.post("/v1/me/password", json=body)
    assert (changed.status_code, changed.content) == (204, b"")
    assert asked(door) == [("change_password", {**body, "token": "ork_known"})]
    refused = await door.http.post("/v1/me/password", json={**body, "token": "ors_theirs"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_field")


async def test_a_reset_and_a_mailed_link_need_no_credential(door: RestWorld) -> None:
    door.rooms.answer("request_password_reset", RequestPasswordResetResponse())
    door.rooms.answer("redeem_mail_link", RedeemMailLinkResponse(email="ann@acme.example", tenant="acme"))
    async with httpx.AsyncClient(base_url=door.http.base_url) as nobody:
        reset = await nobody.post("/v1/password-resets", json={"email": "ann@acme.example"})
        redeemed = await nobody.post("/v1/mail-links/redeem", json={"token": "orl_x", "password": "a long new one"})
        mine = await nobody.post("/v1/me/password", json={})
    assert (reset.status_code, reset.json()) == (202, {})
    assert redeemed.json() == {"email": "ann@acme.example", "tenant": "acme"}
    assert mine.status_code == 401


async def test_a_key_has_a_place_and_gets_a_new_secret_there(door: RestWorld) -> None:
    door.rooms.answer("create_api_key", CreatedApiKey(api_key=API_KEY, secret="ork_abcdefgh_secret"))
    door.rooms.answer("rotate_api_key", CreatedApiKey(api_key=API_KEY, secret="ork_abcdefgh_other"))
    door.rooms.answer("get_api_key", API_KEY)
    made = await door.http.post("/v1/api-keys", json={"name": "Bot", "kind": "agent"})
    place = made.headers["location"]
    assert (made.status_code, place) == (201, f"/v1/api-keys/{KEY}")
    rotated = await door.http.post(f"{place}/rotate", json={"overlap_seconds": 0})
    assert rotated.json()["secret"] == "ork_abcdefgh_other"
    assert (await door.http.get(place)).headers["etag"] == '"1"'
    assert asked(door)[1:] == [
        ("rotate_api_key", {"key_id": KEY, "overlap_seconds": 0}),
        ("get_api_key", {"key_id": KEY}),
    ]


async def test_the_audit_is_filtered_by_the_query(door: RestWorld) -> None:
    door.rooms.answer("list_audit", ListAuditResponse(entries=[]))
    query = {"actor": ANN, "action": "create_user", "since": SINCE, "page_size": "5"}
    answer = await door.http.get("/v1/audit", params=query)
    assert (answer.status_code, answer.json()) == (200, {"entries": [], "next_page_token": None})
    assert asked(door) == [("list_audit", {**query, "page_size": 5})]


async def test_a_held_call_ends_when_its_callers_credential_does(door: RestWorld) -> None:
    credential = door.rooms.know("ork_soon_revoked")

    async def never(_ctx: Context, _request: Any) -> Any:
        await asyncio.Event().wait()

    door.rooms.answer("get_workflow_result", never)
    headers = {"authorization": f"Bearer {credential}"}
    waiting = asyncio.create_task(door.http.get("/v1/workflows/wf_1/result?wait=50", headers=headers))

    async def is_held() -> bool:
        return bool(door.rooms.asked)

    await eventually(is_held, timeout=20)
    del door.rooms.people[credential]
    answer = await asyncio.wait_for(waiting, 20)
    assert (answer.status_code, answer.json()["code"]) == (401, "CREDENTIAL_INVALID")


async def test_a_held_call_of_a_good_caller_is_not_cut_by_the_checks(door: RestWorld) -> None:
    checked = asyncio.Event()

    async def slow(_ctx: Context, _request: Any) -> Any:
        await checked.wait()
        return workflow()

    door.rooms.answer("get_workflow_result", slow)
    waiting = asyncio.create_task(door.http.get("/v1/workflows/wf_1/result?wait=50"))
    asyncio.get_running_loop().call_later(2.5, checked.set)
    assert (await asyncio.wait_for(waiting, 30)).status_code == 200


async def test_a_suspended_tenants_caller_is_told_why(door: RestWorld) -> None:
    door.rooms.answer("get_me", PermissionDenied("TENANT_SUSPENDED", "This tenant is suspended."))
    answer = await door.http.get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "TENANT_SUSPENDED")

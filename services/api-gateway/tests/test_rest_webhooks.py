"""Webhooks and preferences, as the REST door passes them on."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from door_rooms import TENANT
from orkestra.chassis.tokens import Signer
from orkestra.v1.notification import (
    CreatedWebhook,
    Delivery,
    ListDeliveriesResponse,
    Preferences,
    RedeliverResponse,
    Webhook,
)
from orkestra.wire import InvalidArgument
from rest_world import Migrated, RestWorld, rest_door

BODY = {"url": "https://example.com/hook", "events": ["task.*"]}
KEPT = Webhook.model_validate(
    {
        **BODY,
        "webhook_id": "webhook_1",
        "tenant_id": TENANT,
        "status": "active",
        "version": 2,
        "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
    }
)
SENT = Delivery.model_validate(
    {
        "delivery_id": "delivery_1",
        "webhook_id": "webhook_1",
        "event_id": "0198a1b2",
        "event_type": "task.completed",
        "status": "failed",
        "attempts": 9,
        "created_at": "2030-01-31T12:00:00Z",
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


async def test_a_webhook_has_a_place_a_version_and_its_secret_once(door: RestWorld) -> None:
    door.rooms.answer("create_webhook", CreatedWebhook(webhook=KEPT, secret="whsec_c2VjcmV0"))
    door.rooms.answer("update_webhook", KEPT)
    made = await door.http.post("/v1/webhooks", json=BODY)
    assert (made.status_code, made.headers["location"]) == (201, "/v1/webhooks/webhook_1")
    assert made.json()["secret"] == "whsec_c2VjcmV0"
    changed = await door.http.patch("/v1/webhooks/webhook_1", json={"status": "disabled"}, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    sent = door.rooms.asked[1].request.model_dump(mode="json", exclude_defaults=True)
    assert sent == {"webhook_id": "webhook_1", "status": "disabled", "version": 1}


async def test_the_log_is_read_by_pages_and_sent_again(door: RestWorld) -> None:
    door.rooms.answer("list_deliveries", ListDeliveriesResponse(deliveries=[SENT], next_page_token="more"))
    door.rooms.answer("redeliver", RedeliverResponse(deliveries=1))
    page = await door.http.get("/v1/webhooks/webhook_1/deliveries", params={"status": "failed", "page_size": 1})
    assert page.json() == {"deliveries": [SENT.model_dump(mode="json")], "next_page_token": "more"}
    again = await door.http.post("/v1/webhooks/webhook_1/redeliver", json={"delivery_ids": ["delivery_1"]})
    assert (again.status_code, again.json()) == (200, {"deliveries": 1})
    assert [one.request.model_dump(mode="json", exclude_defaults=True) for one in door.rooms.asked] == [
        {"webhook_id": "webhook_1", "status": "failed", "page_size": 1},
        {"webhook_id": "webhook_1", "delivery_ids": ["delivery_1"]},
    ]


async def test_a_refused_address_is_a_problem_with_its_field(door: RestWorld) -> None:
    door.rooms.answer("create_webhook", InvalidArgument("WEBHOOK_URL_REFUSED", "Nothing is sent there."))
    answer = await door.http.post("/v1/webhooks", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (422, "WEBHOOK_URL_REFUSED")


async def test_preferences_of_a_group_are_named_by_its_id(door: RestWorld) -> None:
    kept = Preferences(owner="group:support-l1", rules=[], digest_minutes=30, version=4)
    door.rooms.answer("get_preferences", kept)
    door.rooms.answer("put_preferences", kept)
    shown = await door.http.get("/v1/preferences", params={"group_id": "support-l1"})
    assert (shown.json(), shown.headers["etag"]) == (kept.model_dump(mode="json"), '"4"')
    body = {"group_id": "support-l1", "rules": [{"kind": "escalated", "channels": ["slack"]}], "slack_url": ""}
    put = await door.http.put("/v1/preferences", json=body, headers={"if-match": '"3"'})
    assert put.status_code == 200
    assert [one.request.model_dump(mode="json", exclude_unset=True) for one in door.rooms.asked] == [
        {"group_id": "support-l1"},
        {**body, "version": 3},
    ]

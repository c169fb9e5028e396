"""Webhooks from outside: events come in by the stream, requests arrive at a real HTTP endpoint."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from notification_world import Reader, Tenant, World, after, world
from orkestra.notification_service.operations import Lane
from orkestra.testkit.waiting import eventually
from orkestra.v1.notification import (
    CreatedWebhook,
    CreateWebhookRequest,
    DeleteWebhookRequest,
    Delivery,
    DeliveryStatus,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListWebhooksRequest,
    RedeliverRequest,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
    Webhook,
    WebhookStatus,
)
from orkestra.v1.task import TaskStatus
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from standardwebhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError
from webhook_endpoint import Arrived, Endpoint, listening

__all__ = ["world"]


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with listening() as one:
        yield one


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture
def admin(tenant: Tenant) -> Reader:
    return tenant.reader("user", "user_admin", "admin")


async def registered(admin: Reader, endpoint: Endpoint, path: str = "/hook", *events: str) -> CreatedWebhook:
    return await admin.create_webhook(CreateWebhookRequest(url=endpoint.url + path, events=list(events or ("task.*",))))


async def arrived(endpoint: Endpoint, path: str = "/hook", count: int = 1) -> list[Arrived]:
    async def enough() -> list[Arrived] | None:
        found = endpoint.at(path)
        return found if len(found) >= count else None

    return await eventually(enough, timeout=30)


async def log(admin: Reader, webhook: Webhook) -> list[Delivery]:
    return (await admin.list_deliveries(ListDeliveriesRequest(webhook_id=webhook.webhook_id))).deliveries


async def standing(admin: Reader, webhook: Webhook, status: DeliveryStatus) -> Delivery:
    async def found() -> Delivery | None:
        return next((one for one in await log(admin, webhook) if one.status == status), None)

    return await eventually(found, timeout=30)


async def test_an_independent_library_takes_the_signature(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    made = await registered(admin, endpoint)
    task = tenant.task()
    await tenant.tells("created", task)
    [came] = await arrived(endpoint)
    told = Standard(made.secret).verify(came.body.decode(), came.headers)
    assert told["type"] == "task.created"
    assert told["data"]["task"]["task_id"] == task.task_id
    assert "audience" not in told["data"]
    with pytest.raises(WebhookVerificationError):
        Standard(made.secret).verify(came.body.decode() + " ", came.headers)
    delivered = await standing(admin, made.webhook, DeliveryStatus.DELIVERED)
    assert (delivered.event_id, delivered.attempts, delivered.response_status) == (came.headers["webhook-id"], 1, 204)


async def test_only_what_the_filter_names_is_told(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    await registered(admin, endpoint, "/ends", "task.completed", "task.completed")
    await registered(admin, endpoint, "/tasks", "task.*")
    await registered(admin, endpoint, "/runs", "workflow.*")
    task = tenant.task()
    await tenant.tells("created", task)
    await tenant.tells("completed", after(task, status=TaskStatus.COMPLETED))
    assert [one.json["type"] for one in await arrived(endpoint, "/tasks", 2)] == ["task.created", "task.completed"]
    assert [one.json["type"] for one in await arrived(endpoint, "/ends")] == ["task.completed"]
    assert endpoint.at("/runs") == []


async def test_no_webhook_is_told_the_whole_address_of_another(admin: Reader, endpoint: Endpoint) -> None:
    await registered(admin, endpoint, "/all", "webhook.*")
    other = await registered(admin, endpoint, "/services/T0/B0/credential?key=credential")
    await admin.delete_webhook(DeleteWebhookRequest(webhook_id=other.webhook.webhook_id))

    def told() -> list[str]:
        about = [one.json["data"]["webhook"] for one in endpoint.at("/all")]
        return [one["url"] for one in about if one["webhook_id"] == other.webhook.webhook_id]

    await eventually(lambda: len(told()) == 2, timeout=30)
    assert told() == [f"{endpoint.url}/"] * 2
    assert [one for one in endpoint.arrived if b"credential" in one.body] == []


async def test_an_event_heard_again_is_one_delivery(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    made = await registered(admin, endpoint)
    task = tenant.task(status=TaskStatus.COMPLETED)
    await tenant.hears("completed", task)
    await tenant.hears("completed", task)  # as the sweep of task-service tells an end anew
    await arrived(endpoint)
    await world.settled()
    assert len(await log(admin, made.webhook)) == 1


async def test_for_a_day_both_secrets_sign(world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    made = await registered(admin, endpoint)
    rotated = await admin.rotate_webhook_secret(RotateWebhookSecretRequest(webhook_id=made.webhook.webhook_id))
    assert rotated.secret != made.secret
    assert rotated.webhook.old_secret_until is not None
    assert rotated.webhook.old_secret_until > datetime.now(UTC) + timedelta(hours=23)
    await tenant.tells("created", tenant.task())
    [came] = await arrived(endpoint)
    for secret in (made.secret, rotated.secret):
        Standard(secret).verify(came.body.decode(), came.headers)
    await world.rows("update webhooks set old_secret_until = now() where webhook_id = $1", made.webhook.webhook_id)
    await tenant.tells("created", tenant.task())
    [_, came] = await arrived(endpoint, count=2)
    Standard(rotated.secret).verify(came.body.decode(), came.headers)
    with pytest.raises(WebhookVerificationError):
        Standard(made.secret).verify(came.body.decode(), came.headers)


async def test_what_fails_is_tried_again_with_the_same_id(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    endpoint.statuses["/hook"] = 503
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    await arrived(endpoint, count=2)
    waiting = await standing(admin, made.webhook, DeliveryStatus.PENDING)
    assert (waiting.response_status, waiting.error) == (503, "answered 503")
    endpoint.statuses.clear()
    delivered = await standing(admin, made.webhook, DeliveryStatus.DELIVERED)
    assert delivered.attempts >= 3
    assert {one.headers["webhook-id"] for one in endpoint.at("/hook")} == {delivered.event_id}
    shown = await admin.get_webhook(GetWebhookRequest(webhook_id=made.webhook.webhook_id))
    await eventually(lambda: _is_well(admin, made.webhook), timeout=10)
    assert shown.status == WebhookStatus.ACTIVE


async def _is_well(admin: Reader, webhook: Webhook) -> bool:
    return (await admin.get_webhook(GetWebhookRequest(webhook_id=webhook.webhook_id))).failing_since is None


async def test_one_that_hangs_delays_no_other(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    """Five hang for as long as an attempt may take, again and again; what others get does not wait for that."""
    endpoint.statuses |= {f"/hangs-{number}": 0 for number in range(5)}
    hanging = [await registered(admin, endpoint, path) for path in endpoint.statuses]
    await registered(admin, endpoint, "/well")
    for _ in range(10):
        await tenant.tells("created", tenant.task())
    await arrived(endpoint, "/well", 10)
    for one in hanging:
        assert {delivery.status for delivery in await log(admin, one.webhook)} <= {
            DeliveryStatus.PENDING,
            DeliveryStatus.FAILED,
        }


async def test_what_fails_for_too_long_is_given_up_and_then_switched_off(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    endpoint.statuses["/hook"] = 500
    watching = await registered(admin, endpoint, "/watch", "webhook.disabled")
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    await standing(admin, made.webhook, DeliveryStatus.FAILED)
    await world.rows(
        "update lanes set failing_since = now() - interval '4 days' where lane = $1",
        f"webhook:{made.webhook.webhook_id}",
    )
    await tenant.tells("created", tenant.task())
    [came] = await arrived(endpoint, "/watch")
    told = Standard(watching.secret).verify(came.body.decode(), came.headers)
    assert (told["data"]["webhook"]["webhook_id"], told["data"]["webhook"]["disabled_reason"]) == (
        made.webhook.webhook_id,
        "failing",
    )
    seen = await admin.get_webhook(GetWebhookRequest(webhook_id=made.webhook.webhook_id))
    assert (seen.status, seen.disabled_at is None) == (WebhookStatus.DISABLED, False)
    before = len(endpoint.at("/hook"))
    await tenant.hears("created", tenant.task())
    assert len(endpoint.at("/hook")) == before
    with pytest.raises(FailedPrecondition, match="disabled"):
        await admin.redeliver(RedeliverRequest(webhook_id=seen.webhook_id))

    endpoint.statuses.clear()
    on = UpdateWebhookRequest(webhook_id=seen.webhook_id, status=WebhookStatus.ACTIVE, version=seen.version)
    assert (await admin.update_webhook(on)).disabled_reason is None
    count = (await admin.redeliver(RedeliverRequest(webhook_id=seen.webhook_id))).deliveries
    assert count >= 1
    await arrived(endpoint, count=before + count)


async def test_gone_means_gone(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    endpoint.statuses["/hook"] = 410
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())

    async def is_off() -> bool:
        seen = await admin.get_webhook(GetWebhookRequest(webhook_id=made.webhook.webhook_id))
        return (seen.status, seen.disabled_reason) == (WebhookStatus.DISABLED, "gone")

    await eventually(is_off, timeout=30)
    assert len(endpoint.at("/hook")) == 1


async def test_a_delivery_is_sent_again_on_demand(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    delivered = await standing(admin, made.webhook, DeliveryStatus.DELIVERED)
    again = RedeliverRequest(webhook_id=made.webhook.webhook_id, delivery_ids=[delivered.delivery_id])
    assert (await admin.redeliver(again)).deliveries == 1
    first, second = await arrived(endpoint, count=2)
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


async def test_what_a_crash_left_behind_is_sent_again_under_the_same_id(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    """A process that died after sending has written nothing down, and its lease ends by itself."""
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    await standing(admin, made.webhook, DeliveryStatus.DELIVERED)
    lane = f"webhook:{made.webhook.webhook_id}"
    await world.rows(
        "update lanes set due_at = now(), leased_until = now() + interval '1 second' where lane = $1", lane
    )
    await world.rows("update deliveries set status = 'pending', next_try_at = now() where lane = $1", lane)
    first, second = await arrived(endpoint, count=2)
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


async def test_a_lane_is_leased_for_seconds_and_for_longer_only_while_somebody_attends_to_it(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    """So that a process that is killed holds nothing up for long, and a slow receiver is not asked twice."""
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    await standing(admin, made.webhook, DeliveryStatus.DELIVERED)
    lane = Lane(tenant.id, f"webhook:{made.webhook.webhook_id}")
    await world.rows("update lanes set leased_until = now() + interval '5 seconds' where lane = $1", lane.name)
    await world.deliverer._deliveries.renew(lane)
    [held] = await world.rows("select leased_until - now() as rest from lanes where lane = $1", lane.name)
    assert timedelta(seconds=5) < held["rest"] <= timedelta(seconds=20)
    await world.rows("update lanes set leased_until = null where lane = $1", lane.name)
    await world.deliverer._deliveries.renew(lane)
    assert (await world.rows("select leased_until from lanes where lane = $1", lane.name))[0]["leased_until"] is None


async def test_the_log_has_pages_and_a_filter(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    made = await registered(admin, endpoint)
    for _ in range(3):
        await tenant.tells("created", tenant.task())
    await arrived(endpoint, count=3)
    asked = {"webhook_id": made.webhook.webhook_id, "page_size": 2}
    page = await admin.list_deliveries(ListDeliveriesRequest(**asked))
    rest = await admin.list_deliveries(ListDeliveriesRequest(**asked, page_token=page.next_page_token))
    found = [*page.deliveries, *rest.deliveries]
    assert len({one.delivery_id for one in found}) == 3
    assert rest.next_page_token is None
    assert found == sorted(found, key=lambda one: one.created_at, reverse=True)
    failed = await admin.list_deliveries(ListDeliveriesRequest(**asked, status=DeliveryStatus.FAILED))
    assert failed.deliveries == []


async def test_a_redirect_is_not_followed(tenant: Tenant, admin: Reader, endpoint: Endpoint) -> None:
    endpoint.statuses["/hook"] = 307
    endpoint.headers["location"] = f"{endpoint.url}/elsewhere"
    made = await registered(admin, endpoint)
    await tenant.tells("created", tenant.task())
    await arrived(endpoint)
    waiting = await standing(admin, made.webhook, DeliveryStatus.PENDING)
    assert waiting.error == "redirect: not followed"
    assert endpoint.at("/elsewhere") == []


async def test_a_repeated_request_makes_no_second_webhook_and_shows_no_secret(
    admin: Reader, endpoint: Endpoint
) -> None:
    request = CreateWebhookRequest(url=endpoint.url)
    made = await admin.create_webhook(request, request_id="once")
    again = await admin.create_webhook(request, request_id="once")
    assert (again.webhook, again.secret) == (made.webhook, "")
    assert (await admin.list_webhooks(ListWebhooksRequest())).webhooks == [made.webhook]


async def test_secrets_stand_in_no_table(world: World, admin: Reader, endpoint: Endpoint) -> None:
    made = await registered(admin, endpoint)
    for table in ("webhooks", "request_keys", "outbox"):
        rows = await world.rows(f"select t::text as line from {table} t")
        assert not [row for row in rows if made.secret.removeprefix("whsec_") in row["line"]]


async def test_what_is_removed_is_told_nothing_more(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    made = await registered(admin, endpoint)
    with pytest.raises(VersionMismatch):
        await admin.delete_webhook(DeleteWebhookRequest(webhook_id=made.webhook.webhook_id, version=7))
    await admin.delete_webhook(DeleteWebhookRequest(webhook_id=made.webhook.webhook_id, version=1))
    await tenant.hears("created", tenant.task())
    assert endpoint.arrived == []
    with pytest.raises(NotFound):
        await admin.get_webhook(GetWebhookRequest(webhook_id=made.webhook.webhook_id))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"events": ["task.exploded"]}, "events[0]"),
        ({"events": ["identity.mail_link_created"]}, "events[0]"),
        ({"description": "x" * 201}, "description"),
        ({"url": "ftp://example.com"}, "url"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    admin: Reader, endpoint: Endpoint, body: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await admin.create_webhook(CreateWebhookRequest(**{"url": endpoint.url, **body}))
    assert refused.value.errors[0].path == path


async def test_webhooks_are_for_the_admins_of_the_tenant(
    world: World, tenant: Tenant, admin: Reader, endpoint: Endpoint
) -> None:
    made = await registered(admin, endpoint)
    webhook_id = made.webhook.webhook_id
    member, other = tenant.person(), world.tenant().reader("user", "user_admin", "admin")

    async def refused(reader: Reader) -> list[type[Error]]:
        calls = [
            reader.get_webhook(GetWebhookRequest(webhook_id=webhook_id)),
            reader.update_webhook(UpdateWebhookRequest(webhook_id=webhook_id, description="mine")),
            reader.rotate_webhook_secret(RotateWebhookSecretRequest(webhook_id=webhook_id)),
            reader.list_deliveries(ListDeliveriesRequest(webhook_id=webhook_id)),
            reader.redeliver(RedeliverRequest(webhook_id=webhook_id)),
            reader.delete_webhook(DeleteWebhookRequest(webhook_id=webhook_id)),
        ]
        said = await asyncio.gather(*calls, return_exceptions=True)
        return [type(one) for one in said if isinstance(one, Error)]

    assert await refused(member) == [PermissionDenied] * 6
    assert await refused(other) == [NotFound] * 6
    for call in (
        member.create_webhook(CreateWebhookRequest(url=endpoint.url)),
        member.list_webhooks(ListWebhooksRequest()),
    ):
        with pytest.raises(PermissionDenied):
            await call
    assert (await other.list_webhooks(ListWebhooksRequest())).webhooks == []
    await world.tenant().tells("created", world.tenant().task())
    assert await admin.get_webhook(GetWebhookRequest(webhook_id=webhook_id)) == made.webhook

"""Deliveries that are kept no longer, and a person who is erased: what was theirs goes, what is others' stays."""

from datetime import UTC, datetime, timedelta

import pytest
from notification_world import Tenant, World, world
from orkestra.v1.notification import EraseMessagesRequest, ForgetDeliveriesRequest, PutPreferencesRequest
from orkestra.wire import PermissionDenied

__all__ = ["world"]

DELIVERY = """
insert into deliveries (tenant_id, delivery_id, lane, cause, event_id, event_type, content, status, created_at)
values ($1, $2, $3, $2, 'e', $4, $5, $6, $7) returning 1
"""
OLD = datetime.now(UTC) - timedelta(days=40)


async def deliver(
    world: World, tenant: Tenant, name: str, *, lane: str = "webhook:w", event: str = "task.created", **fields: object
) -> None:
    """Write a delivery, behind the service."""
    content, status = fields.get("content", "{}"), fields.get("status", "delivered")
    await world.rows(DELIVERY, tenant.id, name, lane, event, content, status, fields.get("at", OLD))


async def deliveries(world: World, tenant: Tenant) -> set[str]:
    rows = await world.rows("select delivery_id from deliveries where tenant_id = $1", tenant.id)
    return {row["delivery_id"] for row in rows}


async def test_old_deliveries_that_ended_are_forgotten_and_nothing_else(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    for one in (tenant, other):
        await deliver(world, one, "old")
        await deliver(world, one, "tried", status="pending")
        await deliver(world, one, "young", at=datetime.now(UTC))
    request = ForgetDeliveriesRequest(created_before=datetime.now(UTC) - timedelta(days=30))
    gone = await tenant.reader("service", "service", "system").forget_deliveries(request)
    assert (gone.forgotten, gone.more) == (1, False)
    assert await deliveries(world, tenant) == {"tried", "young"}
    assert await deliveries(world, other) == {"old", "tried", "young"}


async def test_what_a_person_was_told_and_what_others_were_told_of_them_is_erased(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    for person in (ana, ben):
        subject = person.id
        await deliver(world, tenant, f"mail-{subject}", lane=f"email:user:{subject}")
        told = f'{{"data": {{"user": {{"user_id": "{subject}"}}}}}}'
        await deliver(world, tenant, f"hook-{subject}", event="identity.user_changed", content=told)
        ended = f'{{"data": {{"actor": "{subject}"}}}}'
        await deliver(world, tenant, f"end-{subject}", event="task.cancelled", content=ended)
        await person.put_preferences(PutPreferencesRequest(rules=[]), request_id="once")
    service = tenant.reader("service", "service", "system")
    erased = await service.erase_messages(EraseMessagesRequest(user_id=ana.id, version=2))
    assert (erased.erased >= 5, erased.more) == (True, False)
    left = await deliveries(world, tenant)
    assert left == {f"{kind}-{ben.id}" for kind in ("mail", "hook", "end")}
    owners = await world.rows("select owner from preferences where tenant_id = $1", tenant.id)
    assert [row["owner"] for row in owners] == [f"user:{ben.id}"]
    again = await service.erase_messages(EraseMessagesRequest(user_id=ana.id, version=2))
    assert (again.erased, again.more) == (0, False)


async def test_only_the_installations_own_service_forgets_and_erases(world: World) -> None:
    tenant = world.tenant()
    for caller in (
        tenant.reader("user", "user_boss", "admin"),
        tenant.reader("service", "key_shop", "system"),
        tenant.reader("service", "worker", "worker"),
    ):
        for call in (
            caller.forget_deliveries(ForgetDeliveriesRequest(created_before=OLD)),
            caller.erase_messages(EraseMessagesRequest(user_id="user_boss", version=2)),
        ):
            with pytest.raises(PermissionDenied):
                await call

"""A person's feed: pages newest first, how much is unread, marking as read, and who has none."""

from datetime import UTC, datetime

import pytest
from notification_world import Reader, Tenant, World, world
from orkestra.v1.notification import ListNotificationsRequest, ListNotificationsResponse, MarkNotificationsReadRequest
from orkestra.wire import InvalidArgument, PermissionDenied

__all__ = ["world"]


async def assigned(tenant: Tenant, person: Reader, *titles: str) -> None:
    for title in titles:
        await tenant.tells("created", tenant.task(assignee=person.id, title=title))
        await tenant.world.settled()


async def fill(world: World, tenant: Tenant, person: Reader, count: int) -> None:
    """Write a long feed; all of one moment, so that only ids tell the entries apart."""
    await world.rows(
        "insert into notifications (tenant_id, notification_id, user_id, cause, kind, text, created_at) "
        "select $1, 'notification_' || lpad(n::text, 32, '0'), $2, n::text, 'mentioned', 'You.', $3 "
        "from generate_series(1, $4::int) as n",
        tenant.id,
        person.id,
        datetime.now(UTC),
        count,
    )


async def test_a_new_feed_is_empty(world: World) -> None:
    page = await world.tenant().person().list_notifications(ListNotificationsRequest())
    assert page == ListNotificationsResponse(notifications=[], unread=0)


async def test_the_newest_entry_comes_first(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await assigned(tenant, ana, "one", "two", "three")
    assert [entry.title for entry in await ana.feed()] == ["three", "two", "one"]


async def test_pages_hold_every_entry_once_also_where_new_ones_come_in_between(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await fill(world, tenant, ana, 25)
    seen: list[str] = []
    request = ListNotificationsRequest(page_size=10)
    while True:
        page = await ana.list_notifications(request)
        seen += [entry.notification_id for entry in page.notifications]
        if page.next_page_token is None:
            break
        await assigned(tenant, ana, "new")
        request = ListNotificationsRequest(page_size=10, page_token=page.next_page_token)
    assert seen == [f"notification_{number:032}" for number in range(25, 0, -1)]
    assert page.unread == 27


async def test_a_page_that_is_just_full_is_the_last(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await fill(world, tenant, ana, 2)
    assert (await ana.list_notifications(ListNotificationsRequest(page_size=2))).next_page_token is None


async def test_unread_entries_alone_can_be_listed(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await assigned(tenant, ana, "one", "two", "three")
    newest = (await ana.feed())[0]
    await ana.mark_notifications_read(MarkNotificationsReadRequest(notification_ids=[newest.notification_id]))
    page = await ana.list_notifications(ListNotificationsRequest(unread_only=True, page_size=1))
    assert ([entry.title for entry in page.notifications], page.unread) == (["two"], 2)
    page = await ana.list_notifications(ListNotificationsRequest(unread_only=True, page_token=page.next_page_token))
    assert [entry.title for entry in page.notifications] == ["one"]


async def test_unread_entries_are_counted_up_to_a_thousand(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await fill(world, tenant, ana, 1200)
    page = await ana.list_notifications(ListNotificationsRequest(page_size=200))
    assert (len(page.notifications), page.unread) == (200, 1000)


async def test_marking_returns_the_feed_as_it_then_is_and_keeps_the_first_time(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await assigned(tenant, ana, "one", "two")
    newest, oldest = await ana.feed()
    request = MarkNotificationsReadRequest(notification_ids=[oldest.notification_id])
    first = await ana.mark_notifications_read(request)
    assert [(entry.title, entry.read_at is None) for entry in first.notifications] == [("two", True), ("one", False)]
    assert first.unread == 1
    assert await ana.mark_notifications_read(request) == first
    assert newest.read_at is None


async def test_marking_without_ids_marks_everything(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    await assigned(tenant, ana, "one", "two")
    await assigned(tenant, ben, "three")
    assert (await ana.mark_notifications_read(MarkNotificationsReadRequest())).unread == 0
    assert await ana.shown() == [("assigned", False), ("assigned", False)]
    assert await ben.shown() == [("assigned", True)]


async def test_marking_twice_at_once_with_one_request_id_is_one_answer(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await assigned(tenant, ana, "one")
    first = await ana.mark_notifications_read(MarkNotificationsReadRequest(), request_id="mark-1")
    again = await ana.mark_notifications_read(MarkNotificationsReadRequest(), request_id="mark-1")
    assert again == first


async def test_a_feed_is_its_owners_only(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    admin = tenant.reader("user", "user_" + "b" * 32, "admin", "manager", "auditor")
    await assigned(tenant, ana, "one")
    [entry] = await ana.feed()
    await admin.mark_notifications_read(MarkNotificationsReadRequest(notification_ids=[entry.notification_id]))
    assert await admin.feed() == []
    assert await ana.feed() == [entry]


async def test_the_same_person_in_another_tenant_has_another_feed(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    ana = tenant.person()
    twin = other.reader("user", ana.id)
    await assigned(tenant, ana, "one")
    [entry] = await ana.feed()
    assert await twin.feed() == []
    for request in (
        MarkNotificationsReadRequest(notification_ids=[entry.notification_id]),
        MarkNotificationsReadRequest(),
    ):
        assert (await twin.mark_notifications_read(request)).unread == 0
    assert await ana.feed() == [entry]


@pytest.mark.parametrize("kind", ["agent", "service"])
async def test_programs_have_no_feed(world: World, kind: str) -> None:
    program = world.tenant().reader(kind, "key_" + "c" * 32, "agent" if kind == "agent" else "system")
    with pytest.raises(PermissionDenied) as listing:
        await program.list_notifications(ListNotificationsRequest())
    with pytest.raises(PermissionDenied) as marking:
        await program.mark_notifications_read(MarkNotificationsReadRequest())
    assert listing.value.reason == marking.value.reason == "FEED_FOR_PEOPLE_ONLY"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"page_size": 0}, "page_size"),
        ({"page_size": 201}, "page_size"),
        ({"page_token": "%%%"}, "page_token"),
        ({"page_token": "WyJub3doZXJlIiwgMV0"}, "page_token"),
        ({"page_token": "bnVsbA"}, "page_token"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_with_its_field(
    world: World, fields: dict[str, object], path: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await world.tenant().person().list_notifications(ListNotificationsRequest.model_validate(fields))
    assert [error.path for error in refused.value.errors] == [path]


async def test_more_entries_than_a_page_are_not_marked_at_once(world: World) -> None:
    ids = [f"notification_{number:032}" for number in range(201)]
    with pytest.raises(InvalidArgument) as refused:
        await world.tenant().person().mark_notifications_read(MarkNotificationsReadRequest(notification_ids=ids))
    assert [error.path for error in refused.value.errors] == ["notification_ids"]

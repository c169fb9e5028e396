"""E-mail from outside: events come in by the stream, mail arrives at a real SMTP server."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from notification_world import Reader, Tenant, World, after, world
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import MailLinkEvent, NotificationEvent, WorkflowEvent
from orkestra.v1.identity import MailLink, MailLinkPurpose, MailLinkToken, UserStatus
from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    MarkNotificationsReadRequest,
    NotificationKind,
    PutPreferencesRequest,
    QuietHours,
)
from orkestra.v1.task import Priority, TaskStatus
from orkestra.v1.workflow import Workflow, WorkflowStatus

__all__ = ["world"]


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


def mailed(tenant: Tenant, **fields: Any) -> tuple[Reader, str]:
    """A person and their address."""
    person = tenant.person()
    return person, tenant.user(person, **fields).email


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


async def lanes(world: World, tenant: Tenant) -> list[Any]:
    return await world.rows("select * from deliveries where tenant_id = $1 order by created_at", tenant.id)


async def test_a_task_is_mailed_as_text_and_html(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant, name="Ana Example")
    task = tenant.task(assignee=ana.id, title="<b>Refund</b> & more", priority=Priority.URGENT)
    await tenant.tells("assigned", task)
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == "<b>Refund</b> & more: A task was assigned to you."
    assert (mail["from"], mail["to"]) == ("Orkestra <orkestra@example.com>", f"Ana Example <{address}>")
    assert mail["auto-submitted"] == "auto-generated"
    assert "Hello Ana Example," in text_of(mail)
    assert f"https://orkestra.example/tasks/{task.task_id}" in text_of(mail)
    assert "&lt;b&gt;Refund&lt;/b&gt; &amp; more" in html_of(mail)
    assert "<b>Refund" not in html_of(mail)
    assert "Urgent" in html_of(mail)
    [kept] = await lanes(world, tenant)
    assert (kept["lane"], kept["attempts"]) == (f"email:user:{ana.id}", 1)
    assert mail["message-id"] == f"<{kept['delivery_id']}@example.com>"


@pytest.mark.parametrize(
    ("locale", "subject", "label"),
    [
        ("de-AT", "Rückgabe: Ihnen wurde eine Aufgabe zugewiesen.", "Aufgabe öffnen"),
        ("fr", "Rückgabe: Une tâche vous a été attribuée.", "Ouvrir la tâche"),
        ("ja", "Rückgabe: A task was assigned to you.", "Open the task"),
    ],
)
async def test_mail_speaks_the_persons_language(
    world: World, tenant: Tenant, locale: str, subject: str, label: str
) -> None:
    ana, address = mailed(tenant, locale=locale)
    await tenant.tells("assigned", tenant.task(assignee=ana.id, title="Rückgabe"))
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == subject
    assert label in text_of(mail)


async def test_mail_follows_a_language_that_is_changed(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant, locale="fr")
    await tenant.tells("assigned", tenant.task(assignee=ana.id, title="Un"))
    await world.mailbox.arrived(address)
    await tenant.tells_person(ana, UserStatus.ACTIVE, version=2, email=address, locale="de")

    async def is_known() -> bool:
        rows = await world.rows("select locale from people where user_id = $1", ana.id)
        return [row["locale"] for row in rows] == ["de"]

    await eventually(is_known, timeout=30)
    await tenant.tells("assigned", tenant.task(assignee=ana.id, title="Zwei"))
    mails = await world.mailbox.arrived(address, 2)
    assert [mail["subject"] for mail in mails] == [
        "Un: Une tâche vous a été attribuée.",
        "Zwei: Ihnen wurde eine Aufgabe zugewiesen.",
    ]


async def test_a_title_breaks_no_header(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant, name="Ana\r\nBcc: eve@example.com")
    await tenant.tells("assigned", tenant.task(assignee=ana.id, title="x\r\nBcc: eve@example.com\r\n\r\nhello"))
    [mail] = await world.mailbox.arrived(address)
    assert mail["bcc"] is None
    assert mail["subject"].startswith("x Bcc: eve@example.com hello")


async def test_one_thing_is_one_mail_however_many_rules_match_and_however_often_it_is_heard(
    world: World, tenant: Tenant
) -> None:
    ana, address = mailed(tenant)
    tenant.group("support-l1", ana)
    tenant.group("support-l2", ana)
    task = tenant.task(candidate_groups=["support-l1", "support-l2"], candidate_users=[ana.id])
    await tenant.hears("created", task)
    await tenant.hears("created", task)
    done = after(task, status=TaskStatus.COMPLETED, requested_by=ana.id, on_behalf_of=ana.id)
    await tenant.hears("completed", done)
    await world.mailbox.arrived(address, 2)
    assert [mail["subject"].rpartition(": ")[2] for mail in world.mailbox.to(address)] == [
        "A task is offered to you.",
        "What you asked for has been answered.",
    ]


async def test_what_the_server_refuses_for_now_is_tried_again_and_for_good_is_not(world: World, tenant: Tenant) -> None:
    (ana, address), (ben, nowhere) = mailed(tenant), mailed(tenant)
    world.mailbox.refuse(address, "451 4.3.0 come again later")
    world.mailbox.refuse(nowhere, "550 5.1.1 no such user")
    for one in (ana, ben):
        await tenant.tells("assigned", tenant.task(assignee=one.id))

    async def settled() -> bool:
        rows = {row["lane"]: row for row in await lanes(world, tenant)}
        return {lane: row["status"] for lane, row in rows.items()} == {
            f"email:user:{ana.id}": "pending",
            f"email:user:{ben.id}": "failed",
        } and rows[f"email:user:{ana.id}"]["attempts"] >= 1

    await eventually(settled, timeout=20)
    world.mailbox.take(address)
    assert len(await world.mailbox.arrived(address)) == 1
    rows = {row["lane"]: row for row in await lanes(world, tenant)}
    assert (rows[f"email:user:{ben.id}"]["attempts"], rows[f"email:user:{ben.id}"]["response_status"]) == (1, 550)
    told = await world.rows(
        "select payload from outbox where subject = $1", f"orkestra.v1.{tenant.id}.notification.failed"
    )
    assert [NotificationEvent.model_validate_json(row["payload"]).user_id for row in told] == [ben.id]


async def test_a_disabled_person_is_not_written_to(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant)
    await tenant.tells_person(ana, UserStatus.DISABLED, version=2)
    await world.settled()
    await tenant.hears("assigned", tenant.task(assignee=ana.id))
    assert await lanes(world, tenant) == []
    assert world.mailbox.to(address) == []


async def test_a_person_chooses_what_goes_where(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant)
    rules = [
        ChannelRule(kind=NotificationKind.ASSIGNED, channels=[Channel.EMAIL]),
        ChannelRule(kind=NotificationKind.MENTIONED, channels=[Channel.IN_APP]),
        ChannelRule(kind=NotificationKind.ANSWERED, channels=[]),
    ]
    await ana.put_preferences(PutPreferencesRequest(rules=rules))
    task = tenant.task(assignee=ana.id, requested_by=ana.id)
    await tenant.tells("mentioned", task, mentioned=[ana])
    await tenant.tells("completed", after(task, status=TaskStatus.COMPLETED))
    await tenant.hears("assigned", tenant.task(assignee=ana.id))
    await world.mailbox.arrived(address)
    assert [mail["subject"].rpartition(": ")[2] for mail in world.mailbox.to(address)] == [
        "A task was assigned to you."
    ]
    assert {kind for kind, is_unread in await ana.shown() if is_unread} == {"mentioned"}


async def test_a_digest_is_one_mail_and_leaves_out_what_was_read(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant)
    await ana.put_preferences(PutPreferencesRequest(digest_minutes=1440))
    for title in ("First", "Second", "Third"):
        await tenant.hears("assigned", tenant.task(assignee=ana.id, title=title))
    rows = await lanes(world, tenant)
    assert len({row["next_try_at"] for row in rows}) == 1
    assert rows[0]["next_try_at"] > datetime.now(UTC)
    second = next(entry for entry in await ana.feed() if entry.title == "Second")
    await ana.mark_notifications_read(MarkNotificationsReadRequest(notification_ids=[second.notification_id]))
    assert world.mailbox.to(address) == []
    await world.rows("update deliveries set next_try_at = now() where tenant_id = $1", tenant.id)
    await world.rows("update lanes set due_at = now() where tenant_id = $1", tenant.id)
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == "2 things are new"
    assert ("First" in text_of(mail), "Second" in text_of(mail), "Third" in text_of(mail)) == (True, False, True)

    async def skipped() -> bool:
        return sorted(row["status"] for row in await lanes(world, tenant)) == ["delivered", "delivered", "skipped"]

    await eventually(skipped, timeout=10)


async def test_quiet_hours_hold_mail_back_and_what_is_urgent_breaks_through(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant, time_zone="Asia/Tokyo")
    now = datetime.now(UTC) + timedelta(hours=9)
    quiet = QuietHours(begins=f"{now - timedelta(hours=2):%H:%M}", ends=f"{now + timedelta(hours=2):%H:%M}")
    await ana.put_preferences(PutPreferencesRequest(quiet_hours=quiet))
    await tenant.tells_person(ana, UserStatus.ACTIVE, version=2, time_zone="Asia/Tokyo")
    await world.settled()
    await tenant.hears("assigned", tenant.task(assignee=ana.id, title="Later"))
    await tenant.hears("assigned", tenant.task(assignee=ana.id, title="Now", priority=Priority.URGENT))
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"].startswith("Now")
    [waiting] = [row for row in await lanes(world, tenant) if row["status"] == "pending"]
    assert timedelta(hours=1, minutes=30) < waiting["next_try_at"] - datetime.now(UTC) <= timedelta(hours=2)
    assert len(await ana.feed()) == 2


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        (MailLinkPurpose.INVITATION, "You are invited to Orkestra"),
        (MailLinkPurpose.PASSWORD_RESET, "Set a new password for Orkestra"),
    ],
)
async def test_links_to_set_a_password_are_mailed_and_their_secret_is_kept_nowhere(
    world: World, tenant: Tenant, purpose: MailLinkPurpose, subject: str
) -> None:
    ana, address = mailed(tenant)
    await ana.put_preferences(PutPreferencesRequest(digest_minutes=1440))
    now = datetime.now(UTC)
    link = MailLink(
        link_id=f"link_{ana.id.removeprefix('user_')}",
        tenant_id=tenant.id,
        user_id=ana.id,
        purpose=purpose,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    token = f"orl_{link.link_id}"
    world.identity.links[link.link_id] = MailLinkToken(link=link, token=token, user=tenant.user(ana))
    await tenant.emit("identity", "mail_link_created", MailLinkEvent(link=link), key=link.link_id, version=1)
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == subject
    assert f"https://orkestra.example/password/{token}" in text_of(mail)
    for table in ("deliveries", "outbox", "notifications"):
        rows = await world.rows(f"select t::text as line from {table} t")
        assert not [row for row in rows if token in row["line"]]


async def test_a_link_that_was_used_meanwhile_is_not_mailed(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant)
    now = datetime.now(UTC)
    link = MailLink(
        link_id="link_gone",
        tenant_id=tenant.id,
        user_id=ana.id,
        purpose=MailLinkPurpose.INVITATION,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    await tenant.emit("identity", "mail_link_created", MailLinkEvent(link=link), key=link.link_id, version=1)

    async def skipped() -> bool:
        return [row["status"] for row in await lanes(world, tenant)] == ["skipped"]

    await eventually(skipped, timeout=20)
    assert world.mailbox.to(address) == []


async def test_whoever_started_a_run_is_told_how_it_ended(world: World, tenant: Tenant) -> None:
    ana, address = mailed(tenant)
    now = datetime.now(UTC)
    run = Workflow(
        workflow_id="wf_1",
        definition="refund",
        version=1,
        status=WorkflowStatus.FAILED,
        started_at=now,
        tenant_id=tenant.id,
        requested_by="key_1",
        on_behalf_of=ana.id,
        resource_version=3,
        updated_at=now,
    )
    for _ in range(2):
        await tenant.emit("workflow", "failed", WorkflowEvent(workflow=run), key=run.workflow_id, version=3)
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == "refund: A workflow that you started has failed."
    assert "https://orkestra.example/workflows/wf_1" in text_of(mail)
    await world.settled()
    [entry] = await ana.feed()
    assert (entry.kind, entry.workflow_id, entry.title) == (NotificationKind.RESULT, "wf_1", "refund")


@pytest.mark.parametrize(
    ("event", "kind", "fields"),
    [
        ("sla_breached", "breached", {}),
        ("changes_requested", "changes", {"status": TaskStatus.WAITING}),
        ("answered", "changes", {}),
    ],
)
async def test_the_rules_of_the_house(
    world: World, tenant: Tenant, event: str, kind: str, fields: dict[str, Any]
) -> None:
    ana, lee = tenant.person(), tenant.person()
    task = tenant.task(**{"assignee": ana.id, "requested_by": lee.id, "status": TaskStatus.CLAIMED, **fields})
    await tenant.hears(event, task)
    told = lee if event == "changes_requested" else ana
    assert await told.shown() == [(kind, True)]

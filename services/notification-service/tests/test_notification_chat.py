"""Slack and Microsoft Teams: what is sent keeps to the limits that they document, and what a tenant writes is text."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notification_world import Tenant, World, stepped, world
from orkestra.notification_service.channels import slack, teams
from orkestra.notification_service.channels.writing import Item, Link, Message
from orkestra.testkit.waiting import eventually
from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    GetPreferencesRequest,
    NotificationKind,
    PutPreferencesRequest,
    QuietHours,
)
from orkestra.v1.task import EscalationStep
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied, VersionMismatch, dumps
from webhook_endpoint import Arrived, Endpoint, listening

__all__ = ["world"]

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=3000)
links = st.builds(Link, st.just("Open the task"), st.just("https://orkestra.example/tasks/task_1"))
items = st.builds(
    Item,
    texts,
    st.none() | texts.map(lambda text: text[:200]),
    st.none() | st.just("Urgent"),
    st.lists(links, max_size=2).map(tuple),
)
messages = st.builds(
    Message, st.just("en"), texts, st.none(), st.lists(items, min_size=1, max_size=20).map(tuple), st.just(("Note.",))
)


@given(messages)
@settings(max_examples=40, deadline=None)
def test_slack_gets_no_more_than_it_takes(message: Message) -> None:
    """docs.slack.dev: 50 blocks, header 150, section text 3000, context element 2000 characters, text 4000."""
    sent = slack.payload(message)
    assert 1 <= len(sent["blocks"]) <= 50
    assert 1 <= len(sent["text"]) <= 4000
    for block in sent["blocks"]:
        match block["type"]:
            case "header":
                assert block["text"]["type"] == "plain_text"
                assert 1 <= len(block["text"]["text"]) <= 150
            case "section":
                assert 1 <= len(block["text"]["text"]) <= 3000
            case "context":
                assert len(block["elements"]) <= 10
                assert all(1 <= len(one["text"]) <= 2000 for one in block["elements"])
            case other:
                pytest.fail(f"a block of the type {other}")


@given(messages)
@settings(max_examples=40, deadline=None)
def test_teams_gets_no_more_than_it_takes(message: Message) -> None:
    """learn.microsoft.com: a message of a webhook has at most 28 KB; a card of version 1.4 at most."""
    sent = teams.payload(message)
    assert len(dumps(sent).encode()) <= 28_000
    [attachment] = sent["attachments"]
    assert (attachment["contentType"], attachment["content"]["version"]) == (teams.CARD, "1.4")


def test_what_a_tenant_writes_is_text_and_no_markup_in_slack() -> None:
    title = "<!channel> *bold* <https://evil.example|click> &amp; :smile:"
    sent = slack.payload(Message("en", title, None, (Item("Sent <@U1>", title, None, ()),)))
    assert sent["text"].startswith("&lt;!channel&gt; *bold* &lt;https://evil.example|click&gt; &amp;amp;")
    header, section = sent["blocks"]
    assert header["text"] == {"type": "plain_text", "text": title, "emoji": False}
    assert section["text"]["text"] == "Sent &lt;@U1&gt;"


def test_what_a_tenant_writes_is_text_and_no_markup_in_teams() -> None:
    title = "[click](https://evil.example) **bold**"
    sent = teams.payload(Message("en", title, None, (Item("x", title, None, ()),)))
    body = sent["attachments"][0]["content"]["body"]
    assert body[0] == {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": title, "weight": "Bolder", "size": "Medium"}],
    }


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with listening() as one:
        yield one


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


async def arrived(endpoint: Endpoint, path: str, count: int = 1) -> list[Arrived]:
    async def enough() -> list[Arrived] | None:
        found = endpoint.at(path)
        return found if len(found) >= count else None

    return await eventually(enough, timeout=30)


async def test_a_group_is_told_where_it_talks_in_its_language_and_once(
    world: World, tenant: Tenant, endpoint: Endpoint
) -> None:
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    manager = tenant.reader("user", "user_manager", "manager")
    await manager.put_preferences(
        PutPreferencesRequest(group_id="support-l1", slack_url=f"{endpoint.url}/slack", locale="de")
    )
    task = tenant.task(candidate_groups=["support-l1"], title="Rückgabe")
    await tenant.hears("created", task)
    await tenant.hears("created", task)
    [came] = await arrived(endpoint, "/slack")
    assert came.json["text"] == "Rückgabe: support-l1 hat eine neue Aufgabe."
    assert f"https://orkestra.example/tasks/{task.task_id}|Aufgabe öffnen" in came.json["blocks"][1]["text"]["text"]
    step = EscalationStep(after="1h", add_group="support-l1")
    await tenant.hears("escalated", stepped(task, step))
    [_, came] = await arrived(endpoint, "/slack", 2)
    assert came.json["text"] == "Rückgabe: Eine Aufgabe wurde an support-l1 eskaliert."


async def test_a_person_is_told_in_teams_by_choice(world: World, tenant: Tenant, endpoint: Endpoint) -> None:
    ana = tenant.person()
    tenant.user(ana, name="Ana Example")
    rule = ChannelRule(kind=NotificationKind.ASSIGNED, channels=[Channel.TEAMS])
    await ana.put_preferences(PutPreferencesRequest(rules=[rule], teams_url=f"{endpoint.url}/teams"))
    await tenant.hears("assigned", tenant.task(assignee=ana.id, title="Refund"))
    [came] = await arrived(endpoint, "/teams")
    assert came.json["attachments"][0]["content"]["body"][0]["inlines"][0]["text"] == (
        "Refund: A task was assigned to you."
    )
    rows = await world.rows("select lane from deliveries where tenant_id = $1", tenant.id)
    assert [row["lane"] for row in rows] == [f"teams:user:{ana.id}"]


async def test_addresses_of_chats_are_kept_sealed_and_shown_by_their_host(
    world: World, tenant: Tenant, endpoint: Endpoint
) -> None:
    ana = tenant.person()
    url = f"{endpoint.url}/services/T0/B0/verysecret"
    put = await ana.put_preferences(PutPreferencesRequest(slack_url=url), request_id="once")
    assert (put.slack_host, put.teams_host, put.version) == ("127.0.0.1", None, 1)
    assert await ana.get_preferences(GetPreferencesRequest()) == put
    for table in ("preferences", "request_keys", "outbox", "deliveries"):
        rows = await world.rows(f"select t::text as line from {table} t")
        assert not [row for row in rows if "verysecret" in row["line"]]
    kept = await ana.put_preferences(PutPreferencesRequest(digest_minutes=10, version=1))
    assert (kept.slack_host, kept.digest_minutes) == ("127.0.0.1", 10)
    gone = await ana.put_preferences(PutPreferencesRequest(slack_url="", version=2))
    assert (gone.slack_host, gone.digest_minutes) == (None, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"digest_minutes": 0}, "digest_minutes"),
        ({"digest_minutes": 1441}, "digest_minutes"),
        ({"quiet_hours": QuietHours(begins="22:00", ends="25:00")}, "quiet_hours.ends"),
        ({"quiet_hours": QuietHours(begins="22:00", ends="22:00")}, "quiet_hours.ends"),
        ({"locale": "de"}, "locale"),
        ({"slack_url": "https://10.0.0.1/hook"}, "url"),
        (
            {"rules": [ChannelRule(kind=NotificationKind.ASSIGNED, channels=[])] * 2},
            "rules[1].kind",
        ),
    ],
)
async def test_wishes_that_cannot_be_kept_are_refused(tenant: Tenant, body: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tenant.person().put_preferences(PutPreferencesRequest(**body))
    assert refused.value.errors[0].path == path


async def test_preferences_belong_to_their_owner(world: World, tenant: Tenant) -> None:
    ana, agent = tenant.person(), tenant.reader("agent", "key_1", "agent")
    member = tenant.reader("user", "user_member", groups=["support-l1"])
    manager = tenant.reader("user", "user_manager", "manager")
    tenant.group("support-l1", member)
    put = await manager.put_preferences(PutPreferencesRequest(group_id="support-l1", digest_minutes=5))
    assert await member.get_preferences(GetPreferencesRequest(group_id="support-l1")) == put
    elsewhere = world.tenant().reader("user", "user_manager", "manager")
    usual = await elsewhere.get_preferences(GetPreferencesRequest(group_id="support-l1"))
    assert (usual.owner, usual.version, usual.digest_minutes) == ("group:support-l1", 0, None)
    goes = {rule.kind: rule.channels for rule in usual.rules}
    assert goes.keys() == {*NotificationKind}
    assert (goes[NotificationKind.GROUP_TASK], goes[NotificationKind.RESULT]) == ([Channel.SLACK, Channel.TEAMS], [])
    for call in (
        ana.get_preferences(GetPreferencesRequest(group_id="support-l1")),
        member.put_preferences(PutPreferencesRequest(group_id="support-l1")),
        agent.get_preferences(GetPreferencesRequest()),
    ):
        with pytest.raises(PermissionDenied):
            await call
    with pytest.raises(VersionMismatch):
        await manager.put_preferences(PutPreferencesRequest(group_id="support-l1", version=7))
    with pytest.raises(NotFound) as unknown:
        await manager.put_preferences(PutPreferencesRequest(group_id="nobody"))
    assert unknown.value.reason == "GROUP_NOT_FOUND"

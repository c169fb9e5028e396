"""Links in e-mail and chat, end to end: real messages by SMTP and to a Slack address, and the pages that they open."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from dashboard_rooms import Rooms, running_rooms
from html_forms import controls_of
from notification_world import Reader, Tenant, World, running
from orkestra.chassis import grpc
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.http import HttpServer
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.dashboard.routes import Door, Live, build_app
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import TaskEvent
from orkestra.v1.identity import IdentityServiceClient, User
from orkestra.v1.notification import NotificationServiceClient, PutPreferencesRequest
from orkestra.v1.task import ApprovalPolicy, Task, TaskServiceClient, TaskStatus
from orkestra.v1.workflow import WorkflowServiceClient
from webhook_endpoint import Endpoint, listening

GROUP = "support-l1"
LINK = re.compile(r"https?://[^\s\"'<>|\\]+")
OUTCOMES = {
    "version": 1,
    "fields": {"note": {"type": "text"}},
    "outcomes": [{"key": "approve", "label": "Approve"}, {"key": "reject", "label": "Reject", "style": "danger"}],
}


@dataclass(frozen=True)
class Seat:
    """A person who gets messages and may sign in."""

    user: User
    reader: Reader
    session: str


@dataclass
class Office:
    """A notification-service that really sends, and a dashboard before it with people and tasks in memory."""

    world: World
    rooms: Rooms
    base: str
    chat: Endpoint

    def person(self, tenant: Tenant, name: str, *groups: str) -> Seat:
        user = self.rooms.identity.person(name, tenant.id, *groups)
        self.world.identity.add_user(user)
        return Seat(user, tenant.reader("user", user.user_id, groups=groups), self.rooms.identity.session(user))

    async def asks(self, tenant: Tenant, **fields: Any) -> Task:
        """An agent asks, and notification-service hears of it."""
        task = await self.rooms.tasks.open(tenant.id, **{"title": "Refund order 2041?", "form": OUTCOMES, **fields})
        told = task.model_copy(update=dict.fromkeys(("form", "context", "description", "input")))
        await tenant.tells("created", TaskEvent(task=told, audience=[]).task)
        return task

    @asynccontextmanager
    async def browser(self, seat: Seat | None) -> AsyncIterator[httpx.AsyncClient]:
        cookies = {} if seat is None else {"orkestra_session": seat.session}
        async with httpx.AsyncClient(base_url=self.base, cookies=cookies, timeout=20) as http:
            yield http

    def here(self, link: str) -> str:
        return link.replace("https://orkestra.example", self.base)


@pytest.fixture(scope="module")
async def office(postgres: str, nats_url: str, migrated: Callable[..., Awaitable[Schema]]) -> AsyncIterator[Office]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with running(postgres, nats_url) as world, running_rooms(world.signer, nats_url) as rooms:
        database = await Database.connect(schema.app_url, schema="dashboard")
        async with grpc.channel(rooms.address) as channel, listening() as chat:
            memory = dict.fromkeys((IdentityServiceClient, TaskServiceClient, WorkflowServiceClient), channel)
            door = Door(
                rooms={**memory, NotificationServiceClient: world.channel},
                credentials=CredentialCache(channel),
                limits=RateLimits(database),
                per_address=Limit("address", 1_000_000, 60),
                live=Live(world.stream, channel, drain := Drain()),
                drain=drain,
                csrf_key=b"a key of thirty-two characters!!",
                cookie_secure=False,
                body_limit=64 * 1024,
            )
            server = HttpServer(build_app(door), host="127.0.0.1", port=0, drain_seconds=1)
            await server.start()
            try:
                yield Office(world, rooms, f"http://127.0.0.1:{server.port}", chat)
            finally:
                await server.stop()
        await database.close()


def links_of(mail: EmailMessage) -> list[str]:
    """Every address in any part of a mail."""
    parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    return sorted({link for part in parts for link in LINK.findall(part)})


def confirm_link(links: list[str]) -> str:
    return next(link for link in links if "/confirm/" in link)


async def mail_link(office: Office, seat: Seat) -> str:
    [mail] = await office.world.mailbox.arrived(seat.user.email)
    return office.here(confirm_link(links_of(mail)))


async def state(office: Office, task: Task, *seats: Seat) -> Any:
    """All that somebody who decides, claims, reads or uses a link would change."""
    used = await office.world.rows("select delivery_id, used_at from deliveries order by delivery_id")
    feeds = [await seat.reader.shown() for seat in seats]
    return office.rooms.tasks.tasks[task.task_id], used, feeds


async def test_a_robot_that_opens_every_link_of_every_message_changes_nothing(office: Office) -> None:
    tenant = office.world.tenant()
    ana, ben = office.person(tenant, "Ana Example", GROUP), office.person(tenant, "Ben Example", GROUP)
    tenant.group(GROUP, ana.reader, ben.reader)
    manager = tenant.reader("user", "user_manager", "manager", groups=[GROUP])
    for request in (
        PutPreferencesRequest(group_id=GROUP, slack_url=f"{office.chat.url}/slack"),
        PutPreferencesRequest(slack_url=f"{office.chat.url}/ana", teams_url=f"{office.chat.url}/teams"),
    ):
        await (manager if request.group_id else ana.reader).put_preferences(request)
    task = await office.asks(tenant, candidate_groups=[GROUP], candidate_users=[ana.user.user_id])
    again = await office.asks(tenant, candidate_groups=[GROUP], title="Only for the group")
    [mail] = await office.world.mailbox.arrived(ana.user.email)
    said = [links_of(mail)]
    for path, count in (("/slack", 1), ("/ana", 1), ("/teams", 1)):
        said.append(await chat_links(office, path, count))
    links = sorted({office.here(link) for one in said for link in one if link.startswith("https://orkestra.example")})
    assert sum("/confirm/" in link for link in links) >= 4
    before = [await state(office, one, ana, ben) for one in (task, again)]
    for seat in (None, ana, ben):
        async with office.browser(seat) as robot:
            for link in links:
                for method in ("GET", "HEAD", "OPTIONS", "GET"):
                    answer = await robot.request(method, link, follow_redirects=method == "GET")
                    assert answer.status_code < 500, (method, link)
                await robot.get(f"{link}?outcome=approve&confirm=yes", follow_redirects=True)
    assert [await state(office, one, ana, ben) for one in (task, again)] == before


async def chat_links(office: Office, path: str, count: int) -> list[str]:
    await eventually(lambda: len(office.chat.at(path)) >= count, timeout=30)
    return sorted({link for one in office.chat.at(path) for link in LINK.findall(one.body.decode())})


async def test_a_person_decides_on_the_page_and_the_link_is_used_up(office: Office) -> None:
    tenant = office.world.tenant()
    ana = office.person(tenant, "Ana Example")
    task = await office.asks(tenant, candidate_users=[ana.user.user_id])
    link = await mail_link(office, ana)
    async with office.browser(ana) as browser:
        page = await browser.get(link)
        assert (page.status_code, "Refund order 2041?" in page.text) == (200, True)
        posted = {name: values[-1] for name, values in controls_of(page.text).posted.items()}
        done = await browser.post(link, data={**posted, "outcome": "approve"})
        assert (done.status_code, done.headers["location"]) == (303, f"/tasks/{task.task_id}")
        decided = office.rooms.tasks.tasks[task.task_id]
        assert (decided.status, decided.outcome, decided.completed_by) == (
            TaskStatus.COMPLETED,
            "approve",
            ana.user.user_id,
        )
        for answer in (await browser.get(link), await browser.post(link, data={**posted, "outcome": "reject"})):
            assert answer.status_code == 409
            assert "CONFIRMATION_USED" in answer.text
    assert office.rooms.tasks.tasks[task.task_id] == decided


async def test_a_vote_is_cast_with_a_link(office: Office) -> None:
    tenant = office.world.tenant()
    ana = office.person(tenant, "Ana Example")
    policy = ApprovalPolicy(required=1)
    task = await office.asks(tenant, candidate_users=[ana.user.user_id], form=None, approval_policy=policy)
    link = await mail_link(office, ana)
    async with office.browser(ana) as browser:
        posted = {name: one[-1] for name, one in controls_of((await browser.get(link)).text).posted.items()}
        refused = await browser.post(link, data={**posted, "outcome": "reject", "data.answer": " "})
        assert refused.status_code == 422
        done = await browser.post(link, data={**posted, "outcome": "reject", "data.answer": "Too much."})
        assert done.status_code == 303
    voted = office.rooms.tasks.tasks[task.task_id]
    assert (voted.outcome, voted.votes[0].data) == ("reject", {"answer": "Too much."})


async def test_a_link_works_for_nobody_but_its_recipient(office: Office) -> None:
    tenant, elsewhere = office.world.tenant(), office.world.tenant()
    ana, ben = office.person(tenant, "Ana Example"), office.person(tenant, "Ben Example", GROUP)
    eve = office.person(elsewhere, "Eve Example")
    task = await office.asks(tenant, candidate_users=[ana.user.user_id, ben.user.user_id])
    link = await mail_link(office, ana)
    for seat in (ben, eve):
        async with office.browser(seat) as browser:
            csrf = controls_of((await browser.get("/notifications")).text).posted.get("csrf", [""])[0]
            assert (await browser.get(link)).status_code == 404
            assert (await browser.post(link, data={"outcome": "approve", "csrf": csrf})).status_code in (403, 404)
    async with office.browser(None) as nobody:
        asked = await nobody.get(link)
        assert "/sign-in" in (asked.headers.get("location") or "") or asked.status_code == 401
    async with office.browser(ana) as browser:
        token = link.rpartition("/")[2]
        for spoiled in (token[:-2] + "AA", token.partition(".")[0], "x", token.upper()):
            assert (await browser.get(f"/confirm/{spoiled}")).status_code == 404
    assert office.rooms.tasks.tasks[task.task_id] == task


async def test_a_link_decides_on_the_version_that_its_message_was_about(office: Office) -> None:
    tenant = office.world.tenant()
    ana, ben = office.person(tenant, "Ana Example"), office.person(tenant, "Ben Example")
    task = await office.asks(tenant, candidate_users=[ana.user.user_id, ben.user.user_id])
    link = await mail_link(office, ana)
    async with office.browser(ana) as browser:
        posted = {name: one[-1] for name, one in controls_of((await browser.get(link)).text).posted.items()}
        moved = task.model_copy(update={"version": task.version + 1})
        office.rooms.tasks.tasks[task.task_id] = moved
        answer = await browser.post(link, data={**posted, "outcome": "approve"})
        assert (answer.status_code, "has changed since" in answer.text) == (409, True)
        assert 'name="outcome"' not in (await browser.get(link)).text
    assert office.rooms.tasks.tasks[task.task_id] == moved


async def test_a_link_grows_old(office: Office) -> None:
    tenant = office.world.tenant()
    ana = office.person(tenant, "Ana Example")
    await office.asks(tenant, candidate_users=[ana.user.user_id])
    link = await mail_link(office, ana)
    await office.world.rows(
        "update deliveries set created_at = now() - interval '25 hours' where tenant_id = $1", tenant.id
    )
    async with office.browser(ana) as browser:
        answer = await browser.get(link)
        assert (answer.status_code, "CONFIRMATION_EXPIRED" in answer.text) == (409, True)


async def test_what_needs_an_answer_is_answered_on_its_own_page(office: Office) -> None:
    tenant = office.world.tenant()
    ana = office.person(tenant, "Ana Example")
    form = {"amount": {"type": "number", "required": True}}
    task = await office.asks(tenant, candidate_users=[ana.user.user_id], form=form)
    async with office.browser(ana) as browser:
        page = await browser.get(await mail_link(office, ana))
        assert f'href="/tasks/{task.task_id}"' in page.text
        assert 'name="outcome"' not in page.text


async def test_a_form_from_another_site_or_without_its_mark_decides_nothing(office: Office) -> None:
    tenant = office.world.tenant()
    ana = office.person(tenant, "Ana Example")
    task = await office.asks(tenant, candidate_users=[ana.user.user_id])
    link = await mail_link(office, ana)
    async with office.browser(ana) as browser:
        posted = {name: one[-1] for name, one in controls_of((await browser.get(link)).text).posted.items()}
        for data, headers in (
            ({"outcome": "approve"}, {}),
            ({**posted, "outcome": "approve"}, {"origin": "https://evil.example"}),
        ):
            assert (await browser.post(link, data=data, headers=headers)).status_code == 403
    assert office.rooms.tasks.tasks[task.task_id] == task


async def test_a_mailed_link_shows_where_to_set_a_password_and_uses_nothing_up_before(office: Office) -> None:
    async with office.browser(None) as browser:
        page = await browser.get("/password/orl_token")
        assert (page.status_code, page.headers["referrer-policy"]) == (200, "same-origin")
        assert page.text.count('autocomplete="new-password"') == 2
        apart = await browser.post("/password/orl_token", data={"password": "one of them", "again": "another"})
        assert (apart.status_code, "typed in two ways" in apart.text) == (422, True)
        elsewhere = await browser.post("/password/orl_token", headers={"origin": "https://evil.example"})
        assert elsewhere.status_code == 403

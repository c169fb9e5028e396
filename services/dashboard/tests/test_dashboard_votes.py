"""Voting on the task's page: by the form as it is posted, and by the keyboard in a browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from dashboard_seats import hearing, running_browser, seated
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.task import ApprovalPolicy, TaskStatus
from playwright.async_api import expect

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


@needs_chromium
async def test_two_people_vote_by_keyboard_and_the_page_says_who_and_what_is_missing(world: DashboardWorld) -> None:
    tenant = world.tenant()
    ada, grace = (world.person(name, GROUP, tenant_id=tenant) for name in ("Ada Lovelace", "Grace Hopper"))
    task = await ask(world, tenant, form=None, approval_policy=ApprovalPolicy(required=2))
    async with running_browser() as browser:
        for person, before in ((ada, "2"), (grace, "1")):
            async with seated(browser, world.base) as seat:
                session = world.rooms.identity.session(person)
                cookie = {"name": "orkestra_session", "value": session, "url": world.base, "secure": True}
                await seat.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of playwright's
                await seat.page.goto(f"/tasks/{task.task_id}")
                await hearing(seat.page)
                await expect(seat.page.locator("#missing")).to_have_text(f"Approvals still needed: {before}")
                if person is grace:
                    await expect(seat.page.locator("#votes li")).to_have_text(re.compile("Ada Lovelace.*Approves"))
                await seat.page.fill("#form textarea", "Fine.")
                await seat.page.keyboard.press("Escape")
                await seat.page.keyboard.press("a")
                await seat.page.wait_for_url(re.compile("done="))
    done = world.rooms.tasks.tasks[task.task_id]
    assert (done.status, done.outcome, len(done.votes)) == (TaskStatus.COMPLETED, "approve", 2)

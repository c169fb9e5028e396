"""An agent at one end and people before a browser at the other: MCP, the running stack, headless Chromium."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from dashboard_seats import MARKUP, Seat, clock, hearing, running_browser, seated, shown_after, violations, watch
from dashboard_world import needs_chromium
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from orkestra.testkit.stack import Stack
from playwright.async_api import Browser, Error, Page, expect

pytestmark = [needs_chromium, pytest.mark.xdist_group("stack")]

GROUP = "support-l1"
ANN, BEN, MANAGER = "ann@demo.example", "ben@demo.example", "manager@demo.example"
PROMISED = 1.0
MARGIN = 1.0
"""For a machine of two cores that runs other tests at the same time."""
CONVERSATION = [{"role": "user", "text": "I opened the box. May I still return it?"}, {"role": "tool", "text": MARKUP}]
BACKGROUND = {
    "conversation": CONVERSATION,
    "summary": f"An opened headset. [x](javascript:window.ran=1) {MARKUP}",
    "agent": {"name": f"support-bot {MARKUP}", "confidence": 0.41},
}
QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
WORKFLOW = {"definition": "customer-support", "input": QUESTION, "handoff": BACKGROUND}
ALONE = {"question": f"May it go back? {MARKUP}", "groups": [GROUP], "context": BACKGROUND, "wait_seconds": 0} | {
    "deadline": "1h"  # the inbox is by due time, and tests before have left many without one
}

Told = dict[str, Any]
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@asynccontextmanager
async def agent(stack: Stack) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        yield client


async def call(client: Client, tool: str, arguments: Told) -> Told:
    answered = await client.call_tool(tool, arguments)
    assert not answered.is_error, answered.content
    told: Told = answered.structured_content or {}
    return told


@asynccontextmanager
async def person(stack: Stack, browser: Browser, email: str, **options: Any) -> AsyncIterator[Seat]:
    """Signed in by keyboard through the page for it."""
    password = next(user["password"] for user in stack.info["users"] if user["email"] == email)
    async with seated(browser, stack.info["dashboard"], **options) as seat:
        await seat.page.goto("/sign-in?next=/inbox%3Fscope=groups")
        await expect(seat.page.locator("#email")).to_be_focused()  # a slow browser does it after the page is loaded
        await seat.page.keyboard.type(email)
        await seat.page.keyboard.press("Tab")
        await seat.page.keyboard.type(password)
        await seat.page.keyboard.press("Enter")
        await led_to(seat.page, "**/inbox?scope=groups")
        await hearing(seat.page)
        yield seat


async def led_to(page: Page, address: str) -> None:
    """Waits for a page; where another one came, says what stands on it."""
    try:
        await page.wait_for_url(address)
    except Error as late:
        raise AssertionError(f"{page.url} instead, with: {await page.inner_text('body')}") from late


async def ask(client: Client, tool: str) -> tuple[str, str]:
    """Returns what to wait with, and the run or task to wait for."""
    if tool == "workflow_start":
        return "workflow_result", (await call(client, tool, WORKFLOW))["workflow_id"]
    return "task_wait", (await call(client, tool, ALONE))["task_id"]


async def new_row(page: Page, known: list[str]) -> str:
    """Returns the id of the first row of the inbox that is not known."""
    found = "known => [...document.querySelectorAll('[data-row]')].map(row => row.id).find(id => !known.includes(id))"
    task_id: str = await (await page.wait_for_function(found, arg=known, timeout=10_000)).json_value()
    return task_id


async def rows(page: Page) -> list[str]:
    listed: list[str] = await page.evaluate("[...document.querySelectorAll('[data-row]')].map(row => row.id)")
    return listed


async def open_by_keyboard(page: Page, task_id: str) -> None:
    while await page.evaluate("document.activeElement.id") != task_id:
        await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/tasks/{task_id}")
    await hearing(page)


@pytest.mark.parametrize(("tool", "theme"), [("workflow_start", "light"), ("ask_human", "dark")])
async def test_what_an_agent_asks_is_seen_answered_by_keyboard_and_back_within_a_second_each(
    stack: Stack, browser: Browser, tool: str, theme: str
) -> None:
    async with agent(stack) as client, person(stack, browser, ANN, color_scheme=theme) as seat:
        page = seat.page
        await page.evaluate("window.same = true")
        known = await rows(page)
        await watch(page, "[data-row]")
        asked_at = clock()
        wait, name = await ask(client, tool)
        task_id = await new_row(page, known)
        visible = await shown_after(page, task_id, asked_at)
        assert await page.evaluate("window.same")
        found = {"inbox": await violations(page)}
        key = {"workflow_result": "workflow_id", "task_wait": "task_id"}[wait]
        waiting = asyncio.create_task(call(client, wait, {key: name, "wait_seconds": 50}))

        await open_by_keyboard(page, task_id)
        await page.keyboard.press("c")
        await page.wait_for_selector("#actions[data-mine=yes]")
        await page.keyboard.press("e")
        await page.keyboard.type("Yes, within")
        await page.reload()
        assert await page.input_value("[name='data.answer']") == "Yes, within"
        found["task"] = await violations(page)
        await expect(page.locator("#draft-state")).to_have_text("Draft kept")
        await page.keyboard.press("e")
        await page.keyboard.press("Control+End")
        await page.keyboard.type(" 30 days.")
        assert not waiting.done()
        answered_at = clock()
        await page.keyboard.press("Control+Enter")
        told = await waiting
        answered = clock() - answered_at

        await page.wait_for_url(f"**?done={task_id}")
    assert told["status"] == "completed"
    assert told["result"]["answer"] == "Yes, within 30 days."
    assert {name: each for name, each in found.items() if each} == {}
    log.info("%s: visible after %.3f s, answered after %.3f s", tool, visible, answered)
    assert visible < PROMISED + MARGIN
    assert answered < PROMISED + MARGIN


async def test_two_people_open_one_task_and_the_second_is_told_at_once_and_loses_nothing(
    stack: Stack, browser: Browser
) -> None:
    async with agent(stack) as client, person(stack, browser, ANN) as ann, person(stack, browser, BEN) as ben:
        _, task_id = await ask(client, "ask_human")
        for seat in (ann, ben):
            await seat.page.goto(f"/tasks/{task_id}")
            await hearing(seat.page)
        await ben.page.fill("[name='data.answer']", "Half a sen")
        await ben.page.evaluate("window.same = true")
        await watch(ben.page, "#changed")

        claimed_at = clock()
        await ann.page.keyboard.press("c")
        told = await shown_after(ben.page, "Ann Able has claimed this task", claimed_at)
        await expect(ben.page.locator("[data-key=complete]")).to_have_count(0)
        await ann.page.fill("[name='data.answer']", "Yes.")
        completed_at = clock()
        await ann.page.keyboard.press("Control+Enter")
        told_of_end = await shown_after(ben.page, "Ann Able completed this task", completed_at)

        assert await ben.page.input_value("[name='data.answer']") == "Half a sen"
        assert await ben.page.evaluate("window.same")
        await ann.page.wait_for_url("**?done=*")
    log.info("told of the claim after %.3f s, of the end after %.3f s", told, told_of_end)
    assert max(told, told_of_end) < PROMISED + MARGIN


async def test_markup_that_comes_over_mcp_runs_on_no_page(stack: Stack, browser: Browser) -> None:
    async with agent(stack) as client, person(stack, browser, MANAGER, color_scheme="dark") as seat:
        started = await call(client, "workflow_start", WORKFLOW)
        asked = await call(client, "ask_human", ALONE)
        run = f"/workflows/{started['workflow_id']}"
        await seat.page.goto(run)
        of_run = await seat.page.get_attribute("main a[data-row]", "href")
        for path in ("/inbox?scope=all", of_run or "", f"/tasks/{asked['task_id']}", "/workflows", run):
            await seat.page.goto(path)
            assert await seat.page.evaluate("window.ran") is None, path
            assert await seat.page.locator("main img, main svg[onload], [href^='javascript']").count() == 0, path
        assert await violations(seat.page) == []

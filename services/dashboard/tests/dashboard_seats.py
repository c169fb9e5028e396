"""A person before a browser: a page whose console stays silent, what axe says of it, and when it showed something."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dashboard_world import AXE, CHROMIUM, FLAGS, DashboardWorld
from orkestra.v1.identity import User
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

MARKUP = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>\'"><svg onload=window.ran=1>{{7*7}}'
REPORT = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
WATCH = """(selector) => {
  window.shown = {};
  const look = () => {
    for (const each of document.querySelectorAll(selector)) {
      const key = each.id + (each.matches('[data-row]') ? '' : ' ' + each.textContent.trim());
      window.shown[key] ??= Date.now();
    }
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


@dataclass
class Seat:
    """One person before a browser; what the console complains about is collected."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def seated(browser: Browser, base: str, **options: Any) -> AsyncIterator[Seat]:
    """Fails at the end where the console showed an error or the content security policy was broken."""
    context = await browser.new_context(base_url=base, **options)
    await context.add_init_script(REPORT)
    seat = Seat(context, await context.new_page())
    seat.page.on("console", lambda told: seat.complaints.extend([told.text] if told.type == "error" else []))
    seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    yield seat
    await seat.page.goto("about:blank")  # Chromium may not close a page that is on its way to another
    await context.close()
    assert seat.complaints == []


@asynccontextmanager
async def sitting(world: DashboardWorld, browser: Browser, user: User, **options: Any) -> AsyncIterator[Seat]:
    """The same, signed in as somebody."""
    async with seated(browser, world.base, **options) as seat:
        session = world.rooms.identity.session(user)
        await seat.context.add_cookies(
            [{"name": "orkestra_session", "value": session, "url": world.base, "secure": True}]
        )
        yield seat


async def hearing(page: Page) -> None:
    """Waits until the page hears what is new."""
    await page.wait_for_function("() => performance.getEntriesByName('orkestra:live').length > 0")


async def violations(page: Page) -> list[str]:
    """Run axe inside the page, past its policy as a debugger may."""
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    result = await page.evaluate(
        "async () => (await axe.run({ rules: { 'target-size': { enabled: true } } })).violations"
    )
    await session.detach()
    return [f"{each['id']}: {node['html'][:200]}" for each in result for node in each["nodes"]]


async def watch(page: Page, selector: str) -> None:
    """Note from now on when each element of the selector was first there, or first said what it says."""
    await page.evaluate(WATCH, selector)


async def shown_after(page: Page, part: str, since: float) -> float:
    """Returns the seconds from `since` (time.time) until the watched page showed what has `part` in it."""
    found = "part => Object.entries(window.shown).find(([key]) => key.includes(part))?.[1]"
    await page.wait_for_function(found, arg=part, timeout=10_000)
    at: float = await page.evaluate(found, part)
    return at / 1000 - since


def clock() -> float:
    """The clock that pages read too."""
    return time.time()

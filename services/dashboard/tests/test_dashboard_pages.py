"""Every page: in three languages and both themes, on a phone, with nasty text in all that can be named."""

import ast
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from dashboard_seats import MARKUP, running_browser, sitting, violations
from dashboard_settings import MARKED, WEBHOOK_ID
from dashboard_story import answered, ask, morning
from dashboard_world import ROOT, DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role, User
from orkestra.v1.task import UpdateTaskRequest
from orkestra.wire import Model
from playwright.async_api import Browser, Page

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]
SOURCES = ROOT / "services/dashboard/src/orkestra/dashboard"
KEYWORDS = {"_": None, "gettext": None, "N_": None, "text": None, "ngettext": (1, 2), "plural": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OURS = {
    "Orkestra",
    "CSV",
    "p95",
    "HTTP",
    "Ctrl",
    "Enter",
    "Esc",
    "Slack",
    "Teams",
    "UTC",
    "Deutsch",
    "English",
    "Français",
}
"""What is called the same in every language."""
WAYS: dict[str, dict[str, Any]] = {
    "en": {"color_scheme": "light", "locale": "en-GB"},
    "de": {"color_scheme": "dark", "locale": "de-AT"},
    "fr": {"viewport": {"width": 360, "height": 740}, "locale": "fr-CH"},
}
AXED = ("en", "de")
OUTSIDE = ("/sign-in", "/sign-in?tenant=acme", "/sign-in/with/nobody", "/password", "/password/orl_known", "/nowhere")
"""What people see who are not signed in."""
NOT_THERE = ("/tasks/task_0", "/nowhere")
WRONG: dict[str, tuple[str, dict[str, str]]] = {
    "a wrong password": ("/sign-in", {"email": "nobody@example.com", "password": "wrong horse battery"}),
    "an asked reset": ("/password", {"email": "nobody@example.com"}),
    "two passwords": ("/password/orl_known", {"password": "correct horse battery", "again": "correct cow battery"}),
    "an old link": ("/password/orl_old", {"password": "correct horse battery", "again": "correct horse battery"}),
}
"""Forms of theirs, and what is typed there."""
MADE = ("settings", "rooms")
"""Whose words are data too: the office of the tests is made there."""
PIECES = """() => {
  const found = [];
  const hidden = (each) => each.closest('[lang=en], script, style, code, pre, kbd, noscript, svg title, template');
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent && parent !== document.documentElement && !hidden(parent)) found.push(walker.currentNode.textContent);
  }
  for (const each of document.querySelectorAll('[aria-label], [placeholder], [title]')) {
    const told = ['aria-label', 'placeholder', 'title'].map((name) => each.getAttribute(name) || '');
    if (!hidden(each)) found.push(...told);
  }
  return found.map((text) => text.trim().replace(/\\s+/g, ' ')).filter((text) => /\\p{L}{2}/u.test(text));
}"""


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@dataclass(frozen=True)
class Office:
    """A tenant with something on every page, and an admin who sees all of it."""

    admin: User
    paths: list[str]


@pytest.fixture(scope="module")
async def office(world: DashboardWorld) -> Office:
    tenant = world.tenant()
    ada, _ = await morning(world, tenant)
    admin = world.person(f"Mia {MARKUP}", "support-l1", tenant_id=tenant, roles=(Role.ADMIN, Role.MEMBER))
    nasty = await ask(world, tenant, title=f"Nasty {MARKUP}", tags=["<b>"], type=MARKED)
    await world.rooms.tasks.revise(admin, UpdateTaskRequest(task_id=nasty.task_id, title=f"Nastier {MARKUP}"))
    world.rooms.feeds.tell(admin, f"Told {MARKUP}", nasty)
    done = (await answered(world, tenant, admin)).task_id
    tasks = [task.task_id for task in world.rooms.tasks.tasks.values() if task.tenant_id == tenant]
    runs = [run.workflow_id for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant]
    paths = ["/inbox?scope=all", "/inbox?scope=mine", "/inbox?scope=all&q=nothing&priority=low", "/notifications"]
    paths += [f"/tasks/{task}" for task in (tasks[0], tasks[1], nasty.task_id)] + [f"/tasks/{tasks[0]}/manage"]
    paths += [f"/tasks/{done}", f"/inbox?done={done}&until=2100-01-01T00:00:00%2B00:00", "/settings/answers"]
    paths += ["/workflows", *(f"/workflows/{run}" for run in runs[:3]), "/figures", "/settings", "/tasks/task_0"]
    paths += [f"/settings/{part}" for part in ("notifications", "people", "groups", "calendars", "policy", "keys")]
    paths += ["/settings/webhooks", f"/settings/webhooks/{WEBHOOK_ID}", "/settings/audit"]
    paths += [f"/confirm/{tasks[0]}", f"/confirm/{tasks[0]}.old", f"/confirm/{tasks[1]}", f"/confirm/{tasks[0]}.used"]
    paths += [f"/confirm/{nasty.task_id}", "/nowhere"]
    paths += [
        f"/settings/people/{ada.user_id}",
        "/settings/groups/support-l1",
        "/settings/groups/support-l1/notifications",
        "/settings/calendars/support-hours",
    ]
    return Office(admin, paths)


def as_reader(world: DashboardWorld, user: User, locale: str) -> User:
    users = world.rooms.identity.users
    users[user.user_id] = user.model_copy(update={"locale": locale})
    return users[user.user_id]


async def visit(page: Page, path: str) -> list[str]:
    await page.goto(path, wait_until="load")
    assert await page.evaluate("window.ran") is None, path
    pieces: list[str] = await page.evaluate(PIECES)
    return pieces


@dataclass
class Walk:
    """What a reader of one language met on each page."""

    said: dict[str, set[str]]
    violations: dict[str, list[str]]
    wide: dict[str, int]


@pytest.fixture(scope="module")
async def walked(world: DashboardWorld, browser: Browser, office: Office) -> dict[str, Walk]:
    return {"en": await walk(world, browser, office, "en")}


async def walk(world: DashboardWorld, browser: Browser, office: Office, locale: str) -> Walk:
    found = Walk({}, {}, {})
    async with sitting(world, browser, as_reader(world, office.admin, locale), **WAYS[locale]) as seat:
        for path in office.paths:
            await look(found, seat.page, path, locale, await visit(seat.page, path))
        await seat.context.clear_cookies()
        for path in OUTSIDE:
            await look(found, seat.page, path, locale, await visit(seat.page, path))
        for name, (path, typed) in WRONG.items():
            await visit(seat.page, path)
            for field, text in typed.items():
                await seat.page.fill(f"[name={field}]", text)
            await seat.page.click("main form button")
            await look(found, seat.page, name, locale, await seat.page.evaluate(PIECES))
        refused = re.compile(r"status of 4(01|04|09|22)")
        seat.complaints = [told for told in seat.complaints if not refused.search(told)]
    return found


async def look(found: Walk, page: Page, place: str, locale: str, pieces: list[str]) -> None:
    """Notes what a page says, how wide it is, and what axe has against it."""
    found.said[place] = set(pieces)
    assert await page.get_attribute("html", "lang") == locale, place
    found.wide[place] = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if locale in AXED:
        found.violations[place] = await violations(page)


@needs_chromium
@pytest.mark.parametrize("locale", ["en", "de", "fr"])
async def test_every_page_is_whole_in_each_language_and_theme_and_on_a_phone(
    world: DashboardWorld, browser: Browser, office: Office, walked: dict[str, Walk], locale: str
) -> None:
    met = walked["en"] if locale == "en" else await walk(world, browser, office, locale)
    assert {path: each for path, each in met.violations.items() if each} == {}
    assert {path: width for path, width in met.wide.items() if width > 0} == {}
    if locale == "en":
        return
    same, data = same_words(locale), all_data(world)
    shared = {(path, piece) for path in met.said for piece in met.said[path] & walked["en"].said[path]}
    assert {(path, piece) for path, piece in shared if not is_known(piece, same, data)} == set()


async def test_without_script_every_page_is_there(world: DashboardWorld, office: Office) -> None:
    reader = as_reader(world, office.admin, "fr")
    async with world.http(reader) as http:
        for path in office.paths:
            answer = await http.get(path)
            assert answer.status_code == (404 if path in NOT_THERE else 409 if path.endswith(".used") else 200), path
            assert "<img" not in answer.text, path
            assert " style=" not in answer.text, path


@pytest.mark.parametrize("locale", ["de", "fr"])
def test_every_text_is_in_every_catalog(locale: str) -> None:
    with (SOURCES / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=locale)
    known = {message.id: message.string for message in catalog if message.id}
    wanted = {found[2] for found in extract_from_dir(SOURCES, METHODS, {"**": {"silent": "false"}}, KEYWORDS)}
    assert wanted - known.keys() == set()
    assert known.keys() - wanted == set(), "texts that nobody says any more"
    assert not any(message.fuzzy for message in catalog)
    for text, translation in known.items():
        ours, theirs = (each if isinstance(each, tuple) else (each,) for each in (text, translation))
        assert all(theirs), text
        assert {name for each in ours for name in names_in(each)} == {
            name for each in theirs for name in names_in(each)
        }


def forms_of(text: Any) -> list[str]:
    """A text, or its singular and plural."""
    return [str(each or "") for each in (text if isinstance(text, tuple | list) else [text])]


def names_in(text: Any) -> set[str]:
    return {name for each in forms_of(text) for name in re.findall(r"{(\w+)}", each)}


def all_data(world: DashboardWorld) -> set[str]:
    """What people and programs wrote: every text of every resource, and of the office that the tests make."""
    rooms = world.rooms
    kept: list[Model] = [*rooms.tasks.tasks.values(), *rooms.workflows.runs.values(), *rooms.identity.users.values()]
    kept += [entry for entries in rooms.feeds.entries.values() for entry in entries]
    kept += [entry for entries in rooms.workflows.timelines.values() for entry in entries]
    found = {text for each in kept for text in texts_in(json.loads(each.model_dump_json()))}
    for name in MADE:
        tree = ast.parse((ROOT / f"services/dashboard/tests/dashboard_{name}.py").read_text("utf-8"))
        found |= {
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
    return {" ".join(text.split()).lower() for text in found}


def texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from (name.replace("_", " ") for name in value)
            for each in value.values():
                yield from texts_in(each)
        case list():
            for each in value:
                yield from texts_in(each)


def same_words(locale: str) -> set[str]:
    """Returns the texts that are the same in both languages."""
    with (SOURCES / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return {str(each.id) for each in read_po(file, locale=locale) if each.id == each.string} | OURS


def is_known(piece: str, same: set[str], data: set[str]) -> bool:
    """Whether a piece of a page is the same in both languages for a reason."""
    words = [part.strip() for part in re.split(r"[·:,]| \u2013 |[()]", piece) if re.search(r"[^\W\d_]{2}", part)]
    return is_data(piece, data) or all(part in same or is_data(part, data) for part in words)


def is_data(text: str, data: set[str]) -> bool:
    """Whether somebody wrote it: as it is, or within a longer text where it is a sentence of its own."""
    text = text.lower()
    return text in data or (text.count(" ") > 1 and any(text in each for each in data))

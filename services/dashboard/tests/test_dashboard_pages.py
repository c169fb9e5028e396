"""Every page: in three languages and both themes, on a phone, with nasty text in all that can be named."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from dashboard_seats import MARKUP, running_browser, sitting, violations
from dashboard_settings import MARKED, WEBHOOK_ID
from dashboard_story import ask, morning
from dashboard_world import ROOT, DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role, User
from orkestra.v1.task import UpdateTaskRequest
from playwright.async_api import Browser, Page

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = pytest.mark.xdist_group("browser")
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
    "en": {"color_scheme": "light"},
    "de": {"color_scheme": "dark"},
    "fr": {"viewport": {"width": 360, "height": 740}},
}
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
    tasks = [task.task_id for task in world.rooms.tasks.tasks.values() if task.tenant_id == tenant]
    runs = [run.workflow_id for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant]
    paths = ["/inbox?scope=all", "/inbox?scope=mine", "/inbox?scope=all&q=nothing&priority=low", "/notifications"]
    paths += [f"/tasks/{task}" for task in (tasks[0], tasks[1], nasty.task_id)] + [f"/tasks/{tasks[0]}/manage"]
    paths += ["/workflows", *(f"/workflows/{run}" for run in runs[:3]), "/figures", "/settings", "/tasks/task_0"]
    paths += [f"/settings/{part}" for part in ("notifications", "people", "groups", "calendars", "policy", "keys")]
    paths += ["/settings/webhooks", f"/settings/webhooks/{WEBHOOK_ID}", "/settings/audit"]
    paths += [f"/settings/people/{ada.user_id}", "/settings/groups/support-l1", "/settings/calendars/support-hours"]
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


@needs_chromium
async def test_every_page_is_whole_in_three_languages_in_both_themes_and_on_a_phone(
    world: DashboardWorld, browser: Browser, office: Office
) -> None:
    said: dict[str, dict[str, list[str]]] = {}
    found: dict[str, list[str]] = {}
    wide: dict[str, int] = {}
    for locale, options in WAYS.items():
        reader = as_reader(world, office.admin, locale)
        async with sitting(world, browser, reader, **options) as seat:
            for path in office.paths:
                said.setdefault(locale, {})[path] = await visit(seat.page, path)
                assert await seat.page.get_attribute("html", "lang") == locale
                if locale == "fr":
                    wide[path] = await seat.page.evaluate("document.documentElement.scrollWidth")
                else:
                    found[f"{path} {locale}"] = await violations(seat.page)
            seat.complaints = [told for told in seat.complaints if "404" not in told]
    assert {path: each for path, each in found.items() if each} == {}
    assert {path: width for path, width in wide.items() if width > 360} == {}
    data = all_data(world)
    left = {
        (locale, path, piece)
        for locale in ("de", "fr")
        for path in office.paths
        for piece in set(said["en"][path]) & set(said[locale][path])
        if not is_known(piece, locale, data)
    }
    assert left == set()


async def test_without_script_every_page_is_there(world: DashboardWorld, office: Office) -> None:
    reader = as_reader(world, office.admin, "fr")
    async with world.http(reader) as http:
        for path in office.paths:
            answer = await http.get(path)
            assert answer.status_code == (404 if path == "/tasks/task_0" else 200), path
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


def all_data(world: DashboardWorld) -> str:
    """What people and programs wrote, as one text."""
    rooms = world.rooms
    kept = [*rooms.tasks.tasks.values(), *rooms.workflows.runs.values(), *rooms.identity.users.values()]
    kept += [entry for entries in rooms.feeds.entries.values() for entry in entries]
    told = [entry for entries in rooms.workflows.timelines.values() for entry in entries]
    plain = json.dumps([json.loads(each.model_dump_json()) for each in [*kept, *told]], ensure_ascii=False)
    return plain.replace('\\"', '"').replace("\\n", " ").lower()


def is_known(piece: str, locale: str, data: str) -> bool:
    """Whether a piece of a page is the same in both languages for a reason."""
    with (SOURCES / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        same = {str(each.id) for each in read_po(file, locale=locale) if each.id == each.string}
    words = [part for part in re.split(r"[·:,]| \u2013 |[()]", piece) if re.search(r"[^\W\d_]{2}", part)]
    return all(part.strip() in same | OURS or part.strip().lower() in data or is_shown(part) for part in words)


def is_shown(part: str) -> bool:
    """Whether it is of the office's settings, which are made by `dashboard_settings`."""
    made = (ROOT / "services/dashboard/tests/dashboard_settings.py").read_text("utf-8")
    made += (ROOT / "services/dashboard/tests/dashboard_rooms.py").read_text("utf-8")
    return part.strip().lower() in made.lower()

"""Renders templates: one environment, everything escaped, the same frame around every page."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader
from orkestra.dashboard.routes import markup
from orkestra.dashboard.routes.kinds import N_, size_text
from orkestra.dashboard.routes.words import Words, seconds_left
from orkestra.v1.task import TaskCounts
from orkestra.wire import Error

STATIC = Path(__file__).parent.parent / "static"
MAP = (
    ("?", N_("This map")),
    ("g i", N_("Go to the inbox")),
    ("g w", N_("Go to the workflows")),
    ("g n", N_("Go to what is new")),
    ("g f", N_("Go to the figures")),
    ("g s", N_("Go to the settings")),
    ("j / k", N_("Next / previous entry of a list")),
    ("Enter", N_("Open the entry")),
    ("/", N_("Search")),
    ("f", N_("Filters")),
    ("x", N_("Choose the entry, or reject where people vote")),
    ("c", N_("Claim the task")),
    ("r", N_("Release the task")),
    ("a", N_("Approve, where people vote")),
    ("e", N_("Go to the answer")),
    ("d", N_("Hand the task on, or manage it")),
    ("m", N_("Write a comment")),
    ("n", N_("Next task")),
    ("Ctrl Enter", N_("Complete")),
    ("Esc", N_("Leave a field")),
)


@dataclass(frozen=True)
class Navigation:
    """Which part of the dashboard a page belongs to, and what the parts count."""

    current: str
    counts: TaskCounts | None
    unread: int | None


@lru_cache
def environment() -> Environment:
    """Returns what renders every page."""
    made = Environment(
        loader=PackageLoader("orkestra.dashboard", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters |= {
        "bytes": size_text,
        "markdown": markup.markdown,
        "safe_url": markup.safe_url,
        "compact": lambda value: json.dumps(value, ensure_ascii=False),
        "pretty": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    }
    made.globals |= {"seconds_left": seconds_left, "static": static_url, "keyboard": MAP}
    return made


@lru_cache
def static_url(name: str) -> str:
    """Returns the address of a static file, which changes with its content."""
    path = STATIC / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "absent"
    return f"/static/{name}?v={digest}"


def render(request: Request, template: str, *, words: Words, status: int = 200, **values: Any) -> Response:
    """Renders a template for one person."""
    values = {"me": None, "csrf": "", "navigation": None, "counts": None} | values
    text = (
        environment()
        .get_template(template)
        .render(
            words=words, _=words.text, ngettext=words.plural, nonce=request.state.nonce, path=request.url.path, **values
        )
    )
    return HTMLResponse(text, status, headers={"vary": "cookie, hx-request"})


def sign_in_page(
    request: Request,
    words: Words,
    *,
    next: str,  # noqa: A002  as the form calls it
    status: int = 200,
    problem: str | None = None,
    **values: Any,
) -> Response:
    """Renders the sign-in form."""
    given = {"email": None, "tenant": None, "ask_tenant": False, "methods": None} | values
    return render(request, "sign_in.html", words=words, status=status, next=next, problem=problem, **given)


def error_page(request: Request, problem: Error, words: Words) -> Response:
    """Renders a refusal for somebody who may not be signed in."""
    return render(request, "error_alone.html", words=words, status=problem.http_status, problem=problem)


def go(path: str) -> Response:
    """Sends the browser on after a form (Post/Redirect/Get)."""
    return RedirectResponse(path, 303)

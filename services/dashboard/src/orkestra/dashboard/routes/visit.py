"""One request of a signed-in person: who, in which language and zone, and what the room clients are."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from orkestra.chassis.door import read_body
from orkestra.dashboard.routes import guards
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.pages import Navigation, error_page, render, sign_in_page
from orkestra.dashboard.routes.sending import Sent, has_files, read_files
from orkestra.dashboard.routes.words import Words, words_for
from orkestra.rules.permissions import MANAGERS, OVERSEERS
from orkestra.v1.identity import AccessToken, GetMeRequest, IdentityServiceClient, Me, Role, Session
from orkestra.v1.notification import ListNotificationsRequest, NotificationServiceClient
from orkestra.v1.task import CountTasksRequest, TaskCounts, TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient
from orkestra.wire import Error, InvalidArgument, PermissionDenied, Unauthenticated
from orkestra.wire.problems import to_invalid_argument
from pydantic import ValidationError

COOKIE = "orkestra_session"
MOST_FIELDS = 5000
MOST_DIGITS = 18
MOST_ID = 64

Posted = Mapping[str, list[str]]
Counted = tuple[TaskCounts | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request of somebody whose session is good."""

    request: Request
    door: Door
    session: str
    access: AccessToken
    me: Me
    words: Words
    posted: Posted
    sent: Sequence[Sent] = ()

    @property
    def tasks(self) -> TaskServiceClient:
        return self.door.client(TaskServiceClient, self.access.token, locale=self.words.language)

    @property
    def workflows(self) -> WorkflowServiceClient:
        return self.door.client(WorkflowServiceClient, self.access.token)

    @property
    def identity(self) -> IdentityServiceClient:
        return self.door.client(IdentityServiceClient, self.access.token)

    @property
    def notifications(self) -> NotificationServiceClient:
        return self.door.client(NotificationServiceClient, self.access.token, locale=self.words.language)

    @property
    def csrf(self) -> str:
        return guards.csrf_token(self.door.csrf_key, self.session)

    @property
    def tenant_id(self) -> str:
        return self.access.tenant_id or ""

    def value(self, name: str) -> str | None:
        """Return a field of the posted form, None where it is absent or empty."""
        return (self.posted.get(name) or [""])[-1].strip() or None

    def query(self, name: str) -> str | None:
        """Return a parameter of the address, None where it is absent or empty."""
        return self.request.query_params.get(name) or None

    def values(self, name: str) -> list[str]:
        """Return what a field of the posted form has, often given; empty ones are left out."""
        return [value.strip() for value in self.posted.get(name, []) if value.strip()]

    def number(self, name: str) -> int | None:
        """Return a whole number of the posted form, None where there is none."""
        return whole_number(self.value(name))

    @property
    def request_id(self) -> str | None:
        """The id by which a form that is sent twice is known."""
        given = self.value("request_id")
        return given if given and len(given) <= MOST_ID and given.isalnum() else None

    @property
    def is_manager(self) -> bool:
        """Whether the caller's roles let it manage tasks; the rooms have the last word."""
        return not MANAGERS.isdisjoint(role.value for role in self.access.roles)

    @property
    def is_overseer(self) -> bool:
        """Whether the caller's roles show it all of its tenant."""
        return not OVERSEERS.isdisjoint(role.value for role in self.access.roles)

    @property
    def is_admin(self) -> bool:
        """Whether the caller administers its tenant."""
        return Role.ADMIN in self.access.roles

    async def names(self, *subjects: str | None) -> dict[str, str]:
        """Return what people are called; the caller among them."""
        return await self.door.names.of(self.tenant_id, subjects, self.identity)

    async def counts(self) -> Counted:
        """Return how many live tasks each scope has and how many entries are unread; None for what cannot be had."""
        tasks, unread = await asyncio.gather(_or_none(self._task_counts()), _or_none(self._unread()))
        return tasks, unread

    async def page(
        self, template: str, *, status: int = 200, current: str = "", counted: Counted | None = None, **values: Any
    ) -> Response:
        """Render a whole page with its navigation, which shows the `counts` where they are not given."""
        counts, unread = await self.counts() if counted is None else counted
        navigation = Navigation(current=current, counts=counts, unread=unread)
        return self.fragment(template, status=status, navigation=navigation, counts=counts, **values)

    def fragment(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Render a part of a page."""
        about = {
            "me": self.me,
            "csrf": self.csrf,
            "is_manager": self.is_manager,
            "is_overseer": self.is_overseer,
            "is_admin": self.is_admin,
        }
        return render(self.request, template, status=status, words=self.words, **about, **values)

    async def _task_counts(self) -> TaskCounts:
        return await self.tasks.count_tasks(CountTasksRequest(), timeout=2.0)

    async def _unread(self) -> int:
        request = ListNotificationsRequest(unread_only=True, page_size=1)
        return (await self.notifications.list_notifications(request, timeout=1.0)).unread


Serve = Callable[[Visit], Awaitable[Response]]


def coming_moment(typed: str | None) -> datetime | None:
    """Return a moment as an address of this dashboard names it, None where it is none or is over."""
    try:
        at = datetime.fromisoformat(typed or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None and at > datetime.now(UTC) else None


def whole_number(typed: str | None) -> int | None:
    """Return a whole number that was typed, None where it is none."""
    return int(typed) if typed and typed.isdecimal() and len(typed) <= MOST_DIGITS else None


def signed_in(serve: Serve) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint that serves signed-in people and sends everybody else to sign in."""

    async def endpoint(request: Request) -> Response:
        try:
            visit = await _visit(request)
        except Unauthenticated:
            return _sign_in_first(request)
        except Error as refused:
            return error_page(request, refused, words_for(request, None))
        try:
            return await serve(visit)
        except Unauthenticated:
            return _sign_in_first(request)
        except Error as refused:
            return await visit.page("error.html", status=refused.http_status, problem=refused)
        except ValidationError as unfit:  # what was typed fits no request, such as a number beyond its kind
            problem = to_invalid_argument(unfit)
            return await visit.page("error.html", status=problem.http_status, problem=problem)

    endpoint.__name__ = serve.__name__
    return endpoint


async def _visit(request: Request) -> Visit:
    door: Door = request.app.state.door
    session = session_of(request)
    if not session.startswith("ors_"):
        raise Unauthenticated("SESSION_REQUIRED", "Please sign in.")
    access = await door.credentials.exchange(session, ip=address_of(request))
    posted: Posted = {}
    sent: Sequence[Sent] = ()

    def is_ours(fields: Posted) -> bool:
        token = request.headers.get("x-csrf-token") or (fields.get("csrf") or [""])[-1]
        return guards.is_csrf_token(door.csrf_key, session, token)

    if request.method == "POST":
        guards.refuse_other_sites(request)
        if has_files(request):
            tasks = door.client(TaskServiceClient, partial(_fresh, door, session, address_of(request)))
            posted, sent = await read_files(request, tasks, is_ours)
        else:
            posted = await read_form(request, door.body_limit)
        if not is_ours(posted):
            request.state.is_stale = True
            if not request.url.path.endswith("/complete"):  # which shows what was typed again instead
                raise PermissionDenied(
                    "FORM_STALE", "This form is from an earlier session. Go back, reload, send again."
                )
    me = await door.client(IdentityServiceClient, access.token).get_me(GetMeRequest())
    words = words_for(request, me.user)
    return Visit(
        request=request, door=door, session=session, access=access, me=me, words=words, posted=posted, sent=sent
    )


def address_of(request: Request) -> str | None:
    """Returns where a request comes from, as the proxies that are trusted say."""
    return None if request.client is None else request.client.host


async def _fresh(door: Door, session: str, address: str | None) -> str:
    """Returns a token of this moment: a file may take longer than one lasts, or than a session."""
    return (await door.credentials.exchange(session, ip=address)).token


async def read_form(request: Request, limit: int) -> Posted:
    """Returns the fields of a posted form; refuses what is no form, too large or not UTF-8."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise InvalidArgument("NOT_A_FORM", "Send the form as the page does.")
    body = await read_body(request.stream(), declared=request.headers.get("content-length", ""), limit=limit)
    try:
        return parse_qs(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError as unreadable:
        raise InvalidArgument("NOT_A_FORM", "The form cannot be read.") from unreadable


def cookie_of(request: Request) -> str:
    """Returns the session cookie's name: by HTTPS one that no neighbouring domain can set (RFC 6265bis, 4.1.3)."""
    door: Door = request.app.state.door
    return f"__Host-{COOKIE}" if door.cookie_secure and request.url.scheme == "https" else COOKIE


def session_of(request: Request) -> str:
    """Returns the session that a browser has, empty where it has none."""
    return request.cookies.get(cookie_of(request), "")


def keep_session(answer: Response, request: Request, session: Session) -> None:
    """Keeps the session where no script and no other site reaches it."""
    door: Door = request.app.state.door
    answer.set_cookie(
        cookie_of(request),
        session.token,
        expires=session.expires_at,
        path="/",
        secure=door.cookie_secure,
        httponly=True,
        samesite="lax",
    )


def _sign_in_first(request: Request) -> Response:
    if "hx-request" in request.headers or "x-csrf-token" in request.headers:
        return Response(status_code=401)
    words = words_for(request, None)
    if request.method != "GET":
        back = guards.local_path(request.headers.get("x-back") or _page_of(request.url.path))
        problem = words.text("Your session has ended. Sign in again; what you typed is kept in this tab.")
        return sign_in_page(request, words, status=401, next=back, problem=problem)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" + ("" if wanted == "/" else f"?next={quote(wanted, safe='')}"), 303)


def _page_of(path: str) -> str:
    """Returns the page whose form posts to `path`."""
    return "/".join(path.split("/")[:3])


async def _or_none(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except Unauthenticated:
        raise
    except Error:
        return None

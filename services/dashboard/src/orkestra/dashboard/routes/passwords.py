"""Passwords of people who are not signed in: a link is asked for, and with the mailed one a password is set."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from orkestra.chassis import ratelimit
from orkestra.dashboard.routes import guards
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import error_page, go, render
from orkestra.dashboard.routes.visit import Posted, address_of, read_form
from orkestra.dashboard.routes.words import words_for
from orkestra.v1.identity import IdentityServiceClient, RedeemMailLinkRequest, RequestPasswordResetRequest
from orkestra.wire import Error

DIFFERENT = N_("The new password was typed in two ways.")
LENGTH = N_("A password has 12 to 256 characters.")


async def reset_form(request: Request) -> Response:
    """Shows where a link for a new password is asked for."""
    return _reset_page(request)


async def ask_reset(request: Request) -> Response:
    """Has the link mailed; what it answers tells nobody who is known here."""
    door: Door = request.app.state.door
    words = words_for(request, None)
    try:
        posted = await _posted(request)
    except Error as refused:
        return error_page(request, refused, words)
    email, tenant = _field(posted, "email").strip(), _field(posted, "tenant").strip()
    try:
        asked = RequestPasswordResetRequest(email=email, tenant=tenant or None)
        await door.client(IdentityServiceClient, None).request_password_reset(asked)
    except Error as refused:
        problem = words.refusal(refused)
        return _reset_page(request, status=refused.http_status, problem=problem, email=email, tenant=tenant)
    return _reset_page(request, is_sent=True)


async def password_form(request: Request) -> Response:
    """Shows the form; opening it uses nothing up."""
    return _page(request)


async def set_password(request: Request) -> Response:
    """Sets the password that was typed twice, and leads to the sign-in."""
    door: Door = request.app.state.door
    words = words_for(request, None)
    try:
        posted = await _posted(request)
    except Error as refused:
        return error_page(request, refused, words)
    first, second = (_field(posted, name) for name in ("password", "again"))
    if first != second:
        return _page(request, status=422, problem=words.text(DIFFERENT))
    try:
        redeem = RedeemMailLinkRequest(token=request.path_params["token"], password=first)
        await door.client(IdentityServiceClient, None).redeem_mail_link(redeem, timeout=8.0)
    except Error as refused:
        is_length = any(error.code == "length" for error in refused.errors)
        problem = words.text(LENGTH) if is_length else words.refusal(refused)
        return _page(request, status=refused.http_status, problem=problem)
    return go("/sign-in")


async def _posted(request: Request) -> Posted:
    """Returns the form that this site sent; refuses other sites, and an address that sends too many."""
    door: Door = request.app.state.door
    guards.refuse_other_sites(request)
    posted = await read_form(request, door.body_limit)
    ratelimit.refuse_excess(await door.limits.take((door.per_address, ratelimit.counted_as(address_of(request)))))
    return posted


def _field(posted: Posted, name: str) -> str:
    return (posted.get(name) or [""])[-1]


def _reset_page(request: Request, *, status: int = 200, **values: Any) -> Response:
    given = {"email": "", "tenant": request.query_params.get("tenant") or "", "is_sent": False, "problem": None}
    return render(request, "password_reset.html", status=status, words=words_for(request, None), **given | values)


def _page(request: Request, *, status: int = 200, **values: Any) -> Response:
    token = request.path_params["token"]
    return render(request, "password.html", status=status, words=words_for(request, None), token=token, **values)

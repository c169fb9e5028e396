"""Setting a password with a mailed link: the page of an invitation, and of a password that is forgotten."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from orkestra.chassis import ratelimit
from orkestra.dashboard.routes import guards
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.pages import error_page, go, render
from orkestra.dashboard.routes.visit import read_form
from orkestra.dashboard.routes.words import N_, words_for
from orkestra.v1.identity import IdentityServiceClient, RedeemMailLinkRequest
from orkestra.wire import Error, InvalidArgument

DIFFERENT = N_("The new password was typed in two ways.")


async def password_form(request: Request) -> Response:
    """Shows the form; opening it uses nothing up."""
    return _page(request)


async def set_password(request: Request) -> Response:
    """Sets the password that was typed twice, and leads to the sign-in."""
    door: Door = request.app.state.door
    words = words_for(request, None)
    try:
        guards.refuse_other_sites(request)
        posted = await read_form(request, door.body_limit)
        address = "unknown" if request.client is None else request.client.host
        ratelimit.refuse_excess(await door.limits.take((door.per_address, address)))
    except Error as refused:
        return error_page(request, refused, words)
    first, second = ((posted.get(name) or [""])[-1] for name in ("password", "again"))
    try:
        if first != second:
            raise InvalidArgument("REQUEST_INVALID", words.text(DIFFERENT))
        redeem = RedeemMailLinkRequest(token=request.path_params["token"], password=first)
        await door.client(IdentityServiceClient, None).redeem_mail_link(redeem, timeout=8.0)
    except Error as refused:
        return _page(request, status=refused.http_status, problem=str(refused))
    return go("/sign-in")


def _page(request: Request, *, status: int = 200, **values: Any) -> Response:
    token = request.path_params["token"]
    return render(request, "password.html", status=status, words=words_for(request, None), token=token, **values)

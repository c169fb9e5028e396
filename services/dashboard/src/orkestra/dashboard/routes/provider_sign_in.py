"""Signing in at an OpenID Connect provider: there, and back with what it answered."""

from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from orkestra.chassis import ratelimit
from orkestra.dashboard.routes import guards
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.pages import go, sign_in_page
from orkestra.dashboard.routes.visit import address_of, keep_session
from orkestra.dashboard.routes.words import words_for
from orkestra.v1.identity import (
    BeginSignInRequest,
    CompleteSignInRequest,
    IdentityServiceClient,
    ListSignInMethodsRequest,
    SignInMethods,
)
from orkestra.wire import Error, PermissionDenied

BACK = "/sign-in/callback"
ATTEMPT_SECONDS = 600
LONGEST_ANSWER = 4000


async def sign_in_methods(door: Door, tenant: str | None) -> SignInMethods:
    """Returns how people sign in; where that cannot be asked, by password, which will say what is wrong."""
    try:
        asked = ListSignInMethodsRequest(tenant=tenant)
        return await door.client(IdentityServiceClient, None).list_sign_in_methods(asked, timeout=2.0)
    except Error:
        return SignInMethods(password=True, by_tenant=False)


async def leave(request: Request) -> Response:
    """Sends the browser to the provider; what it needs to come back is kept in a cookie of this attempt."""
    door: Door = request.app.state.door
    after, tenant = guards.local_path(request.query_params.get("next")), request.query_params.get("tenant") or None
    try:
        await _count(request, door)
        begun = await door.client(IdentityServiceClient, None).begin_sign_in(
            BeginSignInRequest(
                provider_id=request.path_params["provider_id"], redirect_uri=_address(request, door), tenant=tenant
            ),
            timeout=10.0,
        )
    except Error as refused:
        return await _refused(request, door, refused, after=after, tenant=tenant)
    answer = RedirectResponse(begun.authorization_url, 303)
    answer.set_cookie(
        _cookie(begun.state),
        "~".join((begun.attempt, quote(tenant or "", safe=""), quote(after, safe=""))),
        max_age=ATTEMPT_SECONDS,
        path=BACK,
        secure=door.cookie_secure,
        httponly=True,
        samesite="lax",  # the provider sends the browser back from another site
    )
    return answer


async def come_back(request: Request) -> Response:
    """Opens a session for whoever the provider sent back to the browser that left."""
    door: Door = request.app.state.door
    told = {name: value for name, value in request.query_params.items() if len(value) <= LONGEST_ANSWER}
    state = told.get("state", "")
    attempt, tenant, after = _kept(request, state)
    try:
        await _count(request, door)
        if not attempt:
            raise PermissionDenied(
                "SIGN_IN_EXPIRED", "This sign-in has expired, or was begun in another browser; begin it again."
            )
        session = await door.client(IdentityServiceClient, None).complete_sign_in(
            CompleteSignInRequest(
                attempt=attempt, state=state, code=told.get("code"), error=told.get("error"), iss=told.get("iss")
            ),
            timeout=20.0,
        )
    except Error as refused:
        answer = await _refused(request, door, refused, after=after, tenant=tenant)
    else:
        answer = go(after)
        keep_session(answer, request, session)
    answer.delete_cookie(_cookie(state), path=BACK, secure=door.cookie_secure, httponly=True, samesite="lax")
    return answer


async def _refused(request: Request, door: Door, refused: Error, *, after: str, tenant: str | None) -> Response:
    words = words_for(request, None)
    return sign_in_page(
        request,
        words,
        status=refused.http_status,
        next=after,
        problem=words.refusal(refused),
        tenant=tenant,
        ask_tenant=refused.reason == "TENANT_REQUIRED",
        methods=await sign_in_methods(door, tenant),
    )


def _kept(request: Request, state: str) -> tuple[str, str | None, str]:
    """Returns the attempt, its organisation and where the person wanted to go; no attempt where none was kept."""
    attempt, _, rest = request.cookies.get(_cookie(state), "").partition("~")
    tenant, _, after = rest.partition("~")
    return attempt, unquote(tenant) or None, guards.local_path(unquote(after))


def _cookie(state: str) -> str:
    """Returns the name of an attempt's cookie, so that two tabs do not take each other's."""
    return f"orkestra_attempt_{''.join(one for one in state[:16] if one.isascii() and one.isalnum())}"


def _address(request: Request, door: Door) -> str:
    """Returns where the provider sends the browser back to, as it is registered there."""
    return f"{door.public_url or f'{request.url.scheme}://{request.url.netloc}'}{BACK}"


async def _count(request: Request, door: Door) -> None:
    ratelimit.refuse_excess(await door.limits.take((door.per_address, ratelimit.counted_as(address_of(request)))))

"""Signing in and out."""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from orkestra.chassis import ratelimit
from orkestra.dashboard.routes import guards
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.pages import error_page, go, sign_in_page
from orkestra.dashboard.routes.provider_sign_in import sign_in_methods
from orkestra.dashboard.routes.visit import Posted, Visit, address_of, cookie_of, keep_session, read_form, session_of
from orkestra.dashboard.routes.words import words_for
from orkestra.v1.identity import IdentityServiceClient, Session, SignInRequest, SignOutRequest
from orkestra.wire import Error, InvalidArgument


async def sign_in_form(request: Request) -> Response:
    """Shows the form; whoever is signed in already goes on.

    Not from a page that was told that its session has ended: what was checked a moment ago would still lead back.
    """
    door: Door = request.app.state.door
    after = guards.local_path(request.query_params.get("next"))
    session = session_of(request)
    if session.startswith("ors_") and "ended" not in request.query_params:
        try:
            await door.credentials.exchange(session, ip=address_of(request))
        except Error:
            pass  # the form is what such a person needs
        else:
            return RedirectResponse(after, 303)
    tenant = request.query_params.get("tenant") or None
    methods = await sign_in_methods(door, tenant)
    return sign_in_page(request, words_for(request, None), next=after, tenant=tenant, methods=methods)


async def sign_in(request: Request) -> Response:
    """Opens a session and keeps it in the cookie."""
    door: Door = request.app.state.door
    words = words_for(request, None)
    posted: Posted = {}
    try:
        guards.refuse_other_sites(request)
        posted = await read_form(request, door.body_limit)
        await _count(request, door)
        session = await _open(door, posted)
    except Error as refused:
        if not posted:
            return error_page(request, refused, words)
        return sign_in_page(
            request,
            words,
            status=refused.http_status,
            next=guards.local_path(_field(posted, "next")),
            problem=words.refusal(refused),
            email=_field(posted, "email"),
            tenant=_field(posted, "tenant"),
            ask_tenant=refused.reason == "TENANT_REQUIRED" or bool(_field(posted, "tenant")),
            methods=await sign_in_methods(door, _field(posted, "tenant")),
        )
    answer = go(guards.local_path(_field(posted, "next")))
    keep_session(answer, request, session)
    return answer


async def sign_out(visit: Visit) -> Response:
    """Ends the session everywhere."""
    await visit.identity.sign_out(SignOutRequest(token=visit.session))
    answer = go("/sign-in")
    answer.delete_cookie(
        cookie_of(visit.request), path="/", secure=visit.door.cookie_secure, httponly=True, samesite="lax"
    )
    return answer


async def _open(door: Door, posted: Posted) -> Session:
    email, password = _field(posted, "email"), (posted.get("password") or [""])[-1]
    if not email or not password:
        raise InvalidArgument("SIGN_IN_INCOMPLETE", "Enter your e-mail address and your password.")
    request = SignInRequest(email=email, password=password, tenant=_field(posted, "tenant"))
    return await door.client(IdentityServiceClient, None).sign_in(request, timeout=8.0)


async def _count(request: Request, door: Door) -> None:
    ratelimit.refuse_excess(await door.limits.take((door.per_address, ratelimit.counted_as(address_of(request)))))


def _field(posted: Posted, name: str) -> str | None:
    return (posted.get(name) or [""])[-1].strip() or None

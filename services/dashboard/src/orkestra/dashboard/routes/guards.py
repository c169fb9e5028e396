"""What keeps other sites and injected markup out: headers on every answer, and proof that a form is ours."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request
from orkestra.chassis.door import Application, Message, Receive, Scope, Send
from orkestra.wire import PermissionDenied

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_YEAR = "max-age=31536000"


class Guarded:
    """ASGI: gives each request a nonce and each answer the headers that browsers enforce."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        headers = _HEADERS | {"content-security-policy": _POLICY.format(nonce=nonce)}
        if scope["scheme"] == "https":
            headers["strict-transport-security"] = _YEAR

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                if not any(name.lower() == b"cache-control" for name, _ in given):
                    given.append((b"cache-control", b"no-store"))
                given += [(name.encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = given
            await send(message)

        await self._app(scope, receive, guarded)


def csrf_token(key: bytes, session: str) -> str:
    """Returns what a form of this session must carry."""
    return hmac.new(key, f"csrf:{session}".encode(), hashlib.sha256).hexdigest()


def is_csrf_token(key: bytes, session: str, token: str) -> bool:
    """Whether a form was made for this session."""
    return hmac.compare_digest(csrf_token(key, session).encode(), token.encode())


def refuse_other_sites(request: Request) -> None:
    """Raises where a browser says that another site sent the request (Fetch Metadata, RFC 6454)."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise _refused()
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise _refused()


def _refused() -> PermissionDenied:
    return PermissionDenied("OTHER_SITE", "This was sent from another site and is not taken.")


def local_path(wanted: str | None) -> str:
    """Returns `wanted` where it is a path of this dashboard, else the inbox."""
    if not wanted or len(wanted) > 2000 or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/inbox"
    if any(character < " " or character in "\\\x7f" for character in wanted):
        return "/inbox"
    parts = urlsplit(wanted)
    return "/inbox" if parts.scheme or parts.netloc or parts.path.startswith("/sign-") else wanted

"""The door as an OAuth resource server: where its tokens come from (RFC 9728), how it asks for one (RFC 6750)."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from orkestra.wire import Error, PermissionDenied, Unauthenticated, dumps
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

WELL_KNOWN = "/.well-known/oauth-protected-resource"
READ = frozenset({"GET", "HEAD"})
ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=300"}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What clients are told of this door; without issuers it takes API keys and sessions only."""

    url: str
    issuers: Sequence[str]
    scope: str

    @property
    def path(self) -> str:
        """Where the metadata is served: the well-known path before the resource's own (RFC 9728, 3.1)."""
        return WELL_KNOWN + urlsplit(self.url).path.rstrip("/")

    @property
    def metadata_url(self) -> str:
        """The metadata's whole address."""
        place = urlsplit(self.url)
        return f"{place.scheme}://{place.netloc}{self.path}"

    def metadata(self) -> dict[str, object]:
        """Returns the Protected Resource Metadata."""
        return {
            "resource": self.url,
            "resource_name": "Orkestra",
            "authorization_servers": list(self.issuers),
            "scopes_supported": [self.scope],
            "bearer_methods_supported": ["header"],
        }

    def challenge(self, refusal: Error, *, presented: bool) -> str | None:
        """Returns the `WWW-Authenticate` that belongs to a refusal, if one does."""
        if isinstance(refusal, Unauthenticated):
            error = 'error="invalid_token"' if presented else ""
        elif isinstance(refusal, PermissionDenied) and refusal.reason == "SCOPE_REQUIRED":
            error = 'error="insufficient_scope"'
        else:
            return None
        parts = ['realm="orkestra"', error]
        if self.issuers:
            parts += [f'scope="{self.scope}"', f'resource_metadata="{self.metadata_url}"']
        return f"Bearer {', '.join(part for part in parts if part)}"


class Metadata:
    """ASGI: answers for the metadata, to everyone; all else goes to the door."""

    def __init__(self, app: ASGIApp, resource: Resource) -> None:
        self._app = app
        self._resource = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["path"] in (WELL_KNOWN, self._resource.path)
        if not asked or not self._resource.issuers:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in READ:
            refused = Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
            await refused(scope, receive, send)
            return
        answer = Response(dumps(self._resource.metadata()), media_type="application/json", headers=ANYWHERE)
        await answer(scope, receive, send)

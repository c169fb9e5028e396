"""What the pages are served with: the rooms, who is who, what is new."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import grpc
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.drain import Drain
from orkestra.chassis.ratelimit import Counts, Limit
from orkestra.dashboard.routes.live import Live
from orkestra.dashboard.routes.names import Names
from orkestra.wire import RpcClient

C = TypeVar("C", bound=RpcClient)


@dataclass(frozen=True, kw_only=True)
class Door:
    """One dashboard; nothing in it outlives the process but what is looked up again."""

    rooms: Mapping[type[RpcClient], grpc.aio.Channel]
    credentials: CredentialCache
    limits: Counts
    per_address: Limit
    """For sign-ins."""
    live: Live
    drain: Drain
    csrf_key: bytes
    cookie_secure: bool
    body_limit: int
    public_url: str = ""
    """Where browsers reach the dashboard; as each request has it where empty."""
    temporal_ui_url: str = ""
    """Where the Temporal UI shows a run, with {workflow_id} in it."""
    trace_url: str = ""
    """Where a trace is shown, with {trace_id} in it."""
    names: Names = field(default_factory=Names)

    def client(
        self, room: type[C], token: str | Callable[[], Awaitable[str]] | None, *, locale: str | None = None
    ) -> C:
        """Returns a client of a room that acts for whoever the token names, and reads that language."""
        source = partial(_brought, token) if isinstance(token, str) else token
        return room(self.rooms[room], source, door="dashboard", locale=locale)


async def _brought(token: str) -> str:
    """Bring a token that identity-service gave within the last second; a room that refuses it errs for a moment."""
    return token

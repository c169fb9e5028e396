"""What is new, told to open pages: events from NATS, fanned out to those who may hear of them (server-sent events)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Any

import grpc
from nats.aio.msg import Msg
from orkestra.chassis.drain import Drain
from orkestra.chassis.events import Event, Poison, read_event
from orkestra.chassis.hearing import Hearing
from orkestra.chassis.logs import get_logger
from orkestra.chassis.streams import Nats
from orkestra.rules import audiences_of
from orkestra.v1.events import TaskEvent
from orkestra.v1.identity import CheckSessionsRequest, IdentityServiceClient, SessionState
from orkestra.wire import Error, Principal, dumps

MOST_WAITING = 500
"""Events that wait for one slow page; beyond that it is told to look again at everything."""
CHECK_SECONDS = 1.0
"""How often the sessions of open pages are checked again."""
MOST_CHECKED = 500
"""Sessions of one call."""
CHECK_TIMEOUT = 1.0
"""With the time between two checks: how long a session that has ended may still hear something."""
BEAT_SECONDS = 15
"""How often a page hears that its stream lives; another part of the pages each second."""
ENDED = None
"""What a page's queue ends with."""

log = get_logger(__name__)


@dataclass(eq=False, slots=True)
class Listener:
    """One open page."""

    tenant_id: str
    audiences: frozenset[str]
    session: str = ""
    missed: bool = False
    """Whether something was not told while its session could not be checked."""
    waiting: "asyncio.Queue[bytes | None]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    def tell(self, message: bytes | None) -> None:
        """Queue a message; a page that does not keep up is told to start over instead."""
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(RESET if message is not ENDED else ENDED)


class Live:
    """Hears the task events of a tenant once for this process, while a page of that tenant is open.

    What is published on a stream also reaches plain subscribers. A page that opens, or stays open, while NATS is away
    is told to look again afterwards.
    The sessions of all open pages are checked together, in one call for hundreds. While identity cannot be asked,
    nothing is told: whoever may still hear it is told to look again afterwards.
    """

    def __init__(self, nats: Nats, identity: grpc.aio.Channel, drain: Drain) -> None:
        self._hearing = Hearing(nats, self._hear, self._look_again)
        self._identity = IdentityServiceClient(identity, door="dashboard")
        self._drain = drain
        self._listeners: dict[Listener, None] = {}
        self._by_audience: defaultdict[tuple[str, str], set[Listener]] = defaultdict(set)
        self._is_certain = True

    async def run(self) -> None:
        """Hear events until cancelled."""
        await self._hearing.run()

    async def watch(self) -> None:
        """Check the sessions of open pages every second, beat, and end all pages when the process is about to end."""
        for second in count():
            if self._drain.draining:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._drain.wait()
            if self._listeners and not self._drain.draining:
                await self._check()
                for listener in islice(tuple(self._listeners), second % BEAT_SECONDS, None, BEAT_SECONDS):
                    listener.tell(BEAT)
        for listener in tuple(self._listeners):
            listener.tell(ENDED)

    @asynccontextmanager
    async def listening(self, tenant_id: str, audiences: frozenset[str], *, session: str) -> AsyncIterator[Listener]:
        """Return a listener that is told for the length of the block."""
        listener = Listener(tenant_id, audiences, session)
        self._listeners[listener] = None
        self._place(listener)
        try:
            async with self._hearing.listening(_subject(tenant_id)):
                yield listener
        finally:
            del self._listeners[listener]
            self._displace(listener)

    @property
    def draining(self) -> bool:
        """Whether pages are about to be let go."""
        return self._drain.draining

    async def _check(self) -> None:
        pages: defaultdict[str, list[Listener]] = defaultdict(list)
        for listener in self._listeners:
            pages[listener.session].append(listener)
        tokens = tuple(pages)
        parts = [tokens[start : start + MOST_CHECKED] for start in range(0, len(tokens), MOST_CHECKED)]
        try:
            answers = await asyncio.gather(*(self._states(part) for part in parts))
        except Error as away:
            log.warning("the sessions of open pages cannot be checked", error=str(away))
            self._is_certain = False
            return
        for token, state in zip(tokens, chain.from_iterable(answers), strict=True):
            self._learn(pages[token], state)
        if not self._is_certain:
            self._is_certain = True
            self._catch_up()

    async def _states(self, tokens: Sequence[str]) -> Sequence[SessionState]:
        asked = CheckSessionsRequest(tokens=list(tokens))
        return (await self._identity.check_sessions(asked, timeout=CHECK_TIMEOUT)).sessions

    def _learn(self, pages: Sequence[Listener], state: SessionState) -> None:
        """Take what a session may hear now; one that has ended hears that, and nothing more."""
        audiences = frozenset(audiences_of(_principal(state))) if state.is_good else frozenset[str]()
        for listener in pages:
            if not state.is_good:
                listener.tell(SESSION_ENDED)
                listener.tell(ENDED)
            if listener.audiences != audiences and listener in self._listeners:
                self._displace(listener)
                listener.audiences = audiences
                self._place(listener)

    def _catch_up(self) -> None:
        for listener in tuple(self._listeners):
            if listener.missed:
                listener.missed = False
                listener.tell(RESET)

    def _place(self, listener: Listener) -> None:
        for audience in listener.audiences:
            self._by_audience[listener.tenant_id, audience].add(listener)

    def _displace(self, listener: Listener) -> None:
        for audience in listener.audiences:
            place = listener.tenant_id, audience
            self._by_audience[place].discard(listener)
            if not self._by_audience[place]:
                del self._by_audience[place]

    def _look_again(self, subjects: frozenset[str]) -> None:
        for listener in tuple(self._listeners):
            if _subject(listener.tenant_id) in subjects:
                listener.tell(RESET)

    async def _hear(self, message: Msg) -> None:
        try:
            event = read_event(message.headers or {}, message.data)
            told = event.payload(TaskEvent)
        except Poison as unreadable:
            log.warning("an event cannot be shown", reason=str(unreadable))
            return
        places = ((event.tenant_id, audience) for audience in told.audience)
        listeners = set[Listener]().union(*(self._by_audience.get(place, ()) for place in places))
        if not listeners:
            return
        text = message_of("task", _shown(event, told))
        for listener in listeners:
            if self._is_certain:
                listener.tell(text)
            else:
                listener.missed = True


def message_of(name: str, data: dict[str, Any]) -> bytes:
    """Return one server-sent event (HTML Living Standard, 9.2)."""
    return f"event: {name}\ndata: {dumps(data)}\n\n".encode()


RESET = message_of("reset", {})
SESSION_ENDED = message_of("session", {})
BEAT = b": still here\n\n"


async def heard(listener: Listener) -> AsyncIterator[bytes]:
    """Yield each message; end where the session or the process does."""
    while (message := await listener.waiting.get()) is not ENDED:
        yield message


def _subject(tenant_id: str) -> str:
    return f"orkestra.v1.{tenant_id}.task.*"


def _principal(state: SessionState) -> Principal:
    return Principal(
        subject=state.subject or "",
        kind="user",
        tenant_id=state.tenant_id,
        roles=frozenset(role.value for role in state.roles),
        groups=frozenset(state.groups),
    )


def _shown(event: Event, told: TaskEvent) -> dict[str, Any]:
    task = told.task
    return {
        "id": event.id,
        "task_id": event.key,
        "event": event.event,
        "version": event.version,
        "status": task.status,
        "title": task.title,
        "workflow_id": task.workflow_id,
        "actor": told.actor,
    }

"""An rpc is a transaction: `@operation` opens it, replays request ids, writes events and commits."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar, get_type_hints

import asyncpg
from orkestra.chassis.connection import AheadConnection
from orkestra.chassis.database import NO_TENANT, Database, set_tenant, tenant_statement
from orkestra.chassis.logs import log_tenant
from orkestra.chassis.metrics import EMITTED
from orkestra.chassis.outbox import OutboxEvent, closing_statements, outbox_event
from orkestra.chassis.requests import ANSWERED, RUNNING, Digest, RequestKey, request_key, running, sha256
from orkestra.chassis.telemetry import step
from orkestra.wire import Context, Model, Principal


class Operations(Protocol):
    """What implements a service: it has a database.

    A service whose requests hold secrets also has `request_digest`, which keys the hash kept with a request id.
    """

    database: Database


S = TypeVar("S", bound=Operations)
R = TypeVar("R", bound=Model)
A = TypeVar("A", bound=Model)
Method = Callable[[S, "Tx", R], Awaitable[A]]
Rpc = Callable[[S, Context, R], Coroutine[Any, Any, A]]

SYSTEM = "system"
"""Subject of what nobody asked for: a clock, a consumer, a sweep."""
_REPEATABLE = (asyncpg.InvalidCachedStatementError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Tx:
    """A running transaction and who it is for."""

    def __init__(self, ctx: Context, conn: AheadConnection, *, tenant_id: str, database: Database) -> None:
        self.ctx = ctx
        self.conn = conn
        self.tenant_id = tenant_id
        self._database = database
        self._events: list[OutboxEvent] = []
        self._now: datetime | None = None
        self._kept: Model | None = None
        self._traceparent: str | None = None
        self._afterwards: list[Callable[[], None]] = []

    async def now(self) -> datetime:
        """Return the time of this transaction by PostgreSQL's clock."""
        if self._now is None:
            self._now = await self.conn.fetchval("select now()")
        return self._now

    def keep(self, answer: Model) -> None:
        """Keep `answer` for repeated requests in the place of the one given, which holds a secret."""
        self._kept = answer

    def kept(self, answer: Model) -> Model:
        """Return what is kept of `answer` for repeated requests."""
        return self._kept or answer

    async def enter(self, tenant_id: str) -> None:
        """Go on in another tenant; only for operations above tenants."""
        await self.conn.execute(set_tenant(tenant_id))
        self.tenant_id = tenant_id

    def send_ahead(self, statement: str) -> None:
        """Have a statement without parameters done before the next one and before the commit, and go on meanwhile.

        Where it fails, the connection is cut, nothing is committed, and the caller is told Unavailable.
        """
        self.conn.send_ahead(statement)

    def continue_trace(self, traceparent: str | None) -> None:
        """Have what is emitted from now on belong to the trace that `traceparent` names, else to the running one."""
        self._traceparent = traceparent

    @property
    def traceparent(self) -> str | None:
        """The trace that what is emitted belongs to, where it is not the running one."""
        return self._traceparent

    async def emit(self, *, aggregate: str, event: str, payload: Model, key: str, version: int) -> None:
        """Tell that `event` happened to the resource `key`, which is now at `version`; told only if all commits."""
        self._events.append(
            outbox_event(
                self.tenant_id,
                source=self._database.schema,
                aggregate=aggregate,
                event=event,
                key=key,
                version=version,
                payload=payload,
                traceparent=self._traceparent,
            )
        )

    def afterwards(self, do: Callable[[], None]) -> None:
        """Have something done in this process once all is committed; what must not be lost is emitted."""
        self._afterwards.append(do)

    async def commit(self, kept: tuple[str, str] | None = None) -> None:
        """Write the events, make the call `kept` in its tenant, and commit, in one trip."""
        relay = self._database.relay if self._events else None
        heard = relay is not None and relay.is_active
        statements = closing_statements(self._events, scope=self.tenant_id, kept=kept, heard=heard)
        with step("commit"):
            await self.conn.execute("; ".join(statements))
        for do in self._afterwards:  # first: somebody may wait for it
            do()
        if relay is not None and heard:
            relay.hear()
        for event in self._events:
            EMITTED.labels(*event.name).inc()


@asynccontextmanager
async def events_transaction(database: Database, tenant_id: str) -> AsyncIterator[Tx]:
    """Yield a transaction of `tenant_id` that may emit events, for what acts without a caller: consumers and sweeps."""
    ctx = Context(principal=Principal(subject=SYSTEM, kind="service", tenant_id=tenant_id))
    async with database.opened(tenant_statement(tenant_id)) as conn:
        tx = Tx(ctx, conn, tenant_id=tenant_id, database=database)
        yield tx
        await tx.commit()


def operation(method: Method[S, R, A]) -> Rpc[S, R, A]:
    """Turn `async def claim_task(self, tx, request) -> Task` into the rpc that takes a context in the place of `tx`.

    One transaction of the caller's tenant; a request id is answered once and replayed for 24 hours.
    """
    return _rpc(method, scope=lambda ctx: ctx.tenant_id)


def operation_above_tenants(method: Method[S, R, A]) -> Rpc[S, R, A]:
    """Like `operation`, for callers without a tenant; `tx.enter(tenant_id)` goes on in one."""
    return _rpc(method, scope=lambda ctx: ctx.principal.tenant_id or NO_TENANT)


def read(method: Method[S, R, A]) -> Rpc[S, R, A]:
    """Like `operation`, read only and without request ids."""
    return _reading(method, scope=lambda ctx: ctx.tenant_id)


def read_above_tenants(method: Method[S, R, A]) -> Rpc[S, R, A]:
    """Like `read`, for callers without a tenant as well: they see what belongs to none."""
    return _reading(method, scope=lambda ctx: ctx.principal.tenant_id or NO_TENANT)


def _reading(method: Method[S, R, A], *, scope: Callable[[Context], str]) -> Rpc[S, R, A]:
    async def rpc(self: S, ctx: Context, request: R) -> A:
        tenant_id = scope(ctx)
        async with self.database.reading(tenant_id) as conn:
            return await method(self, Tx(ctx, conn, tenant_id=tenant_id, database=self.database), request)

    return _dressed(rpc, method)


def _rpc(method: Method[S, R, A], *, scope: Callable[[Context], str]) -> Rpc[S, R, A]:
    answer_model: type[A] = get_type_hints(method)["return"]

    async def rpc(self: S, ctx: Context, request: R) -> A:
        tenant_id = scope(ctx)
        log_tenant.set(tenant_id)
        key = None
        if ctx.request_id is not None:
            digest: Digest = getattr(self, "request_digest", sha256)
            key = request_key(
                ctx.request_id,
                tenant_id=tenant_id,
                principal=ctx.subject,
                rpc=ctx.rpc,
                request_hash=digest(request.model_dump_json().encode()),
            )
        try:
            return await _commit_once(method, self, ctx, request, tenant_id=tenant_id, key=key)
        except _REPEATABLE:  # rolled back whole: a schema change under a prepared statement, or a deadlock's victim
            return await _commit_once(method, self, ctx, request, tenant_id=tenant_id, key=key)
        except asyncpg.PostgresError as refused:
            if key is None or refused.sqlstate not in (RUNNING, ANSWERED):
                raise
            if refused.sqlstate == RUNNING:
                raise running() from None
        async with self.database.transaction(tenant_id) as conn:
            answer = await key.answer(conn, answer_model)
        ctx.reply.replayed = True
        return answer

    return _dressed(rpc, method)


async def _commit_once(
    method: Method[S, R, A], self: S, ctx: Context, request: R, *, tenant_id: str, key: RequestKey | None
) -> A:
    begin = tenant_statement(tenant_id)
    if key is not None:
        begin = f"{begin}; {key.open_statement()}"
    async with self.database.opened(begin, asks=key is not None) as conn:
        tx = Tx(ctx, conn, tenant_id=tenant_id, database=self.database)
        answer = await method(self, tx, request)
        await tx.commit(None if key is None else (tenant_id, key.keep_call(tx.kept(answer))))
    return answer


def _dressed(rpc: Rpc[S, R, A], method: Method[S, R, A]) -> Rpc[S, R, A]:
    """Give `rpc` the method's name and types, as `bind` reads them."""
    hints = get_type_hints(method)
    rpc.__name__, rpc.__qualname__ = method.__name__, method.__qualname__
    rpc.__module__, rpc.__doc__ = method.__module__, method.__doc__
    rpc.__annotations__ = {"ctx": Context, "request": hints["request"], "return": hints["return"]}
    return rpc

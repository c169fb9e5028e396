"""Events that become true with a transaction: rows of `outbox`, written in the trip that commits."""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from orkestra.chassis import literals
from orkestra.chassis.database import set_tenant
from orkestra.wire import Internal, Model
from orkestra.wire.tracing import pass_on, pass_on_trace

MAX_EVENT_BYTES = 64 * 1024
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event on its way into the outbox."""

    tenant_id: str
    subject: str
    payload: bytes
    headers: str
    name: tuple[str, str]
    """Aggregate and event."""


def outbox_event(
    tenant_id: str,
    *,
    source: str,
    aggregate: str,
    event: str,
    key: str,
    version: int,
    payload: Model,
    traceparent: str | None = None,
) -> OutboxEvent:
    """Return the event `orkestra.v1.<tenant>.<aggregate>.<event>` about the resource `key` at `version`.

    It belongs to the running trace, or to the one that `traceparent` names.
    """
    if not _WORD.fullmatch(aggregate) or not _WORD.fullmatch(event):
        raise ValueError(f"{aggregate}.{event} does not name an event")
    data = payload.model_dump_json(exclude_none=True).encode()
    if len(data) > MAX_EVENT_BYTES:
        raise Internal("EVENT_TOO_LARGE", f"An event {aggregate}.{event} of {len(data)} bytes is over 64 KiB.")
    headers = {
        "ce-specversion": "1.0",
        "ce-source": f"orkestra/{source}",
        "ce-type": f"orkestra.v1.{aggregate}.{event}",
        "ce-subject": quote(key, safe=""),
        "ce-tenant": tenant_id,
        "ce-version": str(version),
        "content-type": "application/json",
    }
    if traceparent is None:
        pass_on(headers)
    else:
        pass_on_trace(traceparent, f"{aggregate} {event}", headers)
    subject = f"orkestra.v1.{tenant_id}.{aggregate}.{event}"
    return OutboxEvent(tenant_id, subject, data, json.dumps(headers), (aggregate, event))


def emit_call(event: OutboxEvent, *, heard: bool = False) -> str:
    """Return the call that writes `event`, in a transaction scoped to its tenant.

    The relay hears of it by PostgreSQL, or, where it is `heard`, from the caller.
    """
    emit = "emit_heard_event" if heard else "emit_event"
    return (
        f"{emit}('{event.tenant_id}', '{event.subject}', {literals.binary(event.payload)}, "
        f"{literals.text(event.headers)})"
    )


def closing_statements(
    events: Sequence[OutboxEvent], *, scope: str, kept: tuple[str, str] | None = None, heard: bool = False
) -> list[str]:
    """Return the statements that write `events` in order and make the call `kept`, each in its tenant, and commit.

    `scope` is the tenant of the running transaction, `kept` a tenant and a call; `heard` is of `emit_call`.
    """
    calls = [(event.tenant_id, emit_call(event, heard=heard)) for event in events]
    if kept is not None:
        calls.append(kept)
    statements: list[str] = []
    for tenant_id, group in itertools.groupby(calls, key=lambda call: call[0]):
        if tenant_id != scope:
            scope = tenant_id
            statements.append(set_tenant(scope))
        statements.append("SELECT " + ", ".join(call for _, call in group))
    statements.append("COMMIT")
    return statements

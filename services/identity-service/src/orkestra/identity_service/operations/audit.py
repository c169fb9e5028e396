"""The audit: who administered what, written in the transaction that did it."""

from collections.abc import Mapping
from typing import Any

from orkestra.chassis.operations import Tx, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.base import Identity, page, sql
from orkestra.v1.identity import AuditEntry, ListAuditRequest, ListAuditResponse
from orkestra.wire import Model

State = Model | Mapping[str, Any] | None


class AuditOperations(Identity):
    """The rpcs about the audit."""

    @read
    async def list_audit(self, tx: Tx, request: ListAuditRequest) -> ListAuditResponse:
        limit, before = page("audit", size=request.page_size, token=request.page_token)
        entries = await sql.list_audit.all(
            tx.conn,
            AuditEntry,
            tenant_id=tx.tenant_id,
            before=before or "~",
            actor=request.actor,
            action=request.action,
            resource_id=request.resource_id,
            since=request.since,
            until=request.until,
            limit=limit + 1,
        )
        more = rules.page_token("audit", entries[limit - 1].entry_id) if len(entries) > limit else None
        return ListAuditResponse(entries=entries[:limit], next_page_token=more)


async def audited(
    tx: Tx, action: str, resource: str, resource_id: str, *, before: State = None, after: State = None
) -> None:
    """Write down what the caller just did; of two states only what differs is kept."""
    was, became = _plain(before), _plain(after)
    if was is not None and became is not None:
        changed = {name for name in was.keys() | became.keys() if was.get(name) != became.get(name)}
        was = {name: value for name, value in was.items() if name in changed}
        became = {name: value for name, value in became.items() if name in changed}
    await sql.add_audit_entry.execute(
        tx.conn,
        tenant_id=tx.tenant_id,
        actor=tx.ctx.subject,
        actor_kind=tx.ctx.principal.kind,
        action=action,
        resource=resource,
        resource_id=resource_id,
        before=was,
        after=became,
        door=tx.ctx.door,
    )


def _plain(state: State) -> dict[str, Any] | None:
    if state is None:
        return None
    return state.model_dump(mode="json") if isinstance(state, Model) else dict(state)

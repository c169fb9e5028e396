"""Out of office: who takes whose place, and when."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, refuse, sql
from orkestra.identity_service.operations.people import find_people, find_person
from orkestra.v1.events import SubstitutionEvent
from orkestra.v1.identity import GetSubstitutionRequest, SetSubstitutionRequest, Substitution
from orkestra.wire import PermissionDenied


class SubstitutionOperations(Identity):
    """The rpcs about substitutes. Who acts in whose place is decided where the tasks are."""

    @operation
    async def set_substitution(self, tx: Tx, request: SetSubstitutionRequest) -> Substitution:
        person = await find_person(tx, request.user_id)
        if not rules.may_substitute(tx.ctx.subject, tx.ctx.principal.roles, person.user_id):
            raise PermissionDenied("NOT_YOUR_ABSENCE", "Others are sent out of office by managers and admins alone.")
        found = [] if request.substitute is None else await find_people(tx, [request.substitute])
        substitute = found[0] if found else None
        refuse(rules.substitution_errors(request, person=person.user_id, substitute=substitute))
        before = await _kept(tx, person.user_id)
        row = await sql.set_substitution.one(
            tx.conn,
            Substitution,
            tenant_id=tx.tenant_id,
            user_id=person.user_id,
            substitute=substitute.user_id if substitute else None,
            begins_at=request.begins_at,
            ends_at=request.ends_at,
            task_types=request.task_types,
        )
        now = row or before
        await tell_of_substitution(tx, before, now)
        await audited(tx, "set_substitution", "user", now.user_id, before=before, after=now)
        return now

    @read
    async def get_substitution(self, tx: Tx, request: GetSubstitutionRequest) -> Substitution:
        person = await find_person(tx, request.user_id)
        return await _kept(tx, person.user_id)


async def tell_of_substitution(tx: Tx, before: Substitution, now: Substitution) -> None:
    """Emit who takes somebody's place, and whose place nobody takes any more; the same twice where nothing changed."""
    payload = SubstitutionEvent(
        substitution=now,
        audience=rules.told_of_substitution(before, now),
        actor=tx.ctx.subject,
        formerly=before.substitute if before.substitute != now.substitute else None,
    )
    await tx.emit(
        aggregate="identity", event="substitution_changed", payload=payload, key=now.user_id, version=now.version
    )


async def _kept(tx: Tx, user_id: str) -> Substitution:
    kept = await sql.get_substitution.one(tx.conn, Substitution, tenant_id=tx.tenant_id, user_id=user_id)
    return kept or Substitution(user_id=user_id, version=0)

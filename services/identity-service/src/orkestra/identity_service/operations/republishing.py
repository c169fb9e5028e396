"""What other services keep copies of, told once more: for one that was restored, or that events did not reach."""

from orkestra.chassis.operations import Tx, operation
from orkestra.identity_service import rules
from orkestra.identity_service.operations.accounts import SERVICE_SUBJECT
from orkestra.identity_service.operations.base import Identity, page, sql
from orkestra.identity_service.operations.people import tell_of_group, tell_of_person
from orkestra.identity_service.operations.substitutions import tell_of_substitution
from orkestra.v1.identity import Group, RepublishPeopleRequest, RepublishPeopleResponse, Substitution, User
from orkestra.wire import PermissionDenied

LISTING = "people"
AT_ONCE = 100
_USERS, _GROUPS = "users", "groups"


class RepublishingOperations(Identity):
    """The rpc by which a service asks for the events that its copies are made of."""

    @operation
    async def republish_people(self, tx: Tx, request: RepublishPeopleRequest) -> RepublishPeopleResponse:
        """Emit people with their absences first, then groups, each at the version that it has."""
        if tx.ctx.subject != SERVICE_SUBJECT:
            raise PermissionDenied("ROLE_REQUIRED", "RepublishPeople needs the installation's own service key.")
        _, place = page(LISTING, size=None, token=request.page_token)
        kind, _, after = place.partition("/")
        if kind != _GROUPS:
            return await _people(tx, after)
        return await _groups(tx, after)


async def _people(tx: Tx, after: str) -> RepublishPeopleResponse:
    users = await sql.list_users.all(tx.conn, User, tenant_id=tx.tenant_id, after=after, limit=AT_ONCE)
    for user in users:
        await tell_of_person(tx, user)
    ids = [user.user_id for user in users]
    absences = await sql.substitutions_of.all(tx.conn, Substitution, tenant_id=tx.tenant_id, user_ids=ids)
    for absence in absences:
        await tell_of_substitution(tx, absence, absence)
    is_last = len(users) < AT_ONCE
    following = f"{_GROUPS}/" if is_last else f"{_USERS}/{rules.email_key(users[-1].email)}"
    return RepublishPeopleResponse(
        emitted=len(users) + len(absences), next_page_token=rules.page_token(LISTING, following)
    )


async def _groups(tx: Tx, after: str) -> RepublishPeopleResponse:
    rows = await sql.every_group.rows(tx.conn, tenant_id=tx.tenant_id, after=after, limit=AT_ONCE)
    for row in rows:
        group = Group.model_validate({name: row[name] for name in Group.model_fields if name in row})
        await tell_of_group(tx, group, event="group_deleted" if row["is_deleted"] else "group_changed")
    token = rules.page_token(LISTING, f"{_GROUPS}/{rows[-1]['group_id']}") if len(rows) == AT_ONCE else None
    return RepublishPeopleResponse(emitted=len(rows), next_page_token=token)

"""The erasure of who a person is: the id stays, so that what they decided keeps its place."""

from orkestra.chassis.operations import Tx, operation
from orkestra.identity_service import rules
from orkestra.identity_service.operations.accounts import SERVICE_SUBJECT
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, sql
from orkestra.identity_service.operations.people import find_person, leave_group, tell_of_person
from orkestra.v1.identity import EraseUserRequest, EraseUserResponse, UserStatus
from orkestra.wire import FailedPrecondition, PermissionDenied

ERASED_NAME = "Erased person"
SHORTEST_WORD = 3
"""Shorter names are in every second word; they go with the records that are the person's own."""


class ErasingOperations(Identity):
    """The rpc by which workflow-worker has a person erased."""

    @operation
    async def erase_user(self, tx: Tx, request: EraseUserRequest) -> EraseUserResponse:
        """Put the person's id in the place of who they are, and end what lets them in; safe to repeat."""
        if tx.ctx.subject != SERVICE_SUBJECT:
            raise PermissionDenied("ROLE_REQUIRED", "EraseUser needs the installation's own service key.")
        user = await find_person(tx, request.user_id)
        if user.status is not UserStatus.DISABLED:
            raise FailedPrecondition("USER_NOT_DISABLED", "Only a disabled person is erased.", current=user)
        place = {"tenant_id": tx.tenant_id, "user_id": user.user_id}
        for row in await sql.groups_of_user.rows(tx.conn, **place):
            await leave_group(tx, row["group_id"], user.user_id)
        email = f"{user.user_id}@erased.invalid"
        if await sql.erase_user.value(tx.conn, **place, email=email, name=ERASED_NAME) is not None:
            await tell_of_person(tx, await find_person(tx, user.user_id))
            asked = {} if request.asked_by is None else {"asked_by": request.asked_by}
            await audited(tx, "erase_user", "user", user.user_id, after=asked)
        words = {user.email, rules.email_key(user.email), user.name} - {email, ERASED_NAME}
        counts = [
            await sql.erase_substitutions.execute(tx.conn, **place),
            await sql.erase_linked_subjects.execute(tx.conn, **place),
            await sql.forget_mail_links.execute(tx.conn, **place),
            await sql.erase_sessions.execute(tx.conn, **place),
            await sql.forget_answers.value(tx.conn, tenant_id=tx.tenant_id, principal=user.user_id),
            await sql.forget_failures.execute(tx.conn, email_hash=self.pepper.digest(rules.email_key(user.email))),
            await sql.erase_traces.value(
                tx.conn, **place, words=sorted(word for word in words if len(word) >= SHORTEST_WORD)
            ),
        ]
        return EraseUserResponse(erased=sum(counts) + 1)

"""Subjects of outside issuers: which person or API key they are, said by an admin."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, page, refuse, sql
from orkestra.identity_service.operations.keys import find_key
from orkestra.identity_service.operations.people import find_person
from orkestra.v1.identity import (
    LinkedSubject,
    LinkSubjectRequest,
    ListLinkedSubjectsRequest,
    ListLinkedSubjectsResponse,
    Tenant,
    UnlinkSubjectRequest,
)
from orkestra.wire import AlreadyExists, FieldError, NotFound


class SubjectOperations(Identity):
    """The rpcs about linked subjects."""

    @operation
    async def link_subject(self, tx: Tx, request: LinkSubjectRequest) -> LinkedSubject:
        errors = list(rules.subject_errors(request.subject))
        if not await self._is_own_issuer(tx, request.issuer):
            errors.append(FieldError("issuer", "unknown", "This tenant has no provider of its own with that issuer."))
        refuse(errors)
        is_key = request.principal.startswith("key_")
        key_id = (await find_key(tx, request.principal)).key_id if is_key else None
        user_id = None if is_key else (await find_person(tx, request.principal)).user_id
        linked = await sql.link_subject.one(
            tx.conn,
            LinkedSubject,
            tenant_id=tx.tenant_id,
            issuer=request.issuer,
            subject=request.subject,
            user_id=user_id,
            key_id=key_id,
        )
        if linked is None:
            message = "This subject, or this person at this issuer, is linked already; unlink it first."
            raise AlreadyExists("SUBJECT_LINKED", message)
        await audited(tx, "link_subject", "subject", linked.subject_id, after=linked)
        return linked

    @read
    async def list_linked_subjects(self, tx: Tx, request: ListLinkedSubjectsRequest) -> ListLinkedSubjectsResponse:
        limit, after = page("subjects", size=request.page_size, token=request.page_token)
        found = await sql.list_linked_subjects.all(
            tx.conn,
            LinkedSubject,
            tenant_id=tx.tenant_id,
            principal=request.principal,
            after=after,
            limit=limit + 1,
        )
        more = rules.page_token("subjects", found[limit - 1].subject_id) if len(found) > limit else None
        return ListLinkedSubjectsResponse(linked_subjects=found[:limit], next_page_token=more)

    @operation
    async def unlink_subject(self, tx: Tx, request: UnlinkSubjectRequest) -> LinkedSubject:
        place = {"tenant_id": tx.tenant_id, "subject_id": request.subject_id}
        gone = await sql.unlink_subject.one(tx.conn, LinkedSubject, **place)
        if gone is None:
            raise NotFound("SUBJECT_NOT_FOUND", f"There is no linked subject {request.subject_id[:100]}.")
        await sql.end_sessions.execute(tx.conn, tenant_id=tx.tenant_id, user_id=gone.principal, hash="")
        await audited(tx, "unlink_subject", "subject", gone.subject_id, before=gone)
        return gone

    async def _is_own_issuer(self, tx: Tx, issuer: str) -> bool:
        """Whether the issuer is of a provider of this tenant alone; nobody says who the subjects of others are."""
        [tenant] = await sql.get_tenant.all(tx.conn, Tenant, tenant_id=tx.tenant_id)
        return any((one.provider.issuer, one.provider.tenant) == (issuer, tenant.slug) for one in self.issuers.values())

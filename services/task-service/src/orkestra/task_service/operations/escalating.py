"""Whether agents may go on alone: the tenant's policy, and every answer that was given by it."""

from uuid import uuid4

from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import OVERSEERS, asker_of, check_escalation, check_rules, decide_escalation, may_in_tenant
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import page_size_of, page_token, place_of
from orkestra.v1.task import (
    CheckEscalationRequest,
    EscalationCheck,
    EscalationPolicy,
    GetEscalationCheckRequest,
    GetEscalationPolicyRequest,
    ListEscalationChecksRequest,
    ListEscalationChecksResponse,
    PutEscalationPolicyRequest,
)
from orkestra.wire import InvalidArgument, NotFound, VersionMismatch

FOLLOWS = {"task_id", "task_status", "outcome", "decided_by", "kept_draft", "ended_at"}
"""What becomes of a check later."""


class Escalating(Base):
    """The rpcs of escalation policies."""

    @operation
    async def check_escalation(self, tx: Tx, request: CheckEscalationRequest) -> EscalationCheck:
        """Say by the tenant's policy whether the agent may go on alone, and record it."""
        _require(tx, "check_escalation")
        errors = check_escalation(request)
        if errors:
            raise InvalidArgument("CHECK_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
        asker, policy = asker_of(request, tx.ctx.principal), await _policy(tx)
        now, check_id = await tx.now(), f"check_{uuid4().hex}"
        check = decide_escalation(policy, request, now, check_id=check_id, checked_by=asker)
        await sql.record_escalation_check.execute(tx.conn, tenant_id=tx.tenant_id, **check.model_dump(exclude=FOLLOWS))
        return check

    @read
    async def get_escalation_check(self, tx: Tx, request: GetEscalationCheckRequest) -> EscalationCheck:
        """Return the check and what became of it."""
        _require(tx, "view_escalation_checks")
        found = await sql.escalation_check.one(
            tx.conn, EscalationCheck, check_id=request.check_id, checked_by=_whose(tx)
        )
        if found is None:
            raise NotFound("CHECK_NOT_FOUND", f"There is no escalation check {request.check_id[:100]}.")
        return found

    @read
    async def list_escalation_checks(
        self, tx: Tx, request: ListEscalationChecksRequest
    ) -> ListEscalationChecksResponse:
        """Return a page of the checks, newest first."""
        _require(tx, "view_escalation_checks")
        size = page_size_of(request.page_size)
        before_at, before_check = ("infinity", "") if request.page_token is None else place_of(request.page_token)
        found = await sql.list_escalation_checks.all(
            tx.conn,
            EscalationCheck,
            checked_by=_whose(tx),
            topic=request.topic,
            decision=request.decision,
            before_at=before_at,
            before_check=before_check,
            limit=size + 1,
        )
        last = found[size - 1] if len(found) > size else None
        token = None if last is None else page_token(last.checked_at.isoformat(), last.check_id)
        return ListEscalationChecksResponse(checks=found[:size], next_page_token=token)

    @read
    async def get_escalation_policy(self, tx: Tx, request: GetEscalationPolicyRequest) -> EscalationPolicy:  # noqa: ARG002 - as every rpc
        """Return the policy in force; one without rules, at version 0, where none was put."""
        _require(tx, "view_escalation_policy")
        return await _policy(tx)

    @operation
    async def put_escalation_policy(self, tx: Tx, request: PutEscalationPolicyRequest) -> EscalationPolicy:
        """Replace the policy by a new version; the older ones are kept."""
        _require(tx, "put_escalation_policy")
        errors = check_rules(request.rules, request.kept_target)
        if errors:
            raise InvalidArgument("POLICY_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
        await sql.lock_escalation_policy.execute(tx.conn, tenant_id=tx.tenant_id)
        current = await _policy(tx)
        if request.version is not None and request.version != current.version:
            message = f"The policy has changed since version {request.version}; it is now at {current.version}."
            raise VersionMismatch("VERSION_MISMATCH", message, current=current)
        [row] = await sql.put_escalation_policy.rows(
            tx.conn,
            tenant_id=tx.tenant_id,
            version=current.version + 1,
            rules=[rule.model_dump(mode="json", exclude_none=True) for rule in request.rules],
            updated_by=tx.ctx.subject,
            kept_target=current.kept_target if request.kept_target is None else request.kept_target,
        )
        return EscalationPolicy.model_validate(dict(row))


def _whose(tx: Tx) -> str | None:
    """Return whose checks the caller sees; None for everybody's."""
    return None if not OVERSEERS.isdisjoint(tx.ctx.principal.roles) else tx.ctx.subject


def _require(tx: Tx, operation: str) -> None:
    refusal = may_in_tenant(operation, tx.ctx.principal)
    if refusal is not None:
        raise refusal


async def _policy(tx: Tx) -> EscalationPolicy:
    found = await sql.escalation_policy.one(tx.conn, EscalationPolicy)
    return found or EscalationPolicy(rules=[], version=0)

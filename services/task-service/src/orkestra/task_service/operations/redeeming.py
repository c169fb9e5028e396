"""How receipts are used up, once each, and how anybody can check them."""

import asyncpg
from orkestra.chassis.operations import Tx, operation
from orkestra.rules import may_in_tenant, visible
from orkestra.rules.receipts import invalid_receipt, read_receipt
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import task_of
from orkestra.task_service.rules import check_redemption
from orkestra.v1.task import GetReceiptKeysRequest, Receipt, ReceiptKeys, RedeemReceiptRequest, Redemption
from orkestra.wire import Context, Error, FailedPrecondition


class Redeeming(Base):
    """The rpcs of receipts."""

    @operation
    async def redeem_receipt(self, tx: Tx, request: RedeemReceiptRequest) -> Redemption:
        """Use the receipt up by one conditional update; the same use of the same caller is answered again."""
        refusal = may_in_tenant("redeem_receipt", tx.ctx.principal)
        if refusal is not None:
            raise refusal
        check_redemption(request)
        receipt = read_receipt(request.token, self.receipt_key.jwks(), tenant_id=tx.tenant_id)
        row = await sql.redeem_receipt.row(
            tx.conn,
            task_id=receipt.task_id,
            token=receipt.token,
            use_id=request.use_id,
            subject=tx.ctx.subject,
            expires_at=receipt.expires_at,
            door=tx.ctx.door,
        )
        if row is None:
            raise await _refusal(tx, receipt)
        return Redemption(
            task_id=row["task_id"],
            use_id=row["use_id"],
            action_digest=receipt.action_digest,
            outcome=receipt.outcome,
            redeemed_at=row["redeemed_at"],
        )

    async def get_receipt_keys(self, _ctx: Context, request: GetReceiptKeysRequest) -> ReceiptKeys:  # noqa: ARG002 - as every rpc
        """Return the public keys; anybody may check a receipt."""
        return ReceiptKeys(jwks=self.receipt_key.jwks())


async def _refusal(tx: Tx, receipt: Receipt) -> Error:
    row = await sql.redemption.row(tx.conn, task_id=receipt.task_id, token=receipt.token)
    if row is None:
        return invalid_receipt()
    if row["redeemed_at"] is not None:
        used = f" for {row['redeemed_use_id']}" if _may_know_use(tx, row) else ""
        when = row["redeemed_at"].isoformat(timespec="seconds")
        return FailedPrecondition("RECEIPT_USED", f"The receipt was used{used} by {row['redeemed_by']} at {when}.")
    return FailedPrecondition("RECEIPT_EXPIRED", "The receipt has expired; ask for a new decision.")


def _may_know_use(tx: Tx, row: asyncpg.Record) -> bool:
    """Say whether it was the caller's own use, or is in the history that the caller may read."""
    return row["redeemed_by"] == tx.ctx.subject or visible(tx.ctx.principal, task_of(row))

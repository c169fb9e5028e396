"""Receipts in a workflow: what a person decided about an action, checked without I/O and used up once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, Self

from orkestra.rules import action_digest
from orkestra.rules.receipts import read_receipt
from orkestra.sdk.run import Run, current_run
from orkestra.v1.task import GetReceiptKeysRequest, ReceiptKeys, RedeemReceiptRequest, Redemption
from orkestra.v1.task import Receipt as Stated
from orkestra.wire import Error
from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ApplicationError

RECEIPT_KEYS = "orkestra.receipt_keys"
REDEEM_RECEIPT = "orkestra.redeem_receipt"
APPROVED = "approve"


class Receipt(BaseModel):
    """Who decided what; `token` is the signed statement, and what is redeemed.

    Only a receipt that this run was handed, by approve(), task() or receipt_of(), knows the platform's keys; one that
    was an input, or came back from an activity, has to go through receipt_of().
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str
    outcome: str | None
    decided_by: str
    decided_at: datetime
    expires_at: datetime
    token: str
    comment: str | None = None
    _keys: Mapping[str, Any] | None = PrivateAttr(None)
    _tenant_id: str = PrivateAttr("")

    @classmethod
    def read(cls, token: str, keys: Mapping[str, Any], tenant_id: str) -> Self:
        """Return the receipt behind a token; refuses what the platform has not signed for the tenant."""
        stated = _stated(token, keys, tenant_id)
        fields = {name: value for name, value in stated if name in cls.model_fields}
        receipt = cls(**fields)
        receipt._keys, receipt._tenant_id = keys, tenant_id
        return receipt

    @property
    def is_approved(self) -> bool:
        """Whether the person chose the outcome `approve`."""
        return self.outcome == APPROVED

    def with_comment(self, comment: str | None) -> Self:
        """Return the same receipt with what the person said."""
        return self.model_copy(update={"comment": comment})

    def verify(self, action: str, args: Mapping[str, Any] | None = None) -> None:
        """Refuse, unless a person has approved exactly this action with exactly these arguments, and not too long ago.

        Nothing is asked of any service, so that it may stand before every step. It does not say whether the receipt was
        used before: redeem() does.
        Raises ApplicationError RECEIPT_INVALID, RECEIPT_NOT_APPROVED, RECEIPT_OF_ANOTHER_ACTION or RECEIPT_EXPIRED.
        """
        if self._keys is None:
            _refuse("RECEIPT_INVALID", "This receipt comes from outside the run: read its token by receipt_of() first.")
        stated = _stated(self.token, self._keys, self._tenant_id)
        if stated.outcome != APPROVED:
            _refuse(
                "RECEIPT_NOT_APPROVED", f"{stated.decided_by} has not approved this: {stated.outcome or 'answered'}."
            )
        given = to_jsonable_python(args)  # as the arguments were sent to be approved: a Decimal, a date
        digest = action_digest(action, given, form_digest=stated.form_digest, shown_digest=stated.shown_digest)
        if digest != stated.action_digest:
            _refuse("RECEIPT_OF_ANOTHER_ACTION", f"Another action was approved than {action} with these arguments.")
        if _now() >= stated.expires_at:
            _refuse("RECEIPT_EXPIRED", f"The approval of {action} has expired; ask for a new one.")


async def redeem(receipt: Receipt, use_id: str) -> Redemption:
    """Use the receipt up, once; the same `use_id` is the same use, so let it name what is done, such as a payment's id.

    Raises ApplicationError RECEIPT_USED where it was used for something else, RECEIPT_EXPIRED or RECEIPT_INVALID.
    """
    request = RedeemReceiptRequest(token=receipt.token, use_id=use_id)
    return await current_run().call(REDEEM_RECEIPT, request, Redemption)


async def receipt_of(token: str) -> Receipt:
    """Return the receipt behind a token that came from outside the run, such as in its input.

    Raises ApplicationError RECEIPT_INVALID where the platform has not signed it for the run's tenant.
    """
    return await read(current_run(), token)


async def read(run: Run, token: str) -> Receipt:
    """Return the receipt behind a token, with the platform's keys as the history has them."""
    keys = await run.call(RECEIPT_KEYS, GetReceiptKeysRequest(), ReceiptKeys)
    return Receipt.read(token, keys.jwks, run.required_header().tenant_id)


def _stated(token: str, keys: Mapping[str, Any], tenant_id: str) -> Stated:
    try:
        with workflow.unsafe.imports_passed_through():  # cryptography imports its errors when it first raises one
            return read_receipt(token, keys, tenant_id=tenant_id)
    except Error as error:
        _refuse(error.reason, str(error))


def _now() -> datetime:
    return workflow.now() if workflow.in_workflow() else datetime.now(UTC)


def _refuse(reason: str, sentence: str) -> NoReturn:
    raise ApplicationError(sentence, type=reason, non_retryable=True)

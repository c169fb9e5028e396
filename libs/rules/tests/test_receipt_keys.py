"""Keys of receipts and histories are rotated: the first of them signs, and what the others signed goes on verifying."""

import base64

import pytest
from orkestra.rules import decide_complete
from orkestra.rules.receipts import ReceiptKey, read_receipt
from orkestra.v1.task import Action, CompleteTaskRequest, Receipt, TaskContext
from orkestra.wire import InvalidArgument
from task_cases import AGENT, ANA, NOW, TENANT, created

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
TIP = (TENANT, "task_1", 3, "digest")


def issued(key: ReceiptKey) -> Receipt:
    """A receipt as `key` signs it."""
    task = created(AGENT, context=TaskContext(summary="s", action=Action(name="refund", args={"order": 7})))
    request = CompleteTaskRequest(task_id=task.task_id, data={"answer": "x"})
    receipt = decide_complete(task, ANA, NOW, request, issue=key.issue).task.receipt
    assert receipt is not None
    return receipt


def test_what_was_signed_before_a_rotation_verifies_and_the_new_key_signs() -> None:
    old, new, rotated = ReceiptKey(OLD), ReceiptKey(NEW), ReceiptKey(f"{NEW}, {OLD}")
    for signer in (old, new):
        receipt = issued(signer)
        assert read_receipt(receipt.token, rotated.jwks(), tenant_id=TENANT) == receipt
        assert rotated.is_tip(signer.sign_tip(*TIP), *TIP)
    assert rotated.kid == new.kid
    assert issued(rotated) == issued(new)
    assert rotated.sign_tip(*TIP) == new.sign_tip(*TIP)


def test_a_process_that_knows_the_new_key_already_reads_what_it_signs() -> None:
    """Between the two steps of a rotation, processes of both run side by side."""
    first, second = ReceiptKey(f"{OLD},{NEW}"), ReceiptKey(f"{NEW},{OLD}")
    for signer, reader in ((first, second), (second, first)):
        assert read_receipt(issued(signer).token, reader.jwks(), tenant_id=TENANT)
        assert reader.is_tip(signer.sign_tip(*TIP), *TIP)


def test_what_a_key_signed_that_was_taken_out_is_refused() -> None:
    new = ReceiptKey(NEW)
    with pytest.raises(InvalidArgument) as refused:
        read_receipt(issued(ReceiptKey(OLD)).token, new.jwks(), tenant_id=TENANT)
    assert refused.value.reason == "RECEIPT_INVALID"
    assert not new.is_tip(ReceiptKey(OLD).sign_tip(*TIP), *TIP)


@pytest.mark.parametrize("seeds", ["", f"{NEW},", "AAAA", f"{NEW};{OLD}"])
def test_what_is_no_key_is_refused(seeds: str) -> None:
    with pytest.raises(ValueError, match="receipt signing key"):
        ReceiptKey(seeds)

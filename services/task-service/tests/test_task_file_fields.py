"""File fields: an answer names files of its own task, as they are kept, and the form's rules hold for those."""

from typing import Any

import pytest
from orkestra.v1.task import (
    ApprovalPolicy,
    CompleteTaskRequest,
    RemoveAttachmentRequest,
    SaveDraftRequest,
    Task,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error
from task_files import PDF, attach, begin, reference
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]

FORM = {
    "receipts": {"type": "file", "accept": [".pdf", "image/*"], "max_size": 100, "max_items": 2, "required": True},
    "rows": {"type": "table", "columns": {"proof": {"type": "file"}, "note": {"type": "text"}}},
}


async def held(tenant: Tenant, **fields: Any) -> tuple[Task, Caller]:
    ana, _ = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
    task = await tenant.agent().create_task(ask(candidate_groups=["support-l1"], form=FORM, **fields))
    return (task if fields else await ana.claimed(task)), ana


async def complete(caller: Caller, task: Task, **data: Any) -> Task:
    return await caller.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))


async def refused(asked: Any) -> list[tuple[str, str]]:
    with pytest.raises(Error) as refusal:
        await asked
    return [(error.path, error.code) for error in refusal.value.errors]


async def test_an_answer_names_files_and_the_result_has_them_as_they_are_kept(world: World) -> None:
    task, ana = await held(world.tenant())
    file, proof = await attach(ana, task), await attach(ana, task, "proof.pdf")
    lie = reference(file) | {"size": 1, "name": "other.png"}
    rows = [{"proof": [{"attachment_id": proof.attachment_id}], "note": "seen"}]
    done = await complete(ana, task, receipts=[lie], rows=rows)
    assert done.result == {"receipts": [reference(file)], "rows": [{"proof": [reference(proof)], "note": "seen"}]}


async def test_files_that_the_task_does_not_have_are_refused_at_their_place(world: World) -> None:
    tenant = world.tenant()
    task, ana = await held(tenant)
    other, _ = await held(tenant)
    file, unfinished = await attach(ana, task), await begin(ana, task)
    agents = tenant.person("boss", roles=("manager",))
    elsewhere = reference(await attach(agents, other))
    half = elsewhere | {"attachment_id": unfinished.attachment_id}
    assert await refused(complete(ana, task, receipts=[reference(file), elsewhere])) == [
        ("data.receipts[1]", "unknown_file")
    ]
    assert await refused(complete(ana, task, receipts=[half])) == [("data.receipts[0]", "unknown_file")]
    rows = [{"proof": [elsewhere]}]
    assert await refused(complete(ana, task, receipts=[reference(file)], rows=rows)) == [
        ("data.rows[0].proof[0]", "unknown_file")
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("note.txt", b"Hello", "file_not_accepted"), ("big.pdf", PDF + b"x" * 100, "file_too_large")],
)
async def test_rules_of_the_field_hold_for_what_is_kept(world: World, name: str, content: bytes, code: str) -> None:
    task, ana = await held(world.tenant())
    file = await attach(ana, task, name, content)
    small = reference(file) | {"size": 1, "media_type": "image/png"}
    assert await refused(complete(ana, task, receipts=[small])) == [("data.receipts[0]", code)]


async def test_rules_of_the_field_hold_before_a_file_is_sent_for_it(world: World) -> None:
    task, ana = await held(world.tenant())
    assert await refused(begin(ana, task, "note.txt", field="receipts")) == [("media_type", "file_not_accepted")]
    with pytest.raises(Error, match="100 bytes"):
        await begin(ana, task, "big.pdf", field="receipts", size=101)
    assert (await attach(ana, task, "proof.pdf", field="rows.0.proof")).field == "rows.0.proof"


async def test_so_many_files_and_no_more(world: World) -> None:
    task, ana = await held(world.tenant())
    files = [reference(await attach(ana, task)) for _ in range(3)]
    assert await refused(complete(ana, task, receipts=files)) == [("data.receipts", "too_many_items")]
    assert await refused(complete(ana, task, receipts=[])) == [("data.receipts", "required")]


async def test_a_draft_keeps_files_of_its_task(world: World) -> None:
    task, ana = await held(world.tenant())
    file = await attach(ana, task)
    draft = {"receipts": [{"attachment_id": file.attachment_id}]}
    saved = await ana.save_draft(SaveDraftRequest(task_id=task.task_id, data=draft))
    assert saved.saved == {"receipts": [reference(file)]}
    stranger = {"receipts": [{"attachment_id": "attachment_" + "0" * 32}]}
    asked = ana.save_draft(SaveDraftRequest(task_id=task.task_id, data=stranger))
    assert await refused(asked) == [("data.receipts", "unknown_file")]


async def test_a_file_that_a_vote_names_stays(world: World) -> None:
    task, ana = await held(world.tenant(), approval_policy=ApprovalPolicy(required=2))
    files = [await attach(ana, task) for _ in range(2)]
    data = {"receipts": [reference(files[0])]}
    vote = VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=data, revision=1)
    await ana.vote_task(vote)
    named, free = (RemoveAttachmentRequest(task_id=task.task_id, attachment_id=one.attachment_id) for one in files)
    with pytest.raises(Error, match="A vote names this file"):
        await ana.remove_attachment(named)
    await ana.remove_attachment(free)
    gone = vote.model_copy(update={"data": {"receipts": [reference(files[1])]}})
    assert await refused(ana.vote_task(gone)) == [("data.receipts[0]", "unknown_file")]

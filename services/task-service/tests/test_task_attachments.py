"""Files of tasks: sent in parts, held to limits, kept apart by tenant, told in history, and gone with their task."""

import asyncio
import json
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from orkestra.rules import PART_BYTES
from orkestra.v1.task import (
    AttachmentUpload,
    BeginAttachmentRequest,
    CancelTaskRequest,
    DropAttachmentRequest,
    FinishAttachmentRequest,
    GetAttachmentRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    RemoveAttachmentRequest,
    Task,
    VerifyTaskHistoryRequest,
)
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, TooLarge
from task_files import PDF, add, attach, begin, content_of, files_of, finish, read
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]


async def opened(tenant: Tenant) -> tuple[Task, Caller, Caller]:
    agent, ana = tenant.agent(), tenant.person("ana", "support-l1")
    return await agent.create_task(ask(candidate_groups=["support-l1"])), agent, ana


async def refusal(asked: Any) -> Error:
    with pytest.raises(Error) as refused:
        await asked
    return refused.value


async def test_a_file_comes_back_as_it_was_sent_and_raises_no_version(world: World) -> None:
    task, agent, ana = await opened(world.tenant())
    content = PDF + secrets.token_bytes(2 * PART_BYTES)
    file = await attach(ana, task, "C:\\Scans\\Beleg.pdf", content)
    assert (file.name, file.media_type, file.size) == ("Beleg.pdf", "application/pdf", len(content))
    assert (file.created_by, file.sha256) == (ana.id, sha256(content).hexdigest())
    assert await files_of(agent, task) == [file]
    named = {"task_id": task.task_id, "attachment_id": file.attachment_id}
    assert await agent.get_attachment(GetAttachmentRequest(**named)) == file
    assert await content_of(agent, file) == content
    assert await read(ana, file, PART_BYTES - 2, 100) == content[PART_BYTES - 2 : PART_BYTES]
    assert await read(ana, file, len(content)) == b""
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == task


async def test_history_tells_of_files_by_their_digest_and_stays_whole(world: World) -> None:
    tenant = world.tenant()
    task, _, ana = await opened(tenant)
    file = await attach(ana, task)
    await ana.remove_attachment(RemoveAttachmentRequest(task_id=task.task_id, attachment_id=file.attachment_id))
    entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [entry.event for entry in entries] == ["created", "attached", "attachment_removed"]
    kept: dict[str, Any] = {"attachment_id": file.attachment_id, "name": "receipt.pdf", "media_type": "application/pdf"}
    kept = {**kept, "size": len(PDF), "sha256": file.sha256}
    assert (entries[1].after, entries[1].actor, entries[1].door) == ({"attachment": kept}, ana.id, "rest")
    assert entries[2].before == {"attachment": kept}
    told = await ana.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))
    assert (told.intact, told.entries) == (True, 3)
    rows = await world.rows("select subject from outbox where tenant_id = $1", tenant.id)
    assert [row["subject"].rpartition(".")[2] for row in rows] == ["created"]


async def test_parts_may_come_in_any_order_and_again(world: World) -> None:
    task, _, ana = await opened(world.tenant())
    first, last = b"%PDF-" + secrets.token_bytes(PART_BYTES - 5), b"the end"
    upload = await begin(ana, task)
    await add(ana, upload, 2, b"something else")
    await asyncio.gather(*(add(ana, upload, 1, first) for _ in range(3)))
    assert (await add(ana, upload, 2, last)).received == len(first + last)
    file = await finish(ana, upload, first + last)
    assert await content_of(ana, file) == first + last
    assert await finish(ana, upload, first + last) == file
    await add(ana, upload, 1, b"too late")
    assert await content_of(ana, file) == first + last
    chunks = await world.rows("select number from task_attachment_chunks where attachment_id = $1", file.attachment_id)
    assert len(chunks) == 2


async def test_the_same_request_id_attaches_once(world: World) -> None:
    task, _, ana = await opened(world.tenant())
    request = BeginAttachmentRequest(task_id=task.task_id, name="a.pdf")
    uploads = [await ana.begin_attachment(request, request_id="one") for _ in range(2)]
    assert uploads[0] == uploads[1]
    await add(ana, uploads[0], 1, PDF)
    named = {"task_id": task.task_id, "attachment_id": uploads[0].attachment_id}
    whole = FinishAttachmentRequest(**named, sha256=sha256(PDF).hexdigest())
    files = [await ana.finish_attachment(whole, request_id="two") for _ in range(2)]
    assert files[0] == files[1]
    assert ana.replayed
    other = FinishAttachmentRequest(**named, sha256=sha256(b"other").hexdigest())
    assert (await refusal(ana.finish_attachment(other, request_id="two"))).reason == "REQUEST_ID_REUSED"
    assert (await refusal(ana.finish_attachment(other))).reason == "ATTACHMENT_INCOMPLETE"
    assert await files_of(ana, task) == [files[0]]


@pytest.mark.parametrize(
    ("fields", "reason", "path"),
    [
        ({"name": " \n/"}, "ATTACHMENT_INVALID", "name"),
        ({"name": "a.pdf", "media_type": "pdf"}, "ATTACHMENT_INVALID", "media_type"),
        ({"name": "a.pdf", "size": 0}, "ATTACHMENT_INVALID", "size"),
        ({"name": "a.pdf", "field": "answer"}, "ATTACHMENT_INVALID", "field"),
        ({"name": "a.exe"}, "ATTACHMENT_TYPE_REFUSED", "media_type"),
        ({"name": "a"}, "ATTACHMENT_TYPE_REFUSED", "media_type"),
    ],
)
async def test_what_is_not_taken_is_refused_before_it_is_sent(
    world: World, fields: dict[str, Any], reason: str, path: str
) -> None:
    task, _, ana = await opened(world.tenant())
    refused = await refusal(begin(ana, task, **fields))
    assert (type(refused), refused.reason, [error.path for error in refused.errors]) == (
        InvalidArgument,
        reason,
        [path],
    )
    assert await world.rows("select from task_attachments where task_id = $1", task.task_id) == []


async def test_a_file_over_the_limit_is_refused_when_it_is_told_and_when_it_shows(world: World) -> None:
    task, _, ana = await opened(world.tenant())
    refused = await refusal(begin(ana, task, size=3 * PART_BYTES + 1))
    assert (type(refused), refused.reason) == (TooLarge, "ATTACHMENT_TOO_LARGE")
    assert str(3 * PART_BYTES) in str(refused)
    upload = await begin(ana, task)
    assert (await refusal(add(ana, upload, 4, b"x"))).reason == "ATTACHMENT_TOO_LARGE"
    assert (await refusal(add(ana, upload, 1, b"x" * (PART_BYTES + 1)))).reason == "ATTACHMENT_INVALID"
    assert (await refusal(add(ana, upload, 1, b""))).reason == "ATTACHMENT_INVALID"
    assert await world.rows("select from task_attachment_chunks where task_id = $1", task.task_id) == []


async def test_a_task_has_so_many_files_and_no_more(world: World) -> None:
    task, _, ana = await opened(world.tenant())
    for _ in range(4):
        await attach(ana, task)
    upload = await begin(ana, task)
    refused = await refusal(begin(ana, task))
    assert (type(refused), refused.reason) == (TooLarge, "ATTACHMENTS_TOO_MANY")
    named = {"task_id": task.task_id, "attachment_id": upload.attachment_id}
    await ana.drop_attachment(DropAttachmentRequest(**named))
    await begin(ana, task)
    assert (await refusal(ana.drop_attachment(DropAttachmentRequest(**named)))).reason == "ATTACHMENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.png", b"MZ\x90\x00 a program"),
        ("notes.txt", b"\x7fELF\x02 a program"),
        ("notes.txt", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("receipt.pdf", b"not at all"),
        ("plan.docx", b"%PDF-1.4 and not a document"[5:]),
    ],
)
async def test_content_that_is_not_what_it_is_said_to_be_is_not_kept(world: World, name: str, content: bytes) -> None:
    task, _, ana = await opened(world.tenant())
    upload = await begin(ana, task, name)
    await add(ana, upload, 1, content)
    refused = await refusal(finish(ana, upload, content))
    assert (type(refused), refused.reason) == (InvalidArgument, "ATTACHMENT_TYPE_REFUSED")
    assert await world.rows("select from task_attachments where task_id = $1", task.task_id) == []
    assert await world.rows("select from task_attachment_chunks where task_id = $1", task.task_id) == []


async def test_a_file_that_is_not_whole_is_not_attached(world: World) -> None:
    task, _, ana = await opened(world.tenant())
    upload = await begin(ana, task)
    await add(ana, upload, 2, PDF)
    assert (await refusal(finish(ana, upload, PDF))).reason == "ATTACHMENT_INCOMPLETE"
    await add(ana, upload, 1, PDF)
    assert (await refusal(finish(ana, upload, PDF + PDF))).reason == "ATTACHMENT_INCOMPLETE"
    other = await begin(ana, task)
    await add(ana, other, 1, PDF)
    assert (await refusal(finish(ana, other, b"other"))).reason == "ATTACHMENT_INCOMPLETE"
    assert await files_of(ana, task) == []


async def test_what_is_on_its_way_is_seen_by_nobody_else_and_dropped_in_time(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await opened(tenant)
    ben = tenant.person("ben", "support-l1")
    upload = await begin(ana, task)
    await add(ana, upload, 1, PDF)
    for caller in (agent, ben):
        assert await files_of(caller, task) == []
        assert (await refusal(add(caller, upload, 2, PDF))).reason == "ATTACHMENT_NOT_FOUND"
        assert (await refusal(finish(caller, upload, PDF))).reason == "ATTACHMENT_NOT_FOUND"
        request = DropAttachmentRequest(task_id=task.task_id, attachment_id=upload.attachment_id)
        assert (await refusal(caller.drop_attachment(request))).reason == "ATTACHMENT_NOT_FOUND"
    await world.leftovers.drop_unfinished(timedelta(hours=1))
    assert (await add(ana, upload, 1, PDF)).received == len(PDF)
    await attach(ana, task, "kept.pdf")
    await world.leftovers.drop_unfinished(timedelta(0))
    assert (await refusal(finish(ana, upload, PDF))).reason == "ATTACHMENT_NOT_FOUND"
    assert [file.name for file in await files_of(ana, task)] == ["kept.pdf"]


async def test_whoever_attached_it_and_managers_remove_a_file(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await opened(tenant)
    ben, boss = tenant.person("ben", "support-l1"), tenant.person("boss", roles=("manager",))
    files = [await attach(agent, task, "one.pdf"), await attach(ana, task, "two.pdf")]
    requests = [RemoveAttachmentRequest(task_id=task.task_id, attachment_id=file.attachment_id) for file in files]
    assert (await refusal(ben.remove_attachment(requests[0]))).reason == "NOT_THE_AUTHOR"
    assert await agent.remove_attachment(requests[0]) == files[0]
    assert await boss.remove_attachment(requests[1]) == files[1]
    assert (await refusal(boss.remove_attachment(requests[1]))).reason == "ATTACHMENT_NOT_FOUND"
    assert await files_of(ana, task) == []
    assert await world.rows("select from task_attachment_chunks where task_id = $1", task.task_id) == []


async def test_after_the_end_files_are_read_and_neither_attached_nor_removed(world: World) -> None:
    task, agent, ana = await opened(world.tenant())
    file, upload = await attach(ana, task), await begin(ana, task)
    await agent.cancel_task(CancelTaskRequest(task_id=task.task_id))
    late = RemoveAttachmentRequest(task_id=task.task_id, attachment_id=file.attachment_id)
    for asked in (begin(ana, task), add(ana, upload, 1, PDF), finish(ana, upload, PDF), ana.remove_attachment(late)):
        refused = await refusal(asked)
        assert (type(refused), refused.reason) == (FailedPrecondition, "TASK_NOT_LIVE")
    assert await content_of(agent, file) == PDF


async def test_whoever_only_sees_the_task_reads_and_does_not_attach(world: World) -> None:
    tenant = world.tenant()
    task, _, ana = await opened(tenant)
    file, auditor = await attach(ana, task), tenant.person("auditor", roles=("auditor",))
    assert await content_of(auditor, file) == PDF
    refused = await refusal(begin(auditor, task))
    assert (type(refused), refused.reason) == (PermissionDenied, "ATTACHING_NOT_ALLOWED")


async def test_strangers_and_other_tenants_find_nothing(world: World) -> None:
    tenant = world.tenant()
    task, _, ana = await opened(tenant)
    file, upload = await attach(ana, task), await begin(ana, task)
    for caller in (tenant.person("eve"), world.tenant().person("boss", roles=("admin",)), world.tenant().worker()):
        named = {"task_id": task.task_id, "attachment_id": file.attachment_id}
        calls = [begin(caller, task), add(caller, upload, 1, PDF), finish(caller, upload, PDF), files_of(caller, task)]
        calls += [content_of(caller, file), caller.get_attachment(GetAttachmentRequest(**named))]
        calls += [caller.remove_attachment(RemoveAttachmentRequest(**named))]
        calls += [caller.drop_attachment(DropAttachmentRequest(**named))]
        for asked in calls:
            assert isinstance(await refusal(asked), NotFound)
    assert await files_of(ana, task) == [file]


async def test_a_file_of_one_task_is_not_there_for_another(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await opened(tenant)
    other, file = await agent.create_task(ask(candidate_groups=["support-l1"])), await attach(ana, task)
    moved = file.model_copy(update={"task_id": other.task_id})
    assert (await refusal(content_of(ana, moved))).reason == "ATTACHMENT_NOT_FOUND"
    upload = AttachmentUpload(
        task_id=other.task_id, attachment_id=file.attachment_id, part_size=1, max_size=1, received=0
    )
    assert (await refusal(add(ana, upload, 1, PDF))).reason == "ATTACHMENT_NOT_FOUND"


async def test_whatever_deletes_a_task_deletes_its_files_and_notes_what_is_left_outside(world: World) -> None:
    tenant = world.tenant()
    task, _, ana = await opened(tenant)
    files = [await attach(ana, task) for _ in range(2)]
    await world.rows("update task_attachments set store = 's3' where attachment_id = $1", files[0].attachment_id)
    async with world.database.transaction(tenant.id) as conn:
        await conn.execute("delete from tasks where task_id = $1", task.task_id)
    for table in ("task_attachments", "task_attachment_chunks"):
        assert await world.rows(f"select from {table} where task_id = $1", task.task_id) == []
    left = await world.rows("select attachment_id from task_attachment_leftovers where task_id = $1", task.task_id)
    assert [row["attachment_id"] for row in left] == [files[0].attachment_id]
    for table in ("task_attachment_leftovers", "task_history"):
        await world.rows(f"delete from {table} where task_id = $1", task.task_id)


async def test_content_of_another_tenant_can_be_neither_read_nor_written(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    task, _, ana = await opened(tenant)
    await attach(ana, task)
    for table in ("task_attachments", "task_attachment_chunks"):
        async with world.database.transaction(tenant.id) as conn:
            assert await conn.fetchval(f"select count(*) from {table}") == 1
        async with world.database.transaction(other.id) as conn:
            assert await conn.fetchval(f"select count(*) from {table}") == 0
            assert await conn.execute(f"delete from {table}") == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.database.transaction(other.id) as conn:
            await conn.execute("insert into task_attachment_leftovers values ($1, 't', 'a', 's3')", tenant.id)
    connection = await asyncpg.connect(world.url("sweep"), server_settings={"search_path": "task"})
    try:
        for statement in ("select name from task_attachments", "select * from task_attachment_chunks"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_events_and_logs_have_no_content(world: World) -> None:
    tenant = world.tenant()
    task, _, ana = await opened(tenant)
    await attach(ana, task, "secret-name.pdf")
    rows = await world.rows("select payload from outbox where tenant_id = $1", tenant.id)
    assert "secret-name" not in json.dumps([bytes(row["payload"]).decode() for row in rows])

"""Files at the REST door: taken while they come, refused without being kept, given whole or in a range."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
from orkestra.chassis.tokens import Signer
from orkestra.v1.task import (
    AddAttachmentPartRequest,
    Attachment,
    AttachmentContent,
    AttachmentUpload,
    BeginAttachmentRequest,
    DropAttachmentRequest,
    FinishAttachmentRequest,
    GetAttachmentRequest,
    ReadAttachmentRequest,
)
from orkestra.wire import Context, InvalidArgument, NotFound
from rest_world import Migrated, RestWorld, rest_door

TASK = "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d"
PATH = f"/v1/tasks/{TASK}/attachments"
PART = 1000
MOST = 4500


class Room:
    """The rpcs of files over a dictionary, with small parts."""

    def __init__(self) -> None:
        self.begun: dict[str, BeginAttachmentRequest] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.files: dict[str, Attachment] = {}

    async def begin_attachment(self, _: Context, request: BeginAttachmentRequest) -> AttachmentUpload:
        if request.name.endswith(".exe"):
            raise InvalidArgument("ATTACHMENT_TYPE_REFUSED", "No programs.")
        attachment_id = f"attachment_{len(self.begun):032x}"
        self.begun[attachment_id], self.parts[attachment_id] = request, {}
        return self.upload(attachment_id)

    def upload(self, attachment_id: str) -> AttachmentUpload:
        received = sum(len(part) for part in self.parts[attachment_id].values())
        return AttachmentUpload(
            attachment_id=attachment_id, task_id=TASK, part_size=PART, max_size=MOST, received=received
        )

    async def add_attachment_part(self, _: Context, request: AddAttachmentPartRequest) -> AttachmentUpload:
        self.parts[request.attachment_id][request.number] = base64.b64decode(request.content)
        return self.upload(request.attachment_id)

    def content(self, attachment_id: str) -> bytes:
        return b"".join(part for _, part in sorted(self.parts[attachment_id].items()))

    async def finish_attachment(self, ctx: Context, request: FinishAttachmentRequest) -> Attachment:
        begun, content = self.begun[request.attachment_id], self.content(request.attachment_id)
        assert sha256(content).hexdigest() == request.sha256
        self.files[request.attachment_id] = Attachment(
            attachment_id=request.attachment_id,
            task_id=TASK,
            name=begun.name,
            media_type=begun.media_type or "text/plain",
            size=len(content),
            sha256=request.sha256,
            created_by=ctx.subject,
            created_at=datetime.now(UTC),
            field=begun.field,
        )
        return self.files[request.attachment_id]

    async def drop_attachment(self, _: Context, request: DropAttachmentRequest) -> AttachmentUpload:
        upload = self.upload(request.attachment_id)
        del self.parts[request.attachment_id]
        return upload

    async def get_attachment(self, _: Context, request: GetAttachmentRequest) -> Attachment:
        if request.attachment_id not in self.files:
            raise NotFound("ATTACHMENT_NOT_FOUND", "There is none.")
        return self.files[request.attachment_id]

    async def read_attachment(self, _: Context, request: ReadAttachmentRequest) -> AttachmentContent:
        start = request.offset or 0
        end = min((start // PART + 1) * PART, start + (request.size or PART))
        return AttachmentContent(content=base64.b64encode(self.content(request.attachment_id)[start:end]).decode())


@pytest.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[tuple[RestWorld, Room]]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    room = Room()
    async with rest_door(signer, schema.app_url) as world:
        for name in dir(room):
            if name.endswith("_attachment") or name == "add_attachment_part":
                world.rooms.answers[name] = getattr(room, name)
        yield world, room


async def send(door: tuple[RestWorld, Room], content: bytes, name: str = "a.txt", **more: Any) -> httpx.Response:
    return await door[0].http.post(PATH, files={"file": (name, content, "text/plain")}, **more)


@pytest.mark.parametrize("size", [1, PART, PART + 1, MOST])
async def test_a_form_and_raw_bytes_arrive_the_same(door: tuple[RestWorld, Room], size: int) -> None:
    world, room = door
    content = bytes(number % 251 for number in range(size))
    by_form = await send(door, content, "Beleg \u00e4\u201c;.txt", data={"field": "receipts"})
    query = {"name": "Beleg \u00e4\u201c;.txt", "field": "receipts"}
    raw = await world.http.post(PATH, params=query, content=content, headers={"content-type": "text/plain"})
    for answer in (by_form, raw):
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert (told["name"], told["size"], told["field"]) == ("Beleg \u00e4\u201c;.txt", size, "receipts")
        assert answer.headers["location"] == f"{PATH}/{told['attachment_id']}"
        assert room.content(told["attachment_id"]) == content


async def test_what_is_too_large_is_refused_while_it_comes_and_dropped(door: tuple[RestWorld, Room]) -> None:
    world, room = door
    before = len(room.parts)
    chunks = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal chunks
        for _ in range(200):
            chunks += 1
            yield b"x" * 1000
            await asyncio.sleep(0)

    streamed = await world.http.post(PATH, params={"name": "a"}, content=endless())
    for answer in (await send(door, b"x" * (MOST + 1)), streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "ATTACHMENT_TOO_LARGE")
        assert str(MOST) in answer.json()["detail"]
    assert len(room.parts) == before


@pytest.mark.parametrize(
    ("request_parts", "status", "code"),
    [
        ({"files": {"file": ("a.exe", b"MZ")}}, 422, "ATTACHMENT_TYPE_REFUSED"),
        ({"files": {"file": ("a.txt", b"")}}, 422, "ATTACHMENT_INVALID"),
        ({"files": {"other": ("a.txt", b"x")}}, 422, "REQUEST_INVALID"),
        ({"files": {"file": ("a.txt", b"x")}, "data": {"other": "x"}}, 422, "REQUEST_INVALID"),
        ({"files": {"file": ("a.txt", b"x")}, "params": {"other": "x"}}, 422, "REQUEST_INVALID"),
        ({"files": {"file": ("a.txt", b"x")}, "data": {"field": "x" * 70_000}}, 413, "BODY_TOO_LARGE"),
        ({"content": b"x"}, 422, "REQUEST_INVALID"),
        ({"content": b"x", "params": {"name": "a", "more": "b"}}, 422, "REQUEST_INVALID"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422, "NOT_A_FORM"),
        ({"content": b"--x\r\nno", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422, None),
        ({"content": b"x", "params": {"name": "a"}, "headers": {"idempotency-key": "\u00e4"}}, 422, None),
    ],
)
async def test_what_is_no_file_is_refused_with_its_reason(
    door: tuple[RestWorld, Room], request_parts: dict[str, Any], status: int, code: str | None
) -> None:
    world, room = door
    before = len(room.files)
    headers = {name: value.encode() for name, value in request_parts.pop("headers", {}).items()}
    answer = await world.http.post(PATH, headers=headers, **request_parts)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert code in (None, answer.json()["code"])
    assert len(room.files) == before


async def test_the_idempotency_key_goes_with_the_file(door: tuple[RestWorld, Room]) -> None:
    world, _ = door
    del world.rooms.asked[:]
    await send(door, b"x", headers={"idempotency-key": "one"})
    asked = {each.rpc: each.ctx.request_id for each in world.rooms.asked if "attachment" in each.rpc}
    assert asked["begin_attachment"] == asked["finish_attachment"] == "one"


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        (None, 200, 0, 2500),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=990-1010", 206, 990, 1011),
        ("bytes=2000-", 206, 2000, 2500),
        ("bytes=-10", 206, 2490, 2500),
        ("bytes=-9999", 206, 0, 2500),
        ("bytes=0-99999", 206, 0, 2500),
        ("bytes=5-1", 200, 0, 2500),
        ("bytes=0-1,4-5", 200, 0, 2500),
        ("lines=1-2", 200, 0, 2500),
    ],
)
async def test_content_is_saved_and_not_shown_whole_or_in_a_range(
    door: tuple[RestWorld, Room], header: str | None, status: int, start: int, end: int
) -> None:
    content = bytes(number % 253 for number in range(2500))
    file = (await send(door, content, 'Beleg "\u00e4".txt')).json()
    headers = {} if header is None else {"range": header}
    answer = await door[0].http.get(f"{PATH}/{file['attachment_id']}/content", headers=headers)
    assert (answer.status_code, answer.content) == (status, content[start:end])
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''Beleg%20%22%C3%A4%22.txt" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "text/plain"
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/2500"


async def test_a_range_beyond_the_end_and_an_unknown_file_are_told(door: tuple[RestWorld, Room]) -> None:
    file = (await send(door, b"short")).json()
    path = f"{PATH}/{file['attachment_id']}/content"
    beyond = await door[0].http.get(path, headers={"range": "bytes=5-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */5")
    unknown = await door[0].http.get(f"{PATH}/attachment_{'f' * 32}/content")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ATTACHMENT_NOT_FOUND")
    assert (await door[0].http.post(PATH, headers={"authorization": ""}, content=b"x")).status_code == 401

"""Files on their way through a door: out of a body part by part into a task, and from a task into an answer."""

import base64
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from orkestra.v1.task import (
    AddAttachmentPartRequest,
    Attachment,
    AttachmentUpload,
    BeginAttachmentRequest,
    DropAttachmentRequest,
    FinishAttachmentRequest,
    ReadAttachmentRequest,
    TaskServiceClient,
)
from orkestra.wire import Error, FieldError, InvalidArgument, NotFound, TooLarge
from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

FORM = "multipart/form-data"
PART_SECONDS = 15.0
FINISH_SECONDS = 60.0
MOST_BESIDE = 64 * 1024
"""Bytes of a form beside its files."""
MOST_DROPPED = 64 * 1024 * 1024
"""How much is still read of what was refused: a client that is cut off while it sends does not hear why."""


@dataclass(frozen=True)
class Incoming:
    """A file as it comes: its name, what it is said to be, the form's field, and its content, to be read once."""

    name: str
    media_type: str | None
    input: str
    content: AsyncIterable[bytes]


class FormStream:
    """Reads multipart/form-data (RFC 7578) as it comes: fields are kept, files are handed on."""

    def __init__(self, chunks: AsyncIterator[bytes], content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind.decode("latin-1").lower() != FORM or not boundary:
            raise _not_a_form()
        self.fields: dict[str, list[str]] = {}
        self._chunks = chunks
        self._found: deque[Incoming | bytes | None] = deque()
        self._header = [b"", b""]
        self._headers: dict[str, bytes] = {}
        self._field: str | None = None
        self._text = bytearray()
        self._beside = 0
        self._is_whole = False
        try:
            self._parser = self._reading(boundary)
        except FormParserError:  # a boundary that is longer than any
            raise _not_a_form() from None

    def _reading(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._opened,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    async def files(self) -> AsyncIterator[Incoming]:
        """Yield each file; its content is passed over where it is not read. Fields before it are there by then."""
        while await self._more():
            found = self._found.popleft()
            if isinstance(found, Incoming):
                yield found
                async for _ in found.content:
                    pass

    async def _content(self) -> AsyncIterator[bytes]:
        while await self._more():
            found = self._found.popleft()
            if not isinstance(found, bytes):
                return
            yield found
        raise _not_a_form()

    async def _more(self) -> bool:
        """Whether there is something more; reads on until there is."""
        while not self._found:
            try:
                chunk = await anext(self._chunks)
                self._parser.write(chunk)
            except StopAsyncIteration:
                if not self._is_whole:  # what is missing may be half of an answer
                    raise _not_a_form() from None
                return False
            except MultipartParseError:
                raise _not_a_form() from None
        return True

    def _begin(self) -> None:
        self._headers, self._header, self._field = {}, [b"", b""], None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += self._counted(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += self._counted(data[start:end])

    def _header_end(self) -> None:
        self._headers[self._header[0].decode("latin-1").lower()] = self._header[1]
        self._header = [b"", b""]

    def _opened(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            self._field, self._text = name, bytearray()
            return
        told = self._headers.get("content-type", b"").decode("latin-1") or None
        named = options[b"filename"].decode("utf-8", "replace").replace("%22", '"')  # as the HTML standard writes it
        self._found.append(Incoming(named, told, name, self._content()))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._found.append(data[start:end])
        else:
            self._text += self._counted(data[start:end])

    def _end(self) -> None:
        if self._field is None:
            self._found.append(None)
        else:
            self.fields.setdefault(self._field, []).append(self._text.decode("utf-8", "replace"))

    def _finish(self) -> None:
        self._is_whole = True

    def _counted(self, data: bytes) -> bytes:
        self._beside += len(data)
        if self._beside > MOST_BESIDE:
            raise TooLarge("BODY_TOO_LARGE", f"A form has at most {MOST_BESIDE} bytes beside its files.")
        return data


async def attach(
    client: TaskServiceClient,
    task_id: str,
    file: Incoming,
    *,
    field: str | None = None,
    size: int | None = None,
    request_id: str | None = None,
) -> Attachment:
    """Send a file to a task while it comes, at most one part of it in memory; what is refused leaves nothing behind.

    With a `request_id` it is attached once, however often it is sent.
    """
    request = BeginAttachmentRequest(
        task_id=task_id, name=file.name, media_type=file.media_type, size=size, field=field
    )
    upload = await client.begin_attachment(request, request_id=request_id)
    is_again = client.replayed
    try:
        digest = await _send(client, upload, file.content)
        named = {"task_id": upload.task_id, "attachment_id": upload.attachment_id}
        whole = FinishAttachmentRequest(**named, sha256=digest)
        return await client.finish_attachment(whole, request_id=request_id, timeout=FINISH_SECONDS)
    except NotFound:
        if not is_again:
            raise
        message = "The Idempotency-Key was used for a file that was refused; choose a new one."
        raise InvalidArgument("REQUEST_ID_REUSED", message) from None
    except (InvalidArgument, TooLarge):
        with suppress(Error):
            dropped = DropAttachmentRequest(task_id=upload.task_id, attachment_id=upload.attachment_id)
            await client.drop_attachment(dropped)
        raise


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left of a body that was refused, within a bound."""
    length = 0
    async for chunk in chunks:
        length += len(chunk)
        if length > MOST_DROPPED:
            return


async def pieces(client: TaskServiceClient, file: Attachment, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a file from `start` to before `end`."""
    named = {"task_id": file.task_id, "attachment_id": file.attachment_id}
    while start < end:
        asked = ReadAttachmentRequest(**named, offset=start, size=min(end - start, 2**30))
        answer = await client.read_attachment(asked, timeout=PART_SECONDS)
        piece = base64.b64decode(answer.content)
        if not piece:
            return
        start += len(piece)
        yield piece


def content_headers(file: Attachment) -> dict[str, str]:
    """Return what every answer with a file's content says: it is saved, not shown, and is what it is said to be."""
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%' else "_" for each in file.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"  # RFC 6266
    return {
        "Content-Type": file.media_type,
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }


async def _send(client: TaskServiceClient, upload: AttachmentUpload, chunks: AsyncIterable[bytes]) -> str:
    """Send the content in parts; return its SHA-256."""
    digest, part, size, number = sha256(), bytearray(), 0, 0
    async for chunk in chunks:
        size += len(chunk)
        if size > upload.max_size:
            raise TooLarge("ATTACHMENT_TOO_LARGE", f"A file has at most {upload.max_size} bytes here.")
        digest.update(chunk)
        part += chunk
        while len(part) >= upload.part_size:
            number += 1
            await _add(client, upload, number, bytes(part[: upload.part_size]))
            del part[: upload.part_size]
    if not size:
        error = FieldError("file", "empty", "A file has at least one byte.")
        raise InvalidArgument("ATTACHMENT_INVALID", error.message, errors=[error])
    if part:
        await _add(client, upload, number + 1, bytes(part))
    return digest.hexdigest()


async def _add(client: TaskServiceClient, upload: AttachmentUpload, number: int, content: bytes) -> None:
    named = {"task_id": upload.task_id, "attachment_id": upload.attachment_id}
    text = base64.b64encode(content).decode()
    request = AddAttachmentPartRequest(**named, number=number, content=text)
    await client.add_attachment_part(request, timeout=PART_SECONDS)


def _not_a_form() -> InvalidArgument:
    return InvalidArgument("NOT_A_FORM", "The form cannot be read.")

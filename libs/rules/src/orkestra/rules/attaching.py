"""Files that belong to tasks: who attaches them, what they are called, how much and which kinds are taken."""

import base64
import binascii
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orkestra import forms
from orkestra.rules.changes import Decision
from orkestra.rules.clocks import due
from orkestra.rules.deciding import refusal_of_state
from orkestra.rules.media_types import is_media_type, is_taken, media_type_of, shown_by
from orkestra.rules.permissions import may
from orkestra.v1.task import Attachment, BeginAttachmentRequest, Task
from orkestra.wire import Error, FailedPrecondition, FieldError, InvalidArgument, NotFound, Principal, TooLarge

PART_BYTES: Final = 1024 * 1024
"""Bytes of every part of a file but the last."""
LONGEST_NAME: Final = 255
HEAD_BYTES: Final = 1024
"""How much of a file tells what it is."""
DEFAULT_TYPES: Final = (
    "image/*,audio/*,video/*,text/plain,text/csv,text/markdown,text/calendar,text/vcard,application/pdf,application/json,"
    "application/rtf,application/zip,message/rfc822,application/msword,application/vnd.ms-excel,"
    "application/vnd.ms-powerpoint,application/vnd.ms-outlook,application/vnd.openxmlformats-officedocument.*,"
    "application/vnd.oasis.opendocument.*"
)


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """What an installation takes: bytes of one file, files of one task, and media types, where * ends a pattern."""

    max_size: int = 25 * 1024 * 1024
    max_count: int = 50
    types: Sequence[str] = tuple(DEFAULT_TYPES.split(","))


@dataclass(frozen=True, slots=True)
class Named:
    """A file as it may be begun."""

    name: str
    media_type: str
    max_size: int


def decide_attaching(operation: str, task: Task, principal: Principal, now: datetime) -> Decision:
    """Performs what is due and says whether the principal may `attach` to the task, or remove from it, now."""
    changes = due(task, now)
    task = changes[-1].task if changes else task
    return Decision(task, changes, may(operation, principal, task) or refusal_of_state("attach", task))


def begun(request: BeginAttachmentRequest, task: Task, limits: AttachmentLimits, *, others: int) -> Named | Error:
    """Returns the file as it may be begun beside `others` of the task, or why it may not."""
    name = clean_name(request.name)
    if name is None:
        return _invalid("name", "required", "Give the file a name.")
    if request.media_type is not None and not is_media_type(request.media_type):
        return _invalid("media_type", "invalid", "Give a media type such as image/png.")
    hint = _file_hint(task, request.field)
    if request.field is not None and hint is None:
        return _invalid("field", "unknown_field", "The form has no such file field.")
    named = Named(name, media_type_of(name, request.media_type), min(limits.max_size, _most_bytes(hint, limits)))
    refusal = _refusal_of_kind(named, limits, hint) or _refusal_of_size(request.size, named.max_size)
    if refusal is None and others >= limits.max_count:
        refusal = TooLarge("ATTACHMENTS_TOO_MANY", f"A task has at most {limits.max_count} files.")
    return refusal or named


def _most_bytes(hint: Mapping[str, Any] | None, limits: AttachmentLimits) -> int:
    most: int = (hint or {}).get("max_size", limits.max_size)
    return most


def _refusal_of_kind(named: Named, limits: AttachmentLimits, hint: Mapping[str, Any] | None) -> Error | None:
    if not is_taken(named.media_type, limits.types):
        return not_taken(named.media_type, limits)
    accept = (hint or {}).get("accept")
    if accept is None or forms.is_accepted(named.name, named.media_type, accept):
        return None
    message = f"The field takes: {', '.join(accept)}."
    return _refused_type("file_not_accepted", message)


def _refusal_of_size(size: int | None, max_size: int) -> Error | None:
    if size is None or 0 < size <= max_size:
        return None
    return too_large(max_size) if size > 0 else _invalid("size", "empty", "A file has at least one byte.")


def clean_name(name: str) -> str | None:
    """Returns a name without a path, control characters and what turns the direction of text; None where none is left.

    A name that is too long keeps its ending.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(each for each in name if unicodedata.category(each)[0] != "C" and each not in "\u2028\u2029")
    name = " ".join(name.split()).strip(". ") if set(name) <= set(". ") else " ".join(name.split())
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if stem and len(ending) <= 16 else ""
        name = name[: LONGEST_NAME - len(kept)] + kept
    return name or None


def part_content(text: str, number: int, max_size: int) -> bytes | Error:
    """Returns what a part holds, or why it is none."""
    if not 0 < number <= -(-max_size // PART_BYTES):
        return (
            too_large(max_size) if number > 0 else _invalid("number", "out_of_range", "Parts are numbered from 1 on.")
        )
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _invalid("content", "not_base64", "Send base64 (RFC 4648, section 4).")
    if not 0 < len(content) <= PART_BYTES:
        return _invalid("content", "wrong_length", f"A part has 1 to {PART_BYTES} bytes.")
    return content


def refusal_of_parts(sizes: Mapping[int, int]) -> Error | None:
    """Returns why parts, by number and size, are no whole file; None where they are."""
    missing = [number for number in range(1, max(sizes, default=1) + 1) if number not in sizes]
    if missing:
        return _incomplete("missing", f"Part {missing[0]} is not there.")
    short = [number for number, size in sizes.items() if size != PART_BYTES and number != max(sizes)]
    if short:
        message = f"Part {short[0]} has not {PART_BYTES} bytes, and is not the last."
        return _incomplete("short", message)
    return None


def refusal_of_content(media_type: str, head: bytes, limits: AttachmentLimits) -> Error | None:
    """Returns why what a file begins with cannot be of the type that it is said to have; None where it can."""
    found = shown_by(head, media_type)
    if found == media_type:
        return None
    if found is None or not is_taken(found, limits.types):
        what = "is not what that type begins with" if found is None else f"is {found}"
        message = f"The file is said to be {media_type}, and its content {what}."
        return _refused_type("wrong_content", message)
    return None


def refusal_of_removal(task: Task, attachment: Attachment, principal: Principal) -> Error | None:
    """Returns why somebody who may work on the task may not remove the file; None where they may."""
    refusal = may("remove_attachment", principal, task)
    if refusal is not None and attachment.created_by != principal.subject:
        return refusal
    used = set[str]().union(*(forms.files_in(task.form or {}, vote.data) for vote in task.votes))
    if attachment.attachment_id in used:
        return FailedPrecondition("ATTACHMENT_IN_USE", "A vote names this file; who cast it can vote again without it.")
    return None


def answer_with_files(task: Task, data: Any, attachments: Sequence[Attachment]) -> tuple[Any, frozenset[str]]:
    """Returns an answer whose files are named as they are kept, and the ids among them that the task does not have."""
    known = {
        each.attachment_id: {
            "attachment_id": each.attachment_id,
            "name": each.name,
            "media_type": each.media_type,
            "size": each.size,
        }
        for each in attachments
    }
    schema = task.form or {}
    return forms.with_files(schema, data, known), frozenset(forms.files_in(schema, data) - known.keys())


def too_large(max_size: int) -> TooLarge:
    """Returns what is said of a file over the limit."""
    return TooLarge("ATTACHMENT_TOO_LARGE", f"A file has at most {max_size} bytes here.")


def not_taken(media_type: str, limits: AttachmentLimits) -> Error:
    """Returns what is said of a file of a kind that is not taken."""
    message = f"Files of the type {media_type} are not taken; taken are: {', '.join(limits.types)}."
    return _refused_type("not_taken", message)


def attachment_not_found(attachment_id: str) -> NotFound:
    """Returns what is said of a file that the task does not have."""
    return NotFound("ATTACHMENT_NOT_FOUND", f"The task has no file {attachment_id[:100]}.")


def _file_hint(task: Task, path: str | None) -> Mapping[str, Any] | None:
    """Returns what the form says of a file field, by its path through groups and tables; None where it has none."""
    inner: Mapping[str, Any] = task.form or {}
    for name in (path or "").split("."):
        if name.isdecimal():
            inner = inner.get("items", {})
            continue
        inner = inner.get("properties", {}).get(name, {})
        if "items" in inner and "properties" in inner["items"]:
            inner = {**inner, "properties": inner["items"]["properties"]}
    hint: Mapping[str, Any] = inner.get("x-orkestra", {})
    return hint if path and hint.get("type") == "file" else None


def _invalid(path: str, code: str, message: str) -> InvalidArgument:
    return InvalidArgument("ATTACHMENT_INVALID", message, errors=[FieldError(path, code, message)])


def _incomplete(code: str, message: str) -> InvalidArgument:
    return InvalidArgument("ATTACHMENT_INCOMPLETE", message, errors=[FieldError("parts", code, message)])


def _refused_type(code: str, message: str) -> InvalidArgument:
    return InvalidArgument("ATTACHMENT_TYPE_REFUSED", message, errors=[FieldError("media_type", code, message)])

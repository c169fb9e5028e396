"""How a refusal travels: google.rpc.Status in the trailers, as in AIP-193."""

from collections.abc import Sequence
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from orkestra.wire.errors import BY_CODE, KINDS, Error, FieldError, Internal
from orkestra.wire.model import Model, model_named

DETAILS = "grpc-status-details-bin"
DOMAIN = "orkestra"

Trailers = Sequence[tuple[str, str | bytes]]
D = TypeVar("D", bound=Message)

# gRPC refuses trailers beyond 8 KiB, in which the message stands twice.
MAX_MESSAGE_CHARS = 500
MAX_VIOLATIONS_BYTES = 2_000
MAX_CURRENT_BYTES = 3_000


def to_trailers(exc: Error) -> tuple[tuple[str, bytes], ...]:
    """Pack a refusal into trailing metadata.

    Where it would be too large for that, the last field errors and the largest optional fields of `current` stay out.
    """
    status = Status(code=exc.code.value[0], message=to_message(exc))
    _add(status, ErrorInfo(reason=exc.reason, domain=DOMAIN, metadata={"kind": exc.kind}))
    if exc.errors:
        _add(status, _bad_request(exc.errors))
    if exc.retry_after is not None:
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(int(exc.retry_after * 1e9))
        _add(status, retry)
    if exc.current is not None and (current := _trimmed(exc.current.to_pb())):
        _add(status, current)
    return ((DETAILS, status.SerializeToString()),)


def to_message(exc: Error) -> str:
    """Return the sentence that travels, cut where it is too long for a trailer."""
    return exc.message if len(exc.message) <= MAX_MESSAGE_CHARS else exc.message[: MAX_MESSAGE_CHARS - 1] + "…"


def from_trailers(code: grpc.StatusCode, message: str, trailers: Trailers) -> Error | None:
    """Unpack a refusal of one of our services; None where the status did not come from one."""
    packed = dict(trailers).get(DETAILS)
    if not isinstance(packed, bytes):
        return None
    try:
        details = Status.FromString(packed).details
        info = _first(details, ErrorInfo)
        violations = _first(details, BadRequest)
        retry = _first(details, RetryInfo)
    except DecodeError:
        return None
    if info is None or info.domain != DOMAIN:
        return None
    kind = KINDS.get(info.metadata["kind"]) or BY_CODE.get(code, Internal)
    found = violations.field_violations if violations else ()
    return kind(
        info.reason,
        message,
        errors=[FieldError(one.field, one.reason, one.description) for one in found],
        current=_current(details),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
    )


def _add(status: Status, detail: Message) -> None:
    status.details.add().Pack(detail)


def _bad_request(errors: Sequence[FieldError]) -> BadRequest:
    packed = BadRequest()
    for error in errors:
        packed.field_violations.add(field=error.path, reason=error.code, description=error.message)
        if packed.ByteSize() > MAX_VIOLATIONS_BYTES:
            del packed.field_violations[-1]
            break
    return packed


def _trimmed(message: Message) -> Message | None:
    """Clear the largest optional fields until the message fits; None where the required ones alone do not."""
    while message.ByteSize() > MAX_CURRENT_BYTES:
        sizes = {field.name: _size(message, field.name) for field, _ in message.ListFields() if _may_be_absent(field)}
        if not sizes:
            return None
        message.ClearField(max(sizes, key=sizes.__getitem__))
    return message


def _size(message: Message, name: str) -> int:
    rest = type(message)()
    rest.CopyFrom(message)
    rest.ClearField(name)
    return message.ByteSize() - rest.ByteSize()


def _may_be_absent(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated or field.containing_oneof is not None)


def _first(details: Sequence[AnyMessage], kind: type[D]) -> D | None:
    for detail in details:
        found = kind()
        if detail.Unpack(found):
            return found
    return None


def _current(details: Sequence[AnyMessage]) -> Model | None:
    for detail in details:
        model = model_named(detail.TypeName())
        if model is not None:
            message = model.pb()
            detail.Unpack(message)
            try:
                return model.from_pb(message)
            except Error:
                return None
    return None

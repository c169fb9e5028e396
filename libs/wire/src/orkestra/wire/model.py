"""Pydantic models whose wire form is a protobuf message."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from google.protobuf.message import DecodeError, Message
from orkestra.wire.convert import Reader, Writer
from orkestra.wire.jsontext import refusal
from orkestra.wire.problems import to_invalid_argument
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError


def _to_utc(value: datetime) -> datetime:
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as beyond:  # the last evening of the calendar may be after its end in UTC
        raise PydanticCustomError("time_out_of_range", "This time is beyond the calendar") from beyond


Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
UInt32 = Annotated[int, Field(ge=0, le=2**32 - 1)]
UInt64 = Annotated[int, Field(ge=0, le=2**64 - 1)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class Model(BaseModel):
    """A value whose wire form is the protobuf message `pb`.

    Frozen. Fields it does not know are ignored, since a newer sender may know more; doors use `parse`, which refuses
    them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    pb: ClassVar[type[Message]]
    _reader: ClassVar[Reader]
    _writer: ClassVar[Writer]

    def __init_subclass__(cls, *, pb: type[Message] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if pb is not None:
            cls.pb = pb
            cls._reader = Reader(pb)
            cls._writer = Writer(pb)
            _models[pb.DESCRIPTOR.full_name] = cls

    def to_pb(self) -> Message:
        """Return the message. Refuses (InvalidArgument) JSON or text that the wire cannot carry."""
        return self._writer(self)

    @classmethod
    def from_pb(cls, message: Message) -> Self:
        """Return the model of a message.

        Refuses (InvalidArgument REQUEST_INVALID, with field paths) an absent required field, an enum number that this
        reader does not know, a NUL in a text, and JSON that `loads` refuses.
        """
        values = cls._reader(message)
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            raise to_invalid_argument(exc) from exc


def model_named(full_name: str) -> type[Model] | None:
    """Return the model of a message's full name, where it has been imported."""
    return _models.get(full_name)


def message_name(model: type[Model]) -> str | None:
    """Return the full name of a model's message; None where it has none."""
    pb: type[Message] | None = getattr(model, "pb", None)
    return None if pb is None else pb.DESCRIPTOR.full_name


def decoded(pb: type[Message], body: bytes) -> Message:
    """Return the message that the bytes hold. Refuses (InvalidArgument REQUEST_INVALID) bytes that hold none."""
    try:
        return pb.FromString(body)
    except DecodeError as exc:
        raise refusal("", "not_protobuf", f"This is not a {pb.DESCRIPTOR.full_name}.") from exc


_models: dict[str, type[Model]] = {}

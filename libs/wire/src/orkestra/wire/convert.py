"""Converters between messages and models, compiled once per class."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, Protocol, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from orkestra.wire.errors import InvalidArgument
from orkestra.wire.jsontext import check_text, dumps, loads, refusal

Convert = Callable[[Any], Any]

TIMESTAMP = "google.protobuf.Timestamp"
DURATION = "google.protobuf.Duration"
JSON_OBJECT = "orkestra.v1.Json"
JSON_VALUE = "orkestra.v1.JsonValue"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Values(Protocol):
    """Something whose `__dict__` holds the fields of a message."""

    __dict__: dict[str, Any]


class Reader:
    """Reads a message into the values of its model, nested messages into nested dicts."""

    def __init__(self, pb: type[Message]) -> None:
        self._pb = pb

    def __call__(self, message: Message) -> dict[str, Any]:
        fields, values = self._fields, self._defaults.copy()
        name = ""
        try:
            for field, value in message.ListFields():
                name, convert = fields[field.number]
                values[name] = value if convert is None else convert(value)
        except InvalidArgument as exc:
            raise exc.at(name) from exc.__cause__
        return values

    @cached_property
    def _fields(self) -> dict[int, tuple[str, Convert | None]]:
        return {field.number: (field.name, _reader(field)) for field in _fields_of(self._pb)}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """Return what a plain scalar means when it is not on the wire. A plain enum or message has to be there."""
        return {
            field.name: field.default_value
            for field in _fields_of(self._pb)
            if not field.is_repeated and not field.has_presence and field.enum_type is None
        }


class Writer:
    """Writes the values of a model into a new message."""

    def __init__(self, pb: type[Message]) -> None:
        self._pb = pb

    def __call__(self, values: Values) -> Message:
        fields, arguments = self._fields, {}
        name = ""
        try:
            for name, value in values.__dict__.items():
                convert, null = fields[name]
                if value is not None or null:
                    arguments[name] = value if convert is None else convert(value)
            name = ""
            return self._pb(**arguments)
        except InvalidArgument as exc:
            raise exc.at(name) from exc.__cause__
        except (TypeError, ValueError) as exc:  # protobuf's own refusals: a wrong type, an integer out of range
            raise refusal(name, "wrong_type", f"{self._pb.DESCRIPTOR.name} cannot carry this: {exc}.") from exc

    @cached_property
    def _fields(self) -> dict[str, tuple[Convert | None, bool]]:
        """Return each field's converter, and whether None is a value of it (a required JsonValue may be null)."""
        return {field.name: (_writer(field), _is_nullable(field)) for field in _fields_of(self._pb)}


def _fields_of(pb: type[Message]) -> list[FieldDescriptor]:
    return cast("list[FieldDescriptor]", list(pb.DESCRIPTOR.fields))  # the stubs know two descriptor classes


def _reader(field: FieldDescriptor) -> Convert | None:
    one = _value_reader(field)
    if not field.is_repeated:
        return one
    return list if one is None else partial(_each, one)


def _value_reader(field: FieldDescriptor) -> Convert | None:
    if field.enum_type is not None:
        return partial(_read_enum, _enum_values(field.enum_type))
    if field.message_type is not None:
        name = field.message_type.full_name
        readers: dict[str, Convert] = {
            TIMESTAMP: _read_timestamp,
            DURATION: _read_duration,
            JSON_OBJECT: _read_object,
            JSON_VALUE: _read_json,
        }
        return readers.get(name) or Reader(GetMessageClass(field.message_type))
    return check_text if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else None


def _writer(field: FieldDescriptor) -> Convert | None:
    one = _value_writer(field)
    if not field.is_repeated or one is None:
        return one
    return partial(_each, one)


def _value_writer(field: FieldDescriptor) -> Convert | None:
    if field.enum_type is not None:
        return {value: number for number, value in _enum_values(field.enum_type).items()}.__getitem__
    if field.message_type is not None:
        name = field.message_type.full_name
        pb = GetMessageClass(field.message_type)
        writers: dict[str, Convert] = {
            TIMESTAMP: _write_timestamp,
            DURATION: _write_duration,
            JSON_OBJECT: partial(_write_json, pb),
            JSON_VALUE: partial(_write_json, pb),
        }
        return writers.get(name) or Writer(pb)
    return check_text if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else None


def _each(one: Convert, values: Any) -> list[Any]:
    converted: list[Any] = []
    try:
        for value in values:
            converted.append(one(value))  # noqa: PERF401  the length so far is the index of a refused value
    except InvalidArgument as exc:
        raise exc.at(f"[{len(converted)}]") from exc.__cause__
    return converted


def _enum_values(enum: EnumDescriptor) -> dict[int, str]:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values if value.number}


def _read_enum(values: dict[int, str], number: int) -> str:
    try:
        return values[number]
    except KeyError:
        message = f"The value {number} is not known here; known are {', '.join(values.values())}."
        raise refusal("", "not_one_of", message) from None


def _read_timestamp(value: Timestamp) -> datetime:
    try:
        return EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
    except OverflowError:
        raise refusal("", "out_of_range", "A time lies between the years 1 and 9999.") from None


def _write_timestamp(value: datetime) -> Timestamp:
    since = value - EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def _read_duration(value: Duration) -> timedelta:
    try:
        return timedelta(seconds=value.seconds, microseconds=int(value.nanos / 1000))
    except OverflowError:
        raise refusal("", "out_of_range", "A duration is at most 10000 years.") from None


def _write_duration(value: timedelta) -> Duration:
    micros = value // timedelta(microseconds=1)
    sign = -1 if micros < 0 else 1
    seconds, rest = divmod(abs(micros), 1_000_000)
    return Duration(seconds=sign * seconds, nanos=sign * rest * 1000)


def _read_json(value: Any) -> Any:
    return loads(value.text)


def _read_object(value: Any) -> Any:
    found = loads(value.text)
    if not isinstance(found, dict):
        raise refusal("", "wrong_type", "This must be a JSON object.")
    return found


def _write_json(pb: type[Message], value: Any) -> Message:
    return pb(text=dumps(value))


def _is_nullable(field: FieldDescriptor) -> bool:
    """Say whether the field is a plain JsonValue. In proto3 a message field is optional only by the keyword."""
    if field.message_type is None or field.message_type.full_name != JSON_VALUE or field.is_repeated:
        return False
    return field.containing_oneof is None

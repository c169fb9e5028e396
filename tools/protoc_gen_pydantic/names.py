"""Names: of a message in Python, of the file it lives in, of a method."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

Path = tuple[int, ...]

SPECIAL = {
    ".google.protobuf.Timestamp": "UtcDatetime",
    ".google.protobuf.Duration": "timedelta",
    ".orkestra.v1.Json": "dict[str, Any]",
    ".orkestra.v1.JsonValue": "Any",
}

# What a generated module imports; a message of that name would hide it.
PYTHON_TYPES = frozenset(
    {
        *("Any", "Authenticate", "Context", "Field", "Int32", "Int64", "Model", "Protocol", "RpcClient", "Server"),
        *("StrEnum", "UInt32", "UInt64", "UtcDatetime"),
    }
)


@dataclass(frozen=True)
class Declaration:
    """A message or an enum, with its path in google.protobuf.SourceCodeInfo."""

    full_name: str
    python_name: str
    pb_name: str
    path: Path
    proto: DescriptorProto | EnumDescriptorProto


def snake(name: str) -> str:
    """Turn GetApiKey into get_api_key."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def python_module(file_name: str) -> str:
    """Turn orkestra/v1/task.proto into orkestra.v1.task."""
    return file_name.removesuffix(".proto").replace("/", ".")


def declarations(file: FileDescriptorProto) -> list[Declaration]:
    """Return every enum and message of a file, nested ones flattened: Task.Note becomes TaskNote."""
    package = f".{file.package}" if file.package else ""
    found = [_declaration(package, (), enum, (5, index)) for index, enum in enumerate(file.enum_type)]
    for index, message in enumerate(file.message_type):
        found.extend(_nested(package, (), message, (4, index)))
    return found


def _nested(package: str, parents: tuple[str, ...], message: DescriptorProto, path: Path) -> Iterator[Declaration]:
    yield _declaration(package, parents, message, path)
    inside = (*parents, message.name)
    for index, enum in enumerate(message.enum_type):
        yield _declaration(package, inside, enum, (*path, 4, index))
    for index, nested in enumerate(message.nested_type):
        yield from _nested(package, inside, nested, (*path, 3, index))


def _declaration(
    package: str, parents: tuple[str, ...], proto: DescriptorProto | EnumDescriptorProto, path: Path
) -> Declaration:
    names = (*parents, proto.name)
    return Declaration(".".join((package, *names)), "".join(names), ".".join(names), path, proto)


class Names:
    """Where every message and enum of a compilation lives, and what it is called."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._homes: dict[str, str] = {}
        self._declarations: dict[str, Declaration] = {}
        for file in files:
            for declaration in declarations(file):
                self._homes[declaration.full_name] = file.name
                self._declarations[declaration.full_name] = declaration

    def home(self, full_name: str) -> str:
        """Return the file that declares a message or enum."""
        return self._homes[full_name]

    def is_ours(self, full_name: str) -> bool:
        """Say whether a message or enum has a generated Python type."""
        return full_name in SPECIAL or (full_name in self._homes and not full_name.startswith(".google."))

    def python(self, full_name: str) -> str:
        """Return a message's or enum's Python type."""
        return SPECIAL.get(full_name) or self._declarations[full_name].python_name

    def declaration(self, full_name: str) -> Declaration:
        """Return the declaration of a message or enum."""
        return self._declarations[full_name]

"""Render one .proto file as a Python module."""

import textwrap
from collections.abc import Iterator
from graphlib import TopologicalSorter

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from protoc_gen_pydantic.names import SPECIAL, Declaration, Names, Path, declarations, python_module, snake

Field = FieldDescriptorProto

SCALARS = {
    Field.TYPE_STRING: "str",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_INT32: "Int32",
    Field.TYPE_SINT32: "Int32",
    Field.TYPE_SFIXED32: "Int32",
    Field.TYPE_INT64: "Int64",
    Field.TYPE_SINT64: "Int64",
    Field.TYPE_SFIXED64: "Int64",
    Field.TYPE_UINT32: "UInt32",
    Field.TYPE_FIXED32: "UInt32",
    Field.TYPE_UINT64: "UInt64",
    Field.TYPE_FIXED64: "UInt64",
}
WIDTH = 120


def emit(file: FileDescriptorProto, names: Names) -> str:
    """Return the module's source: enums, models after the models they hold, then servers and clients."""
    return _Module(file, names).render()


class _Module:
    def __init__(self, file: FileDescriptorProto, names: Names) -> None:
        self._file = file
        self._names = names
        self._comments = {
            tuple(location.path): " ".join(location.leading_comments.split())
            for location in file.source_code_info.location
        }

    def render(self) -> str:
        body = [line for declaration in self._ordered() for line in self._declaration(declaration)]
        for index, service in enumerate(self._file.service):
            body.extend(self._server(service, (6, index)))
            body.extend(self._client(service, (6, index)))
        return "\n".join([*self._header(), *body, ""])

    def _header(self) -> Iterator[str]:
        module = python_module(self._file.name)
        package, _, name = module.rpartition(".")
        yield f'"""Generated from {self._file.name} by tools/generate.py; do not edit."""\n'
        yield "from datetime import timedelta"
        yield "from enum import StrEnum"
        yield "from typing import Any, Protocol\n"
        yield "from grpc.aio import Server"
        yield "from pydantic import Field\n"
        yield f"from {package} import {name}_pb2 as pb"
        for home, imported in sorted(self._imported().items()):
            yield f"from {home} import {', '.join(sorted(imported))}"
        yield (
            "from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UInt32, UInt64, "
            "UtcDatetime, bind"
        )

    def _imported(self) -> dict[str, set[str]]:
        imported: dict[str, set[str]] = {}
        for full_name in self._used() - SPECIAL.keys():
            home = self._names.home(full_name)
            if home != self._file.name:
                imported.setdefault(python_module(home), set()).add(self._names.python(full_name))
        return imported

    def _used(self) -> set[str]:
        used = {rpc.input_type for service in self._file.service for rpc in service.method}
        used |= {rpc.output_type for service in self._file.service for rpc in service.method}
        for declaration in declarations(self._file):
            if isinstance(declaration.proto, DescriptorProto):
                used |= {field.type_name for field in declaration.proto.field if field.type_name}
        return used

    def _ordered(self) -> list[Declaration]:
        """Return enums, then messages after those they hold."""
        mine = {d.full_name: d for d in declarations(self._file) if d.full_name not in SPECIAL}
        graph: TopologicalSorter[str] = TopologicalSorter()
        for name, declaration in mine.items():
            graph.add(name)
            if isinstance(declaration.proto, DescriptorProto):
                graph.add(name, *(field.type_name for field in declaration.proto.field if field.type_name in mine))
        ordered = [mine[name] for name in graph.static_order()]
        return sorted(ordered, key=lambda declaration: isinstance(declaration.proto, DescriptorProto))

    def _declaration(self, declaration: Declaration) -> Iterator[str]:
        if isinstance(declaration.proto, EnumDescriptorProto):
            return self._enum(declaration, declaration.proto)
        return self._message(declaration, declaration.proto)

    def _enum(self, declaration: Declaration, enum: EnumDescriptorProto) -> Iterator[str]:
        yield f"\n\nclass {declaration.python_name}(StrEnum):"
        yield from self._docstring(declaration.path, "    ")
        prefix = snake(enum.name).upper() + "_"
        for index, value in enumerate(enum.value):
            if value.number == 0:
                continue
            name = value.name.removeprefix(prefix)
            yield f'    {name} = "{name.lower()}"'
            yield from self._docstring((*declaration.path, 2, index), "    ")

    def _message(self, declaration: Declaration, message: DescriptorProto) -> Iterator[str]:
        yield f"\n\nclass {declaration.python_name}(Model, pb=pb.{declaration.pb_name}):"
        yield from self._docstring(declaration.path, "    ")
        for index, field in enumerate(message.field):
            yield "    " + self._field(field, self._comments.get((*declaration.path, 2, index), ""))
        if not message.field and not self._comments.get(declaration.path):
            yield "    pass"

    def _field(self, field: FieldDescriptorProto, comment: str) -> str:
        annotation = SCALARS.get(field.type) or self._names.python(field.type_name)
        arguments = []
        if field.label == Field.LABEL_REPEATED:
            annotation, arguments = f"list[{annotation}]", ["default_factory=list"]
        elif field.proto3_optional:
            annotation = annotation if annotation == "Any" else f"{annotation} | None"
            arguments = ["default=None"]
        if comment:
            arguments.append(f"description={comment!r}")
        return f"{field.name}: {annotation}" + (f" = Field({', '.join(arguments)})" if arguments else "")

    def _server(self, service: ServiceDescriptorProto, path: Path) -> Iterator[str]:
        yield f"\n\nclass {service.name}Server(Protocol):"
        yield from self._docstring(path, "    ")
        for index, rpc in enumerate(service.method):
            request, response = self._names.python(rpc.input_type), self._names.python(rpc.output_type)
            yield f"\n    async def {snake(rpc.name)}(self, ctx: Context, request: {request}) -> {response}:"
            yield from self._docstring((*path, 2, index), "        ")
            yield "        ..."
        yield (
            f"\n\ndef add_{snake(service.name)}(server: Server, operations: {service.name}Server, "
            f"authenticate: Authenticate) -> None:"
        )
        yield f'    """Serve the rpcs of {service.name} with `operations`."""'
        yield f'    bind(server, pb.DESCRIPTOR.services_by_name["{service.name}"], operations, authenticate)'

    def _client(self, service: ServiceDescriptorProto, path: Path) -> Iterator[str]:
        full_name = f"{self._file.package}.{service.name}"
        yield f'\n\nclass {service.name}Client(RpcClient, service="{full_name}"):'
        yield from self._docstring(path, "    ")
        for index, rpc in enumerate(service.method):
            yield from self._client_method(rpc, (*path, 2, index))

    def _client_method(self, rpc: MethodDescriptorProto, path: Path) -> Iterator[str]:
        request, response = self._names.python(rpc.input_type), self._names.python(rpc.output_type)
        idempotent = rpc.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
        yield (
            f"\n    async def {snake(rpc.name)}(self, request: {request}, request_id: str | None = None, "
            f"timeout: float | None = None) -> {response}:"
        )
        yield from self._docstring(path, "        ")
        yield (
            f'        return await self._call("{rpc.name}", request, {response}, request_id=request_id, '
            f"timeout=timeout, idempotent={idempotent})"
        )

    def _docstring(self, path: Path, indent: str) -> Iterator[str]:
        text = self._comments.get(path, "").replace("\\", "\\\\").replace('"""', r"\"\"\"")
        if not text:
            return
        lines = textwrap.wrap(text, WIDTH - len(indent) - 6, break_long_words=False, break_on_hyphens=False)
        if len(lines) == 1:
            yield f'{indent}"""{lines[0]}"""'
            return
        yield f'{indent}"""{lines[0]}'
        yield from (f"{indent}{line}" for line in lines[1:])
        yield f'{indent}"""'

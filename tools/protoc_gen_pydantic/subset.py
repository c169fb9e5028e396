"""The subset of proto3 that one shape needs, and a sentence for everything outside of it."""

import keyword
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from orkestra.wire import Model

from protoc_gen_pydantic.names import PYTHON_TYPES, SPECIAL, Declaration, Names, declarations, snake

Field = FieldDescriptorProto

# What a Model already is or has; a field of that name would hide it.
TAKEN = frozenset(name for name in dir(Model) if not name.startswith("_")) | {"pb"}


def refusals(file: FileDescriptorProto, names: Names) -> Iterator[str]:
    """Yield a sentence for each thing in the file that cannot become a model, a server or a client."""
    if file.syntax != "proto3":
        yield f'{file.name}: the file is not proto3; start it with `syntax = "proto3";`.'
        return
    if not file.package:
        yield f"{file.name}: the file has no package; declare one, such as `package orkestra.v1;`."
    declared = declarations(file)
    yield from _collisions(file, declared)
    for declaration in declared:
        if isinstance(declaration.proto, EnumDescriptorProto):
            yield from _enum(file, declaration, declaration.proto)
        else:
            yield from _message(file, declaration, declaration.proto, names)
    yield from _recursion(file, declared)
    for service in file.service:
        yield from _service(file, service)


def _collisions(file: FileDescriptorProto, declared: list[Declaration]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for service in file.service:
        for name in (f"{service.name}Server", f"{service.name}Client"):
            owners[name] = f"the service {service.name}"
    for declaration in declared:
        name = declaration.python_name
        where = f"{file.name}: {declaration.pb_name}"
        if name in PYTHON_TYPES or keyword.iskeyword(name):
            yield f"{where}: the name {name} is taken in the generated module; choose another name."
        if name in owners:
            yield f"{where}: the Python name {name} is also that of {owners[name]}; rename one of the two."
        owners[name] = declaration.pb_name


def _enum(file: FileDescriptorProto, declaration: Declaration, enum: EnumDescriptorProto) -> Iterator[str]:
    where = f"{file.name}: enum {declaration.pb_name}"
    prefix = snake(enum.name).upper() + "_"
    if enum.options.allow_alias:
        yield f"{where}: allow_alias gives one number two names; remove it."
    if not enum.value or enum.value[0].name != f"{prefix}UNSPECIFIED" or enum.value[0].number != 0:
        yield f"{where}: its first value must be {prefix}UNSPECIFIED = 0, which means that nothing was said."
    if len(enum.value) < 2:
        yield f"{where}: it has no value besides the unspecified one; add one."
    for value in enum.value:
        short = value.name.removeprefix(prefix)
        if short == value.name or not short.isidentifier():
            yield f"{where}, value {value.name}: name it {prefix} followed by a word, such as {prefix}OPEN."


def _message(
    file: FileDescriptorProto, declaration: Declaration, message: DescriptorProto, names: Names
) -> Iterator[str]:
    where = f"{file.name}: message {declaration.pb_name}"
    if message.extension_range or message.extension:
        yield f"{where}: extensions are not supported; declare a field."
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    for index, oneof in enumerate(message.oneof_decl):
        if index not in synthetic:
            yield f"{where}, oneof {oneof.name}: oneof is not supported; declare its members as optional fields."
    for field in message.field:
        yield from _field(f"{where}, field {field.name}", field, message, names)


def _field(where: str, field: FieldDescriptorProto, message: DescriptorProto, names: Names) -> Iterator[str]:
    if field.name in TAKEN or field.name.startswith("model_") or keyword.iskeyword(field.name):
        yield f"{where}: the name {field.name} is taken in Python or by Model; choose another name."
    if field.name != field.name.lower() or field.name.startswith("_"):
        yield f"{where}: name it in lower_snake_case."
    if field.type == Field.TYPE_GROUP:
        yield f"{where}: group is not supported; declare a message."
    elif field.type == Field.TYPE_BYTES:
        yield f"{where}: bytes is not supported, since JSON has none; use string (base64), or store the content apart."
    elif _is_map(field, message):
        yield f"{where}: map is not supported; use orkestra.v1.Json, or repeat a message of key and value."
    elif field.type_name.startswith(".google.protobuf.") and field.type_name not in SPECIAL:
        yield f"{where}: {field.type_name[1:]} is not supported; use orkestra.v1.Json or JsonValue, which stay exact."
    elif field.type_name and not names.is_ours(field.type_name):
        yield f"{where}: {field.type_name[1:]} is not generated by this plugin; declare a message of your own."


def _is_map(field: FieldDescriptorProto, message: DescriptorProto) -> bool:
    entry = field.type_name.rpartition(".")[2]
    return any(nested.name == entry and nested.options.map_entry for nested in message.nested_type)


def _recursion(file: FileDescriptorProto, declared: list[Declaration]) -> Iterator[str]:
    """Say the first cycle. Messages of two files cannot form one, since imports cannot."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for declaration in declared:
        if isinstance(declaration.proto, DescriptorProto):
            graph.add(declaration.full_name, *(field.type_name for field in declaration.proto.field if field.type_name))
    try:
        graph.prepare()
    except CycleError as exc:
        cycle = [name[1:] for name in exc.args[1]]
        holder = next(d for d in declared if d.full_name == exc.args[1][1])
        field = next(f.name for f in holder.proto.field if f.type_name == exc.args[1][0])  # type: ignore[union-attr]
        yield (
            f"{file.name}: message {holder.pb_name}, field {field}: a message must not hold itself "
            f"({' in '.join(cycle)}); refer to it by id, or use orkestra.v1.Json."
        )


def _service(file: FileDescriptorProto, service: ServiceDescriptorProto) -> Iterator[str]:
    for rpc in service.method:
        where = f"{file.name}: service {service.name}, rpc {rpc.name}"
        if rpc.client_streaming or rpc.server_streaming:
            yield f"{where}: streaming is not supported; return a page, or let the caller ask again with a wait."
        for type_name in {rpc.input_type, rpc.output_type}:
            if type_name.startswith(".google.protobuf.") or type_name in SPECIAL:
                yield f"{where}: {type_name[1:]} is not a message of ours; declare one, even an empty one."

"""@workflow: an async function becomes a Temporal workflow."""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_type_hints

from orkestra.forms import Form, schema_of
from orkestra.sdk.context import Context
from orkestra.sdk.given import sentence_of
from orkestra.sdk.header import HISTORY_FORMAT
from orkestra.v1 import workflow as contract
from pydantic import TypeAdapter, ValidationError
from temporalio import workflow as temporal
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
Function = Callable[[Context, I_contra], Awaitable[O_co]]
DEFAULT_TASK_QUEUE = "orkestra"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Definition:
    """A function that can be started by name; its types are looked at when they are first needed."""

    name: str
    version: int
    function: Callable[..., Awaitable[Any]]
    task_queue: str | None = None
    start_roles: tuple[str, ...] = ()

    @property
    def temporal_type(self) -> str:
        """The workflow type in Temporal."""
        return f"{self.name}@{self.version}"

    @cached_property
    def input_type(self) -> Any:
        """What the function's second parameter is annotated with."""
        return self._hints().get(list(inspect.signature(self.function).parameters)[1], Any)

    @cached_property
    def output_type(self) -> Any:
        """What the function is annotated to return."""
        return self._hints().get("return", Any)

    def to_contract(self, default_task_queue: str = DEFAULT_TASK_QUEUE) -> contract.Definition:
        """Return what a worker registers, with the JSON Schemas of input, output and forms."""
        return contract.Definition(
            name=self.name,
            version=self.version,
            description=inspect.getdoc(self.function),
            task_queue=self.task_queue or default_task_queue,
            input_schema=_object_schema(self.input_type),
            output_schema=TypeAdapter(self.output_type).json_schema(mode="serialization"),
            forms=self._forms() or None,
            start_roles=list(self.start_roles),
            history_format=HISTORY_FORMAT,
        )

    def _forms(self) -> dict[str, Any]:
        known = self.function.__globals__
        named = (known.get(name) for name in self.function.__code__.co_names)
        return {form.__name__: schema_of(form) for form in named if isinstance(form, type) and issubclass(form, Form)}

    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)


def _object_schema(annotation: Any) -> dict[str, Any]:
    if isinstance(annotation, type) and issubclass(annotation, Form):
        return schema_of(annotation)
    closed: dict[str, Any] = _closed(TypeAdapter(annotation).json_schema())
    return closed


def _closed(schema: Any) -> Any:
    """Let objects take no fields but their own, as a form does, so that a misspelt one is told and not dropped."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {word: _closed(part) for word, part in schema.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


class WorkflowClass(Generic[I_contra, O_co]):
    """What @workflow leaves under the function's name: the class that Temporal runs.

    Its `run` is what Temporal's own calls take, such as `execute_child_workflow(refund.run, input)`.
    """

    definition: ClassVar[Definition]

    if TYPE_CHECKING:

        async def run(self, input: I_contra, /) -> O_co:
            """Stand for the workflow in a call of Temporal's; it is not called itself."""


def workflow(
    name: str,
    *,
    version: int = 1,
    task_queue: str | None = None,
    start_roles: Sequence[str] = (),
) -> Callable[[Callable[[Context, I_contra], Awaitable[O_co]]], type[WorkflowClass[I_contra, O_co]]]:
    """Make an async function `(ctx, input)` startable by `name`; its annotations become the JSON Schemas.

    The version is part of what is registered: change it with the input's or output's schema. `start_roles` limits who
    may start it. An input has no fields but those of its model, unless the model says `extra="allow"`.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"The name {name!r} of a workflow is lower-case words joined by hyphens, such as my-workflow.")
    if version < 1:
        raise ValueError(f"The version of {name} is {version}; versions count from 1.")

    def define(function: Callable[[Context, I_contra], Awaitable[O_co]]) -> type[WorkflowClass[I_contra, O_co]]:
        _check(name, function)
        definition = Definition(name, version, function, task_queue, tuple(start_roles))
        return cast("type[WorkflowClass[I_contra, O_co]]", _temporal_class(definition))

    return define


def _check(name: str, function: Callable[..., Awaitable[Any]]) -> None:
    if not inspect.iscoroutinefunction(function):
        raise ValueError(f"The workflow {name} is an async function.")
    if "<locals>" in function.__qualname__:
        raise ValueError(f"The workflow {name} stands at the top of its module, where Temporal's sandbox can find it.")
    if len(inspect.signature(function).parameters) != 2:
        raise ValueError(
            f"The workflow {name} takes a context and one input: async def {function.__name__}(ctx, input)."
        )


def _temporal_class(definition: Definition) -> type:
    function = definition.function

    async def run(self: Any, input: RawValue) -> Any:  # noqa: ARG001 - Temporal's signature
        return await function(Context(), _read_input(definition, input))

    del run.__annotations__["self"]  # Temporal counts an annotated self as a parameter
    run.__annotations__["return"] = _read_as(definition)
    run.__qualname__ = f"{function.__name__}.run"
    run.__module__ = function.__module__
    body = {
        "__module__": function.__module__,
        "__qualname__": function.__name__,
        "__doc__": function.__doc__,
        "definition": definition,
        "run": temporal.run(run),
    }
    made = type(function.__name__, (WorkflowClass,), body)
    return temporal.defn(name=definition.temporal_type)(made)


def _read_as(definition: Definition) -> Any:
    """Return what a parent reads the result as: plain JSON where the annotation names what the module defines later."""
    try:
        return definition.output_type
    except NameError:
        return Any


def _read_input(definition: Definition, value: RawValue) -> Any:
    """Read the input; one that does not fit fails the run instead of stopping it for ever."""
    try:
        return temporal.payload_converter().from_payload(value.payload, definition.input_type)
    except ValidationError as error:
        raise ApplicationError(sentence_of(error, "input"), type="INPUT_INVALID", non_retryable=True) from error

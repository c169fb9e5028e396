"""Temporal's workflow sandbox, with an author's module imported once for a worker and not for each run.

Temporal imports it for every run, which builds its Pydantic classes anew: most of what a short run costs. Here the
same restrictions hold (no clock, no random numbers, no I/O), but the runs of a worker share the module's globals, so a
workflow that assigns one is refused.
"""

import dis
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._in_sandbox import InSandbox
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext

PASSED_THROUGH = (
    "orkestra",
    "grpc",
    "google",
    "opentelemetry",
    "jsonschema_rs",
    "typing_extensions",
    "typing_inspection",
)


def sandbox() -> WorkflowRunner:
    """Return the sandbox, with everything of Orkestra passed through, so that a run starts cheaply."""
    return Sandbox(SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


@dataclass(frozen=True)
class Sandbox(WorkflowRunner):
    """Runs workflows under `restrictions`, the runs of one module in one import of it."""

    restrictions: SandboxRestrictions
    _rooms: "dict[str, Room]" = field(default_factory=dict, init=False)

    def prepare_workflow(self, defn: Any) -> None:
        """Import the workflow's module; refuses (ValueError) a workflow that assigns globals."""
        check_globals(defn.cls)
        self._room_of(defn.cls)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a run that is ready for its first activation."""
        return _Instance(det, self._room_of(det.defn.cls))

    def _room_of(self, cls: type) -> "Room":
        module = "__temporal_main__" if cls.__module__ == "__main__" else cls.__module__
        if module not in self._rooms:
            self._rooms[module] = Room(self.restrictions, module)
        return self._rooms[module]


class Room:
    """One import of a module under restrictions."""

    def __init__(self, restrictions: SandboxRestrictions, module: str) -> None:
        context = RestrictionContext()
        self._importer = Importer(restrictions, context, workflow_module_name=module)
        with self.entered():
            self._module = __import__(module, fromlist=["__name__"])  # the importer has replaced the builtin
        context.is_runtime = context.in_activation = True

    def workflow_class(self, cls: type) -> type:
        """Return the workflow as it was imported here."""
        found: type = getattr(self._module, cls.__name__)
        return found

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Restrict what the code of this thread may do."""
        workflow.unsafe._set_in_sandbox(True)  # noqa: SLF001 - Temporal's own sandbox does the same
        try:
            with self._importer.applied():
                yield
        finally:
            workflow.unsafe._set_in_sandbox(False)  # noqa: SLF001


class _Instance(WorkflowInstance):
    """One run."""

    def __init__(self, details: WorkflowInstanceDetails, room: Room) -> None:
        self._info = details.info
        self._room = room
        self._thread_id: int | None = None
        workflow_class = room.workflow_class(details.defn.cls)
        with room.entered():
            self._inside = InSandbox(details, UnsandboxedWorkflowRunner, workflow_class)

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        with self._room.entered():
            self._thread_id = threading.get_ident()  # what Temporal may interrupt: nothing that holds a lock
            try:
                return self._inside.activate(act)
            finally:
                self._thread_id = None

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inside.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inside.get_external_store_context(command_info)

    def get_info(self) -> workflow.Info:
        return self._info

    def get_thread_id(self) -> int | None:
        return self._thread_id


def check_globals(cls: type) -> None:
    """Refuse (ValueError) a workflow whose code assigns a global: the next run would see what this one left."""
    definition = getattr(cls, "definition", None)
    functions = [definition.function] if definition is not None else filter(inspect.isfunction, vars(cls).values())
    for name in (name for function in functions for name in _assigned_globals(function.__code__)):
        raise ValueError(
            f"The workflow {cls.__name__} assigns the global {name}, which all runs of a worker share; "
            "keep what a run must remember in its function or class."
        )


def _assigned_globals(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _assigned_globals(constant)

"""Events as they arrive: CloudEvents 1.0 in binary mode, over NATS."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import unquote

from opentelemetry import trace
from orkestra.wire import Error, Model, loads
from pydantic import ValidationError

M = TypeVar("M", bound=Model)
PREFIX = "orkestra.v1."


class Poison(Exception):  # noqa: N818 - what it is, not that it went wrong
    """An event that no further try can handle; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the resource `key` of a tenant, which was then at `version`."""

    id: str
    tenant_id: str
    aggregate: str
    event: str
    key: str
    version: int
    time: datetime
    data: bytes
    headers: Mapping[str, str]
    deliveries: int = 1
    place: int = 0
    """Which of the messages that its consumer was handed, counted from one; again with each delivery."""
    span: trace.Span | None = field(default=None, compare=False, repr=False)
    """Its handling, where several are handled together."""

    def traced(self) -> AbstractContextManager[object]:
        """Have what is done inside belong to the trace of this event, where several are handled together."""
        if self.span is None:
            return nullcontext()
        return trace.use_span(self.span, record_exception=False, set_status_on_exception=False)

    @property
    def traceparent(self) -> str | None:
        """The trace that the event is part of (W3C Trace Context)."""
        return self.headers.get("traceparent")

    def payload(self, model: type[M]) -> M:
        """Return the data as `model`; raises Poison where it is not."""
        try:
            return model.model_validate(loads(self.data))
        except (ValidationError, Error) as unreadable:
            raise Poison(f"The data is not a {model.__name__}: {unreadable}") from unreadable


def read_event(headers: Mapping[str, str], data: bytes, *, deliveries: int = 1, place: int = 0) -> Event:
    """Return the event of one message; raises Poison where the message is not one."""
    try:
        kind = headers["ce-type"]
        if not kind.startswith(PREFIX):
            raise Poison(f"The type {kind} is not one of Orkestra's.")
        aggregate, event = kind.removeprefix(PREFIX).split(".")
        return Event(
            id=headers["ce-id"],
            tenant_id=headers["ce-tenant"],
            aggregate=aggregate,
            event=event,
            key=unquote(headers["ce-subject"]),
            version=int(headers["ce-version"]),
            time=datetime.fromisoformat(headers["ce-time"]),
            data=data,
            headers=headers,
            deliveries=deliveries,
            place=place,
        )
    except KeyError as absent:
        raise Poison(f"The header {absent.args[0]} is absent.") from None
    except ValueError as unreadable:
        raise Poison(f"The headers cannot be read: {unreadable}.") from unreadable

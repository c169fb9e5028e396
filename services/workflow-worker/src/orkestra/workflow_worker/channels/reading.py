"""What Temporal has stored, in words again where it was encrypted."""

from collections.abc import Iterator, Sequence
from typing import Any

from orkestra.wire import Error
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.service import RPCError

FAILURES = ("failure", "last_failure")
ENCODED = "Encoded failure"
"""What Temporal's library leaves in the place of a message that it has encoded."""


async def readable(events: Sequence[HistoryEvent], converter: DataConverter) -> list[HistoryEvent]:
    """Return the events with the messages of their failures and the summaries of their timers decrypted."""
    for event in events:
        if event.HasField("timer_started_event_attributes") and event.user_metadata.HasField("summary"):
            summary = await _opened(event.user_metadata.summary, converter)
            event.user_metadata.summary.CopyFrom(summary if isinstance(summary, Payload) else Payload())
        for failure in _failures(event):
            failure.message = await message_of(failure, converter)
    return list(events)


async def message_of(failure: Failure, converter: DataConverter) -> str:
    """Return what a failure says, or why that cannot be read."""
    if not failure.HasField("encoded_attributes"):
        return failure.message
    opened = await _opened(failure.encoded_attributes, converter)
    if isinstance(opened, Error):
        return str(opened)
    said: Any = converter.payload_converter.from_payload(opened)
    return str(said["message"]) if isinstance(said, dict) and "message" in said else failure.message


def refusal_of(error: RPCError) -> str:
    """Return why a run's code refused a query; Temporal does not pass on a reason that is encrypted."""
    return "its reason is encrypted" if error.message == ENCODED else error.message


async def _opened(payload: Payload, converter: DataConverter) -> Payload | Error:
    codec = converter.payload_codec
    try:
        return payload if codec is None else (await codec.decode([payload]))[0]
    except Error as refused:
        return refused


def _failures(event: HistoryEvent) -> Iterator[Failure]:
    name = event.WhichOneof("attributes")
    attributes = None if name is None else getattr(event, name)
    for field in FAILURES:
        if attributes is not None and field in attributes.DESCRIPTOR.fields_by_name and attributes.HasField(field):
            yield getattr(attributes, field)

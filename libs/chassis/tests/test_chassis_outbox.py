"""Events on their way: traces, sizes, names, statements."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from orkestra.chassis.outbox import outbox_event
from orkestra.chassis.sql import Queries
from orkestra.v1.events import GroupEvent
from orkestra.v1.identity import Group
from orkestra.wire import Internal

TENANT = "6b0e7a52-6a3b-4b55-9c0c-6f3f5c8c1a11"
TRACED = """
from opentelemetry import propagate, trace
from orkestra.chassis import telemetry
telemetry.configure("test", otlp_endpoint=None)
carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-%s"}
for context in (propagate.extract(carrier), None):
    with trace.get_tracer("t").start_as_current_span("one", context=context) as span:
        headers = {}
        propagate.inject(headers)
        print(headers["traceparent"], span.is_recording())
"""


def group(name: str = "Support") -> GroupEvent:
    return GroupEvent(
        group=Group(group_id="one", tenant_id=TENANT, name=name, created_at=datetime(2026, 1, 1, tzinfo=UTC), version=3)
    )


def test_an_event_carries_its_resource_without_what_is_absent() -> None:
    event = outbox_event(
        TENANT, source="room", aggregate="group", event="renamed", key="one", version=3, payload=group()
    )
    assert event.subject == f"orkestra.v1.{TENANT}.group.renamed"
    assert json.loads(event.payload)["group"]["version"] == 3
    assert json.loads(event.headers)["ce-type"] == "orkestra.v1.group.renamed"


def test_an_event_over_64_kib_is_a_bug_of_ours() -> None:
    with pytest.raises(Internal) as refused:
        outbox_event(
            TENANT, source="room", aggregate="group", event="x", key="one", version=1, payload=group("x" * 70_000)
        )
    assert refused.value.reason == "EVENT_TOO_LARGE"


@pytest.mark.parametrize("name", ["two.words", "", "*", "Upper", "a b", "x' ; --"])
def test_a_name_that_is_no_word_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="does not name an event"):
        outbox_event(TENANT, source="room", aggregate="group", event=name, key="one", version=1, payload=group())


@pytest.mark.parametrize("sampled", ["00", "01"])
def test_without_a_receiver_traces_go_on_under_the_callers_id_and_new_ones_begin(sampled: str) -> None:
    said = subprocess.run([sys.executable, "-c", TRACED % sampled], capture_output=True, text=True, check=True)
    continued, begun = said.stdout.splitlines()
    assert continued.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert continued.split()[0].endswith(sampled)
    trace_id = begun.split("-")[1]
    assert trace_id not in ("0" * 32, "0af7651916cd43dd8448eb211c80319c")
    flags, recording = begun.split("-")[3].split()
    assert (int(flags, 16) & 1, recording) == (0, "False")


def test_queries_number_their_parameters_and_leave_literals_and_casts_alone() -> None:
    queries = Queries("-- one\n-- Why it is so.\nselect ':no', :a::text, :b, :a from t where x = ':it''s';\n")
    assert queries.one.text == "select ':no', $1::text, $2, $1 from t where x = ':it''s'"
    assert queries.one.parameters == ("a", "b")


def test_a_query_that_is_not_there_and_one_that_is_there_twice_are_refused() -> None:
    with pytest.raises(AttributeError, match="there is no query two"):
        _ = Queries("-- one\nselect 1\n").two
    with pytest.raises(ValueError, match="same name"):
        Queries("-- one\nselect 1\n\n-- one\nselect 2\n")


async def test_a_query_refuses_parameters_that_it_does_not_have() -> None:
    query = Queries("-- one\nselect :a\n").one
    for values in ({}, {"b": 1}, {"a": 1, "b": 2}):
        with pytest.raises(TypeError, match="query one takes"):
            await query.row(SimpleNamespace(fetchrow=None), **values)  # type: ignore[arg-type] # refused before the connection is used

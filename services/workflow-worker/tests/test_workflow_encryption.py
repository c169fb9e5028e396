"""Payload encryption: what Temporal stores of runs of two tenants, keys that rotate, are missing or come later.

And the endpoint where Temporal's pages have it decrypted.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict, ParseDict
from orkestra.chassis.grpc import channel
from orkestra.chassis.tokens import Signer
from orkestra.sdk.converter import data_converter_of, encode_for
from orkestra.sdk.payloads import CIPHER, KEY_ID, PayloadKeys
from orkestra.testkit import Schema, eventually, free_port
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    CreateScheduleRequest,
    Failure,
    GetTimelineRequest,
    GetWorkflowResultRequest,
    QueryWorkflowRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    TriggerScheduleRequest,
    UpdateWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import FailedPrecondition
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, GetWorkflowExecutionHistoryRequest
from workflow_world import World, running_api, running_world

FIRST, SECOND = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("first", "second"))
BOTH = f"{FIRST} {SECOND}"
UI = "https://temporal.example"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    servers = {"nats_url": nats_url, "temporal_address": temporal_address}
    told: dict[str, Any] = {"payload_keys": BOTH, "payload_key_id": "first", "codec_origin": UI}
    told |= {"codec_port": free_port(), "codec_refused": 20, "trusted_proxies": "127.0.0.1"}
    async with running_world(schema, signer=signer, **servers, **told) as world:
        yield world


@pytest.fixture
def word() -> str:
    return f"hushed{uuid4().hex}"


def of_tenant(world: World) -> World:
    """The same world as another tenant sees it."""
    return replace(world, tenant_id=str(uuid4()))


async def started(world: World, definition: str, word: str, **changes: Any) -> Workflow:
    handoff = {"summary": f"handed over {word}", "agent": {"name": word}}
    asked = {"definition": definition, "input": {"word": word, "rounds": 0}, "handoff": handoff} | changes
    return await world.client("agent").start_workflow(
        StartWorkflowRequest.model_validate(asked), request_id=uuid4().hex, timeout=30
    )


async def ended(world: World, run: Workflow) -> Workflow:
    request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=20)

    async def once() -> Workflow | None:
        now = await world.client("manager").get_workflow_result(request, timeout=30)
        return None if now.status is WorkflowStatus.RUNNING else now

    return await eventually(once, timeout=60)


async def histories(world: World, workflow_id: str) -> list[HistoryEvent]:
    """Every event that Temporal stores of a run, in all its executions, as it is there."""
    temporal = await world.temporal()
    events: list[HistoryEvent] = []
    run_id = ""
    while True:
        request = GetWorkflowExecutionHistoryRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        page = list((await temporal.workflow_service.get_workflow_execution_history(request)).history.events)
        events = page + events
        run_id = page[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return events


def payloads_in(message: Any) -> Iterator[Payload]:
    """Every payload in a message of Temporal's, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            parts = [part for part in value.values() if hasattr(part, "ListFields")]
        else:
            parts = list(value) if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
        for part in parts:
            yield from payloads_in(part)


def keys_of(events: list[HistoryEvent]) -> set[tuple[str, str]]:
    """Key id and tenant of each payload that is encrypted; what an engine of Temporal's own writes is not."""
    return keys_of_payloads(payload for event in events for payload in payloads_in(event))


def keys_of_payloads(payloads: Iterable[Payload]) -> set[tuple[str, str]]:
    """The same of payloads."""
    return {
        (one.metadata[KEY_ID].decode(), one.metadata["orkestra-tenant"].decode())
        for one in payloads
        if one.metadata["encryption-cipher"] == CIPHER
    }


async def carried(world: World, word: str) -> Workflow:
    """Take a run through everything that its workflow does, and return how it ended."""
    run = await started(world, "carries", word)
    client = world.client("agent")
    task = await world.task_of(run)
    named = {"workflow_id": run.workflow_id}
    asked = await client.query_workflow(QueryWorkflowRequest(query="tell", **named), timeout=20)
    assert asked.result == f"told {word}"
    with pytest.raises(FailedPrecondition, match="its reason is encrypted"):
        await client.query_workflow(QueryWorkflowRequest(query="refuse", **named), timeout=20)
    change = UpdateWorkflowRequest(update="change", payload=f"by {word}", **named)
    assert (await client.update_workflow(change, timeout=20)).result == f"changed by {word} {word}"
    with pytest.raises(FailedPrecondition, match=f"not this: {word}"):
        await client.update_workflow(UpdateWorkflowRequest(update="change", payload="no", **named), timeout=20)
    await client.signal_workflow(SignalWorkflowRequest(signal="hear", payload=f"heard {word}", **named), timeout=20)
    answered = await world.tasks.hand_over(task.task_id, {"answer": f"answered {word}"})  # comes with its signal
    over = await ended(world, run)
    assert task.task_id not in world.tasks.rung
    await world.tasks.publish(answered, "completed")
    return over


async def test_no_history_holds_a_word_of_two_tenants_and_the_timeline_still_tells(world: World, word: str) -> None:
    other = of_tenant(world)
    async with world.worker("workflow_secrets"):
        runs = await asyncio.gather(carried(world, word), carried(other, f"other{word}"))
    for whose, run, said in zip((world, other), runs, (word, f"other{word}"), strict=True):
        assert run.result == {
            "beats": f"{said} after beat {said}",
            "local": f"{said} after ",
            "refused": f"ValueError: refused: {said}",
            "child": f"child of {said}",
            "broken": f"CHILD_BROKE: the child broke: {said}",
            "heard": f"heard {said}",
            "answer": f"answered {said}",
        }
        for workflow_id in (run.workflow_id, f"{run.workflow_id}-child", f"{run.workflow_id}-broken"):
            events = await histories(whose, workflow_id)
            assert not [event for event in events if said.encode() in event.SerializeToString()]
            assert keys_of(events) == {("first", whose.tenant_id)}
        described = await (await world.temporal()).get_workflow_handle(run.workflow_id).describe()
        assert {"about", "more"} <= set(described.raw_description.workflow_execution_info.memo.fields)
        assert said.encode() not in described.raw_description.SerializeToString()
    told = (await world.client("agent").get_timeline(GetTimelineRequest(workflow_id=runs[0].workflow_id))).entries
    texts = [entry.text for entry in told]
    assert f"The activity refuses failed: ValueError: refused: {word}." in texts
    assert f"The child workflow carries-a-child@1 failed: CHILD_BROKE: the child broke: {word}." in texts
    assert not [text for text in texts if "Encoded failure" in text or "before" in text]


async def test_failures_bugs_and_reasons_are_not_stored_in_the_clear(world: World, word: str) -> None:
    async with world.worker("workflow_secrets"):
        broken, stumbling, leaving = (
            await started(world, "breaks", word),
            await started(world, "stumbles", word),
            await started(world, "breaks", word),
        )
        await world.tasks.answer((await world.task_of(broken)).task_id, {"answer": word})
        assert (await ended(world, broken)).failure is not None
        await world.task_of(leaving)
        why = CancelWorkflowRequest(workflow_id=leaving.workflow_id, reason=f"because of {word}")
        await world.client("agent").cancel_workflow(why, timeout=20)
        cancelled = await ended(world, leaving)

        async def has_stumbled() -> bool:
            events = await histories(world, stumbling.workflow_id)
            return any(event.HasField("workflow_task_failed_event_attributes") for event in events)

        await eventually(has_stumbled, timeout=30)
    assert (await ended(world, broken)).failure == Failure(type="BROKEN", message=f"broken: {word} {word}")
    assert cancelled.status is WorkflowStatus.CANCELLED
    assert cancelled.failure is not None
    assert cancelled.failure.message == f"because of {word}"
    for run in (broken, stumbling, leaving):
        events = await histories(world, run.workflow_id)
        assert not [event for event in events if word.encode() in event.SerializeToString()]
        assert {tenant_id for _, tenant_id in keys_of(events)} == {world.tenant_id}


async def test_a_schedule_and_what_it_starts_are_encrypted(world: World, word: str) -> None:
    client = world.client("manager")
    async with world.worker("workflow_secrets"):
        asked = {"definition": "breaks", "input": {"word": word}, "every": "24h", "note": f"note {word}"}
        schedule = await client.create_schedule(CreateScheduleRequest.model_validate(asked), timeout=20)
        fired = await client.trigger_schedule(TriggerScheduleRequest(schedule_id=schedule.schedule_id), timeout=20)
        await world.task_of(fired)
    temporal = await world.temporal()
    request = DescribeScheduleRequest(namespace="default", schedule_id=schedule.schedule_id)
    stored = await temporal.workflow_service.describe_schedule(request)
    assert word.encode() not in stored.SerializeToString()
    assert stored.schedule.action.start_workflow.input.payloads[0].metadata["encryption-cipher"] == CIPHER
    events = await histories(world, fired.workflow_id)
    assert not [event for event in events if word.encode() in event.SerializeToString()]


async def test_the_clock_of_a_task_without_a_workflow_is_encrypted(world: World) -> None:
    task = await world.tasks.open_alone(world.tenant_id)
    async with world.worker("orkestra.workflow_worker.workflows", task_queue=BUILTIN_QUEUE):
        await world.tasks.publish(task, "created")
        await eventually(lambda: task.task_id in world.tasks.rung, timeout=30)
        await world.tasks.answer(task.task_id, {"answer": "Yes."})
        await world.confirmations(task, count=1)
    assert keys_of(await histories(world, task.task_id)) == {("first", world.tenant_id)}


async def test_a_run_goes_on_over_a_rotation_and_only_the_new_key_encrypts_from_then_on(
    world: World, word: str
) -> None:
    rotated = PayloadKeys.parse(BOTH, "second")
    async with world.worker("workflow_secrets"):
        run = await started(world, "breaks", word)
        task = await world.task_of(run)
    async with world.worker("workflow_secrets", payload_keys=rotated):
        await world.tasks.answer(task.task_id, {"answer": word})
        assert (await ended(world, run)).failure is not None
    events = await histories(world, run.workflow_id)
    assert keys_of(events) == {("first", world.tenant_id), ("second", world.tenant_id)}
    assert keys_of(events[-1:]) == {("second", world.tenant_id)}


async def test_a_worker_without_the_key_loses_nothing_and_says_which_one_is_missing(
    world: World, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.worker("workflow_secrets", payload_keys=PayloadKeys.parse(SECOND, "second")):
        run = await started(world, "breaks", word)
        await eventually(lambda: "The payload key first is missing" in caplog.text, timeout=30)
    async with world.worker("workflow_secrets"):
        task = await world.task_of(run)
        await world.tasks.answer(task.task_id, {"answer": "found"})
        assert (await ended(world, run)).failure == (await ended(world, run)).failure
        assert "found" in str((await ended(world, run)).failure)


async def test_switching_encryption_on_while_runs_wait_loses_nothing(world: World, word: str) -> None:
    plain = world.settings.model_copy(update={"payload_key_id": None, "codec_port": None, "grpc_port": free_port()})
    async with running_api(plain), channel(f"127.0.0.1:{plain.grpc_port}") as workflows:
        unready = replace(world, workflows=workflows)
        async with unready.worker("workflow_secrets", payload_keys=PayloadKeys()):
            run = await started(unready, "breaks", word)
            task = await world.task_of(run)
    before = await histories(world, run.workflow_id)
    assert keys_of(before) == set()
    async with world.worker("workflow_secrets"):
        await world.tasks.answer(task.task_id, {"answer": f"later{word}"})
        assert f"later{word}" in str((await ended(world, run)).failure)
    events = await histories(world, run.workflow_id)
    assert keys_of(events) == {("first", world.tenant_id)}
    assert not [event for event in events if f"later{word}".encode() in event.SerializeToString()]


@pytest_asyncio.fixture(loop_scope="session")
async def codec(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The endpoint as Temporal's pages call it for an admin of the tenant."""
    headers = {"authorization": f"Bearer admin {world.tenant_id}", "x-namespace": "default", "origin": UI}
    base = f"http://127.0.0.1:{world.settings.codec_port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as http:
        yield http


async def sealed(world: World, text: str, *, tenant_id: str | None = None) -> Payload:
    """A payload as the tenant's workflows give it to Temporal."""
    converter = data_converter_of(world.settings.read_payload_keys())
    return (await encode_for(converter, tenant_id or world.tenant_id, [text]))[0]


def sent(*payloads: Payload) -> dict[str, Any]:
    return MessageToDict(Payloads(payloads=payloads))


def received(answer: httpx.Response) -> list[Payload]:
    return list(ParseDict(answer.raise_for_status().json(), Payloads()).payloads)


async def test_temporals_pages_see_what_an_admin_of_the_tenant_may(
    world: World, codec: httpx.AsyncClient, word: str
) -> None:
    async with world.worker("workflow_secrets"):
        run = await started(world, "breaks", word)
        await world.task_of(run)
    stored = [payload for event in await histories(world, run.workflow_id) for payload in payloads_in(event)]
    shown = received(await codec.post("/decode", json=sent(*stored)))
    assert len(shown) == len(stored)
    assert {"json/plain"} >= {one.metadata["encoding"].decode() for one in shown if one.metadata["messageType"] == b""}
    assert any(word.encode() in one.data for one in shown)


async def test_what_is_encoded_for_temporal_is_the_callers_tenants_whatever_it_says(
    world: World, codec: httpx.AsyncClient
) -> None:
    posed = Payload(metadata={"encoding": b"json/plain", "orkestra-tenant": b"another"}, data=b'"mine"')
    hidden = received(await codec.post("/encode", json=sent(posed)))
    assert keys_of_payloads(hidden) == {("first", world.tenant_id)}
    assert received(await codec.post("/decode", json=sent(*hidden)))[0].data == b'"mine"'


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"authorization": ""}, 401, "CREDENTIAL_REQUIRED"),
        ({"authorization": "Basic YWRtaW46"}, 401, "CREDENTIAL_REQUIRED"),
        ({"authorization": "Bearer stolen"}, 401, "CREDENTIAL_INVALID"),
        ({"authorization": "Bearer admin"}, 403, "TENANT_REQUIRED"),
        ({"authorization": "Bearer operator"}, 403, "ROLE_MISSING"),
        ({"authorization": "Bearer member {tenant}"}, 403, "ROLE_MISSING"),
        ({"authorization": "Bearer agent {tenant}"}, 403, "ROLE_MISSING"),
        ({"authorization": "Bearer worker {tenant}"}, 403, "ROLE_MISSING"),
        ({"authorization": "Bearer admin 0190b1c0-0000-7000-8000-00000000000b"}, 403, "PAYLOAD_OF_ANOTHER_TENANT"),
        ({"x-namespace": "another"}, 404, "NAMESPACE_UNKNOWN"),
    ],
)
async def test_the_endpoint_refuses_everybody_else(
    world: World, codec: httpx.AsyncClient, changed: dict[str, str], status: int, reason: str
) -> None:
    headers = {name: value.replace("{tenant}", world.tenant_id) for name, value in changed.items()}
    answer = await codec.post("/decode", json=sent(await sealed(world, "secret")), headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert "secret" not in answer.text


async def test_who_tries_out_credentials_at_the_endpoint_is_not_listened_to(
    world: World, codec: httpx.AsyncClient
) -> None:
    body = sent(await sealed(world, "secret"))

    async def status(credential: str, address: str) -> int:
        headers = {"authorization": f"Bearer {credential}", "x-forwarded-for": address}
        return (await codec.post("/decode", json=body, headers=headers)).status_code

    known = f"admin {world.tenant_id}"
    assert await status(known, "192.0.2.7") == 200
    came = [await status(f"guess-{n}", "192.0.2.7") for n in range(30)]
    assert (came[0], came[-1]) == (401, 429)
    assert await status(known, "192.0.2.7") == 200
    assert await status("guess-30", "192.0.2.8") == 401


async def test_what_was_altered_or_is_no_payload_is_refused(world: World, codec: httpx.AsyncClient) -> None:
    altered = await sealed(world, "secret")
    altered.data = altered.data[:-1] + bytes([altered.data[-1] ^ 1])
    answer = await codec.post("/decode", json=sent(altered))
    assert (answer.status_code, answer.json()["reason"]) == (409, "PAYLOAD_UNREADABLE")
    for body in (b"{", b'{"payloads": 3}', b"\xff"):
        answer = await codec.post("/decode", content=body)
        assert (answer.status_code, answer.json()["reason"]) == (422, "REQUEST_INVALID")
    large = await codec.post("/decode", content=bytes((8 << 20) + 1))
    assert (large.status_code, large.json()["reason"]) == (413, "BODY_TOO_LARGE")


async def test_browsers_may_call_the_endpoint_from_temporals_pages_alone(codec: httpx.AsyncClient) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-namespace"}
    allowed = await codec.options("/decode", headers=asked)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, UI)
    assert "access-control-allow-credentials" not in allowed.headers
    refused = await codec.options("/decode", headers=asked | {"origin": "https://evil.example"})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


def test_the_endpoint_is_closed_unless_a_port_is_given(world: World) -> None:
    assert type(world.settings).model_fields["codec_port"].default is None

"""WorkflowService by its client: starts, reads, waits, cancels; the story with a real Temporal and a real worker."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis import notifications
from orkestra.chassis.grpc import channel
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, free_port
from orkestra.v1.task import TaskStatus
from orkestra.v1.workflow import (
    BusinessIdPolicy,
    CancelWorkflowRequest,
    Definition,
    GetDefinitionRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    Handoff,
    ListDefinitionsRequest,
    ListWorkflowsRequest,
    RegisterDefinitionsRequest,
    ReportEndRequest,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
)
from workflow_world import QUESTION, SCHEMA, World, running_api, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def start(definition: str, **changes: object) -> StartWorkflowRequest:
    return StartWorkflowRequest.model_validate({"definition": definition, "input": QUESTION} | changes)


async def result(world: World, run: Workflow, *, wait: int = 15) -> Workflow:
    request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=wait)
    return await world.client("manager").get_workflow_result(request, timeout=wait + 5.0)


async def test_a_person_answers_and_the_run_completes_with_the_answer(world: World) -> None:
    async with world.worker("customer_support.workflows"):
        handoff = Handoff(summary="They are angry.")
        run = await world.client("agent").start_workflow(start("customer-support", handoff=handoff))
        task = await world.task_of(run)
        assert (task.title, task.candidate_groups, task.requested_by) == (
            "Customer needs help",
            ["support-l1"],
            "agent-1",
        )
        assert task.input == QUESTION
        assert task.context is not None
        assert task.context.summary == "They are angry."
        assert task.context.data == {"conversation_id": "c1", "customer_id": "k1"}

        waiting = asyncio.create_task(result(world, run))
        await world.tasks.answer(task.task_id, {"answer": "Tomorrow.", "sentiment": "neutral"})
        ended = await waiting

    assert ended.status is WorkflowStatus.COMPLETED
    assert ended.result == {"answer": "Tomorrow.", "handled_by": "human"}
    assert ended.closed_at is not None
    assert await world.events(run.workflow_id) == ["started", "completed"]
    await world.confirmations(task, count=1)


async def test_an_event_delivered_twice_wakes_once_and_does_no_harm(world: World) -> None:
    async with world.worker("customer_support.workflows"):
        run = await world.client("agent").start_workflow(start("customer-support"))
        task = await world.task_of(run)
        event_id = str(uuid4())
        await world.tasks.answer(task.task_id, {"answer": "Yes."}, event_id=event_id)
        ended = await result(world, run)
        await world.tasks.publish(world.tasks.tasks[task.task_id], "completed", event_id=event_id)
        await world.confirmations(task, count=2)
    assert ended.result == {"answer": "Yes.", "handled_by": "human"}
    assert await world.events(run.workflow_id) == ["started", "completed"]


async def test_cancelling_a_run_cancels_its_task_and_is_recorded_once(world: World) -> None:
    async with world.worker("customer_support.workflows"):
        client = world.client("agent")
        run = await client.start_workflow(start("customer-support"))
        task = await world.task_of(run)
        asked = await client.cancel_workflow(CancelWorkflowRequest(workflow_id=run.workflow_id, reason="no longer"))
        assert asked.cancel_requested_at is not None
        ended = await result(world, run)
    assert ended.status is WorkflowStatus.CANCELLED
    assert world.tasks.tasks[task.task_id].status is TaskStatus.CANCELLED
    assert await world.events(run.workflow_id) == ["started", "cancelled"]
    with pytest.raises(FailedPrecondition) as refusal:
        await client.cancel_workflow(CancelWorkflowRequest(workflow_id=run.workflow_id))
    assert refusal.value.reason == "WORKFLOW_NOT_RUNNING"


async def test_a_run_terminated_in_temporal_is_recorded_by_the_sweep_with_its_event(world: World) -> None:
    await world.register("nobody-serves")
    run = await world.client("agent").start_workflow(start("nobody-serves"))
    temporal = await world.temporal()
    await temporal.get_workflow_handle(run.workflow_id).terminate(reason="operator said so")
    ended = await result(world, run, wait=20)
    assert ended.status is WorkflowStatus.TERMINATED
    assert ended.failure is not None
    assert ended.failure.message == "operator said so"
    assert await world.events(run.workflow_id) == ["started", "terminated"]


async def test_a_queue_without_a_worker_is_said_in_the_answer_and_in_the_status(world: World) -> None:
    await world.register("unserved")
    client = world.client("agent")
    run = await client.start_workflow(start("unserved"))
    assert run.run_id is not None
    assert run.notice == "no worker polls task queue queue-unserved"
    seen = await client.get_workflow(GetWorkflowRequest(workflow_id=run.workflow_id))
    assert seen.notice == run.notice
    assert seen.input == QUESTION


async def test_an_unknown_definition_is_refused_with_the_names_that_come_near(world: World) -> None:
    await world.register("refund-approval")
    with pytest.raises(NotFound) as refusal:
        await world.client("agent").start_workflow(start("refund-aproval"))
    assert refusal.value.reason == "DEFINITION_NOT_FOUND"
    assert "refund-approval" in str(refusal.value)


async def test_input_that_does_not_fit_starts_nothing_and_names_the_fields(world: World) -> None:
    await world.register("strict")
    before = await world.rows("select count(*) from workflow.runs where definition = 'strict'")
    with pytest.raises(InvalidArgument) as refusal:
        await world.client("agent").start_workflow(start("strict", input={"question": 3}))
    assert refusal.value.reason == "INPUT_INVALID"
    paths = {error.path for error in refusal.value.errors}
    assert {"input.question", "input.conversation_id", "input.customer_id"} <= paths
    assert await world.rows("select count(*) from workflow.runs where definition = 'strict'") == before


async def test_a_handoff_over_128_kib_is_refused(world: World) -> None:
    await world.register("large")
    with pytest.raises(TooLarge) as refusal:
        await world.client("agent").start_workflow(start("large", handoff=Handoff(summary="x" * 131_072)))
    assert refusal.value.reason == "REQUEST_TOO_LARGE"


async def test_input_and_handoff_have_128_kib_together(world: World) -> None:
    await world.register("shared")
    client, half = world.client("agent"), "x" * 70_000
    asked = QUESTION | {"question": half}
    await client.start_workflow(start("shared", input=asked))
    await client.start_workflow(start("shared", handoff=Handoff(summary=half)))
    with pytest.raises(TooLarge):
        await client.start_workflow(start("shared", input=asked, handoff=Handoff(summary=half)))


async def test_the_same_request_id_starts_one_run(world: World) -> None:
    await world.register("once")
    client = world.client("agent")
    request_id = str(uuid4())
    first = await client.start_workflow(start("once"), request_id=request_id)
    again = await client.start_workflow(start("once"), request_id=request_id)
    assert first.run_id is not None
    assert again.model_copy(update={"notice": first.notice}) == first, "the same answer, with Temporal's run in it"
    assert client.replayed
    with pytest.raises(InvalidArgument):
        await client.start_workflow(start("once", tags=["other"]), request_id=request_id)


async def test_a_business_id_is_refused_while_its_run_is_running(world: World) -> None:
    await world.register("cased")
    client, case = world.client("system"), uuid4().hex
    first = await client.start_workflow(start("cased", business_id=case))
    with pytest.raises(AlreadyExists) as refusal:
        await client.start_workflow(start("cased", business_id=case))
    assert refusal.value.reason == "BUSINESS_ID_TAKEN"
    used = await client.start_workflow(
        start("cased", business_id=case, business_id_policy=BusinessIdPolicy.USE_RUNNING)
    )
    assert used.workflow_id == first.workflow_id

    await _end(world, first)
    second = await client.start_workflow(start("cased", business_id=case))
    assert second.workflow_id != first.workflow_id
    await _end(world, second)
    with pytest.raises(AlreadyExists):
        await client.start_workflow(start("cased", business_id=case, business_id_policy=BusinessIdPolicy.REJECT_ALWAYS))


async def _end(world: World, run: Workflow) -> None:
    report = ReportEndRequest(workflow_id=run.workflow_id, run_id="r", status=WorkflowStatus.COMPLETED, result=3)
    await world.client("worker").report_end(report)


async def test_fifty_starts_with_one_business_id_make_one_run(world: World) -> None:
    await world.register("raced")
    client, case = world.client("system"), uuid4().hex
    outcomes = await asyncio.gather(
        *(client.start_workflow(start("raced", business_id=case), timeout=20) for _ in range(50)),
        return_exceptions=True,
    )
    assert len([one for one in outcomes if isinstance(one, Workflow)]) == 1
    assert {type(one) for one in outcomes} == {Workflow, AlreadyExists}


async def test_the_end_of_a_run_is_recorded_once_whatever_is_reported_later(world: World) -> None:
    await world.register("ended")
    run = await world.client("agent").start_workflow(start("ended"))
    await _end(world, run)
    late = ReportEndRequest(workflow_id=run.workflow_id, run_id="r", status=WorkflowStatus.FAILED)
    await world.client("worker").report_end(late)
    ended = await result(world, run, wait=0)
    assert (ended.status, ended.result) == (WorkflowStatus.COMPLETED, 3)
    assert await world.events(run.workflow_id) == ["started", "completed"]


async def test_who_waits_at_another_process_is_told_of_an_end_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "RECHECK_SECONDS", 60.0)
    await world.register("elsewhere")
    run = await world.client("agent").start_workflow(start("elsewhere"))
    other = world.settings.model_copy(update={"grpc_port": free_port()})
    async with running_api(other), channel(f"127.0.0.1:{other.grpc_port}") as workflows:
        there = replace(world, workflows=workflows)
        waiting = [asyncio.create_task(result(each, run, wait=40)) for each in (there, there, world)]
        await asyncio.sleep(0.5)
        assert not any(one.done() for one in waiting)
        report = ReportEndRequest(workflow_id=run.workflow_id, run_id="r", status=WorkflowStatus.COMPLETED, result="ok")
        await world.client("worker").report_end(report)
        async with asyncio.timeout(20):
            assert [(await one).result for one in waiting] == ["ok", "ok", "ok"]


async def test_a_delayed_start_is_left_to_temporal(world: World) -> None:
    await world.register("later")
    run = await world.client("agent").start_workflow(start("later", start_delay="10m"))
    description = await (await world.temporal()).get_workflow_handle(run.workflow_id).describe()
    assert description.execution_time is not None
    assert timedelta(minutes=9) < description.execution_time - datetime.now(UTC) <= timedelta(minutes=10)


async def test_what_a_wait_finds_still_running_is_said_as_it_is(world: World) -> None:
    await world.register("slow")
    run = await world.client("agent").start_workflow(start("slow"))
    assert (await result(world, run, wait=1)).status is WorkflowStatus.RUNNING
    with pytest.raises(InvalidArgument):
        await result(world, run, wait=51)


async def test_a_list_has_pages_newest_first_without_content(world: World) -> None:
    await world.register("listed")
    client = world.client("agent", subject=f"agent-{uuid4().hex}")
    runs = [await client.start_workflow(start("listed")) for _ in range(3)]
    first = await client.list_workflows(ListWorkflowsRequest(page_size=2))
    rest = await client.list_workflows(ListWorkflowsRequest(page_size=2, page_token=first.next_page_token))
    assert [one.workflow_id for one in first.workflows + rest.workflows] == [run.workflow_id for run in reversed(runs)]
    assert rest.next_page_token is None
    assert {one.input is None for one in first.workflows} == {True}
    ended = await client.list_workflows(ListWorkflowsRequest(status=WorkflowStatus.COMPLETED))
    assert ended.workflows == []


async def test_who_may_do_what(world: World) -> None:
    await world.register("guarded", start_roles=["manager"])
    with pytest.raises(PermissionDenied) as refusal:
        await world.client("agent").start_workflow(start("guarded"))
    assert refusal.value.reason == "START_NOT_ALLOWED"
    with pytest.raises(PermissionDenied):
        await world.client("auditor").start_workflow(start("guarded"))
    run = await world.client("manager", subject="user_boss").start_workflow(start("guarded"))
    named = GetWorkflowRequest(workflow_id=run.workflow_id)
    assert (await world.client("auditor", subject="user_aud").get_workflow(named)).workflow_id == run.workflow_id
    with pytest.raises(NotFound):
        await world.client("member", subject="user_other").get_workflow(named)
    with pytest.raises(PermissionDenied):
        await world.client("auditor", subject="user_aud").cancel_workflow(
            CancelWorkflowRequest(workflow_id=run.workflow_id)
        )
    with pytest.raises(PermissionDenied):
        await world.client("admin").register_definitions(RegisterDefinitionsRequest())
    with pytest.raises(PermissionDenied):
        await world.client("admin").report_end(
            ReportEndRequest(workflow_id=run.workflow_id, run_id="r", status=WorkflowStatus.FAILED)
        )


async def test_a_run_of_another_tenant_is_as_one_that_does_not_exist(world: World) -> None:
    await world.register("private")
    run = await world.client("admin").start_workflow(start("private"))
    elsewhere = world.client("admin", tenant_id=str(uuid4()))
    named = GetWorkflowRequest(workflow_id=run.workflow_id)
    with pytest.raises(NotFound) as theirs:
        await elsewhere.get_workflow(named)
    with pytest.raises(NotFound) as nobodys:
        await elsewhere.get_workflow(GetWorkflowRequest(workflow_id="wf_" + "0" * 32))
    assert theirs.value.reason == nobodys.value.reason
    with pytest.raises(NotFound):
        await elsewhere.cancel_workflow(CancelWorkflowRequest(workflow_id=run.workflow_id))
    assert (await elsewhere.list_workflows(ListWorkflowsRequest())).workflows == []


async def test_an_agent_asks_for_a_person_only_where_it_was_granted(world: World) -> None:
    await world.register("behalf")
    granted = world.client("agent", subject="agent-2", grants=["user_ana"])
    run = await granted.start_workflow(start("behalf", on_behalf_of="ana@acme.test"))
    assert run.on_behalf_of == "user_ana"
    seen = await world.client("member", subject="user_ana").get_workflow(
        GetWorkflowRequest(workflow_id=run.workflow_id)
    )
    assert seen.workflow_id == run.workflow_id
    with pytest.raises(PermissionDenied) as refusal:
        await world.client("agent").start_workflow(start("behalf", on_behalf_of="user_ana"))
    assert refusal.value.reason == "ON_BEHALF_OF_NOT_GRANTED"
    with pytest.raises(InvalidArgument):
        await granted.start_workflow(start("behalf", on_behalf_of="nobody@acme.test"))


async def test_a_registered_version_keeps_its_schemas(world: World) -> None:
    await world.register("kept")
    again = await world.register("kept", description="only the words changed")
    assert again.description == "only the words changed"
    with pytest.raises(FailedPrecondition) as refusal:
        await world.register("kept", input_schema={**SCHEMA, "required": []})
    assert refusal.value.reason == "DEFINITION_CHANGED"
    await world.register("kept", version=2, input_schema={**SCHEMA, "required": []})
    client = world.client("member")
    assert (await client.get_definition(GetDefinitionRequest(name="kept"))).version == 2
    assert (await client.get_definition(GetDefinitionRequest(name="kept", version=1))).version == 1
    names = [(one.name, one.version) for one in (await client.list_definitions(ListDefinitionsRequest())).definitions]
    assert ("kept", 2) in names
    assert ("kept", 1) not in names


async def test_in_development_a_registered_version_may_change(world: World) -> None:
    told = world.settings.model_copy(update={"development": True, "grpc_port": free_port()})
    other = {**SCHEMA, "required": []}
    async with running_api(told), channel(f"127.0.0.1:{told.grpc_port}") as workflows:
        developing = replace(world, workflows=workflows)
        await developing.register("drafted")
        await developing.register("drafted", input_schema=other)
        known = await developing.client("member").get_definition(GetDefinitionRequest(name="drafted"))
    assert (known.version, known.input_schema) == (1, other)


async def test_a_definition_is_the_installations_and_a_run_of_it_the_tenants(world: World) -> None:
    await world.register("everybodys")
    elsewhere = replace(world, tenant_id=str(uuid4()))
    runs = [await tenant.client("agent").start_workflow(start("everybodys")) for tenant in (world, elsewhere)]
    assert [run.tenant_id for run in runs] == [world.tenant_id, elsewhere.tenant_id]
    assert all(re.fullmatch(r"wf_[0-9a-f]{32}", run.workflow_id) for run in runs)


async def test_a_schema_that_leaves_its_document_is_not_registered(world: World) -> None:
    given = Definition(
        name="evil", version=1, task_queue="q", input_schema={"$ref": "http://10.0.0.1/x"}, output_schema={}
    )
    with pytest.raises(InvalidArgument) as refusal:
        await world.client("worker").register_definitions(RegisterDefinitionsRequest(definitions=[given]))
    assert refusal.value.reason == "SCHEMA_INVALID"


async def test_nobody_is_served_without_a_token(world: World) -> None:
    anonymous = type(world.client("agent"))(world.workflows)
    with pytest.raises(Unauthenticated):
        await anonymous.list_definitions(ListDefinitionsRequest())

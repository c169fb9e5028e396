"""Runs and schedules by every kind of caller: their own, a stranger's, another tenant's; an unlisted rpc fails here."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema
from orkestra.v1 import workflow_pb2
from orkestra.v1.workflow import (
    ApplyRetentionRequest,
    CancelWorkflowRequest,
    CreateScheduleRequest,
    DeleteScheduleRequest,
    ErasePartRequest,
    ErasePersonRequest,
    FireScheduleRequest,
    GetDefinitionRequest,
    GetErasureRequest,
    GetRetentionRequest,
    GetScheduleRequest,
    GetTimelineRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    ListDefinitionsRequest,
    ListErasuresRequest,
    ListSchedulesRequest,
    ListWorkflowsRequest,
    PutRetentionRequest,
    QueryWorkflowRequest,
    RegisterDefinitionsRequest,
    ReportEndRequest,
    ReportProgressRequest,
    ResetWorkflowRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    TerminateWorkflowRequest,
    TriggerScheduleRequest,
    UpdateScheduleRequest,
    UpdateWorkflowRequest,
    WorkflowServiceClient,
    WorkflowStatus,
)
from orkestra.wire import Error, Model, NotFound, PermissionDenied
from orkestra.wire.server import snake
from workflow_world import QUESTION, World, running_world

Request = Callable[[str], Model]
SEEING: dict[str, Request] = {
    "get_workflow": lambda run: GetWorkflowRequest(workflow_id=run),
    "get_workflow_result": lambda run: GetWorkflowResultRequest(workflow_id=run, wait=0),
    "get_timeline": lambda run: GetTimelineRequest(workflow_id=run),
    "query_workflow": lambda run: QueryWorkflowRequest(workflow_id=run, query="how_far"),
}
STEERING: dict[str, Request] = {
    "signal_workflow": lambda run: SignalWorkflowRequest(workflow_id=run, signal="go"),
    "cancel_workflow": lambda run: CancelWorkflowRequest(workflow_id=run),
    "update_workflow": lambda run: UpdateWorkflowRequest(workflow_id=run, update="go"),
    "terminate_workflow": lambda run: TerminateWorkflowRequest(workflow_id=run),
    "reset_workflow": lambda run: ResetWorkflowRequest(workflow_id=run),
}
ASKING = {"query_workflow", "update_workflow"}
SEEING_SCHEDULES: dict[str, Request] = {"get_schedule": lambda name: GetScheduleRequest(schedule_id=name)}
CHANGING: dict[str, Request] = {
    "update_schedule": lambda name: UpdateScheduleRequest(schedule_id=name, note="seen"),
    "trigger_schedule": lambda name: TriggerScheduleRequest(schedule_id=name),
    "delete_schedule": lambda name: DeleteScheduleRequest(schedule_id=name),
}
STARTING = {"start_workflow", "create_schedule", "list_workflows", "list_schedules"}
EVERYONE = frozenset({"agent", "member", "system", "manager", "admin", "auditor", "worker"})
WORKER, LOOKING = frozenset({"worker"}), frozenset({"admin", "auditor"})
NONE = f"wf_{'0' * 32}"
BY_ROLE: dict[str, tuple[frozenset[str], Model]] = {
    "get_definition": (EVERYONE, GetDefinitionRequest(name="matrix")),
    "list_definitions": (EVERYONE, ListDefinitionsRequest()),
    "register_definitions": (WORKER, RegisterDefinitionsRequest()),
    "report_progress": (WORKER, ReportProgressRequest(workflow_id=NONE, progress="1")),
    "report_end": (WORKER, ReportEndRequest(workflow_id=NONE, run_id="r", status=WorkflowStatus.COMPLETED)),
    "fire_schedule": (WORKER, FireScheduleRequest(schedule_id=f"schedule_{'0' * 32}")),
    "get_retention": (LOOKING, GetRetentionRequest()),
    "put_retention": (frozenset({"admin"}), PutRetentionRequest(task_days=0)),
    "apply_retention": (WORKER, ApplyRetentionRequest()),
    "erase_person": (frozenset({"admin"}), ErasePersonRequest(user_id="user_nobody")),
    "get_erasure": (LOOKING, GetErasureRequest(erasure_id=f"erasure_{'0' * 32}")),
    "list_erasures": (LOOKING, ListErasuresRequest()),
    "erase_part": (WORKER, ErasePartRequest(erasure_id=f"erasure_{'0' * 32}", part="tasks")),
}
"""What a role alone decides: who may, and a request that gets past that and then changes nothing."""
ASKING_SECONDS = 0.5
"""How long whoever may ask a run waits for its code, which nobody runs here."""
SEE = {"owner", "manager", "admin", "auditor"}
STEER = {"owner", "manager", "admin"}
START = {"owner", "member", "other agent", "system", "manager", "admin"}
ROLES = {"owner": "agent", "other agent": "agent", "same id elsewhere": "agent", "admin elsewhere": "admin"}
"""Of those whose name in the matrix is not their role."""
Callers = dict[str, WorkflowServiceClient]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        await world.register("matrix")
        yield world


@pytest.fixture
def callers(world: World) -> Callers:
    there = str(uuid4())
    return {
        "owner": world.client("agent", subject="key_owner"),
        "member": world.client("member", subject="user_member"),
        "other agent": world.client("agent", subject="key_other"),
        "system": world.client("system", subject="key_system"),
        "manager": world.client("manager", subject="user_manager"),
        "admin": world.client("admin", subject="user_admin"),
        "auditor": world.client("auditor", subject="user_auditor"),
        "worker": world.client("worker", subject="worker"),
        "admin elsewhere": world.client("admin", subject="user_admin", tenant_id=there),
        "same id elsewhere": world.client("agent", subject="key_owner", tenant_id=there),
    }


def test_every_rpc_is_listed() -> None:
    rpcs = {snake(method.name) for method in workflow_pb2.DESCRIPTOR.services_by_name["WorkflowService"].methods}
    listed = [*SEEING, *STEERING, *SEEING_SCHEDULES, *CHANGING, *STARTING, *BY_ROLE]
    assert sorted(listed) == sorted(rpcs)


async def refusal(caller: WorkflowServiceClient, rpc: str, request: Model, *, seconds: float = 30.0) -> Error | None:
    try:
        await getattr(caller, rpc)(request, timeout=seconds)
    except Error as refused:
        return refused
    return None


async def held_against(callers: Callers, rpc: str, request: Request, make: Callable[[], Awaitable[str]]) -> None:
    """Hold every caller against the sets above; who may not see is told what is told of an id that does not exist."""
    may = SEE if rpc in SEEING | SEEING_SCHEDULES else STEER
    for who, caller in callers.items():
        made = await make()
        waits = ASKING_SECONDS if rpc in ASKING and who in may else 30.0
        came = await refusal(caller, rpc, request(made), seconds=waits)
        if who in may:
            assert not isinstance(came, PermissionDenied | NotFound), (who, came)
        elif who in SEE:
            assert isinstance(came, PermissionDenied), (who, came)
        else:
            unknown = await refusal(caller, rpc, request(made[:-8] + "00000000"))
            assert isinstance(came, NotFound), (who, came)
            assert str(came).replace(made, "it") == str(unknown).replace(made[:-8] + "00000000", "it"), who


@pytest.mark.parametrize("rpc", SEEING | STEERING)
async def test_a_run_is_seen_and_steered_by_whom_it_concerns(callers: Callers, rpc: str) -> None:
    async def make() -> str:
        request = StartWorkflowRequest.model_validate({"definition": "matrix", "input": QUESTION})
        return (await callers["owner"].start_workflow(request)).workflow_id

    await held_against(callers, rpc, (SEEING | STEERING)[rpc], make)


@pytest.mark.parametrize("rpc", SEEING_SCHEDULES | CHANGING)
async def test_a_schedule_is_seen_and_changed_by_whom_it_concerns(callers: Callers, rpc: str) -> None:
    await held_against(callers, rpc, (SEEING_SCHEDULES | CHANGING)[rpc], lambda: scheduled(callers["owner"]))


@pytest.mark.parametrize("rpc", BY_ROLE)
async def test_what_is_the_tenants_or_the_installations_is_for_its_roles(callers: Callers, rpc: str) -> None:
    may, request = BY_ROLE[rpc]
    for who, caller in callers.items():
        came = await refusal(caller, rpc, request)
        assert isinstance(came, PermissionDenied) is not (ROLES.get(who, who) in may), (who, came)


async def scheduled(owner: WorkflowServiceClient) -> str:
    request = CreateScheduleRequest.model_validate({"definition": "matrix", "input": QUESTION, "every": "24h"})
    return (await owner.create_schedule(request)).schedule_id


async def test_roles_start_and_lists_hold_what_one_may_see(callers: Callers) -> None:
    start = StartWorkflowRequest.model_validate({"definition": "matrix", "input": QUESTION})
    plan = CreateScheduleRequest.model_validate({"definition": "matrix", "input": QUESTION, "every": "24h"})
    run, schedule = (await callers["owner"].start_workflow(start)).workflow_id, await scheduled(callers["owner"])
    for who, caller in callers.items():
        runs = {one.workflow_id for one in (await caller.list_workflows(ListWorkflowsRequest(page_size=100))).workflows}
        plans = {one.schedule_id for one in (await caller.list_schedules(ListSchedulesRequest())).schedules}
        assert ((run in runs), (schedule in plans)) == (who in SEE, who in SEE), who
        if not who.endswith("elsewhere"):
            came = await refusal(caller, "start_workflow", start), await refusal(caller, "create_schedule", plan)
            assert [isinstance(one, PermissionDenied) for one in came] == [who not in START] * 2, who

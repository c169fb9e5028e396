"""`orkestra doctor` says of the task queue of everything registered whether a worker asks for its work."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cli_examined import asked
from orkestra.chassis.grpc import server
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import (
    AccessToken,
    ExchangeCredentialRequest,
    IdentityServiceServer,
    PrincipalKind,
    Role,
    add_identity_service,
)
from orkestra.v1.workflow import (
    Definition,
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    WorkflowServiceServer,
    add_workflow_service,
)
from orkestra.wire import Context, Principal
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import Client

KEY = "the workers' key"
QUEUES = {"refund": "polled", "orders": "forgotten", "returns": "forgotten"}


class Identity(IdentityServiceServer):
    """Knows the workers' key."""

    open_rpcs = frozenset({"ExchangeCredential"})

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def exchange_credential(self, ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        assert (request.credential, request.tenant_id) == (KEY, None)
        token, until = self._signer.sign(Principal("worker", "service", None, frozenset({"worker"})))
        kind, roles = PrincipalKind.SERVICE, [Role.WORKER]
        return AccessToken(token=token, expires_at=until, subject="worker", kind=kind, roles=roles)


class Workflows(WorkflowServiceServer):
    """Knows definitions of three workflows."""

    open_rpcs: frozenset[str] = frozenset()

    async def list_definitions(self, ctx: Context, request: ListDefinitionsRequest) -> ListDefinitionsResponse:
        assert ctx.principal.roles == {"worker"}
        made = [
            Definition(name=name, version=1, task_queue=queue, input_schema={}, output_schema={})
            for name, queue in QUEUES.items()
        ]
        return ListDefinitionsResponse(definitions=made)


@pytest.fixture
async def rooms(signer: Signer) -> AsyncIterator[str]:
    serving = server()
    authenticate = signer.verifier().authenticate
    add_identity_service(serving, Identity(signer), authenticate)  # type: ignore[abstract]  # no other rpc is called
    add_workflow_service(serving, Workflows(), authenticate)  # type: ignore[abstract]  # see above
    port = serving.add_insecure_port("127.0.0.1:0")
    await serving.start()
    yield f"127.0.0.1:{port}"
    await serving.stop(0)


async def test_of_each_task_queue_of_a_definition_it_is_said_whether_a_worker_polls_it(
    tmp_path: Path, rooms: str, temporal_address: str
) -> None:
    temporal = (await Client.connect(temporal_address)).workflow_service
    polls = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="polled"), identity="a worker")
    polling = asyncio.create_task(temporal.poll_workflow_task_queue(polls))
    env = {f"ORKESTRA_{room}_ADDRESS": rooms for room in ("IDENTITY", "WORKFLOW")}
    env |= {"ORKESTRA_TEMPORAL_ADDRESS": temporal_address, "ORKESTRA_WORKER_KEY": KEY}

    async def is_seen() -> bool:
        _, found = await asked(tmp_path, seconds=10, **env)
        told = found["workers: forgotten"]
        assert (told["status"], "workers" in found) == ("warning", False), found
        assert "orders, returns" in told["detail"]
        assert "`orkestra worker run MODULE --task-queue forgotten`" in told["remedy"]
        return bool(found["workers: polled"]["status"] == "ok")

    try:
        await eventually(is_seen, timeout=60)
    finally:
        polling.cancel()

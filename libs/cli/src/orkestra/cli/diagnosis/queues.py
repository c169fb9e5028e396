"""Task queues: whether a worker asks for the work of what is registered."""

import asyncio

from orkestra.chassis.grpc import channel
from orkestra.cli.diagnosis.finding import Finding, Patient, ok, warning
from orkestra.cli.diagnosis.processes import tls_of
from orkestra.cli.places import WORKER_KEY
from orkestra.sdk.definition import DEFAULT_TASK_QUEUE
from orkestra.sdk.tokens import WorkerTokens
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.workflow import Definition, ListDefinitionsRequest, WorkflowServiceClient
from orkestra.wire import Error
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import ServiceClient

NAME = "workers"
NEEDED = ("ORKESTRA_IDENTITY_ADDRESS", "ORKESTRA_WORKFLOW_ADDRESS", WORKER_KEY)
MOST_NAMED = 3


async def look(service: ServiceClient, namespace: str, patient: Patient) -> list[Finding]:
    """Say it of the queue that is set, and of each that a registered definition names."""
    named = patient.environ.get("ORKESTRA_TASK_QUEUE")
    served: dict[str, list[str]] = {}
    for one in await _registered(patient):
        served.setdefault(one.task_queue, []).append(one.name)
    if named or not served:
        served.setdefault(named or DEFAULT_TASK_QUEUE, [])
    usual = named or DEFAULT_TASK_QUEUE
    found = {queue: await _pollers(service, namespace, queue) for queue in sorted(served)}
    return [
        _finding(NAME if queue == usual else f"{NAME}: {queue}", queue, pollers, served[queue])
        for queue, pollers in found.items()
    ]


def _finding(name: str, queue: str, pollers: int, definitions: list[str]) -> Finding:
    if pollers:
        return ok(name, f"{pollers} poll the task queue {queue}")
    more = f" and {len(definitions) - MOST_NAMED} more" if len(definitions) > MOST_NAMED else ""
    of = f", where runs of {', '.join(definitions[:MOST_NAMED])}{more} wait" if definitions else ""
    remedy = f"`orkestra worker run MODULE --task-queue {queue}`, or set ORKESTRA_TASK_QUEUE to the one that you use."
    if definitions:
        remedy = f"Start their worker: `orkestra worker run MODULE --task-queue {queue}`."
    return warning(name, f"no worker polls the task queue {queue}{of}", remedy)


async def _pollers(service: ServiceClient, namespace: str, queue: str) -> int:
    request = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return len((await service.workflow_service.describe_task_queue(request)).pollers)


async def _registered(patient: Patient) -> list[Definition]:
    """Return what is registered; nothing where workflow-worker cannot be asked, of which it is said elsewhere."""
    if not all(variable in patient.known for variable in NEEDED):
        return []
    identity, workflow, key = (patient.known[variable] for variable in NEEDED)
    tls = None if patient.is_local else tls_of(patient)
    async with channel(identity, tls) as of_identity, channel(workflow, tls) as of_workflow:
        tokens = WorkerTokens(IdentityServiceClient(of_identity), key)
        asked = WorkflowServiceClient(of_workflow, tokens.of(None), door="worker")
        try:
            async with asyncio.timeout(patient.seconds / 2):
                return (await asked.list_definitions(ListDefinitionsRequest())).definitions
        except (Error, TimeoutError):
            return []

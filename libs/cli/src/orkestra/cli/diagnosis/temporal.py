"""Temporal: whether it answers, has the namespace, and whether workers ask for work."""

from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, warning
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient, TLSConfig

NAME = "Temporal"
DEFAULT_NAMESPACE = "default"
SHORTEST_RETENTION_SECONDS = 24 * 3600
STRANGER = (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED)
KEY = "See that ORKESTRA_TEMPORAL_API_KEY or the ORKESTRA_TEMPORAL_ certificate files are what Temporal knows."


async def look(patient: Patient) -> list[Finding]:
    """Say whether it answers, and what is wrong with the namespace."""
    address = patient.known["ORKESTRA_TEMPORAL_ADDRESS"]
    remedy = patient.start_again("temporal", "See that it runs and that ORKESTRA_TEMPORAL_ADDRESS is its address.")
    try:
        service = await ServiceClient.connect(_config(address, patient))
        info = await service.workflow_service.get_system_info(GetSystemInfoRequest())
    except (RuntimeError, RPCError, OSError) as away:
        if isinstance(away, RPCError) and away.status in (
            RPCStatusCode.UNAUTHENTICATED,
            RPCStatusCode.PERMISSION_DENIED,
        ):
            return [broken(NAME, f"does not let us in: {away.message}", KEY)]
        return [broken(NAME, f"does not answer at {address}", remedy)]
    return [ok(NAME, f"answers; version {info.server_version}"), *await _namespace(service, patient)]


async def _namespace(service: ServiceClient, patient: Patient) -> list[Finding]:
    namespace = patient.environ.get("ORKESTRA_TEMPORAL_NAMESPACE") or DEFAULT_NAMESPACE
    name = f"{NAME}: namespace"
    try:
        described = await service.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as refused:
        if refused.status is RPCStatusCode.NOT_FOUND:
            remedy = f"Make it: temporal operator namespace create --namespace {namespace} --retention 30d"
            return [broken(name, f"there is no namespace {namespace}", remedy)]
        return [broken(name, f"{namespace} cannot be looked at: {refused.message}", KEY)]
    kept: Duration = described.config.workflow_execution_retention_ttl
    found = [ok(name, f"{namespace} keeps closed workflows for {kept.seconds // 3600} hours")]
    if kept.seconds < SHORTEST_RETENTION_SECONDS:
        remedy = f"temporal operator namespace update --namespace {namespace} --retention 30d"
        found = [warning(name, f"{namespace} keeps closed workflows for {kept.seconds // 60} minutes only", remedy)]
    return [*found, await _workers(service, namespace, patient)]


async def _workers(service: ServiceClient, namespace: str, patient: Patient) -> Finding:
    queue = patient.environ.get("ORKESTRA_TASK_QUEUE") or "orkestra"
    request = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    pollers = (await service.workflow_service.describe_task_queue(request)).pollers
    name = "workers"
    if pollers:
        return ok(name, f"{len(pollers)} poll the task queue {queue}")
    remedy = f"`orkestra worker run MODULE --task-queue {queue}`, or set ORKESTRA_TASK_QUEUE to the one that you use."
    return warning(name, f"no worker polls the task queue {queue}", remedy)


def _config(address: str, patient: Patient) -> ConnectConfig:
    def given(name: str) -> str | None:
        return patient.environ.get(f"ORKESTRA_TEMPORAL_{name}") or None

    def pem(name: str) -> bytes | None:
        path = given(name)
        return None if path is None else Path(path).read_bytes()

    files = (pem("CA_FILE"), pem("CERT_FILE"), pem("KEY_FILE"))
    wanted = any(files) or given("API_KEY") or (given("TLS") or "").lower() in ("1", "true", "yes", "on")
    tls = TLSConfig(
        server_root_ca_cert=files[0], client_cert=files[1], client_private_key=files[2], domain=given("SERVER_NAME")
    )
    return ConnectConfig(target_host=address, tls=tls if wanted else False, api_key=given("API_KEY"))

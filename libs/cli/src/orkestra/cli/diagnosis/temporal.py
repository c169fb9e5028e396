"""Temporal: whether it answers, has the namespace, and whether workers ask for work."""

import re

from google.protobuf.duration_pb2 import Duration
from orkestra.cli.diagnosis import payloads, queues
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, warning
from orkestra.cli.refusals import CommandError
from orkestra.cli.temporal import temporal_access
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

NAME = "Temporal"
OLDEST = (1, 28)
"""The first with worker deployments, which pinned builds are."""
SHORTEST_RETENTION_SECONDS = 24 * 3600
STRANGER = (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED)
KEY = "See that ORKESTRA_TEMPORAL_API_KEY or the ORKESTRA_TEMPORAL_ certificate files are what Temporal knows."


async def look(patient: Patient) -> list[Finding]:
    """Say whether it answers, and what is wrong with the namespace."""
    address = patient.known["ORKESTRA_TEMPORAL_ADDRESS"]
    remedy = patient.start_again("temporal", "See that it runs and that ORKESTRA_TEMPORAL_ADDRESS is its address.")
    try:
        access = temporal_access(patient.environ)
    except CommandError as wrong:
        return [broken(NAME, wrong.detail, KEY)]
    try:
        config = ConnectConfig(target_host=address, tls=access.tls, api_key=access.api_key)
        service = await ServiceClient.connect(config)
        info = await service.workflow_service.get_system_info(GetSystemInfoRequest())
    except (RuntimeError, RPCError) as away:
        if isinstance(away, RPCError) and away.status in STRANGER:
            return [broken(NAME, f"does not let us in: {away.message}", KEY)]
        return [broken(NAME, f"does not answer at {address}", remedy)]
    if _number(info.server_version) < OLDEST:
        return [broken(NAME, f"version {info.server_version} is too old", "Bring it to version 1.28 or newer.")]
    return [ok(NAME, f"answers; version {info.server_version}"), *await _namespace(service, access.namespace, patient)]


async def _namespace(service: ServiceClient, namespace: str, patient: Patient) -> list[Finding]:
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
    found += await queues.look(service, namespace, patient)
    return [*found, *await payloads.look(service, namespace, patient)]


def _number(version: str) -> tuple[int, int]:
    """Return major and minor; of a build that says none, one that is new enough."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else OLDEST

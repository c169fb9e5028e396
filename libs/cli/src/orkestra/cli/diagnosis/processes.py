"""Orkestra's own processes: each room and door, whether it is ready, and whether the keys fit."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from orkestra.chassis.access import Tls
from orkestra.chassis.grpc import channel
from orkestra.cli.diagnosis import outside
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, unchecked, warning
from orkestra.cli.diagnosis.web import get
from orkestra.cli.places import WORKER_KEY
from orkestra.v1.identity import ExchangeCredentialRequest, IdentityServiceClient
from orkestra.wire import Error, Unauthenticated

ROOMS = {
    "identity-service": "ORKESTRA_IDENTITY_ADDRESS",
    "task-service": "ORKESTRA_TASK_ADDRESS",
    "workflow-worker": "ORKESTRA_WORKFLOW_ADDRESS",
    "notification-service": "ORKESTRA_NOTIFICATION_ADDRESS",
}
DOORS = {
    "api-gateway": "ORKESTRA_URL",
    "mcp-gateway": "ORKESTRA_MCP_URL",
    "dashboard": "ORKESTRA_DASHBOARD_URL",
}


async def ready(name: str, patient: Patient) -> list[Finding]:
    """Ask a process of the local stack itself, which also says what it lacks."""
    url = f"{patient.health[name]}/readyz"
    try:
        _, text = await asyncio.to_thread(get, url, patient.seconds)
        said: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return [broken(name, f"does not answer at {url}", patient.start_again(name, ""))]
    lacking = {what: text for what, text in said.get("dependencies", {}).items() if text != "ok"}
    detail = "; ".join(f"{what}: {text}" for what, text in lacking.items())
    if said["status"] == "ready":
        return [ok(name, "is ready")]
    remedy = "Mend what it lacks, as said here of each; it goes on by itself then."
    if said["status"] == "degraded":
        return [warning(name, f"is ready, without {detail}", remedy)]
    return [broken(name, f"is {said['status']}: {detail or 'it has only just begun'}", remedy)]


async def room(name: str, patient: Patient) -> list[Finding]:
    """Ask a room elsewhere by the gRPC health protocol."""
    variable = ROOMS[name]
    address = patient.known[variable]
    async with channel(address, tls_of(patient)) as opened:
        try:
            request = health_pb2.HealthCheckRequest(service="")
            answer = await health_pb2_grpc.HealthStub(opened).Check(request, timeout=patient.seconds)
        except grpc.aio.AioRpcError as away:
            remedy = (
                f"See that it runs and that {variable} is its address; with TLS, that ORKESTRA_GRPC_CA_FILE is set."
            )
            return [broken(name, f"does not answer at {address}: {away.code().name.lower()}", remedy)]
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            remedy = "Ask its /readyz, or read its log: it lacks one of its dependencies."
            return [broken(name, f"answers at {address}, but is not ready", remedy)]
        found = [ok(name, f"is ready at {address}"), *outside.unasked(name, patient)]
        return [*found, *await _keys(opened, patient)] if name == "identity-service" else found


def tls_of(patient: Patient) -> Tls | None:
    """How rooms elsewhere are spoken to."""
    return Tls.of(*(patient.environ.get(f"ORKESTRA_GRPC_{file}_FILE") or None for file in ("CA", "CERT", "KEY")))


async def door(name: str, patient: Patient) -> list[Finding]:
    """Ask a door elsewhere; whatever it answers but a fault of its own is well."""
    variable = DOORS[name]
    url = patient.known[variable]
    try:
        status, _ = await asyncio.to_thread(get, url, patient.seconds)
    except (OSError, ValueError) as away:
        remedy = f"See that it runs, that {variable} is its address, and that the way to it is open."
        return [broken(name, f"does not answer at {url}: {away}", remedy)]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return [broken(name, f"answers with {status} at {url}", "Read its log: it lacks one of the rooms.")]
    return [ok(name, f"answers at {url}")]


async def keys(patient: Patient) -> list[Finding]:
    """Ask identity-service whether it knows the workers' key."""
    async with channel(patient.known["ORKESTRA_IDENTITY_ADDRESS"]) as opened:
        return await _keys(opened, patient)


async def _keys(opened: grpc.aio.Channel, patient: Patient) -> list[Finding]:
    name, key = "worker key", patient.known.get(WORKER_KEY)
    if key is None:
        return []
    try:
        request = ExchangeCredentialRequest(credential=key)
        await IdentityServiceClient(opened).exchange_credential(request, timeout=patient.seconds)
    except Unauthenticated:
        remedy = f"Give workers and identity-service the same {WORKER_KEY}, and start them again."
        return [broken(name, "identity-service does not know it", remedy)]
    except Error as away:
        remedy = "See what is said of identity-service here."
        return [unchecked(name, f"identity-service could not be asked: {away.message}", remedy)]
    return [ok(name, "identity-service knows it")]

"""Temporal is spoken to by TLS, with a certificate or an API key, where the settings say so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from chassis_certificates import Authority, tls_front
from orkestra.chassis.access import Tls
from orkestra.chassis.settings import SettingsError, load
from orkestra.workflow_worker import __main__ as program
from orkestra.workflow_worker.settings import ApiSettings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

ADDRESSES = dict.fromkeys(
    ("DATABASE_URL", "RELAY_DATABASE_URL", "SWEEP_DATABASE_URL", "NATS_URL", "IDENTITY_ADDRESS", "TASK_ADDRESS"), "x"
)
COMMON = ADDRESSES | {"SERVICE_KEY": "k", "GRPC_PORT": "0", "HEALTH_PORT": "0"}


def settings_of(**told: str) -> ApiSettings:
    return load(ApiSettings, {f"ORKESTRA_{name}": value for name, value in (COMMON | told).items()})


async def test_temporal_is_reached_by_tls_under_the_name_of_its_certificate(
    temporal_address: str, tmp_path: Path
) -> None:
    tls = Authority(tmp_path).issue("temporal")
    async with tls_front(int(temporal_address.rpartition(":")[2]), tls) as front:
        told = {
            "TEMPORAL_ADDRESS": f"127.0.0.1:{front.port}",
            "TEMPORAL_SERVER_NAME": "localhost",
            "TEMPORAL_CA_FILE": str(tls.ca_file),
            "TEMPORAL_CERT_FILE": str(tls.cert_file),
            "TEMPORAL_KEY_FILE": str(tls.key_file),
        }
        client = await program._temporal(settings_of(**told))
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        assert info.server_version
        assert front.secured >= 1
        stranger = await program._temporal(
            settings_of(**told | {"TEMPORAL_CA_FILE": str(Authority(tmp_path, "other").ca_file)})
        )
        with pytest.raises((RPCError, RuntimeError)):
            await stranger.workflow_service.get_system_info(GetSystemInfoRequest(), retry=False)


@dataclass
class Gate(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs alone, as the next ones
    """Lets calls through to a Temporal, by TLS, whose API key it knows, as Temporal Cloud does."""

    upstream: grpc.aio.Channel
    keys: set[str] = field(default_factory=set)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:  # type: ignore[type-arg]
        method = str(details.method)

        async def pass_on(request: bytes, context: grpc.aio.ServicerContext) -> bytes:  # type: ignore[type-arg]
            metadata = {str(name): value for name, value in context.invocation_metadata() or ()}
            if str(metadata.get("authorization", "")).removeprefix("Bearer ") not in self.keys:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "this API key is not known")
            passed = tuple((name, value) for name, value in metadata.items() if name.startswith("temporal-"))
            answer: bytes = await self.upstream.unary_unary(method, bytes, bytes)(request, metadata=passed, timeout=20)
            return answer

        return grpc.unary_unary_rpc_method_handler(pass_on)


def pair(tls: Tls) -> tuple[bytes, bytes]:
    """A key and its certificate."""
    return Path(str(tls.key_file)).read_bytes(), Path(str(tls.cert_file)).read_bytes()


@asynccontextmanager
async def gate(temporal_address: str, authority: Authority) -> AsyncIterator[tuple[Gate, int]]:
    shown = grpc.ssl_server_credentials([pair(authority.issue("gate"))])
    async with grpc.aio.insecure_channel(temporal_address) as upstream:
        handler, server = Gate(upstream), grpc.aio.server()
        server.add_generic_rpc_handlers((handler,))
        port = server.add_secure_port("127.0.0.1:0", shown)
        await server.start()
        try:
            yield handler, port
        finally:
            await server.stop(1)


async def test_an_api_key_is_rotated_and_runs_that_wait_go_on(temporal_address: str, tmp_path: Path) -> None:
    authority, secret = Authority(tmp_path), tmp_path / "key"
    async with gate(temporal_address, authority) as (door, port):

        async def started(key: str) -> Client:
            """A process as it starts: it reads its key from the file."""
            secret.write_text(key, "utf-8")
            told = {
                "TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
                "TEMPORAL_SERVER_NAME": "localhost",
                "TEMPORAL_CA_FILE": str(authority.ca_file),
                "TEMPORAL_API_KEY_FILE": str(secret),
            }
            return await program._temporal(settings_of(**told))

        async def waits(client: Client) -> bool:
            found = await client.get_workflow_handle(run).describe()
            return found.status == WorkflowExecutionStatus.RUNNING

        door.keys = {"old"}
        before, run = await started("old"), f"rotated-{uuid4()}"
        await before.start_workflow("nobody-serves-this", id=run, task_queue=run)
        door.keys = {"old", "new"}
        after = await started("new")
        assert (await waits(before), await waits(after)) == (True, True)
        door.keys = {"new"}
        assert await waits(after)
        with pytest.raises(RPCError) as refused:
            await waits(before)
        await after.get_workflow_handle(run).terminate()
    assert refused.value.status == RPCStatusCode.UNAUTHENTICATED


def test_an_api_key_never_goes_over_a_plain_line() -> None:
    told = settings_of(TEMPORAL_ADDRESS="cloud:7233", TEMPORAL_API_KEY="secret")
    assert program._temporal_tls(told) is True
    assert program._temporal_api_key(told) == "secret"
    assert program._temporal_tls(settings_of(TEMPORAL_ADDRESS="here:7233")) is False


def test_a_certificate_for_temporal_needs_its_key() -> None:
    with pytest.raises(SettingsError, match="a certificate and its key are given together"):
        settings_of(TEMPORAL_ADDRESS="x:1", TEMPORAL_CERT_FILE="/x")

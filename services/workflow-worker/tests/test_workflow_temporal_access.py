"""Temporal is spoken to by TLS, with a certificate or an API key, where the settings say so."""

from pathlib import Path

import pytest
from chassis_certificates import Authority, tls_front
from orkestra.chassis.settings import SettingsError, load
from orkestra.workflow_worker import __main__ as program
from orkestra.workflow_worker.settings import ApiSettings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.service import RPCError

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


def test_an_api_key_never_goes_over_a_plain_line() -> None:
    told = settings_of(TEMPORAL_ADDRESS="cloud:7233", TEMPORAL_API_KEY="secret")
    assert program._temporal_tls(told) is True
    assert program._temporal_api_key(told) == "secret"
    assert program._temporal_tls(settings_of(TEMPORAL_ADDRESS="here:7233")) is False


def test_a_certificate_for_temporal_needs_its_key() -> None:
    with pytest.raises(SettingsError, match="a certificate and its key are given together"):
        settings_of(TEMPORAL_ADDRESS="x:1", TEMPORAL_CERT_FILE="/x")

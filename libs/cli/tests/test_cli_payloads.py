"""Payload keys at the command line: `orkestra doctor` says whether Temporal's payloads can be read, and with what."""

import base64
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from orkestra.cli.places import payload_keys
from orkestra.cli.refusals import UsageError
from orkestra.sdk.converter import data_converter_of, payloads_of
from orkestra.sdk.payloads import PayloadKeys
from orkestra.testkit.waiting import eventually
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from test_cli_doctor import Doctor

NAME = "Temporal: payloads"
KEY_ID = f"k{uuid4().hex}"
KEY, OTHER = (f"{KEY_ID}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for _ in range(2))


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


async def test_the_doctor_says_whether_payloads_are_encrypted_and_which_key_is_missing(
    doctor: Doctor, temporal_address: str, tmp_path: Path
) -> None:
    namespace = await empty_namespace(temporal_address)
    temporal = {"ORKESTRA_TEMPORAL_ADDRESS": temporal_address, "ORKESTRA_TEMPORAL_NAMESPACE": namespace}
    file = tmp_path / "payload-keys"
    file.write_text(KEY, "utf-8")
    on = {"ORKESTRA_PAYLOAD_KEYS_FILE": str(file), "ORKESTRA_PAYLOAD_KEY_ID": KEY_ID}
    converter = data_converter_of(PayloadKeys.parse(KEY, KEY_ID))
    client = await Client.connect(temporal_address, namespace=namespace, data_converter=converter)
    run = await started(client)
    try:
        await listed(client, run.id)
        _, said = await doctor(**temporal, **on)
        assert (said[NAME]["status"], KEY_ID in said[NAME]["detail"]) == ("ok", True)
        assert f"new ones are encrypted with {KEY_ID}" in said[NAME]["detail"]

        _, said = await doctor(**temporal, ORKESTRA_PAYLOAD_KEYS=KEY)
        assert (said[NAME]["status"], said[NAME]["detail"].split(";")[0]) == ("ok", "new ones are not encrypted")

        code, said = await doctor(**temporal, ORKESTRA_PAYLOAD_KEYS=KEY.replace(KEY_ID, "new"))
        assert (code, said[NAME]["status"]) == (1, "broken")
        assert said[NAME]["detail"] == f"runs are encrypted with the key {KEY_ID}, which is missing"
        assert "ORKESTRA_PAYLOAD_KEYS" in said[NAME]["remedy"]

        code, said = await doctor(**temporal, ORKESTRA_PAYLOAD_KEYS=OTHER)
        assert (code, said[NAME]["status"]) == (1, "broken")
        assert "is not the one that runs are encrypted with" in said[NAME]["detail"]

        _, said = await doctor(**temporal)
        assert (said[NAME]["status"], KEY_ID in said[NAME]["detail"]) == ("unchecked", True)

        code, said = await doctor(**temporal, ORKESTRA_PAYLOAD_KEY_ID="none-such")
        assert (code, said[NAME]["status"]) == (1, "broken")
        assert "there is no payload key none-such" in said[NAME]["detail"]
    finally:
        await run.terminate()


async def empty_namespace(temporal_address: str) -> str:
    """A namespace that holds what this test starts and nothing else."""
    namespace = f"payloads-{uuid4().hex}"
    request = RegisterNamespaceRequest(namespace=namespace)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await (await Client.connect(temporal_address)).workflow_service.register_namespace(request)
    return namespace


async def started(client: Client) -> WorkflowHandle[Any, Any]:
    """An encrypted run, as soon as Temporal knows the namespace everywhere."""

    async def once() -> WorkflowHandle[Any, Any] | None:
        try:
            with payloads_of("a-tenant"):
                return await client.start_workflow("nobody-runs-this", "secret", id=uuid4().hex, task_queue="nobody")
        except RPCError:
            return None

    return await eventually(once, every=0.2)


async def listed(client: Client, workflow_id: str) -> None:
    """Wait until Temporal's lists show the run."""

    async def is_there() -> bool:
        return any([one.id == workflow_id async for one in client.list_workflows()])

    await eventually(is_there)


def test_a_file_of_keys_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ORKESTRA_PAYLOAD_KEYS_FILE names a file that cannot be read"):
        payload_keys({"ORKESTRA_PAYLOAD_KEYS_FILE": str(tmp_path / "none")})
    assert payload_keys({}) == PayloadKeys()

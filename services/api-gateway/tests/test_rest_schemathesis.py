"""What schemathesis makes of the OpenAPI document is answered as the document says, by the real rooms."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import STDOUT
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from orkestra.chassis.credentials import TokenSource
from orkestra.testkit.stack import Stack
from orkestra.v1.identity import CreateTenantRequest, CreateUserRequest, IdentityServiceClient, Role

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

PASSWORD = "correct horse battery staple"
EXAMPLES = 1
"""For each operation. Every case that the document could mean takes minutes: those are run for some paths only."""
EVERY_CASE_OF = r"^/v1/(views/\{view_id\}|tasks/counts)$"
NOT_TRIED = r"/(revoke|rotate)$|^/v1/events$"
"""What would end the credential that asks, and what does not end."""
RUNS = {
    "some of each": ["--phases", "examples,fuzzing", "--exclude-path-regex", NOT_TRIED],
    "all of some": ["--phases", "coverage", "--include-path-regex", EVERY_CASE_OF],
}


@pytest.fixture
async def bearer(stack: Stack) -> str:
    """A session of the admin of a new tenant, in which anything may be broken."""
    keys = json.loads((stack.state_dir / "secrets.json").read_text("utf-8"))
    slug = f"any-{uuid4().hex[:12]}"
    admin = CreateUserRequest(email="a@any.example", name="A", roles=[Role.ADMIN], password=PASSWORD)
    async with grpc.aio.insecure_channel(stack.info["identity"]) as channel:
        operator = IdentityServiceClient(channel, TokenSource(channel, keys["service_key"]).of(None))
        await operator.create_tenant(CreateTenantRequest(slug=slug, name="Any", admin=admin), timeout=15)
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=30) as http:
        given = {"email": admin.email, "password": PASSWORD, "tenant": slug}
        token: str = (await http.post("/v1/sessions", json=given)).raise_for_status().json()["token"]
        key = {"name": "any", "kind": "service", "roles": ["admin"]}
        made = await http.post("/v1/api-keys", json=key, headers={"authorization": f"Bearer {token}"})
        secret: str = made.raise_for_status().json()["secret"]
        return secret


@pytest.mark.parametrize("run", RUNS)
async def test_schemathesis_finds_nothing(stack: Stack, bearer: str, tmp_path: Path, run: str) -> None:
    program, document = Path(sys.executable).with_name("schemathesis"), f"{stack.info['rest']}/v1/openapi.json"
    command = [str(program), "run", document, "--header", f"Authorization: Bearer {bearer}"]
    options = ["--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none", "--no-color"]
    options += ["--exclude-checks", "positive_data_acceptance", "--request-timeout", "60"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "rest_checks", "PYTHONPATH": _with_checks()}
    running = await asyncio.create_subprocess_exec(
        *command, *RUNS[run], *options, cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE, stderr=STDOUT
    )
    told, _ = await asyncio.wait_for(running.communicate(), 280)
    text = told.decode()
    assert running.returncode == 0, text[:20_000]
    refused = re.search(r"401 Unauthorized \((\d+) operations?\)", text)
    assert refused is None or int(refused[1]) <= 2, text[-5000:]


def _with_checks() -> str:
    """Returns a path of modules on which rest_checks is."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))

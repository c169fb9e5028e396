"""`orkestra doctor` says of a certificate that should have been renewed, here and of processes, and what to do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis_certificates import Authority
from cli_examined import NOWHERE, asked, examined
from orkestra.chassis.access import Tls
from orkestra.chassis.http import HttpServer
from orkestra.chassis.process import Process
from orkestra.chassis.settings import ServiceSettings

DAY = 24.0
REMEDY = "put new files in the place of those: every process takes them within seconds, without a restart."


def named(kind: str, tls: Tls) -> dict[str, str]:
    files = {"CA": tls.ca_file, "CERT": tls.cert_file, "KEY": tls.key_file}
    return {f"ORKESTRA_{kind}_{file}_FILE": str(path) for file, path in files.items()}


async def test_certificates_of_the_environment_are_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    fresh = authority.issue("fresh", began=DAY, hours=89 * DAY)
    late = authority.issue("late", began=84 * DAY, hours=6 * DAY)
    ended = authority.issue("ended", began=90 * DAY, hours=-1)
    mixed = Tls(fresh.ca_file, fresh.cert_file, late.key_file)
    database = f"postgresql://admin@{NOWHERE}/x?sslmode=verify-full&sslrootcert={mixed.ca_file}"
    code, found = await asked(
        tmp_path,
        seconds=1,
        ORKESTRA_TASK_ADDRESS=NOWHERE,
        ORKESTRA_ADMIN_DATABASE_URL=f"{database}&sslcert={mixed.cert_file}&sslkey={mixed.key_file}",
        **named("GRPC", fresh),
        **named("NATS", late),
        **named("TEMPORAL", ended),
    )
    of = {peer: found[f"certificate for {peer}"] for peer in ("gRPC", "NATS", "Temporal", "PostgreSQL")}
    assert code == 1
    assert {peer: one["status"] for peer, one in of.items()} == {
        "gRPC": "ok",
        "NATS": "broken",
        "Temporal": "broken",
        "PostgreSQL": "broken",
    }
    assert f"{late.cert_file} ends at 20" in of["NATS"]["detail"]
    assert f"{ended.cert_file} has ended at 20" in of["Temporal"]["detail"]
    assert "cannot be used" in of["PostgreSQL"]["detail"]
    assert REMEDY in of["NATS"]["remedy"]


async def test_a_certificate_without_its_key_is_named(tmp_path: Path) -> None:
    code, found = await asked(tmp_path, seconds=1, ORKESTRA_TASK_ADDRESS=NOWHERE, ORKESTRA_NATS_CERT_FILE="/x")
    assert (code, found["certificates"]["status"]) == (1, "broken")
    assert "ORKESTRA_NATS_CERT_FILE and ORKESTRA_NATS_KEY_FILE" in found["certificates"]["detail"]


@pytest.fixture
async def health(tmp_path: Path) -> AsyncIterator[str]:
    """The health port of a process whose certificate was not renewed."""
    late = Authority(tmp_path).issue("late", began=84 * DAY, hours=6 * DAY)
    files = {"grpc_ca_file": late.ca_file, "grpc_cert_file": late.cert_file, "grpc_key_file": late.key_file}
    process = Process(ServiceSettings(health_port=0, **files))
    server = HttpServer(process.health_app(), host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def test_a_process_says_that_its_certificate_should_have_been_renewed(health: str) -> None:
    code, found = await examined(health, "TASK")
    one = found["task-service: certificate for gRPC"]
    assert (code, one["status"]) == (1, "broken")
    assert "late.crt ends at 20" in one["detail"]
    assert REMEDY in one["remedy"]

"""The content of files in a real S3 service: SeaweedFS, from its wheel."""

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from cli_examined import NOWHERE, examined, room
from obstore.store import S3Store
from orkestra.chassis.readiness import UnwellError
from orkestra.task_service.__main__ import build
from orkestra.task_service.channels.bucket import Bucket, BucketAccess
from orkestra.task_service.rules import PartPlace
from orkestra.task_service.settings import TaskServiceSettings
from orkestra.testkit import free_port
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import RemoveAttachmentRequest, Task
from orkestra.wire import Unavailable
from task_files import PDF, add, attach, begin, content_of, files_of, finish
from task_world import Caller, World, ask, running

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

PART = 1024 * 1024
KEY, READER, SECRET = "orkestra", "reader", "a secret of tests"


@dataclass
class Service:
    """A running S3 service; it reads who may do what from a file, and anew when it is told to."""

    address: str
    config: Path
    pid: int

    def knows(self, **keys: str) -> None:
        """Have it know these access keys, with their secrets, and no others but the reader's."""
        self.config.write_text(json.dumps({"identities": identities(keys)}), "utf-8")
        os.kill(self.pid, signal.SIGHUP)


@pytest.fixture(scope="module")
def endpoint(service: Service) -> str:
    return service.address


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """An S3 service that knows one key, and one that may only read."""
    folder, ports = tmp_path_factory.mktemp("seaweedfs"), [str(free_port()) for _ in range(8)]
    (folder / "s3.json").write_text(json.dumps({"identities": identities({KEY: SECRET})}), "utf-8")
    command = [str(Path(sys.executable).with_name("weed")), "server", f"-dir={folder}", "-filer", "-s3"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=20"]
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
    named = zip((*names, "s3.port", "s3.port.grpc"), ports, strict=True)
    command += [f"-{name}={port}" for name, port in named] + [f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0"]
    address = f"http://127.0.0.1:{ports[6]}"
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=log, stderr=log)
        try:
            await eventually(lambda: _keeps(address), timeout=90)
            yield Service(address, folder / "s3.json", process.pid)
        finally:
            process.kill()
            await process.wait()


def identities(keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who may do what: somebody with these access keys everything, a reader little."""
    all_of_it, little = ["Admin", "Read", "Write", "List"], ["Read", "List"]
    return [
        {
            "name": name,
            "actions": actions,
            "credentials": [{"accessKey": key, "secretKey": secret} for key, secret in known.items()],
        }
        for name, known, actions in ((KEY, keys, all_of_it), (READER, {READER: SECRET}, little))
    ]


async def _keeps(address: str) -> bool:
    """Whether the service is there and has a bucket."""
    async with httpx.AsyncClient() as http:
        try:
            await http.get(address)
        except httpx.HTTPError:
            return False
    try:
        await obstore.put_async(_store(address), "ready", b"yes")
    except (OSError, obstore.exceptions.BaseError):
        return False
    return True


def _store(address: str) -> S3Store:
    return S3Store(
        "files",
        endpoint=address,
        region="us-east-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )


def bucket(address: str, **changes: Any) -> Bucket:
    access = {"bucket": "files", "region": "us-east-1", "endpoint": address, "access_key": KEY, "secret_key": SECRET}
    return Bucket(BucketAccess(**access | {"prefix": "orkestra"} | changes))


@pytest.fixture(scope="module")
async def world(postgres: str, endpoint: str) -> AsyncIterator[World]:
    async with running(postgres, bucket=bucket(endpoint)) as one:
        yield one


async def opened(world: World) -> tuple[Task, Caller]:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    return await tenant.agent().create_task(ask(candidate_groups=["support-l1"])), ana


async def objects(endpoint: str, task: Task) -> list[str]:
    prefix = f"orkestra/{task.tenant_id}/{task.task_id}"
    found = await obstore.list(_store(endpoint), prefix=prefix).collect_async()
    return sorted(each["path"].removeprefix(f"{prefix}/") for each in found)


async def test_content_is_in_the_bucket_and_comes_back(world: World, endpoint: str) -> None:
    task, ana = await opened(world)
    content = PDF + secrets.token_bytes(2 * PART)
    file = await attach(ana, task, content=content)
    assert await content_of(ana, file) == content
    kept = await objects(endpoint, task)
    assert [name.partition("-")[0] for name in kept] == [f"{file.attachment_id}/0000{part}" for part in (1, 2, 3)]
    assert await world.rows("select from task_attachment_chunks where task_id = $1", task.task_id) == []


async def test_what_is_removed_refused_or_gone_with_its_task_leaves_the_bucket(world: World, endpoint: str) -> None:
    task, ana = await opened(world)
    removed, kept = await attach(ana, task), await attach(ana, task)
    wrong = await begin(ana, task, "photo.png")
    await add(ana, wrong, 1, b"MZ no photo")
    with pytest.raises(Exception, match="said to be image/png"):
        await finish(ana, wrong, b"MZ no photo")
    await ana.remove_attachment(RemoveAttachmentRequest(task_id=task.task_id, attachment_id=removed.attachment_id))
    assert len(await objects(endpoint, task)) == 3
    await world.leftovers.clear()
    assert [name.partition("/")[0] for name in await objects(endpoint, task)] == [kept.attachment_id]
    for table in ("tasks", "task_history"):
        await world.rows(f"delete from {table} where task_id = $1", task.task_id)
    await world.leftovers.clear()
    assert await objects(endpoint, task) == []
    assert await world.rows("select from task_attachment_leftovers where task_id = $1", task.task_id) == []


async def test_a_tenant_that_is_forgotten_leaves_the_bucket_and_no_other_does(world: World, endpoint: str) -> None:
    (task, ana), (other, ben) = await opened(world), await opened(world)
    await attach(ana, task)
    await attach(ben, other)
    await world.operations.contents.forget(task.tenant_id)
    assert (await objects(endpoint, task), len(await objects(endpoint, other))) == ([], 1)


@pytest.mark.parametrize("changes", [{"endpoint": "http://127.0.0.1:9"}, {"secret_key": "wrong"}])
async def test_a_bucket_that_does_not_answer_is_told_and_nothing_is_attached(
    world: World, endpoint: str, changes: dict[str, str]
) -> None:
    task, ana = await opened(world)
    contents = world.operations.contents
    upload = await begin(ana, task)
    working, contents._stores = contents._stores, {"s3": bucket(endpoint, **changes)}
    try:
        with pytest.raises(Unavailable) as refused:
            await add(ana, upload, 1, PDF)
    finally:
        contents._stores = working
    assert refused.value.reason == "ATTACHMENT_STORE_UNAVAILABLE"
    assert await files_of(ana, task) == []
    await add(ana, upload, 1, PDF)
    assert await content_of(ana, await finish(ana, upload, PDF)) == PDF


async def examined_with(endpoint: str, **changes: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """What `orkestra doctor` says of the bucket that task-service is set up with."""
    told = {
        "IDENTITY_ADDRESS": NOWHERE,
        "SERVICE_KEY": "k" * 40,
        "RECEIPT_SIGNING_KEY": base64.b64encode(bytes(32)).decode(),
        "ATTACHMENTS_BUCKET": "files",
        "ATTACHMENTS_ENDPOINT": endpoint,
        "ATTACHMENTS_ACCESS_KEY": KEY,
        "ATTACHMENTS_SECRET_KEY": SECRET,
    } | changes
    async with room(build, TaskServiceSettings, {name: value for name, value in told.items() if value}) as health:
        code, findings = await examined(health, "TASK")
    return code, {name: (one["status"], one["detail"], one["remedy"] or "") for name, one in findings.items()}


async def test_doctor_finds_a_bucket_well_and_leaves_nothing_there(endpoint: str) -> None:
    before = await obstore.list(_store(endpoint)).collect_async()
    assert await examined_with(endpoint) == (0, {"attachments bucket": ("ok", "does its work", "")})
    assert await obstore.list(_store(endpoint)).collect_async() == before
    nothing = dict.fromkeys(("ATTACHMENTS_BUCKET", "ATTACHMENTS_ACCESS_KEY", "ATTACHMENTS_SECRET_KEY"), "")
    assert await examined_with(endpoint, **nothing) == (0, {})


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"ATTACHMENTS_SECRET_KEY": "wrong"}, "cannot be used: SignatureDoesNotMatch"),
        ({"ATTACHMENTS_ACCESS_KEY": "stranger"}, "cannot be used: InvalidAccessKeyId"),
        ({"ATTACHMENTS_ACCESS_KEY": READER}, "cannot be used: AccessDenied"),
        ({"ATTACHMENTS_BUCKET": "nowhere"}, "cannot be used: NoSuchBucket"),
        (
            {"ATTACHMENTS_ENDPOINT": f"http://{NOWHERE}"},
            f"files at http://{NOWHERE} cannot be used: it does not answer",
        ),
    ],
    ids=["another secret", "another key", "may only read", "no bucket", "away"],
)
async def test_doctor_names_a_bucket_that_takes_no_files(endpoint: str, changes: dict[str, str], detail: str) -> None:
    code, said = await examined_with(endpoint, **changes)
    status, told, remedy = said["attachments bucket"]
    assert (code, status, detail in told) == (1, "broken", True), told
    assert "ORKESTRA_ATTACHMENTS_ENDPOINT" in remedy
    assert SECRET not in told


async def test_the_access_key_is_rotated_and_what_was_kept_is_read_with_the_new_one(service: Service) -> None:
    old, new = bucket(service.address), bucket(service.address, access_key="second", secret_key="of the second")
    place = PartPlace(tenant_id="tenant", task_id="task", attachment_id="file", number=1, digest="d")
    try:
        await old.put(place, PDF)
        service.knows(**{KEY: SECRET, "second": "of the second"})
        await eventually(lambda: is_well(new), timeout=60)
        assert await is_well(old)
        service.knows(second="of the second")
        await eventually(lambda: is_refused(old), timeout=60)
        assert await new.read(place, 0, len(PDF)) == PDF
        with pytest.raises(Unavailable):
            await old.read(place, 0, len(PDF))
    finally:
        service.knows(**{KEY: SECRET})
        await eventually(lambda: is_well(old), timeout=60)


async def is_well(one: Bucket) -> bool:
    try:
        await one.check()
    except UnwellError:
        return False
    return True


async def is_refused(one: Bucket) -> bool:
    return not await is_well(one)

"""Files on a task's page, without a browser: attached, saved, removed, chosen in a form, refused where they are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from dashboard_story import GROUP
from dashboard_world import DashboardWorld, dashboard
from html_forms import controls_of
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import User
from orkestra.v1.task import Task

Migrated = Callable[..., Awaitable[Schema]]
FORM = {
    "receipts": {"type": "file", "label": "Receipts", "accept": [".pdf"], "max_size": 1000, "max_items": 2},
    "why": {"type": "text", "label": "Why", "required": True},
}
PDF = b"%PDF-1.7 a receipt"
UNFINISHED = (b"", b"\r\n--x", b"\r\n--x\r\n", b'\r\n--x\r\ncontent-disposition: form-data; name="data')


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


async def opened(world: DashboardWorld) -> tuple[Task, User]:
    tenant_id = world.tenant()
    person = world.person("Ana Able", GROUP, tenant_id=tenant_id)
    return await world.rooms.tasks.open(tenant_id, form=FORM, candidate_groups=[GROUP]), person


async def fields(http: httpx.AsyncClient, task: Task) -> dict[str, Any]:
    page = await http.get(f"/tasks/{task.task_id}")
    assert page.status_code == 200
    return controls_of(page.text).posted


async def send(http: httpx.AsyncClient, path: str, files: Any, **data: Any) -> httpx.Response:
    return await http.post(path, files=files, data=data, headers={"origin": str(http.base_url).rstrip("/")})


async def test_files_are_attached_listed_saved_and_removed(world: DashboardWorld) -> None:
    task, person = await opened(world)
    path = f"/tasks/{task.task_id}/attachments"
    name = 'Beleg <b>"\u00e4".pdf'
    async with world.http(person) as http:
        csrf = (await fields(http, task))["csrf"][0]
        files = [("file", (name, PDF)), ("file", ("note.txt", b"Hello"))]
        sent = await send(http, path, files, csrf=csrf)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/tasks/{task.task_id}#files")
        page = (await http.get(f"/tasks/{task.task_id}")).text
        assert "Beleg &lt;b&gt;" in page
        assert "<b>" not in page
        first, second = world.rooms.tasks.attached[task.task_id]
        saved = await http.get(f"{path}/{first.attachment_id}")
        assert (saved.status_code, saved.content) == (200, PDF)
        assert saved.headers["content-disposition"].startswith("attachment;")
        assert "nosniff" in saved.headers["x-content-type-options"]
        removed = await http.post(f"{path}/{first.attachment_id}/remove", data={"csrf": csrf})
        assert removed.status_code == 303
    assert world.rooms.tasks.attached[task.task_id] == [second]


async def test_a_file_without_the_proof_that_the_form_is_ours_is_not_taken(world: DashboardWorld) -> None:
    task, person = await opened(world)
    async with world.http(person) as http:
        for data in ({}, {"csrf": "wrong"}):
            answer = await send(http, f"/tasks/{task.task_id}/attachments", {"file": ("a.txt", b"x")}, **data)
            assert answer.status_code == 403
        csrf = (await fields(http, task))["csrf"][0]
        late = [("file", ("a.txt", b"x")), ("csrf", (None, csrf))]
        await send(http, f"/tasks/{task.task_id}/attachments", late)
    assert task.task_id not in world.rooms.tasks.attached


@pytest.mark.parametrize("ending", UNFINISHED)
async def test_a_form_that_ends_too_early_is_no_answer(world: DashboardWorld, ending: bytes) -> None:
    task, person = await opened(world)
    async with world.http(person) as http:
        posted = await fields(http, task)
        parts = [(name, value) for name, values in posted.items() for value in values] + [("data.why", "Because")]
        body = b"\r\n".join(f'--x\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}'.encode() for n, v in parts)
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = await http.post(f"/tasks/{task.task_id}/complete", content=body + ending, headers=headers)
        assert answer.status_code == 422
        long = {"content-type": f"multipart/form-data; boundary={'x' * 300}"}
        assert (await http.post(f"/tasks/{task.task_id}/complete", content=body, headers=long)).status_code == 422
        whole = await http.post(f"/tasks/{task.task_id}/complete", content=body + b"\r\n--x--", headers=headers)
    assert whole.status_code == 303, whole.text


async def test_what_is_refused_is_said_on_the_page_and_to_a_script(world: DashboardWorld) -> None:
    task, person = await opened(world)
    path = f"/tasks/{task.task_id}/attachments"
    async with world.http(person) as http:
        csrf = (await fields(http, task))["csrf"][0]
        page = await send(http, path, {"file": ("a.exe", b"MZ")}, csrf=csrf)
        assert page.status_code == 422
        assert 'role="alert"' in page.text
        headers = {"x-csrf-token": csrf}
        told = await http.post(path, files={"file": ("big.txt", b"x" * 200_001)}, headers=headers)
        assert (told.status_code, told.headers["content-type"].partition(";")[0]) == (413, "text/plain")
        choice = await http.post(path, files={"file": ("a.pdf", PDF)}, data={"field": "receipts"}, headers=headers)
        assert choice.status_code == 200
        assert controls_of(choice.text).posted.keys() == {"data.receipts"}


async def test_without_script_files_are_chosen_with_the_answer_and_what_was_typed_stays(world: DashboardWorld) -> None:
    task, person = await opened(world)
    path = f"/tasks/{task.task_id}/complete"
    async with world.http(person) as http:
        posted = await fields(http, task) | {"data.why": "Because"}
        wrong = await send(http, path, {"data.receipts.file": ("a.txt", b"x")}, **posted, attach="receipts")
        assert wrong.status_code == 422
        assert 'href="#f-data-receipts"' in wrong.text
        again = await send(http, path, {"data.receipts.file": ("a.pdf", PDF)}, **posted, attach="receipts")
        shown = controls_of(again.text).posted
        (file,) = world.rooms.tasks.attached[task.task_id]
        assert (shown["data.why"], shown["data.receipts"]) == (["Because"], [file.attachment_id])
        done = await send(http, path, {"data.receipts.file": ("b.pdf", PDF)}, **shown)
        assert done.status_code == 303, done.text
    files = [file.model_dump(include={"attachment_id", "name", "media_type", "size"}) for file in _of(world, task)]
    assert world.rooms.tasks.tasks[task.task_id].result == {"receipts": files, "why": "Because"}
    assert [file["name"] for file in files] == ["a.pdf", "b.pdf"]


async def test_a_file_that_is_gone_is_told_at_its_field(world: DashboardWorld) -> None:
    task, person = await opened(world)
    gone = f"attachment_{'0' * 32}"
    async with world.http(person) as http:
        posted = await fields(http, task) | {"data.why": "Because", "data.receipts": gone}
        answer = await http.post(f"/tasks/{task.task_id}/complete", data=posted)
    assert answer.status_code == 422
    assert "The task has no such file." in answer.text


def _of(world: DashboardWorld, task: Task) -> list[Any]:
    return world.rooms.tasks.attached[task.task_id]

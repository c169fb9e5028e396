"""Taking an answer back: by the forms as they are posted, so without a script too."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role
from orkestra.v1.task import Task, TaskStatus
from test_dashboard_managing import csrf_of

Migrated = Callable[..., Awaitable[Schema]]
FORM = {"answer": {"type": "text", "label": "Answer", "required": True}}


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def now(world: DashboardWorld, task: Task) -> Task:
    return world.rooms.tasks.tasks[task.task_id]


async def test_a_manager_says_for_how_long_and_others_read_it(world: DashboardWorld) -> None:
    tenant = world.tenant()
    ada = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    mia = world.person("Mia Manager", tenant_id=tenant, roles=(Role.MANAGER,))
    async with world.http(mia) as http:
        form = csrf_of(await http.get("/settings/answers"))
        for typed in ("4000", "soon", ""):
            refused = await http.post("/settings/answers", data=form | {"undo_seconds": typed, "version": "0"})
            assert refused.status_code == 422
            assert "0 to 3600 seconds" in refused.text
        saved = await http.post("/settings/answers", data=form | {"undo_seconds": "90", "version": "0"})
        assert saved.status_code == 303
        assert 'value="90"' in (await http.get("/settings/answers")).text
    async with world.http(ada) as http:
        text = (await http.get("/settings/answers")).text
        assert re.search(r'name="undo_seconds"[^>]* readonly', text)


async def test_whoever_answered_takes_it_back_from_the_next_page_or_the_task(world: DashboardWorld) -> None:
    tenant = world.tenant()
    ada, grace = (world.person(name, GROUP, tenant_id=tenant) for name in ("Ada Lovelace", "Grace Hopper"))
    mia = world.person("Mia Manager", tenant_id=tenant, roles=(Role.MANAGER,))
    async with world.http(mia) as http:
        form = csrf_of(await http.get("/settings/answers"))
        await http.post("/settings/answers", data=form | {"undo_seconds": "900"})
    task = await ask(world, tenant, form=FORM)
    path = f"/tasks/{task.task_id}"
    async with world.http(ada) as http:
        form = csrf_of(await http.get(path))
        done = await http.post(f"{path}/complete", data=form | {"data.answer": "No.", "revision": "1"})
        assert done.status_code == 303
        shown = (await http.get(done.headers["location"])).text
        button = f'action="{path}/undo"'
        assert button in shown
        assert re.search(r"<time[^>]*data-due[^>]*>1[45] min", shown[shown.index(button) :])
        page = (await http.get(path)).text
        assert button in page
        assert "It ends with that, unless the answer is taken back." in page
        assert "No." in page[page.index('id="answer"') :]
        assert f'action="{path}/complete"' not in page
        assert f'formaction="{path}/release"' not in page
        refused = await http.post(f"{path}/complete", data=form | {"data.answer": "Yes.", "revision": "1"})
        assert refused.status_code == 409
    async with world.http(grace) as http:
        page = (await http.get(path)).text
        assert button not in page
        assert "has answered this task" in page
        form = csrf_of(await http.get("/inbox"))
        assert (await http.post(f"{path}/undo", data=form)).status_code == 403
    assert now(world, task).submission is not None
    async with world.http(ada) as http:
        form = csrf_of(await http.get(path))
        back = await http.post(f"{path}/undo", data=form)
        assert (back.status_code, back.headers["location"]) == (303, f"{path}#answer")
        assert 'value="No."' in (await http.get(path)).text
        kept = now(world, task)
        assert (kept.status, kept.assignee, kept.submission) == (TaskStatus.CLAIMED, ada.user_id, None)
        again = await http.post(f"{path}/undo", data=form)
        assert again.status_code == 409
        assert 'id="problem"' in again.text


async def test_an_address_that_names_no_moment_offers_nothing(world: DashboardWorld) -> None:
    tenant = world.tenant()
    ada = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    task = await ask(world, tenant)
    async with world.http(ada) as http:
        for until in ("x", "2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00", "<script>"):
            page = await http.get("/inbox", params={"done": task.task_id, "until": until})
            assert page.status_code == 200
            assert "/undo" not in page.text

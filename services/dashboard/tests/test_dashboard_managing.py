"""What is done with a task beside answering it, and what its revisions changed: by the forms as they are posted."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role, User
from orkestra.v1.task import Priority, Task, TaskStatus, UpdateTaskRequest

Migrated = Callable[..., Awaitable[Schema]]


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def people(world: DashboardWorld) -> tuple[str, User, User, User]:
    tenant = world.tenant()
    ada, grace = (world.person(name, GROUP, tenant_id=tenant) for name in ("Ada Lovelace", "Grace Hopper"))
    return tenant, ada, grace, world.person("Mia Manager", tenant_id=tenant, roles=(Role.MANAGER,))


def csrf_of(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return {"csrf": found[1]}


async def test_a_manager_changes_assigns_and_cancels_and_the_history_says_what_changed(world: DashboardWorld) -> None:
    tenant, ada, _, mia = people(world)
    path = f"/tasks/{(task := await ask(world, tenant, sla={'complete': '4h'})).task_id}"
    async with world.http(mia) as http:
        page = await http.get(f"{path}/manage")
        assert "Ada Lovelace (" in page.text
        form = csrf_of(page)
        change = {"priority": "urgent", "complete_by": "2030-01-02T09:00", "add_tags": "vip late", "reason": "Loud"}
        assert (await http.post(f"{path}/change", data=form | change)).headers["location"] == path
        kept = now(world, task)
        assert (kept.priority, kept.tags) == (Priority.URGENT, ["vip", "late"])
        assert kept.sla
        assert kept.sla.complete_by
        assert kept.sla.complete_by.isoformat() == "2030-01-02T08:00:00+00:00", "typed in Berlin"
        given = {"assignee": ada.user_id, "reason": "She knows"}
        assert (await http.post(f"{path}/assign", data=form | given)).status_code == 303
        assert now(world, task).assignee == ada.user_id
        text = (await http.get(path)).text
        assert re.search(r"<dt>Priority</dt><dd><del[^>]*>.*normal</del><ins[^>]*>.*urgent</ins>", text)
        assert re.search(r"<dt>Assignee</dt><dd><ins[^>]*>.*Ada Lovelace</ins>", text)
        refused = await http.post(f"{path}/assign", data=form | {"reason": "?"})
        assert refused.status_code == 422
        assert 'id="problem"' in refused.text
        await http.post(f"{path}/cancel", data=form | {"reason": "Not needed"})
        assert now(world, task).status == TaskStatus.CANCELLED
        assert "nothing here that you may do" in (await http.get(f"{path}/manage")).text


async def test_a_member_delegates_what_they_hold_and_manages_nothing_else(world: DashboardWorld) -> None:
    tenant, ada, grace, _ = people(world)
    path = f"/tasks/{(task := await ask(world, tenant)).task_id}"
    async with world.http(ada) as http:
        form = csrf_of(await http.get("/inbox"))
        assert "nothing here that you may do" in (await http.get(f"{path}/manage")).text
        for verb in ("assign", "change", "escalate", "cancel"):
            data = form | {"assignee": grace.user_id, "reason": "x", "priority": "low"}
            assert (await http.post(f"{path}/{verb}", data=data)).status_code == 403
        await http.post(f"{path}/claim", data=form)
        page = (await http.get(f"{path}/manage")).text
        assert 'id="delegate"' in page
        assert 'id="assign"' not in page
        handed = await http.post(f"{path}/delegate", data=form | {"assignee": grace.user_id, "reason": "Lunch"})
        assert handed.status_code == 303
    assert now(world, task).assignee == grace.user_id


async def test_a_new_revision_says_what_changed_in_it(world: DashboardWorld) -> None:
    tenant, ada, _, mia = people(world)
    task = await ask(world, tenant, form={"answer": {"type": "text"}, "old": {"type": "integer"}})
    context = task.context
    assert context
    data = {**(context.data or {}), "order_id": 4712}
    update = UpdateTaskRequest(
        task_id=task.task_id,
        title="May <b>two</b> headsets be returned?",
        context=context.model_copy(update={"data": data}),
        form={"answer": {"type": "text"}, "amount": {"type": "money", "label": "Amount"}},
    )
    async with world.http(ada) as http:
        assert 'id="revision-title"' not in (await http.get(f"/tasks/{task.task_id}")).text
        await world.rooms.tasks.revise(mia, update)
        text = (await http.get(f"/tasks/{task.task_id}")).text
    shown = text[text.index('id="revision-title"') : text.index("</section>", text.index('id="revision-title"'))]
    assert "What changed in revision 2" in shown
    assert "May &lt;b&gt;two&lt;/b&gt; headsets be returned?</ins>" in shown
    assert re.search(r"<dt>Context · Data · order id</dt><dd><del[^>]*>.*4711</del><ins[^>]*>.*4712</ins>", shown)
    assert re.search(
        r"<dt>Form · Amount</dt><dd><del[^>]*>.*no such field</del><ins[^>]*>.*Amount · money</ins>", shown
    )
    assert "Summary" not in shown


def now(world: DashboardWorld, task: Task) -> Task:
    return world.rooms.tasks.tasks[task.task_id]

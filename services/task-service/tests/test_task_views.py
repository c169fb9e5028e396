"""Views: private to their owner, or shared with a group; versioned, and refused as the table says."""

from typing import Any

import pytest
from orkestra.rules import TENANT_GRANTS, VIEW_GRANTS, may_with_view
from orkestra.v1.task import (
    CreateViewRequest,
    DeleteViewRequest,
    GetViewRequest,
    ListViewsRequest,
    TaskFilter,
    TaskScope,
    TaskSort,
    UpdateViewRequest,
    View,
)
from orkestra.wire import Error, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from task_world import Caller, Tenant, World, world

__all__ = ["world"]

FILTER = TaskFilter(scope=TaskScope.GROUPS, q="refund", tags=["eu"], sort=TaskSort.NEWEST)


def kept(name: str = "Late refunds", **fields: Any) -> CreateViewRequest:
    return CreateViewRequest(**{"name": name, "filter": FILTER} | fields)


async def names(caller: Caller) -> list[str]:
    return [view.name for view in (await caller.list_views(ListViewsRequest())).views]


def callers(tenant: Tenant) -> dict[str, Caller]:
    return {
        "owner": tenant.person("owner", "support-l1"),
        "member": tenant.person("member", "support-l1"),
        "stranger": tenant.person("stranger", "finance"),
        "manager": tenant.person("manager", roles=("manager",)),
        "auditor": tenant.person("auditor", roles=("auditor",)),
        "agent": tenant.agent(),
        "elsewhere": tenant.world.tenant().person("eve", "support-l1", roles=("admin",)),
    }


async def test_a_private_view_is_its_owners_alone(world: World) -> None:
    who = callers(world.tenant())
    view = await who["owner"].create_view(kept())
    assert (view.filter, view.owner, view.group_id, view.version) == (FILTER, who["owner"].id, None, 1)
    assert await who["owner"].get_view(GetViewRequest(view_id=view.view_id)) == view
    for name, caller in who.items():
        assert await names(caller) == (["Late refunds"] if name == "owner" else [])
        if name != "owner":
            with pytest.raises(NotFound):
                await caller.get_view(GetViewRequest(view_id=view.view_id))


async def test_a_shared_view_is_listed_for_its_group_and_for_managers(world: World) -> None:
    who = callers(world.tenant())
    await who["owner"].create_view(kept(group_id="support-l1"))
    listed = {name for name, caller in who.items() if await names(caller)}
    assert listed == {"owner", "member", "manager"}


@pytest.mark.parametrize("who", ["owner", "member", "stranger", "manager", "auditor", "agent"])
@pytest.mark.parametrize("operation", VIEW_GRANTS)
@pytest.mark.parametrize("group", [None, "support-l1"], ids=["private", "shared"])
async def test_a_call_is_refused_as_the_table_says(world: World, operation: str, who: str, group: str | None) -> None:
    everyone = callers(world.tenant())
    view = await everyone["owner"].create_view(kept(group_id=group))
    caller = everyone[who]

    async def call() -> View:
        if operation == "view":
            return await caller.get_view(GetViewRequest(view_id=view.view_id))
        if operation == "delete":
            return await caller.delete_view(DeleteViewRequest(view_id=view.view_id))
        return await caller.update_view(
            UpdateViewRequest(view_id=view.view_id, name="B", group_id=group, filter=FILTER)
        )

    expected = may_with_view(operation, caller.principal, view)
    if expected is None:
        await call()
        return
    with pytest.raises(Error) as refusal:
        await call()
    assert (type(refusal.value), refusal.value.reason) == (type(expected), expected.reason)
    assert await everyone["owner"].get_view(GetViewRequest(view_id=view.view_id)) == view


async def test_a_view_changes_version_by_version_and_is_gone_when_removed(world: World) -> None:
    ana = world.tenant().person("ana", "support-l1")
    view = await ana.create_view(kept())
    change = UpdateViewRequest(view_id=view.view_id, name="Mine", group_id="support-l1", filter=TaskFilter(), version=1)
    changed = await ana.update_view(change)
    assert (changed.name, changed.group_id, changed.filter, changed.version) == ("Mine", "support-l1", TaskFilter(), 2)
    with pytest.raises(VersionMismatch) as refused:
        await ana.update_view(change)
    assert refused.value.current == changed
    assert await ana.delete_view(DeleteViewRequest(view_id=view.view_id, version=2)) == changed
    assert await names(ana) == []
    told = await world.rows(
        "select subject from outbox where subject like $1 order by seq", f"%{ana.principal.tenant_id}%"
    )
    assert [row["subject"].rpartition("view.")[2] for row in told] == ["created", "updated", "deleted"]


async def test_a_view_is_shared_with_a_group_of_ones_own_that_is_there(world: World) -> None:
    tenant = world.tenant()
    ana, boss = tenant.person("ana", "support-l1"), tenant.person("boss", roles=("manager",))
    tenant.group("finance")
    with pytest.raises(PermissionDenied) as refused:
        await ana.create_view(kept(group_id="finance"))
    assert refused.value.reason == "NOT_A_MEMBER"
    assert (await boss.create_view(kept(group_id="finance"))).group_id == "finance"
    with pytest.raises(InvalidArgument) as unknown:
        await boss.create_view(kept(group_id="nobody"))
    assert [error.path for error in unknown.value.errors] == ["group_id"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"filter": TaskFilter(q="?!")}, "filter.q"),
        ({"filter": TaskFilter(data=["order"])}, "filter.data[0]"),
    ],
)
async def test_a_view_that_no_list_could_show_is_refused(world: World, fields: dict[str, Any], path: str) -> None:
    ana = world.tenant().person("ana")
    with pytest.raises(InvalidArgument) as refused:
        await ana.create_view(kept(**fields))
    assert (refused.value.reason, [error.path for error in refused.value.errors]) == ("VIEW_INVALID", [path])


@pytest.mark.parametrize("role", ["agent", "system", "worker", "member", "manager", "admin", "auditor"])
async def test_views_are_kept_by_the_roles_of_the_table(world: World, role: str) -> None:
    tenant = world.tenant()
    keys = {"agent": tenant.agent, "system": tenant.system, "worker": tenant.worker}
    caller = keys[role]() if role in keys else tenant.person(role, roles=(role,))
    if role in TENANT_GRANTS["create_view"]:
        assert (await caller.create_view(kept())).owner == caller.id
        return
    with pytest.raises(PermissionDenied) as refused:
        await caller.create_view(kept())
    assert refused.value.reason == "VIEWS_NOT_ALLOWED"


async def test_views_come_page_by_page(world: World) -> None:
    ana = world.tenant().person("ana")
    made = [(await ana.create_view(kept(f"View {number}"))).view_id for number in range(3)]
    first = await ana.list_views(ListViewsRequest(page_size=2))
    second = await ana.list_views(ListViewsRequest(page_size=2, page_token=first.next_page_token))
    assert sorted(made) == [view.view_id for view in (*first.views, *second.views)]
    assert second.next_page_token is None

"""Request ids: one effect, one answer."""

import asyncio
from collections.abc import AsyncIterator

import chassis_world as world
import pytest
from chassis_world import Groups, Migrated, asking, outbox, someone
from orkestra.chassis.database import Database
from orkestra.testkit import Schema
from orkestra.v1.identity import AddMemberRequest, CreateGroupRequest, GetGroupRequest
from orkestra.wire import Conflict, FailedPrecondition, InvalidArgument, NotFound


@pytest.fixture(scope="session")
async def schema(migrated: Migrated) -> Schema:
    return await world.room(migrated)


@pytest.fixture
async def groups(schema: Schema) -> AsyncIterator[Groups]:
    database = await Database.connect(schema.app_url, schema=schema.name)
    yield Groups(database)
    await database.close()


async def test_a_repeated_request_gets_the_same_answer_and_is_marked_as_replayed(
    groups: Groups, schema: Schema
) -> None:
    ctx = someone()
    request = CreateGroupRequest(group_id="support-l1", name="Support", members=["user_ü"])
    first, again = asking(ctx, "key-1"), asking(ctx, "key-1")
    created = await groups.create_group(first, request)
    assert await groups.create_group(again, request) == created
    assert not first.reply.replayed
    assert again.reply.replayed
    assert len(await outbox(schema, ctx.tenant_id)) == 1


async def test_the_same_request_id_with_another_body_is_refused(groups: Groups) -> None:
    ctx = someone()
    await groups.create_group(asking(ctx, "key-1"), CreateGroupRequest(group_id="one"))
    with pytest.raises(InvalidArgument) as refused:
        await groups.create_group(asking(ctx, "key-1"), CreateGroupRequest(group_id="two"))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    with pytest.raises(NotFound):
        await groups.get_group(ctx, GetGroupRequest(group_id="two"))


async def test_a_request_is_told_that_its_twin_is_still_running(groups: Groups) -> None:
    ctx = someone()
    await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
    request = CreateGroupRequest(group_id="one", name="New")
    running = asyncio.create_task(groups.rename_slowly(asking(ctx, "key-1"), request))
    await groups.entered.wait()
    with pytest.raises(Conflict) as refused:
        await groups.rename_slowly(asking(ctx, "key-1"), request)
    assert refused.value.reason == "REQUEST_RUNNING"
    groups.gate.set()
    renamed = await running
    assert await groups.rename_slowly(asking(ctx, "key-1"), request) == renamed
    assert renamed.version == 2


async def test_of_many_equal_requests_at_once_one_has_the_effect(groups: Groups, schema: Schema) -> None:
    ctx = someone()
    request = CreateGroupRequest(group_id="one")
    outcomes = await asyncio.gather(
        *(groups.create_group(asking(ctx, "key-1"), request) for _ in range(20)), return_exceptions=True
    )
    created = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert created
    assert all(outcome == created[0] for outcome in created)
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if isinstance(outcome, BaseException))
    assert len(await outbox(schema, ctx.tenant_id)) == 1


async def test_request_ids_of_other_people_tenants_and_rpcs_are_other_ids(groups: Groups) -> None:
    ctx = someone()
    colleague = someone(tenant_id=ctx.tenant_id)
    await groups.create_group(asking(ctx, "key-1"), CreateGroupRequest(group_id="one"))
    await groups.create_group(asking(colleague, "key-1"), CreateGroupRequest(group_id="two"))
    await groups.create_group(asking(someone(), "key-1"), CreateGroupRequest(group_id="one"))
    other_rpc = someone(tenant_id=ctx.tenant_id, rpc="orkestra.v1.Groups/Other")
    await groups.create_group(asking(other_rpc, "key-1"), CreateGroupRequest(group_id="three"))


async def test_a_refused_request_leaves_no_answer_behind(groups: Groups) -> None:
    ctx = someone()
    for _ in range(2):
        again = asking(ctx, "key-1")
        with pytest.raises(NotFound):
            await groups.add_member(again, AddMemberRequest(group_id="none", user_id="user_1"))
        assert not again.reply.replayed


async def test_a_bug_takes_row_event_and_answer_with_it(groups: Groups, schema: Schema) -> None:
    ctx = someone()
    with pytest.raises(RuntimeError):
        await groups.fail_after_writing(asking(ctx, "key-1"), CreateGroupRequest(group_id="one"))
    assert await outbox(schema, ctx.tenant_id) == []
    with pytest.raises(NotFound):
        await groups.get_group(ctx, GetGroupRequest(group_id="one"))
    assert await world.rows(schema, "select from room.request_keys where tenant_id = $1", ctx.tenant_id) == []


@pytest.mark.parametrize("request_id", ["", "two words", "x" * 256, "ümlaut", "line\nbreak"])
async def test_a_request_id_that_is_not_printable_ascii_is_refused(groups: Groups, request_id: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await groups.create_group(asking(someone(), request_id), CreateGroupRequest(group_id="one"))
    assert refused.value.reason == "REQUEST_ID_INVALID"


async def test_hostile_text_in_ids_and_bodies_is_only_text(groups: Groups) -> None:
    ctx = someone(rpc="x'); drop table groups; --")
    name = 'O\'Neil \\ "q" ; -- $$ 🙂'
    created = await groups.create_group(asking(ctx, "k');--"), CreateGroupRequest(group_id="one", name=name))
    assert created.name == name
    assert await groups.get_group(ctx, GetGroupRequest(group_id="one")) == created


async def test_an_operation_above_tenants_writes_in_the_tenant_it_enters_and_is_replayed(
    groups: Groups, schema: Schema
) -> None:
    ctx, tenant = world.above_tenants(someone()), someone()
    request = CreateGroupRequest(group_id="one", name=tenant.tenant_id)
    created = await groups.create_group_elsewhere(asking(ctx, "key-1"), request)
    again = asking(ctx, "key-1")
    assert await groups.create_group_elsewhere(again, request) == created
    assert again.reply.replayed
    assert created.tenant_id == tenant.tenant_id
    assert [row["subject"] for row in await outbox(schema, tenant.tenant_id)] == [
        f"orkestra.v1.{tenant.tenant_id}.group.created"
    ]


async def test_a_refusal_by_state_rolls_back(groups: Groups, schema: Schema) -> None:
    ctx = someone()
    await groups.create_group(ctx, CreateGroupRequest(group_id="one", name="Same"))
    with pytest.raises(FailedPrecondition):
        await groups.rename_group(ctx, CreateGroupRequest(group_id="one", name="Same"))
    assert len(await outbox(schema, ctx.tenant_id)) == 1

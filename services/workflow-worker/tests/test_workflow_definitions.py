"""Definitions as runs are started by: what another replica registers counts from that moment on."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema
from orkestra.v1.workflow import BusinessIdPolicy, StartWorkflowRequest
from orkestra.wire import InvalidArgument, PermissionDenied
from workflow_world import QUESTION, SCHEMA, World, running_world

LESS = {"question": "Where is my order?"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def start(definition: str, **changes: object) -> StartWorkflowRequest:
    return StartWorkflowRequest.model_validate({"definition": definition, "input": QUESTION} | changes)


async def test_who_may_start_it_counts_at_once(world: World) -> None:
    await world.register("guarded")
    client = world.client("member")
    await client.start_workflow(start("guarded"))
    await world.rows("update workflow.definitions set start_roles = '{manager}' where name = 'guarded'")
    with pytest.raises(PermissionDenied) as refusal:
        await client.start_workflow(start("guarded"))
    assert refusal.value.reason == "START_NOT_ALLOWED"
    await world.rows("update workflow.definitions set start_roles = '{}' where name = 'guarded'")
    assert (await client.start_workflow(start("guarded"))).definition == "guarded"
    runs = await world.rows("select 1 from workflow.runs where definition = 'guarded'")
    assert len(runs) == 2


async def test_a_newer_version_is_started_at_once(world: World) -> None:
    await world.register("versioned-elsewhere")
    client = world.client("member")
    with pytest.raises(InvalidArgument):
        await client.start_workflow(start("versioned-elsewhere", input=LESS))
    assert (await client.start_workflow(start("versioned-elsewhere"))).version == 1
    assert (await client.start_workflow(start("versioned-elsewhere", version=1))).version == 1
    await world.rows(
        """
        insert into workflow.definitions (name, version, task_queue, input_schema, output_schema)
        select name, 2, task_queue, $1, output_schema from workflow.definitions where name = 'versioned-elsewhere'
        """,
        json.dumps({**SCHEMA, "required": []}),
    )
    assert (await client.start_workflow(start("versioned-elsewhere", input=LESS))).version == 2
    assert (await client.start_workflow(start("versioned-elsewhere", version=1))).version == 1
    with pytest.raises(InvalidArgument):
        await client.start_workflow(start("versioned-elsewhere", version=1, input=LESS))


async def test_a_business_id_is_looked_at_once_more_where_the_definition_has_changed(world: World) -> None:
    await world.register("changed-under-way")
    client = world.client("member")
    first = await client.start_workflow(start("changed-under-way", business_id="order-7"))
    await world.rows("update workflow.definitions set description = 'again' where name = 'changed-under-way'")
    policy = BusinessIdPolicy.USE_RUNNING
    again = start("changed-under-way", business_id="order-7", business_id_policy=policy)
    assert (await client.start_workflow(again)).workflow_id == first.workflow_id
    assert await world.events(first.workflow_id) == ["started"]
    await world.rows("update workflow.definitions set description = 'and again' where name = 'changed-under-way'")
    other = await client.start_workflow(start("changed-under-way", business_id="order-8"))
    assert (other.business_id, await world.events(other.workflow_id)) == ("order-8", ["started"])

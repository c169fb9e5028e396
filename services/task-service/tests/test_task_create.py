"""How a task comes to be, and what never does."""

import asyncio
import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from orkestra.chassis.operations import events_transaction
from orkestra.task_service.operations.people import People
from orkestra.v1.identity import UserStatus
from orkestra.v1.task import (
    ApprovalPolicy,
    Assignment,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    Priority,
    SlaPolicy,
    TaskContext,
    TaskStatus,
)
from orkestra.wire import Error, InvalidArgument, PermissionDenied
from task_world import KeptTokens, Tenant, World, ask, ask_for_run, some_task_id, world

__all__ = ["world"]


async def stored(world: World, tenant: Tenant) -> dict[str, int]:
    counts = {}
    for table in ("tasks", "task_audience", "task_history", "outbox", "request_keys"):
        [row] = await world.rows(f"select count(*) from {table} where tenant_id = $1", tenant.id)
        counts[table] = row[0]
    return counts


async def test_a_task_is_opened_with_everything_that_was_said(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    agent = tenant.agent(on_behalf_of=[ana.id])
    context = TaskContext(summary="An **opened** headset", data={"order": 2**60 + 1, "nothing": None, "price": 1.50})
    task = await agent.create_task(
        ask(
            description="May I return it?",
            type="return",
            tags=["vip"],
            correlation="case-1",
            context=context,
            draft={"answer": {"value": "Yes", "confidence": 0.4}},
            candidate_users=["Ana@Example.com"],
            candidate_groups=["support-l1"],
            on_behalf_of="ana@example.com",
            priority=Priority.HIGH,
        )
    )
    assert re.fullmatch(r"task_[0-9a-f]{32}", task.task_id)
    assert (task.status, task.version, task.revision, task.priority) == (TaskStatus.OPEN, 1, 1, Priority.HIGH)
    assert (task.requested_by, task.on_behalf_of, task.candidate_users) == (agent.id, ana.id, [ana.id])
    assert task.context == context
    assert task.form is not None
    assert task.form["required"] == ["answer"]
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == task


async def test_a_task_without_a_form_asks_for_one_free_text(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    task = await tenant.agent().create_task(ask(form=None, candidate_groups=["support-l1"]))
    assert task.form is not None
    assert list(task.form["properties"]) == ["answer"]


async def test_the_creation_is_history_and_one_event(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    agent = tenant.agent()
    task = await agent.create_task(ask(candidate_groups=["support-l1"], description="secret", input={"a": 1}))
    [entry] = (await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert (entry.sequence, entry.event, entry.actor, entry.door) == (1, "created", agent.id, "rest")
    [event] = await world.rows("select subject, payload from outbox where tenant_id = $1", tenant.id)
    assert event["subject"] == f"orkestra.v1.{tenant.id}.task.created"
    assert b"secret" not in event["payload"]
    assert b'"form"' not in event["payload"]
    assert b'"group:support-l1"' in event["payload"]


async def test_creating_with_the_same_id_twice_returns_the_first(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    worker = tenant.worker()
    request = ask_for_run(task_id=some_task_id(), candidate_groups=["support-l1"])
    first, second = await asyncio.gather(worker.create_task(request), worker.create_task(request))
    assert first == second
    assert (await stored(world, tenant))["task_history"] == 1
    assert (await stored(world, tenant))["outbox"] == 1


async def test_a_key_is_one_task_within_its_run(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    worker = tenant.worker()
    request = ask_for_run(key="approval", candidate_groups=["support-l1"])
    first = await worker.create_task(request)
    again = await worker.create_task(request.model_copy(update={"task_id": some_task_id()}))
    other_run = await worker.create_task(request.model_copy(update={"first_run_id": str(uuid4())}))
    assert again == first
    assert other_run.task_id != first.task_id


async def test_the_first_is_returned_even_when_its_candidate_has_left_since(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana")
    worker = tenant.worker()
    request = ask_for_run(task_id=some_task_id(), candidate_users=[ana.id])
    first = await worker.create_task(request)
    await world.rows("update people set status = 'disabled' where tenant_id = $1 returning 1", tenant.id)
    assert await worker.create_task(request) == first


async def test_a_request_id_is_answered_once_and_replayed(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    agent = tenant.agent()
    request = ask(candidate_groups=["support-l1"])
    first = await agent.create_task(request, request_id="r-1")
    assert not agent.replayed
    assert await agent.create_task(request, request_id="r-1") == first
    assert agent.replayed
    with pytest.raises(InvalidArgument) as refusal:
        await agent.create_task(request.model_copy(update={"title": "Another"}), request_id="r-1")
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_everybody_who_is_not_known_is_named_with_the_field(world: World) -> None:
    tenant = world.tenant()
    tenant.person("ana", "support-l1")
    tenant.person("gone", status=UserStatus.DISABLED)
    step = EscalationStep(
        after="30m",
        assign_to=Assignment(users=["nobody@example.com"], groups=["no-group"]),
        add_group="none",
        notify=["group:none", "user:nobody@example.com"],
    )
    request = ask(
        assignee="nobody@example.com",
        candidate_users=["ana@example.com", f"user_{uuid4().hex}"],
        excluded_users=["gone@example.com"],
        candidate_groups=["support-l1", "support-l9"],
        sla=SlaPolicy(complete="1h", escalate=[step]),
    )
    with pytest.raises(InvalidArgument) as refusal:
        await tenant.agent().create_task(request)
    assert {error.path for error in refusal.value.errors} == {
        "assignee",
        "candidate_users[1]",
        "excluded_users[0]",
        "candidate_groups[1]",
        "sla.escalate[0].assign_to.users[0]",
        "sla.escalate[0].assign_to.groups[0]",
        "sla.escalate[0].add_group",
        "sla.escalate[0].notify[0]",
        "sla.escalate[0].notify[1]",
    }
    assert set((await stored(world, tenant)).values()) == {0}


async def test_people_are_asked_for_once_and_then_known(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    agent = tenant.agent()
    request = ask(candidate_users=["ana@example.com"], candidate_groups=["support-l1"])
    await agent.create_task(request)
    calls = world.identity.calls
    assert (await agent.create_task(request)).candidate_users == [ana.id]
    assert world.identity.calls == calls


async def test_people_are_asked_for_with_the_next_token_where_one_is_refused(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    people = People(world.channel, partial(KeptTokens, world.signer))
    async with events_transaction(world.database, tenant.id) as tx:
        assert (await people.person(tx, "ana@example.com", path="user_id")).user_id == ana.id


async def test_people_of_another_tenant_are_not_known(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    eve = other.person("eve", "outsiders")
    await other.agent().create_task(ask(candidate_users=[eve.id], candidate_groups=["outsiders"]))
    with pytest.raises(InvalidArgument) as refusal:
        await tenant.agent().create_task(ask(candidate_users=[eve.id], candidate_groups=["outsiders"]))
    assert [error.code for error in refusal.value.errors] == ["unknown_user", "unknown_group"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": " "}, "title"),
    "a title over 300 characters": ({"title": "x" * 301}, "title"),
    "a description over 16 KiB": ({"description": "x" * 16_385}, "description"),
    "51 tags": ({"tags": [f"tag{number}" for number in range(51)]}, "tags"),
    "201 candidates": ({"candidate_groups": [f"g{number}" for number in range(201)]}, "candidate_groups"),
    "a context over 256 KiB": ({"context": TaskContext(data={"x": "x" * 262_144})}, "context"),
    "an unknown field type": ({"form": {"answer": {"type": "mystery"}}}, "form"),
    "a duration that is none": ({"sla": SlaPolicy(complete="soon")}, "sla.complete"),
    "an id that is none": ({"task_id": "42"}, "task_id"),
}


@pytest.mark.parametrize(("fields", "path"), BAD.values(), ids=BAD.keys())
async def test_bad_input_names_its_field_and_stores_nothing(world: World, fields: dict[str, Any], path: str) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    with pytest.raises(InvalidArgument) as refusal:
        await tenant.worker().create_task(ask_for_run(**{"candidate_groups": ["support-l1"]} | fields))
    assert any(error.path.startswith(path) for error in refusal.value.errors), refusal.value.errors
    assert set((await stored(world, tenant)).values()) == {0}


async def test_whatever_is_wrong_is_told_at_once(world: World) -> None:
    tenant = world.tenant()
    wrong = {
        "title": "",
        "form": {"answer": {"type": "mystery"}},
        "approval_policy": ApprovalPolicy(required=0),
        "sla": SlaPolicy(complete="soon"),
    }
    with pytest.raises(InvalidArgument) as refusal:
        await tenant.worker().create_task(ask_for_run(**wrong))
    paths = {error.path for error in refusal.value.errors}
    assert paths == {"title", "form.answer.type", "approval_policy.required", "sla.complete"}


@pytest.mark.parametrize("fields", [{"requested_by": "someone"}, {"workflow_id": "wf_1", "first_run_id": "run"}])
async def test_only_a_worker_speaks_for_a_run(world: World, fields: dict[str, Any]) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    with pytest.raises(Error) as refusal:
        await tenant.agent().create_task(ask(candidate_groups=["support-l1"], **fields))
    assert isinstance(refusal.value, PermissionDenied | InvalidArgument)
    assert set((await stored(world, tenant)).values()) == {0}


async def test_an_agent_asks_only_for_people_that_were_granted_to_it(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    request = ask(candidate_groups=["support-l1"], on_behalf_of=ana.id)
    with pytest.raises(PermissionDenied):
        await tenant.agent().create_task(request)
    assert (await tenant.agent(on_behalf_of=["*"]).create_task(request)).on_behalf_of == ana.id
    assert (await ana.create_task(request)).on_behalf_of == ana.id


async def test_the_clocks_start_with_the_task(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1", "support-l2")
    step = EscalationStep(after="25%", assign_to=Assignment(groups=["support-l2"]))
    task = await tenant.worker().create_task(
        ask_for_run(candidate_groups=["support-l1"], sla=SlaPolicy(complete="2h", escalate=[step]))
    )
    assert task.sla is not None
    assert task.sla.complete_by == task.created_at + timedelta(hours=2)
    assert task.sla.next_step_at == task.created_at + timedelta(minutes=30)

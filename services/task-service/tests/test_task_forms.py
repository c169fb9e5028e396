"""Forms and answers before the real service: whom a picker may hold, what is refused, and that nobody waits for it."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from orkestra.v1.task import CompleteTaskRequest, GetTaskHistoryRequest, GetTaskRequest, Task, TaskServiceClient
from orkestra.wire import InvalidArgument
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]


async def opened(tenant: Tenant, form: Any, **fields: object) -> Task:
    tenant.group("support-l1")
    return await tenant.system().create_task(ask(**{"form": form, "candidate_groups": ["support-l1"]} | fields))


async def refused(caller: Caller, task: Task, data: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(InvalidArgument) as caught:
        await caller.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))
    assert caught.value.reason == "DATA_INVALID"
    return {(error.path, error.code) for error in caught.value.errors}


PICKERS = {
    "who": {"type": "user", "required": True},
    "rows": {"type": "table", "columns": {"team": {"type": "group_picker"}, "person": {"type": "user"}}},
}


async def test_people_and_groups_are_picked_by_address_or_id_and_kept_by_id(world: World) -> None:
    tenant = world.tenant()
    ana, bob = tenant.person("ana", "support-l1"), tenant.person("bob")
    task = await opened(tenant, PICKERS)
    data = {"who": "Bob@example.com", "rows": [{"team": "support-l1", "person": ana.id}]}
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))
    assert done.result == {"who": bob.id, "rows": [{"team": "support-l1", "person": ana.id}]}


async def test_people_and_groups_of_nobody_or_of_another_tenant_are_refused_each_at_its_place(world: World) -> None:
    tenant = world.tenant()
    ana, stranger = tenant.person("ana", "support-l1"), world.tenant().person("eve")
    task = await opened(tenant, PICKERS)
    data = {"who": stranger.id, "rows": [{"team": "gone"}, {"person": "nobody@example.com"}]}
    assert await refused(ana, task, data) == {
        ("data.who", "unknown_user"),
        ("data.rows[0].team", "unknown_group"),
        ("data.rows[1].person", "unknown_user"),
    }
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).result is None


async def test_wrong_types_are_refused_all_at_once_by_field(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    kinds = ("text", "email", "url", "phone", "integer", "number", "boolean", "date", "time", "datetime", "money")
    task = await opened(tenant, {kind: {"type": kind} for kind in kinds})
    found = await refused(ana, task, {kind: ["x"] for kind in kinds} | {"more": 1})
    assert found == {(f"data.{kind}", "wrong_type") for kind in kinds} | {("data.more", "unknown_field")}


async def test_errors_are_told_in_the_language_of_the_caller(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, {"n": {"type": "integer", "max": 3}})
    token = world.signer.sign(ana.principal, lifetime=timedelta(minutes=5))[0]
    reader = TaskServiceClient(world.channel, token, locale="fr-CA")
    with pytest.raises(InvalidArgument) as caught:
        await reader.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"n": 4}))
    assert [error.message for error in caught.value.errors] == ["Doit être au plus 3."]


async def test_sensitive_values_stay_out_of_history_and_events(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    secret = {"type": "text", "sensitive": True}
    form = {
        "pin": secret,
        "card": {"type": "group", "fields": {"number": secret, "name": {"type": "text"}}},
        "rows": {"type": "table", "columns": {"code": secret}},
    }
    task = await opened(tenant, form)
    data = {"pin": "s3cr3t-1", "card": {"number": "s3cr3t-2", "name": "Ana"}, "rows": [{"code": "s3cr3t-3"}]}
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))
    assert done.result == data
    history = await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    assert "Ana" in history.model_dump_json()
    assert "s3cr3t" not in history.model_dump_json()
    rows = await world.rows("select payload from outbox where tenant_id = $1", tenant.id)
    assert rows
    assert "s3cr3t" not in json.dumps([str(dict(row)) for row in rows])


HOSTILE: dict[str, tuple[Any, str, str]] = {
    "recursion": (
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/n"}},
            "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}},
        },
        "form.properties.a.properties.n.$ref",
        "ref_cycle",
    ),
    "slow pattern": ({"a": {"type": "text", "pattern": "^(?=(a+)+$)"}}, "form.a.pattern", "wrong_value"),
    "large pattern": ({"a": {"type": "text", "pattern": "((a{1,99}){1,99}){9}"}}, "form.a.pattern", "wrong_value"),
    "10,000 fields": ({f"f{n}": {"type": "text"} for n in range(10_000)}, "form", "form_too_large"),
    "201 fields": ({f"f{n}": {"type": "text"} for n in range(201)}, "form", "too_many_fields"),
    "many options": ({"a": {"type": "select", "options": list(range(50_000))}}, "form", "form_too_large"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_form_is_refused_with_its_place_and_nothing_is_stored(world: World, name: str) -> None:
    form, path, code = HOSTILE[name]
    tenant = world.tenant()
    with pytest.raises(InvalidArgument) as caught:
        await opened(tenant, form)
    assert (path, code) in {(error.path, error.code) for error in caught.value.errors}
    assert await world.rows("select from tasks where tenant_id = $1", tenant.id) == []


async def test_a_reference_to_another_place_is_never_followed(world: World) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)
        here = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
        with pytest.raises(InvalidArgument) as caught:
            await opened(world.tenant(), {"type": "object", "properties": {"a": {"$ref": here}}})
        assert [(error.path, error.code) for error in caught.value.errors] == [
            ("form.properties.a.$ref", "ref_leaves_document")
        ]
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_others_are_served_while_hostile_forms_and_answers_arrive(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    slow = {f"f{n}": {"type": "text", "pattern": f"^([a-z]{{1,{300 + n}}})+$"} for n in range(30)}
    task = await opened(tenant, slow)
    begun = asyncio.Event()

    async def hostile() -> None:
        system = tenant.system()
        for at in range(3):
            begun.set()
            with pytest.raises(InvalidArgument):
                await system.create_task(ask(form=HOSTILE["many options"][0]))
            await system.create_task(ask(form={f"{name}{at}": field for name, field in slow.items()}))
            await refused(ana, task, dict.fromkeys(slow, "a" * 999 + "!"))

    async def slowest_read(is_over: Callable[[int], bool]) -> float:
        slowest, count = 0.0, 0
        while not is_over(count):
            began = time.monotonic()
            await ana.get_task(GetTaskRequest(task_id=task.task_id), timeout=60)
            slowest, count = max(slowest, time.monotonic() - began), count + 1
        return slowest

    quiet = await slowest_read(lambda count: count == 20)
    attack = asyncio.gather(*(hostile() for _ in range(4)))
    await begun.wait()
    longest = await slowest_read(lambda _: attack.done())
    await attack
    quiet = max(quiet, await slowest_read(lambda count: count == 20))
    assert longest < 4 + 40 * quiet  # all runs in one process here, beside whatever else this machine does

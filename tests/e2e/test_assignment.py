"""Groups that give work to their members and substitutes of who is away, over REST on a running stack."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("stack")


async def person(admin: httpx.AsyncClient, name: str, group: str) -> dict[str, Any]:
    slug = uuid4().hex[:8]
    body = {
        "email": f"{name}-{slug}@demo.example",
        "name": name,
        "groups": [group],
        "password": "a long enough password",
    }
    made = await admin.post("/v1/users", json=body)
    assert made.status_code == 201, made.text
    user: dict[str, Any] = made.json()
    return user


async def asked(system: httpx.AsyncClient, group: str) -> dict[str, Any]:
    opened = await system.post("/v1/tasks", json={"title": "Whose?", "candidate_groups": [group]})
    assert opened.status_code == 201, opened.text
    task: dict[str, Any] = opened.json()
    return task


async def told(admin: httpx.AsyncClient, system: httpx.AsyncClient, headers: dict[str, str], absent: str) -> None:
    """A substitute hears live of what is given to whoever is away, and finds it in their feed."""
    async with admin.stream("GET", "/v1/events", headers=headers, timeout=60) as events:
        lines = events.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        given = (await system.post("/v1/tasks", json={"title": "Hers", "assignee": absent})).json()
        async with asyncio.timeout(60):
            async for line in lines:
                if line.startswith("data:") and json.loads(line[5:]).get("subject") == given["task_id"]:
                    break

    async def listed() -> list[str]:
        page = (await admin.get("/v1/notifications", headers=headers)).json()["notifications"]
        return [entry["text"] for entry in page if entry.get("task_id") == given["task_id"]]

    found = await eventually(listed, timeout=60, every=0.5)
    assert found == ["A task was assigned to somebody whose place you take."]


async def test_a_group_gives_work_in_turn_and_a_substitute_takes_the_place_of_who_is_away(stack: Stack) -> None:
    group = f"desk-{uuid4().hex[:8]}"
    async with stack.rest(key="admin") as admin, stack.rest(key="system") as system:
        made = await admin.post("/v1/groups", json={"group_id": group})
        assert (made.status_code, made.json()["strategy"]) == (201, "pull"), made.text
        people = [await person(admin, name, group) for name in ("ana", "ben")]
        ids = sorted(user["user_id"] for user in people)
        assert (await asked(system, group))["assignee"] is None
        change = {"strategy": "round_robin", "max_open_tasks": 2}
        changed = await admin.patch(f"/v1/groups/{group}", json=change)
        assert (changed.status_code, changed.json()["strategy"]) == (200, "round_robin"), changed.text
        refused = await system.patch(f"/v1/groups/{group}", json={"strategy": "pull"})
        assert refused.status_code == 403

        async def given() -> dict[str, Any] | None:
            task = await asked(system, group)
            return task if task["assignee"] else None

        first = await eventually(given, timeout=60, every=0.5)  # once task-service has heard of it
        rest = [(await asked(system, group))["assignee"] for _ in range(4)]
        assert [first["assignee"], *rest] == [ids[0], ids[1], ids[0], ids[1], None]
        stands_in = await person(admin, "cem", "support-l1")
        away = f"/v1/users/{first['assignee']}/substitution"
        said = await admin.put(away, json={"substitute": stands_in["user_id"]})
        assert (said.status_code, said.json()["version"]) == (200, 1), said.text
        signed_in = {"email": stands_in["email"], "password": "a long enough password"}
        session = (await admin.post("/v1/sessions", json=signed_in)).json()["token"]
        headers = {"authorization": f"Bearer {session}"}
        path = f"/v1/tasks/{first['task_id']}"

        async def claimed() -> dict[str, Any] | None:
            answer = await admin.post(f"{path}/claim", json={}, headers=headers)
            return answer.json() if answer.status_code == 200 else None

        taken = await eventually(claimed, timeout=60, every=0.5)
        assert (taken["assignee"], taken["acted_for"]) == (stands_in["user_id"], first["assignee"])
        history = (await admin.get(f"{path}/history")).json()["entries"]
        assert [(entry["event"], entry["acted_for"]) for entry in history] == [
            ("created", None),
            ("assigned", None),
            ("claimed", first["assignee"]),
        ]
        await told(admin, system, headers, first["assignee"])
        verified = (await admin.get(f"{path}/history/verify")).json()
        assert (verified["intact"], verified["entries"]) == (True, 3)

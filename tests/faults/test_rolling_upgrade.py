"""Old to new and back to old while people and agents work: no request fails, and every workflow ends right.

`make upgrade OLD=v0.1.0` installs that release beside this tree and runs this; `make test` does not.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fault_ledger import Client, Ledger, Promise, assert_kept, lone_task, register, story
from fault_system import FaultedStack, faulted_stack
from fault_upgrade import PAUSE_SECONDS, Release, bring_schemas_up_to_date, roll
from webhook_endpoint import listening

IS_WHOLE = "ORKESTRA_TEST_OLD" in os.environ
"""Whether this is `make upgrade`: it takes minutes."""
LOAD, PAUSE, WAITING = 2, 0.3, 20

Work = Callable[[Client, Client, Promise], Awaitable[None]]


if IS_WHOLE:

    @pytest.fixture
    async def old() -> AsyncIterator[FaultedStack]:
        async with faulted_stack(
            port_offset=2450, python=os.environ["ORKESTRA_TEST_OLD"], drain_pause=PAUSE_SECONDS
        ) as stack:
            yield stack

    @pytest.mark.timeout(3000)
    async def test_old_to_new_to_old_under_load_fails_no_request_and_loses_no_workflow(old: FaultedStack) -> None:
        releases = [Release("new", sys.executable), Release("old", os.environ["ORKESTRA_TEST_OLD"])]
        ledger, over = Ledger(), asyncio.Event()
        async with (
            listening() as endpoint,
            old.rest(key="system") as http,
            old.rest(email=old.member_of("support-l1")) as people,
        ):
            await register(old, endpoint)
            system, person = Client(http, ledger), Client(people, ledger)
            waiting = [await _asked(http) for _ in range(WAITING)]

            async def work(kind: Work) -> None:
                while not over.is_set():
                    await kind(system, person, ledger.open())
                    await asyncio.sleep(PAUSE)

            async with asyncio.TaskGroup() as at_once:
                for kind in [story, lone_task] * LOAD:
                    at_once.create_task(work(kind))
                await bring_schemas_up_to_date(old)
                for release in releases:
                    await roll(old, release)
                over.set()
            for workflow_id in waiting:
                await _answer(http, people, workflow_id)
            print(ledger.summary)  # noqa: T201
            await assert_kept(old, ledger, endpoint)
            assert not ledger.repeated, "\n".join(ledger.repeated)


async def _asked(http: httpx.AsyncClient) -> str:
    """Start what waits through every change of code."""
    body = {"definition": "customer-support", "input": {"question": "?", "conversation_id": "c", "customer_id": "c"}}
    started = (await http.post("/v1/workflows", json=body)).raise_for_status().json()
    return str(started["workflow_id"])


async def _answer(system: httpx.AsyncClient, person: httpx.AsyncClient, workflow_id: str) -> None:
    tasks: list[dict[str, Any]] = (await person.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
    path = f"/v1/tasks/{tasks[0]['task_id']}/complete"
    (await person.post(path, json={"data": {"answer": "kept"}})).raise_for_status()
    ended = (await system.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).json()
    assert (ended["status"], ended["result"]["answer"]) == ("completed", "kept")

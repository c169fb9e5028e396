"""Two replicas of the REST door: one ends while clients that keep their connections use both, and no request fails."""

import asyncio

import httpx
import pytest
from door_rooms import running_rooms, workflow
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.wire import Context, Model
from rest_world import Migrated, task
from round_robin import Load, Replica, end, replicas

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


async def test_no_request_fails_while_a_replica_ends(signer: Signer, migrated: Migrated, nats_url: str) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")

    async def held(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"] or 0)
        return workflow()

    async with running_rooms(signer) as rooms:
        rooms.answer("get_workflow_result", held)
        rooms.answer("get_task", task())
        rooms_named = ("IDENTITY_ADDRESS", "TASK_ADDRESS", "WORKFLOW_ADDRESS", "NOTIFICATION_ADDRESS")
        settings = {"DATABASE_URL": schema.app_url, "NATS_URL": nats_url, **dict.fromkeys(rooms_named, rooms.address)}
        headers = {"authorization": f"Bearer {rooms.know('ork_known')}"}
        async with (
            replicas("orkestra.api_gateway", settings) as balancer,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{balancer.port}", headers=headers, timeout=60) as http,
        ):

            async def asked(path: str) -> str | None:
                try:
                    answer = await http.get(path)
                except httpx.HTTPError as failed:
                    return repr(failed)
                return None if answer.status_code == 200 else answer.text

            load = Load(lambda: asked("/v1/tasks/t"), lambda: asked("/v1/workflows/w/result?wait=50"))
            first, second = balancer.replicas
            async with load.going_on(holding=6):
                await eventually(lambda: _were_asked(20, first, second), timeout=30)
                await end(first)
                before = second.asked
                await eventually(lambda: _were_asked(before + 50, second), timeout=30)
    load.assert_nothing_failed()


async def _were_asked(enough: int, *replicas: Replica) -> bool:
    return all(replica.asked >= enough for replica in replicas)

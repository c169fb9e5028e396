"""Faults that last until somebody is called: each of them is one that an alert of the chart is for."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
from chassis_certificates import Authority
from fault_events import poisoned, told_again
from fault_figures import Figures
from fault_ledger import ASKED, INPUT, OUTSIDE
from fault_system import FaultedStack
from langfuse_endpoint import Endpoint as Langfuse
from webhook_endpoint import Endpoint

CALM_LOOKS = 4
TOLD_AGAIN = 20
"""Times that the newest events are told again, so that far more than 500 wait."""
WITHIN_SECONDS = 240.0
"""Longest time that alerts are waited for; a look of a second is half a minute to the rules."""
CALLERS = 40
DISAPPOINTED = 4
TASKS_RUN_OUT = {"OrkestraSlaBreaches", "OrkestraTasksExpire", "OrkestraWorkflowsFail"}
NOT_TAKEN = {"OrkestraLangfuseDrops", "OrkestraDeadLetters", "OrkestraDeliveriesFail"}
NOT_RENEWED = {"OrkestraCertificateEnds"}
BACKLOG = {"OrkestraConsumerBehind"}
SIEGE = {
    "OrkestraOutboxStuck",
    "OrkestraNoRelay",
    "OrkestraServiceDown",
    "OrkestraProcessDown",
    "OrkestraDoorErrors",
    "OrkestraRpcErrors",
    "OrkestraPoolExhausted",
}
ALARMS = TASKS_RUN_OUT | NOT_TAKEN | NOT_RENEWED | BACKLOG | SIEGE
YEAR, DAY = 365 * 24.0, 24.0


async def raise_alarms(
    stack: FaultedStack, outside: Endpoint, langfuse: Langfuse, authority: Authority, folder: Path
) -> None:
    """Bring about what each alert of the chart is for, and see it fire; before, none does."""
    chance, figures = random.Random("alarms"), Figures(stack)
    async with stack.rest(key="system") as http, figures.kept():
        await figures.looked(CALM_LOOKS)
        figures.assert_calm(folder, looks=CALM_LOOKS - 1)
        outside.statuses[OUTSIDE] = 503
        langfuse.status = 400
        try:
            await _disappoint(http)
            await poisoned(stack, chance)
            authority.issue("tls", began=YEAR, hours=DAY)
            await figures.fired(TASKS_RUN_OUT | NOT_TAKEN | NOT_RENEWED, folder, within=WITHIN_SECONDS)
            async with stack.locked("notification.webhooks"):  # which the news for outside systems begin with
                await told_again(stack, chance, times=TOLD_AGAIN)
                await figures.fired(BACKLOG, folder, within=WITHIN_SECONDS)
            await _besiege(stack, http, lambda: figures.fired(SIEGE, folder, within=WITHIN_SECONDS))
        finally:
            del outside.statuses[OUTSIDE]
            langfuse.status = 200


async def _disappoint(http: httpx.AsyncClient) -> None:
    """Let questions of workflows expire, claims come too late, and an agent's question be taken back."""
    slow = {**ASKED, "sla": {"claim": "1s", "complete": "10d"}}
    traced = {**ASKED, "context": {"agent": {"trace_id": uuid4().hex}}}
    for _ in range(DISAPPOINTED):
        body = {"definition": "customer-support-quick", "input": INPUT}
        (await http.post("/v1/workflows", json=body)).raise_for_status()
        (await http.post("/v1/tasks", json=slow)).raise_for_status()
        task = (await http.post("/v1/tasks", json=traced)).raise_for_status().json()
        (await http.post(f"/v1/tasks/{task['task_id']}/cancel", json={"reason": "no longer"})).raise_for_status()


async def _besiege(stack: FaultedStack, http: httpx.AsyncClient, seen: Callable[[], Awaitable[None]]) -> None:
    """Stop NATS and a door, take a relay's rights and lock the tasks, until all of that is seen."""
    async with AsyncExitStack() as broken:
        for name in ("nats", "mcp-gateway", "mcp-gateway-2"):
            await broken.enter_async_context(stack.paused(name))
        await broken.enter_async_context(stack.shut_out("workflow_relay"))
        (await http.post("/v1/tasks", json=ASKED)).raise_for_status()  # its event waits
        await broken.enter_async_context(stack.locked("task.tasks"))
        enough = asyncio.Event()
        async with (
            httpx.AsyncClient(base_url=http.base_url, headers=http.headers, timeout=60) as many,
            asyncio.TaskGroup() as at_once,
        ):
            for _ in range(CALLERS):
                at_once.create_task(_insist(many, enough))
            try:
                await seen()
            finally:
                enough.set()


async def _insist(http: httpx.AsyncClient, enough: asyncio.Event) -> None:
    while not enough.is_set():
        answer = await http.get("/v1/tasks")
        assert answer.status_code in (503, 504), answer.text

"""Faults that last until somebody is called: each of them is one that an alert of the chart is for."""

import asyncio
import random
from contextlib import AsyncExitStack

import httpx
from fault_events import poisoned, told_again
from fault_figures import Figures
from fault_ledger import ASKED, OUTSIDE
from fault_system import FaultedStack
from webhook_endpoint import Endpoint

CALM_LOOKS = 4
TOLD_AGAIN = 20
"""Times that the newest events are told again, so that far more than 500 wait."""
BACKLOG_LOOKS = 12
"""Consumers ask every 10 s how much waits for them."""
SIEGE_LOOKS, SIEGE_SECONDS = 28, 36.0
"""More than the longest time that an alert looks back and then waits; and longer than an outbox may wait."""
CALLERS = 40
ALARMS = {
    "OrkestraOutboxStuck",
    "OrkestraNoRelay",
    "OrkestraDeadLetters",
    "OrkestraConsumerBehind",
    "OrkestraServiceDown",
    "OrkestraProcessDown",
    "OrkestraDoorErrors",
    "OrkestraRpcErrors",
    "OrkestraPoolExhausted",
    "OrkestraDeliveriesFail",
}


async def raise_alarms(stack: FaultedStack, outside: Endpoint, figures: Figures) -> None:
    """Let webhooks fail, poison arrive, a consumer fall behind; then stop NATS, a door, a relay, and lock the tasks."""
    chance = random.Random("alarms")
    async with stack.rest(key="system") as http, figures.kept():
        await figures.looked(CALM_LOOKS)
        outside.statuses[OUTSIDE] = 503
        try:
            for _ in range(10):
                (await http.post("/v1/tasks", json=ASKED)).raise_for_status()
            await poisoned(stack, chance)
            async with stack.locked("notification.notifications"):
                await told_again(stack, chance, times=TOLD_AGAIN)
                await figures.looked(BACKLOG_LOOKS)
                await _besiege(stack, http, figures)
        finally:
            del outside.statuses[OUTSIDE]


async def _besiege(stack: FaultedStack, http: httpx.AsyncClient, figures: Figures) -> None:
    async with AsyncExitStack() as broken:
        for name in ("nats", "mcp-gateway", "mcp-gateway-2"):
            await broken.enter_async_context(stack.paused(name))
        await broken.enter_async_context(stack.shut_out("workflow_relay"))
        (await http.post("/v1/tasks", json=ASKED)).raise_for_status()  # its event waits
        await broken.enter_async_context(stack.locked("task.tasks"))
        enough = asyncio.Event()
        async with (
            httpx.AsyncClient(base_url=http.base_url, headers=http.headers, timeout=30) as many,
            asyncio.TaskGroup() as at_once,
        ):
            for _ in range(CALLERS):
                at_once.create_task(_insist(many, enough))
            await asyncio.gather(figures.looked(SIEGE_LOOKS), asyncio.sleep(SIEGE_SECONDS))
            enough.set()


async def _insist(http: httpx.AsyncClient, enough: asyncio.Event) -> None:
    while not enough.is_set():
        answer = await http.get("/v1/tasks")
        assert answer.status_code in (503, 504), answer.text

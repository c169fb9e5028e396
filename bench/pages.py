"""Measures the dashboard's pages among many tasks, as a manager asks for them: the time to the last byte.

python -m bench.pages [--tasks 1000000]
"""

import argparse
import asyncio
import statistics
from functools import partial
from typing import Any

import httpx
from orkestra.testkit.stack import running_stack

from bench.calls import FEW, PER_TENANT, WARM_UP, shown, timed
from bench.filling import fill

READS = 120
PAGES = {
    "inbox": "/inbox?scope=all",
    "inbox, a word": "/inbox?scope=all&q=question",
    "task": "/tasks/{task_id}",
    "workflows": "/workflows",
    "figures of a year": "/figures?period=365",
    "people": "/settings/people",
    "calendars": "/settings/calendars",
}


async def signed_in(info: dict[str, Any]) -> dict[str, str]:
    """Return the cookie of the demo's manager."""
    user = next(user for user in info["users"] if "manager" in user["roles"])
    async with httpx.AsyncClient(base_url=info["dashboard"]) as http:
        answer = await http.post("/sign-in", data={"email": user["email"], "password": user["password"]})
        return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


async def timed_pages(info: dict[str, Any], task_id: str) -> dict[str, list[float]]:
    """Ask for each page in turns; milliseconds of each."""
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    async with httpx.AsyncClient(base_url=info["dashboard"], headers=await signed_in(info), timeout=60) as http:

        async def ask(path: str) -> None:
            (await http.get(path.format(task_id=task_id))).raise_for_status()

        for _ in range(READS):
            for name, path in PAGES.items():
                times[name].append(await timed(partial(ask, path)))
    return {name: each[WARM_UP:] for name, each in times.items()}


def pages_shown(times: dict[str, list[float]]) -> list[str]:
    """Render each page with its target."""
    lines = []
    for name, each in times.items():
        is_met = statistics.median(each) <= 50
        lines.append(f"{shown(name, each)}   p50 ≤ 50 {'met' if is_met else 'MISSED'}")
    return lines


async def main() -> None:
    """Start a stack of its own, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--tasks", type=int, default=FEW)
    tenants = max(FEW, parser.parse_args().tasks) // PER_TENANT
    async with running_stack(port_offset=780) as stack:
        tenant_id = stack.info["tenant"]["tenant_id"]
        task_ids = await fill(stack.info["postgres"], tenant_id, per_tenant=PER_TENANT, tenants=range(tenants))
        lines = pages_shown(await timed_pages(stack.info, task_ids[-1]))
    print(f"{tenants * PER_TENANT} open tasks of {tenants} tenants\n" + "\n".join(lines))


if __name__ == "__main__":
    asyncio.run(main())

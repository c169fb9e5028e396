"""What the stack costs before anybody asks for anything: how long it takes to be ready, and its memory."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from orkestra.testkit.stack import Stack, running_stack

SERVICES = (
    *("identity-service", "task-service", "workflow-worker", "notification-service"),
    *("api-gateway", "mcp-gateway", "dashboard"),
)
_SHARE = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


def memory_mb(processes: Mapping[str, int]) -> dict[str, float]:
    """Return each service's proportional share of memory: pages that several processes share count once in all."""
    return {name: _share(Path(f"/proc/{processes[name]}/smaps_rollup").read_text()) / 1024 for name in SERVICES}


def _share(rollup: str) -> int:
    found = _SHARE.search(rollup)
    assert found is not None, rollup
    return int(found[1])


@asynccontextmanager
async def timed_stack(*, port_offset: int) -> AsyncIterator[tuple[Stack, float]]:
    """Run a stack for the length of the block; yields how many seconds it took to be ready, too."""
    began = time.perf_counter()
    async with running_stack(port_offset=port_offset) as stack:
        yield stack, time.perf_counter() - began

"""Whatever breaks, in whatever order: nothing acknowledged is lost, nothing happens twice, everything ends.

`make faults` plays ten seeds; FAULT_SEEDS=3,7 plays these. A seed chooses what breaks, where and when.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fault_breaking import Breaker, doubled
from fault_ledger import Client, Ledger, assert_kept, lone_task, story
from orkestra.testkit.stack import Stack, running_stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.xdist_group("faulted stack"), pytest.mark.timeout(600)]

SEEDS = [int(seed) for seed in os.environ.get("FAULT_SEEDS", "1").split(",")]
STORIES, LONE_TASKS, FAULTS = 8, 6, 5


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
async def faulted(faults: Path) -> AsyncIterator[Stack]:
    inject = Path(__file__).parent / "inject"
    settings = {"PYTHONPATH": str(inject), "FAULT_FOLDER": str(faults)}
    async with running_stack(port_offset=2050 + os.getpid() % 50 * 400, settings=settings) as stack:
        yield stack


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(faulted: Stack, faults: Path, seed: int) -> None:
    ledger = Ledger()
    breaker = Breaker(faulted, faults, seed)
    with doubled(faulted):
        async with (
            faulted.rest(key="system") as http,
            faulted.rest(email=faulted.member_of("support-l1")) as people,
        ):
            system, person = Client(http, ledger), Client(people, ledger)
            works = [story(system, person, ledger.open()) for _ in range(STORIES)]
            works += [lone_task(system, person, ledger.open()) for _ in range(LONE_TASKS)]
            await asyncio.gather(breaker.run(FAULTS, pause=2.0), *works)
    print(f"seed {seed}: {'; '.join(breaker.done)}; longest wait {ledger.longest_seconds:.1f} s")  # noqa: T201
    assert len(breaker.done) == FAULTS
    await assert_kept(faulted, ledger)


async def test_a_process_dies_at_the_point_that_is_armed(faulted: Stack, faults: Path) -> None:
    before = faulted.pid("task-service")
    (faults / "armed").write_text(
        '{"id": "here", "module": "orkestra.task_service", "point": "after-commit", "after": 1}', "utf-8"
    )
    ledger = Ledger()
    async with faulted.rest(key="system") as http, faulted.rest(email=faulted.member_of("support-l1")) as people:
        await lone_task(Client(http, ledger), Client(people, ledger), ledger.open())
    assert (faults / "fired-here").exists()
    await eventually(lambda: faulted.pid("task-service") != before, timeout=30)
    await assert_kept(faulted, ledger)

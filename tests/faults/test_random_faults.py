"""Whatever breaks, in whatever order: nothing acknowledged is lost, nothing happens twice, everything ends.

Two of each service run behind their doors and share the calls. `make faults` plays ten seeds of several faults each
besides every fault by itself; FAULT_SEEDS=3,7 plays these seeds. A seed chooses what breaks, where and when.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
import yaml
from chassis_certificates import Authority
from fault_alarms import ALARMS, YEAR, raise_alarms
from fault_breaking import FAULTS, Fault
from fault_figures import ALERTS
from fault_ledger import ASKED, Client, Ledger, Promise, assert_kept, lone_task, register, story
from fault_system import FaultedStack, faulted_stack
from langfuse_endpoint import Endpoint as Langfuse
from langfuse_endpoint import serving
from orkestra.testkit.waiting import eventually
from webhook_endpoint import Endpoint, listening

pytestmark = [pytest.mark.xdist_group("faulted stack"), pytest.mark.timeout(900)]

Work = Callable[[Client, Client, Promise], Awaitable[None]]

SEEDS = [int(seed) for seed in os.environ.get("FAULT_SEEDS", "").split(",") if seed]
IS_WHOLE = bool(SEEDS)
"""Whether this is `make faults`; else each second counts, for it is part of every run of the tests."""
SHORT = ("killed", "full_disk", "parted_from_one", "replies_cut", "told_again")
LOAD, EACH, PAUSE = (3 if IS_WHOLE else 1), 6, 1.0
NOISE_SECONDS, NOISY_CONNECTIONS, SAMPLES = 6.0, 16, 30
MOST_TIMES_SLOWER = 15.0
VANISHED_SECONDS, NOTICED_WITHIN = 50.0, 30.0
RECOVERED_WITHIN = float(os.environ.get("FAULT_RECOVERED_WITHIN", "120"))
"""Seconds after the end of a fault in which a whole story goes through: 30 on a machine of one's own."""


@pytest.fixture(scope="module")
async def outside() -> AsyncIterator[Endpoint]:
    async with listening() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def langfuse() -> Iterator[Langfuse]:
    with serving(Langfuse()) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Issues the certificate `tls` of a service."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    authority.issue("tls", hours=YEAR)
    return authority


@pytest.fixture(scope="module")
async def faulted(outside: Endpoint, langfuse: Langfuse, authority: Authority) -> AsyncIterator[FaultedStack]:
    told = {"BASE_URL": langfuse.url, "PUBLIC_KEY": "pk", "SECRET_KEY": "sk"} if IS_WHOLE else {}
    settings = {f"ORKESTRA_LANGFUSE_{name}": value for name, value in told.items()}
    settings["FAULT_CERTIFICATES"] = str(authority.ca_file.parent)
    async with faulted_stack(port_offset=2050 + os.getpid() % 50 * 400, settings=settings) as stack:
        await register(stack, outside)
        yield stack


async def play(stack: FaultedStack, faults: list[Fault], chance: random.Random, *, load: int) -> Ledger:
    """Break one thing after another while clients work; after each, a whole story has to go through soon."""
    ledger, over = Ledger(), asyncio.Event()
    async with stack.rest(key="system") as http, stack.rest(email=stack.member_of("support-l1")) as people:
        system, person = Client(http, ledger), Client(people, ledger)

        async def work(kind: Work) -> None:
            while not over.is_set():
                await kind(system, person, ledger.open())
                await asyncio.sleep(random.uniform(0, PAUSE))  # not by the seed: clients take turns as they come

        async with asyncio.TaskGroup() as at_once:
            for kind in [story, lone_task] * load:
                at_once.create_task(work(kind))
            for fault in faults:
                await asyncio.sleep(chance.uniform(0.2, PAUSE))
                what = await fault(stack, chance)
                mended = time.monotonic()
                await story(system, person, ledger.open())
                took = time.monotonic() - mended
                print(f"{what}; whole again after {took:.1f} s")  # noqa: T201
                assert took <= RECOVERED_WITHIN, what
            over.set()
    print(ledger.summary)  # noqa: T201
    return ledger


def plays() -> Mapping[str, Sequence[str]]:
    """What breaks in each test, by its name, from which all that is left to chance follows."""
    if not IS_WHOLE:
        return {"a short set": SHORT}
    names = list(FAULTS)
    together = {f"seed {seed}": [names[(seed * EACH + nth) % len(names)] for nth in range(EACH)] for seed in SEEDS}
    return {name: [name] for name in names} | together  # ten seeds in a row play each of them


@pytest.mark.parametrize(("name", "broken"), plays().items(), ids=plays().keys())
async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(
    faulted: FaultedStack, outside: Endpoint, name: str, broken: Sequence[str]
) -> None:
    chance = random.Random(name)
    print(name)  # noqa: T201
    faults = [FAULTS[one] for one in chance.sample(broken, len(broken))]
    await assert_kept(faulted, await play(faulted, faults, chance, load=LOAD), outside)


async def test_a_process_dies_at_the_point_that_is_armed_and_the_other_takes_over(
    faulted: FaultedStack, outside: Endpoint
) -> None:
    before = faulted.info["processes"]
    (faulted.folder / "armed").write_text(
        '{"id": "here", "module": "orkestra.task_service", "point": "after-commit", "after": 1}', "utf-8"
    )
    ledger = Ledger()
    async with faulted.rest(key="system") as http, faulted.rest(email=faulted.member_of("support-l1")) as people:
        await lone_task(Client(http, ledger), Client(people, ledger), ledger.open())
    assert (faulted.folder / "fired-here").exists()

    def is_back() -> bool:
        after = faulted.info["processes"]
        return {name for name in before if after[name] != before[name]} in ({"task-service"}, {"task-service-2"})

    await eventually(is_back, timeout=60)
    await assert_kept(faulted, ledger, outside)


if IS_WHOLE:

    async def test_a_noisy_tenant_slows_others_down_within_bounds(faulted: FaultedStack) -> None:
        """Best of three: the noise comes from this machine too, and so may other work."""
        ratios = []
        async with faulted.rest(key="system") as http:
            await median_seconds(http)  # warm
            for _ in range(3):
                calm = await median_seconds(http)
                noise = await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(Path(__file__).with_name("fault_noise.py")),
                    *(faulted.info["rest"], faulted.info["other"]["api_keys"]["admin"]),
                    *(str(NOISE_SECONDS), str(NOISY_CONNECTIONS)),
                )
                await asyncio.sleep(NOISE_SECONDS / 4)
                ratios.append(await median_seconds(http) / calm)
                await noise.wait()
        print(f"slower by {', '.join(f'{ratio:.1f}' for ratio in ratios)} times beside a noisy tenant")  # noqa: T201
        assert min(ratios) <= MOST_TIMES_SLOWER

    async def test_a_machine_that_vanishes_is_soon_asked_no_more(faulted: FaultedStack) -> None:
        """No connection to it is ended: calls get no answer until somebody notices."""
        async with faulted.rest(key="system") as http:
            for _ in range(SAMPLES):  # both are spoken with until then
                (await http.get("/v1/tasks")).raise_for_status()
            unanswered = []
            async with faulted.parted("task-service-2", "*"):
                vanished = time.monotonic()
                while (passed := time.monotonic() - vanished) < VANISHED_SECONDS:
                    if (await http.get("/v1/tasks")).status_code != httpx.codes.OK:
                        unanswered.append(passed)
                    await asyncio.sleep(0.1)
        print(f"asked {len(unanswered)} times in vain, for {max(unanswered, default=0):.1f} s")  # noqa: T201
        assert unanswered
        assert max(unanswered) <= NOTICED_WITHIN

    async def test_the_alerts_of_the_chart_fire_on_what_a_faulted_stack_shows(
        faulted: FaultedStack, outside: Endpoint, langfuse: Langfuse, authority: Authority, tmp_path: Path
    ) -> None:
        written = {rule["alert"] for group in yaml.safe_load(ALERTS.read_text("utf-8")) for rule in group["rules"]}
        assert written == ALARMS
        await raise_alarms(faulted, outside, langfuse, authority, tmp_path)


async def median_seconds(http: httpx.AsyncClient) -> float:
    """How long it takes to open a task and to read it."""
    took = []
    for _ in range(SAMPLES):
        began = time.perf_counter()
        opened = (await http.post("/v1/tasks", json=ASKED)).raise_for_status().json()
        (await http.get(f"/v1/tasks/{opened['task_id']}")).raise_for_status()
        took.append(time.perf_counter() - began)
    return statistics.median(took)

"""What a faulted stack shows Prometheus, kept second by second, and which of the chart's alerts fire on it."""

import asyncio
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import yaml
from fault_system import FaultedStack

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "helm" / "orkestra" / "files" / "alerts.yaml"
PROMTOOL = Path(sys.prefix) / "deploy" / "prometheus" / "promtool"
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
"""Longest time for the figures of one process: a crowded machine does not make it one that is away."""
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
INTERVAL = 30
"""Seconds that pass in the rules' world between two looks; the rules themselves are the chart's, unchanged."""
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


class Figures:
    """Samples by series; one that was not there at a look is absent there."""

    def __init__(self, stack: FaultedStack) -> None:
        self._stack = stack
        self._looks = 0
        self._series: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self._asked = sorted(set(re.findall(r"\b(?:orkestra|http|rpc|db)_\w+", ALERTS.read_text("utf-8"))))

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Look every second for the length of the block."""
        looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def looked(self, times: int) -> None:
        """Return when so many more looks were taken."""
        until = self._looks + times
        while self._looks < until:  # noqa: ASYNC110 - looks are taken one by one, by the clock
            await asyncio.sleep(EVERY_SECONDS / 4)

    def assert_calm(self, folder: Path, *, looks: int) -> None:
        """No alert fired within the first looks; so says promtool."""
        alerts = 'ALERTS{alertstate="firing"}'
        done = self._judge(folder, [{"expr": alerts, "eval_time": f"{looks * INTERVAL}s", "exp_samples": []}])
        assert done.returncode == 0, done.stdout + done.stderr

    async def fired(self, names: Collection[str], folder: Path, *, within: float) -> None:
        """Return once each of the alerts has fired at some time, as promtool says; they have to in so many seconds."""
        until = time.monotonic() + within
        while missing := await asyncio.to_thread(self._silent, names, folder):
            assert time.monotonic() < until, f"{sorted(missing)} did not fire within {within:g} s"
            await self.looked(2)

    def _silent(self, names: Collection[str], folder: Path) -> set[str]:
        """Which of the alerts have not fired yet."""
        done = self._judge(folder, [self._fired(name) for name in sorted(names)])
        silent = {name for name in names if f'"{name}"' in (done.stdout + done.stderr).replace("\\", "")}
        assert bool(silent) == bool(done.returncode), done.stdout + done.stderr
        return silent

    def _judge(self, folder: Path, asked: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        rules = ALERTS.read_text("utf-8").replace("$namespace", "orkestra").replace("$fullname", "orkestra")
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": yaml.safe_load(rules)}), "utf-8")
        test = {
            "name": "faults",
            "interval": f"{INTERVAL}s",
            "input_series": [{"series": one, "values": self._values(one)} for one in list(self._series)],
            "promql_expr_test": asked,
        }
        tests = {"rule_files": ["rules.yaml"], "evaluation_interval": f"{INTERVAL}s", "tests": [test]}
        (folder / "tests.yaml").write_text(yaml.dump(tests, Dumper=DUMPER), "utf-8")
        words: list[str | Path] = [PROMTOOL, "test", "rules", folder / "tests.yaml"]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def _fired(self, name: str) -> dict[str, Any]:
        length = f"{self._looks * INTERVAL}s"
        firing = f'count(ALERTS{{alertstate="firing",alertname="{name}"}})'
        return {
            "expr": f"max_over_time({firing}[{length}:{INTERVAL}s]) > bool 0",
            "eval_time": length,
            "exp_samples": [{"labels": "{}", "value": 1}],
        }

    def _values(self, series: str) -> str:
        samples = self._series[series]
        return " ".join(samples.get(look, "_") for look in range(self._looks))

    async def _look_on(self) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            loop = asyncio.get_running_loop()
            while True:
                began = loop.time()
                health: Mapping[str, str] = self._stack.info["health"]
                await asyncio.gather(*(self._look(http, process, url) for process, url in health.items()))
                self._looks += 1
                await asyncio.sleep(max(0.0, EVERY_SECONDS - (loop.time() - began)))

    async def _look(self, http: httpx.AsyncClient, process: str, url: str) -> None:
        labels = f'namespace="orkestra",service="orkestra-{process.removesuffix("-2")}",pod="{process}"'
        text = ""
        with suppress(httpx.HTTPError):
            text = (await http.get(f"{url}/metrics")).raise_for_status().text
        self._series[f'up{{{labels},instance="{process}"}}'][self._looks] = "1" if text else "0"
        for line in text.splitlines():
            found = SAMPLE.match(line)
            if found is not None and found[1] in self._asked:
                own = f"{found[2]}," if found[2] else ""
                self._series[f"{found[1]}{{{own}{labels}}}"][self._looks] = found[3]

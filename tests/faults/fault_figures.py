"""What a faulted stack shows Prometheus, kept second by second, and which of the chart's alerts fire on it."""

import asyncio
import re
import subprocess
import sys
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

    def assert_fired(self, names: Collection[str], folder: Path, *, calm: int) -> None:
        """Each of the alerts fired at some time, and none at all within the first `calm` looks; so says promtool."""
        rules = ALERTS.read_text("utf-8").replace("$namespace", "orkestra").replace("$fullname", "orkestra")
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": yaml.safe_load(rules)}), "utf-8")
        quiet = {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{calm * INTERVAL}s", "exp_samples": []}
        test = {
            "name": "faults",
            "interval": f"{INTERVAL}s",
            "input_series": [{"series": one, "values": self._values(one)} for one in self._series],
            "promql_expr_test": [quiet, *(self._fired(name) for name in sorted(names))],
        }
        tests = {"rule_files": ["rules.yaml"], "evaluation_interval": f"{INTERVAL}s", "tests": [test]}
        (folder / "tests.yaml").write_text(yaml.safe_dump(tests), "utf-8")
        words: list[str | Path] = [PROMTOOL, "test", "rules", folder / "tests.yaml"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

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
        async with httpx.AsyncClient(timeout=EVERY_SECONDS * 0.8) as http:
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

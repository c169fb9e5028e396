"""Draws what both sides come to over the load, from one client to many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Step:
    """What one side came to with so many clients at once: cycles per second, and the median cycle in milliseconds."""

    clients: int
    per_second: float
    cycle_ms: float


def draw(path: Path, lines: Mapping[str, Sequence[Step]]) -> None:
    """Write an SVG with cycles per second and the median cycle over the number of clients, a line for each side."""
    mpl.rcParams["svg.hashsalt"] = "orkestra"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    rate, wait = figure.subplots(1, 2)
    for name, steps in lines.items():
        clients = [step.clients for step in steps]
        rate.plot(clients, [step.per_second for step in steps], marker="o", label=name)
        wait.plot(clients, [step.cycle_ms for step in steps], marker="o", label=name)
    for axes, title in ((rate, "cycles per second"), (wait, "a cycle, median, ms")):
        axes.set_xscale("log", base=2)
        axes.set_xticks(clients, [str(count) for count in clients])
        axes.set_xlabel("clients at once")
        axes.set_ylabel(title)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})

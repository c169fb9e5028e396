"""Reads from /proc what each process of the stack has used of the processors."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """Return the seconds used so far, by name; a server counts with its children that have no name of their own."""
    names = {pid: name for name, pid in processes.items()}
    used = dict.fromkeys(processes, 0)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        name = names.get(int(stat.parent.name)) or names.get(int(fields[1]))
        if name is not None:
            used[name] += sum(int(ticks) for ticks in fields[11:15])
    return {name: ticks / TICKS for name, ticks in used.items()}

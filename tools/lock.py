"""Pins every dependency of the workspace with hashes in requirements.lock, keeping the pinned versions that still fit.

python tools/lock.py [--upgrade PACKAGE ...]
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", nargs="*", default=[], metavar="PACKAGE")
    upgraded = [word for name in parser.parse_args().upgrade for word in ("--upgrade-package", name)]
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
    command: list[str | Path] = [Path(sys.executable).with_name("uv"), "pip", "compile", "-", "--output-file", LOCK]
    done = subprocess.run(
        [*command, *options, "--no-annotate", "--no-header", "--quiet", *upgraded],
        input="\n".join(requirements()),
        text=True,
        check=False,
        cwd=ROOT,
    )
    sys.exit(done.returncode)


def requirements() -> list[str]:
    """What the packages need besides each other, with what the checks and tests need."""
    projects = [tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "pyproject.toml", *members())]
    own = {project["project"]["name"] for project in projects}
    wanted = [line for project in projects for line in project["project"].get("dependencies", [])]
    wanted += [
        line for project in projects for group in project.get("dependency-groups", {}).values() for line in group
    ]
    return sorted({line for line in wanted if name_of(line) not in own})


def members() -> list[Path]:
    return sorted(
        path for folder in ("libs", "services", "examples") for path in ROOT.glob(f"{folder}/*/pyproject.toml")
    )


def name_of(requirement: str) -> str:
    found = NAME.match(requirement)
    return found[0] if found else requirement


if __name__ == "__main__":
    main()

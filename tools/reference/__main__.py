"""Regenerate the reference pages of docs/, or check with --check that they are what the code says.

.venv/bin/python -m tools.reference [--check]
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from tools.reference import cli, decisions, dependencies, errors, mcp_tools, rest, sdk, settings
from tools.reference.markdown import Gap

ROOT = Path(__file__).resolve().parents[2]
PAGES: dict[str, Callable[[Path], str]] = {
    "docs/settings.md": settings.page,
    "docs/errors.md": errors.page,
    "docs/adr/index.md": decisions.page,
    "docs/dependencies.md": dependencies.page,
    "docs/api-reference/rest-api.md": lambda _: rest.page(),
    "docs/api-reference/mcp-tools.md": lambda _: asyncio.run(mcp_tools.page()),
    "docs/api-reference/sdk-reference.md": sdk.page,
    "docs/api-reference/cli-reference.md": lambda _: cli.page(),
}


def main() -> int:
    """Write the pages, or compare them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is not fresh")
    check = parser.parse_args().check
    _be_quiet()
    stale, gaps = [], []
    for name, make in PAGES.items():
        try:
            text = make(ROOT)
        except Gap as gap:
            gaps.append(f"{name}: {gap}")
            continue
        path = ROOT / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"wrote {name}")
    for gap_found in gaps:
        print(gap_found, file=sys.stderr)
    if check and stale:
        print(f"Not what the code says: {', '.join(stale)}. Run `make reference`.", file=sys.stderr)
    return int(bool(gaps or (check and stale)))


def _be_quiet() -> None:
    """Keeps what a door logs while it is asked out of the output."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    sys.exit(main())

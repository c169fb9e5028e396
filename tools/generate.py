"""Regenerate libs/contracts from proto/, or check with --check that it is fresh."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
PLUGIN = """#!/bin/sh
PYTHONPATH="{tools}" exec "{python}" -m protoc_gen_pydantic
"""


def main() -> int:
    """Write the generated files, or compare them; return the exit status."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "fresh"
        if not _generate(options.proto, options.include, fresh):
            return 1
        return _compare(fresh, options.out) if options.check else _write(fresh, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proto", type=Path, default=ROOT / "proto", help="the root of the .proto files")
    parser.add_argument("--include", type=Path, action="append", default=[], help="a further root to import from")
    parser.add_argument("--out", type=Path, default=ROOT / "libs/contracts/src", help="where the packages are written")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not fresh")
    return parser.parse_args()


def _generate(proto: Path, include: list[Path], out: Path) -> bool:
    out.mkdir()
    plugin = out.parent / "protoc-gen-pydantic"
    plugin.write_text(PLUGIN.format(tools=TOOLS, python=sys.executable))
    plugin.chmod(0o755)
    files = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
    protoc = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-pydantic={plugin}"),
        *(f"-I{root}" for root in (proto, *include)),
        *(f"--{kind}_out={out}" for kind in ("python", "pyi", "pydantic")),
    ]
    if subprocess.run([*protoc, *files], check=False).returncode != 0:
        return False
    return _format(out)


def _format(out: Path) -> bool:
    """Sort and drop imports, then format. protoc's own modules stay as they are, but for a line that mypy needs."""
    for stub in out.rglob("*_pb2.pyi"):
        stub.write_text(f"# mypy: disable-error-code=type-arg\n{stub.read_text()}")
    modules = [str(path) for path in sorted(out.rglob("*.py")) if not path.name.endswith("_pb2.py")]
    ruff = [sys.executable, "-m", "ruff"]
    style = ["--isolated", "--quiet", "--no-cache", "--line-length=120", "--target-version=py311"]
    imports = ["--fix", "--select=F401,I", "--config=lint.isort.known-first-party=['orkestra']"]
    steps = ([*ruff, "check", *style, *imports, *modules], [*ruff, "format", *style, *modules])
    return all(subprocess.run(step, check=False).returncode == 0 for step in steps)


def _write(fresh: Path, out: Path) -> int:
    for path in _generated(out):
        if not (fresh / path).exists():
            (out / path).unlink()
    for path in _files(fresh):
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (fresh / path).read_bytes()
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)
    return 0


def _compare(fresh: Path, out: Path) -> int:
    stale = [
        path
        for path in sorted(_files(fresh) | _generated(out))
        if not (fresh / path).exists()
        or not (out / path).exists()
        or (fresh / path).read_bytes() != (out / path).read_bytes()
    ]
    for path in stale:
        print(f"{out / path} is not fresh; run `make proto`", file=sys.stderr)
    return 1 if stale else 0


def _files(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in root.rglob("*") if path.is_file()}


def _generated(out: Path) -> set[Path]:
    """Return what a former run wrote: each *_pb2.py with its siblings."""
    found = set[Path]()
    for path in out.rglob("*_pb2.py"):
        stem = path.name.removesuffix("_pb2.py")
        siblings = (path, path.with_suffix(".pyi"), path.with_name(f"{stem}.py"))
        found |= {sibling.relative_to(out) for sibling in siblings if sibling.exists()}
    return found


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())

"""Makes .venv from requirements.lock and installs the workspace into it; needs only Python and its venv module.

    python3 tools/install.py [--venv .venv]

Does nothing where the lock and every pyproject.toml are those of the last installation.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
Command = list[str | Path]
NO_INDEX = "What is pinned could not be fetched: this needs a package index that pip can reach (see `pip config list`)."
PIP_SETTINGS = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    venv = parser.parse_args().venv.absolute()
    stamp = venv / ".orkestra-installed"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text("utf-8") == wanted and (venv / "bin" / "python").exists():
        return
    stamp.unlink(missing_ok=True)
    install(venv)
    stamp.write_text(wanted, "utf-8")


def fingerprint() -> str:
    """Changes with whatever an installation depends on."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for path in [ROOT / "requirements.lock", Path(__file__), ROOT / "pyproject.toml", *members()]:
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def members() -> list[Path]:
    """The pyproject.toml of every package of the workspace."""
    return sorted(
        path for folder in ("libs", "services", "examples") for path in ROOT.glob(f"{folder}/*/pyproject.toml")
    )


def install(venv: Path) -> None:
    if sys.version_info < NEEDED:
        sys.exit(
            f"Orkestra needs Python {NEEDED[0]}.{NEEDED[1]} or newer; {sys.executable} is {sys.version.split()[0]}."
        )
    if not (venv / "bin" / "uv").exists():
        make_venv(venv)
        say("Installing uv …")
        pinned = ROOT / "requirements.lock"
        wanted = venv / "uv.lock.txt"
        wanted.write_text(entry(pinned.read_text("utf-8"), "uv"), "utf-8")
        pip: Command = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "-r", wanted], hint=NO_INDEX)
        wanted.unlink()
    say("Installing what requirements.lock pins …")
    uv: Command = [venv / "bin" / "uv", "pip", "install", "--quiet", "--python", venv / "bin" / "python"]
    run([*uv, "--require-hashes", "-r", ROOT / "requirements.lock"], hint=NO_INDEX)
    say("Installing the workspace …")
    editables: Command = [word for path in members() for word in ("-e", path.parent)]
    run([*uv, "--no-deps", "--no-build-isolation", *editables], hint="The workspace could not be installed.")
    say("Compiling what the processes import …")
    load = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    run([venv / "bin" / "python", "-c", load, *programs()], hint="What was installed cannot be imported.")


def programs() -> list[str]:
    """The modules that are run: imported once here, else all of them compile the same files at their first start."""
    found = (path.parent.name for path in ROOT.glob("*/*/src/orkestra/*/__main__.py"))
    return [*sorted(f"orkestra.{package}.__main__" for package in found), "orkestra.cli.commands"]


def make_venv(venv: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", venv], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        sys.exit(
            f"Python's venv module does not work (Debian and Ubuntu: install python3-venv):\n{made.stdout}{made.stderr}"
        )


def entry(lock: str, name: str) -> str:
    """The lines of one package in the lock."""
    lines = lock.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    last = first
    while lines[last].endswith("\\"):
        last += 1
    return "\n".join(lines[first : last + 1]) + "\n"


def run(command: Command, *, hint: str) -> None:
    if subprocess.run(command, check=False, env=environment(command[0])).returncode:
        sys.exit(hint)


def environment(program: str | Path) -> dict[str, str]:
    """What the program is told besides its arguments."""
    return {**os.environ, **index_of_pip(program)}


def index_of_pip(program: str | Path) -> dict[str, str]:
    """Pip's configured index, which uv does not read by itself."""
    if Path(program).name != "uv":
        return {}
    found = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip; the hashes say which file is meant
    for key, variable in PIP_SETTINGS.items():
        pip: Command = [Path(program).with_name("python"), "-m", "pip", "config", "get", f"global.{key}"]
        told = subprocess.run(pip, capture_output=True, text=True, check=False).stdout.strip()
        if told and variable not in os.environ:
            found[variable] = told
    return found


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()

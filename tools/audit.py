"""Looks over everything that others wrote: licences, known vulnerabilities, and a bill of materials.

    .venv/bin/python -m tools.audit [--offline]

Ends with 1 where a licence is not one of those that we take, or a vulnerability is known; with 3 where nobody could be
asked for vulnerabilities. The bill of materials (CycloneDX) is written to build/sbom.cdx.json.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tools.image import bill_of_materials_of, licence
from tools.lock import LOCK, ROOT, members

TAKEN = ("Apache", "BSD", "CNRI", "ISC", "MIT", "MPL-2.0", "Mozilla", "PSF", "Python", "Unlicense", "Zlib", "0BSD")
"""What the names of licences that we take contain; none asks for more than a notice, or for its own files."""
REFUSED = ("AGPL", "GPL", "SSPL", "BUSL", "Commons Clause")
AUDITOR = "pip-audit==2.10.1"
HOME = Path(sys.prefix) / "audit"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", action="store_true", help="ask nobody for known vulnerabilities")
    offline = parser.parse_args().offline
    installed = sorted(product_packages())
    bad = [f"{name}: {terms}" for name in installed if not is_taken(terms := licence(metadata.distribution(name)))]
    for line in bad:
        print(f"This licence is not one that we take: {line}", file=sys.stderr)
    target = ROOT / "build" / "sbom.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(bill_of_materials_of("orkestra", installed), indent=1), "utf-8")
    print(
        f"{len(installed)} packages; licences: {'not all taken' if bad else 'all taken'}; bill of materials: {target}"
    )
    return max(int(bool(bad)), 0 if offline else vulnerabilities(product=set(installed)))


def product_packages() -> set[str]:
    """Names of everything that is installed with a package of ours, however far below, as far as it is here."""
    found: set[str] = set()
    waiting = list(direct())
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        found.add(name)
        waiting += [
            one.name for one in map(Requirement, needs) if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    return found


def direct() -> Iterator[str]:
    """Names of what our packages declare, without each other and without what only tests stand on."""
    for path in members():
        if path.parent.name == "testkit":
            continue
        for line in tomllib.loads(path.read_text("utf-8"))["project"].get("dependencies", []):
            if not line.startswith("orkestra-"):
                yield Requirement(line).name


def is_taken(terms: str) -> bool:
    """Whether each licence that is named is one of ours to take; of alternatives, whether one is."""
    alternatives = terms.replace("(", "").replace(")", "").split(" OR ")
    return any(
        all(any(word in part for word in TAKEN) and not refused(part) for part in one.split(" AND "))
        for one in alternatives
    )


def refused(terms: str) -> bool:
    return any(word in terms for word in REFUSED)


def vulnerabilities(product: set[str]) -> int:
    """Ask PyPI's advisories for every locked version; 3 where they cannot be had."""
    if not (HOME / "bin" / "pip-audit").exists():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, HOME], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", HOME / "bin" / "python", AUDITOR], check=True)
    command: list[str | Path] = [HOME / "bin" / "pip-audit", "-r", LOCK, "--disable-pip", "--format", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        print(f"Nobody could be asked for vulnerabilities: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return 3
    return told(json.loads(done.stdout)["dependencies"], product)


def told(dependencies: Iterable[dict[str, Any]], product: set[str]) -> int:
    """Print each known vulnerability; 1 where there is one, 3 where most packages were unknown to who was asked."""
    asked = list(dependencies)
    unknown = [one["name"] for one in asked if "skip_reason" in one]
    known = [(one, flaw) for one in asked for flaw in one.get("vulns", [])]
    for one, flaw in known:
        where = "in the product" if one["name"].lower() in product else "in tests and tools only"
        better = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']} ({where}): {flaw['id']}; mended in {better}", file=sys.stderr)
    print(f"{len(asked) - len(unknown)} of {len(asked)} locked packages were looked up; {len(known)} vulnerabilities.")
    if known:
        return 1
    if len(unknown) * 2 > len(asked):
        print("Most packages are not known to the index that answered: this was no audit.", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())

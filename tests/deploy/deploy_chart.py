"""The chart as tests render it: by Helm's own program, parsed."""

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "orkestra"
TOOLS = Path(sys.prefix) / "deploy"
PROGRAMS = TOOLS / "programs" / "bin"
HELMS = ("3.17", "4.3")
SETS = ("evaluation", "external", "gateway", "keda", "minimal", "production")
NEEDS_TOOLS = pytest.mark.skipif(
    not (TOOLS / "complete").exists(), reason="`make deploy-tools` installs Helm, kubectl, hadolint and checkov"
)
MADE_UP = re.compile(r"^(  [a-z-]+): [A-Za-z0-9+/=]{20,}$", re.MULTILINE)
"""What the evaluation profile's Secret holds is different each time."""

Manifest = dict[str, Any]


class HelmError(Exception):
    """What Helm said when it refused."""


def run_helm(*words: str | Path, helm: str = "4.3") -> str:
    done = subprocess.run([TOOLS / f"helm-{helm}" / "helm", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr)
    return done.stdout


@functools.cache
def rendered_text(values: str, helm: str = "4.3", sets: tuple[str, ...] = ()) -> str:
    """What Helm renders with one of the value sets and further values; what is made up is starred."""
    options = [word for one in sets for word in ("--set-json", one)]
    file = CHART / "ci" / f"{values}-values.yaml"
    text = run_helm("template", "orkestra", CHART, "--namespace", "orkestra", "--values", file, *options, helm=helm)
    return MADE_UP.sub(r"\1: '*'", text)


@functools.cache
def rendered(values: str, *sets: str, helm: str = "4.3") -> tuple[Manifest, ...]:
    return tuple(one for one in yaml.load_all(rendered_text(values, helm, sets), Loader=yaml.CSafeLoader) if one)


def of_kind(kind: str, values: str, *sets: str) -> dict[str, Manifest]:
    """The manifests of a kind by name without the release's."""
    found = [one for one in rendered(values, *sets) if one["kind"] == kind]
    return {one["metadata"]["name"].removeprefix("orkestra-"): one for one in found}


def pod_of(manifest: Manifest) -> Manifest:
    """The pod's own specification."""
    spec: Manifest = manifest["spec"]
    return dict(spec["template"]["spec"]) if "template" in spec else spec


def pods(values: str, *sets: str) -> list[Manifest]:
    kinds = ("Deployment", "StatefulSet", "Job", "Pod")
    return [pod_of(one) for one in rendered(values, *sets) if one["kind"] in kinds]


def environment(container: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container.get("env", [])}

"""Writes down what a released chart puts into a cluster, against which tests hold every later one.

    .venv/bin/python tools/release_chart.py v0.1.0

To be run when a version is tagged, with the tag: the chart is taken from there, not from the working tree.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "deploy"
RELEASED = TESTS / "released"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ref", help="the tag of the release")
    ref = parser.parse_args().ref
    sys.path.insert(0, str(TESTS))
    from chart_upgrade import kept  # noqa: PLC0415 - the tests' folder is no package
    from deploy_chart import run_helm  # noqa: PLC0415

    archive = subprocess.run(["git", "archive", ref, "deploy/helm/orkestra"], cwd=ROOT, check=True, capture_output=True)
    RELEASED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
            packed.extractall(folder, filter="data")
        chart = Path(folder) / "deploy" / "helm" / "orkestra"
        for old in RELEASED.glob("*.yaml"):
            old.unlink()
        for values in sorted((chart / "ci").glob("*-values.yaml")):
            text = run_helm("template", "orkestra", chart, "--namespace", "orkestra", "--values", values)
            found = kept(one for one in yaml.safe_load_all(text) if one)
            (RELEASED / values.name).write_text(values.read_text("utf-8"), "utf-8")
            stands = RELEASED / values.name.replace("-values", "")
            stands.write_text(yaml.safe_dump(found, width=120), "utf-8")


if __name__ == "__main__":
    main()

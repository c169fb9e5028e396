"""The chart renders on both Helms as it was looked at, and every API server that it names takes the result."""

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from deploy_chart import CHART, HELMS, NEEDS_TOOLS, SETS, TOOLS, Manifest, rendered, rendered_text, run_helm

pytestmark = NEEDS_TOOLS

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
CUSTOM = {"HTTPRoute", "ServiceMonitor", "ScaledObject", "TriggerAuthentication", "PrometheusRule"}


def schemas(version: str) -> Path:
    """Where the API server's own schemas of this version are, without any field that it does not know."""
    found = TOOLS.glob(
        f"programs/lib/*/site-packages/kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict"
    )
    return next(found)


@functools.cache
def definitions(version: str) -> Any:
    return json.loads((schemas(version) / "_definitions.json").read_text("utf-8"))


@functools.cache
def validator(version: str, api: str, kind: str) -> jsonschema_rs.Validator:
    group, _, api_version = api.rpartition("/")
    name = "-".join([kind.lower(), *([group.split(".")[0]] if group else []), api_version])
    schema = json.loads((schemas(version) / f"{name}.json").read_text("utf-8"))
    base = "file:///schema.json"
    return jsonschema_rs.validator_for(schema, base_uri=base, retriever=lambda _: definitions(version))


def faults(manifest: Manifest, version: str) -> list[str]:
    found = validator(version, manifest["apiVersion"], manifest["kind"]).iter_errors(manifest)
    return [f"{version} {manifest['kind']} {manifest['metadata']['name']}: {error.message}" for error in found]


@pytest.mark.parametrize("values", SETS)
def test_the_render_is_the_one_that_was_looked_at(values: str) -> None:
    golden = (GOLDEN / f"{values}.yaml").read_text("utf-8")
    assert rendered_text(values) == golden, (
        "make golden writes them anew; look at the difference before it is committed"
    )


@pytest.mark.parametrize("values", SETS)
def test_the_older_helm_renders_the_same(values: str) -> None:
    assert rendered(values, helm="3.17") == rendered(values, helm="4.3")


@pytest.mark.parametrize("helm", HELMS)
def test_helm_finds_no_fault_with_the_chart(helm: str) -> None:
    said = run_helm("lint", "--strict", CHART, "--values", CHART / "ci" / "production-values.yaml", helm=helm)
    assert "0 chart(s) failed" in said


def test_every_value_set_is_rendered() -> None:
    assert {path.name for path in (CHART / "ci").iterdir()} == {f"{values}-values.yaml" for values in SETS}


def test_the_chart_names_the_oldest_version_that_is_checked() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["kubeVersion"] == f">={VERSIONS[0]}.0-0"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_api_server_takes_every_manifest(version: str) -> None:
    checked = [one for values in SETS for one in rendered(values) if one["kind"] not in CUSTOM]
    assert len(checked) > 200
    assert [fault for one in checked for fault in faults(one, version)] == []


def test_a_field_that_the_api_does_not_know_is_found() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"port": 1}}
    assert faults(wrong, "1.37")

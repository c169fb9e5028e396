"""The overlays inflate the chart, and skaffold builds what the dev overlay runs."""

import base64
import functools
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_chart import HELMS, NEEDS_TOOLS, ROOT, TOOLS, HelmError, Manifest, environment, pod_of

pytestmark = NEEDS_TOOLS
KUSTOMIZE = ROOT / "deploy" / "kustomize"
OVERLAYS = ("dev", "staging", "production")


@functools.cache
def overlay(name: str, helm: str = "4.3") -> tuple[Manifest, ...]:
    """What kubectl makes of an overlay."""
    kubectl, folder = TOOLS / "helm-4.3" / "kubectl", KUSTOMIZE / "overlays" / name
    words: list[str | Path] = [
        kubectl,
        "kustomize",
        "--enable-helm",
        "--helm-command",
        TOOLS / f"helm-{helm}" / "helm",
        folder,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr)
    return tuple(one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one)


def of_kind(kind: str, name: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"].removeprefix("orkestra-"): one for one in overlay(name) if one["kind"] == kind}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_the_chart_in_a_restricted_namespace(name: str) -> None:
    assert len(of_kind("Deployment", name)) >= 8
    assert of_kind("Namespace", name)["orkestra"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == (
        "restricted"
    )
    assert {one["metadata"].get("namespace", "orkestra") for one in overlay(name)} == {"orkestra"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_overlay_relies_on_hooks_that_kustomize_does_not_run(name: str) -> None:
    for job in of_kind("Job", name).values():
        assert "helm.sh/hook" not in job["metadata"].get("annotations", {})
    assert pod_of(of_kind("Deployment", name)["task-service"])["initContainers"]


def test_the_older_helm_inflates_the_same() -> None:
    assert overlay("production", "3.17") == overlay("production")


def test_no_manifest_stands_beside_the_chart() -> None:
    files = {path.relative_to(KUSTOMIZE).name for path in KUSTOMIZE.rglob("*") if path.is_file()}
    assert files == {"kustomization.yaml", "chart.yaml", "values.yaml", "namespace.yaml", "dev-only.env"}


def test_overlays_differ_in_what_they_are_for() -> None:
    assert set(of_kind("StatefulSet", "dev")) == {"postgresql", "nats", "temporal"}
    assert of_kind("StatefulSet", "staging") == of_kind("StatefulSet", "production") == {}
    assert of_kind("Deployment", "staging")["task-service"]["spec"]["replicas"] == 1
    scalers = of_kind("HorizontalPodAutoscaler", "production")
    assert (scalers["task-service"]["spec"]["minReplicas"], scalers["dashboard"]["spec"]["minReplicas"]) == (4, 3)


def test_the_dev_overlays_secret_is_whole() -> None:
    data = {key: base64.b64decode(value) for key, value in of_kind("Secret", "dev")["dev"]["data"].items()}
    assert len(base64.b64decode(data["token-signing-key"])) == len(base64.b64decode(data["receipt-signing-key"])) == 32
    for kind in ("Deployment", "StatefulSet", "Job"):
        for manifest in of_kind(kind, "dev").values():
            assert wanted(pod_of(manifest)) <= set(data)


def wanted(pod: Manifest) -> set[str]:
    """The keys that the pod mounts."""
    secrets = [one["secret"] for volume in pod["volumes"] for one in volume.get("projected", {}).get("sources", [])]
    secrets += [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    return {item["key"] for secret in secrets for item in secret["items"]}


def test_skaffold_builds_every_image_that_the_dev_overlay_runs() -> None:
    skaffold: Any = yaml.safe_load((ROOT / "skaffold.yaml").read_text("utf-8"))
    built = {one["image"]: one["docker"]["buildArgs"]["SERVICE"] for one in skaffold["build"]["artifacts"]}
    pods = [pod_of(one) for kind in ("Deployment", "StatefulSet", "Job") for one in of_kind(kind, "dev").values()]
    used = {
        one["image"].partition(":")[0] for pod in pods for one in (*pod.get("initContainers", []), *pod["containers"])
    }
    assert used == set(built)
    assert all(image == f"orkestra/{service}" for image, service in built.items())
    assert skaffold["manifests"]["kustomize"]["paths"] == ["deploy/kustomize/overlays/dev"]


def test_doors_are_named_as_the_namespace_has_them() -> None:
    told = environment(pod_of(of_kind("Deployment", "production")["mcp-gateway"])["containers"][0])
    assert "orkestra-mcp-gateway.orkestra.svc:*" in told["ORKESTRA_ALLOWED_HOSTS"]
    assert told["ORKESTRA_PUBLIC_URL"] == "https://mcp.acme.example/mcp"


def test_both_helms_are_the_ones_that_the_chart_promises() -> None:
    assert HELMS == ("3.17", "4.3")

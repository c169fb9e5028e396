"""What the chart allows: no more than Pod Security `restricted`, no arrow but those of the house."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from deploy_chart import NEEDS_TOOLS, PROGRAMS, SETS, Manifest, environment, of_kind, pod_of, pods

pytestmark = NEEDS_TOOLS
GOLDEN = Path(__file__).parent / "golden"
ROOMS = {"identity-service": 9001, "task-service": 9002, "workflow-worker": 9003, "notification-service": 9004}
ARROWS = {  # who calls whom, as docs/concepts/architecture.md draws it
    "api-gateway": {"identity-service", "task-service", "workflow-worker", "notification-service"},
    "dashboard": {"identity-service", "task-service", "workflow-worker", "notification-service"},
    "mcp-gateway": {"identity-service", "task-service", "workflow-worker"},
    "worker": {"identity-service", "task-service", "workflow-worker"},
    "workflow-worker": {"identity-service", "task-service", "notification-service"},
    "notification-service": {"identity-service", "task-service"},
    "task-service": {"identity-service"},
    "identity-service": set[str](),
}
EVENTS = set(ARROWS) - {"worker"}
TEMPORAL = {"worker", "workflow-worker"}
SKIPPED = {  # checkov's checks that do not hold here, and why
    "CKV_K8S_43": "images are named by a tag by default; global.image.tag takes a digest",
    "CKV_K8S_15": "IfNotPresent is right for tags that never change, and the only way without a registry",
}


@pytest.mark.parametrize("values", SETS)
def test_every_pod_passes_pod_security_restricted(values: str) -> None:
    for pod in pods(values):
        of_pod = pod["securityContext"]
        assert (of_pod["runAsNonRoot"], of_pod["runAsUser"], of_pod["seccompProfile"]) == (
            True,
            10001,
            {"type": "RuntimeDefault"},
        )
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
        assert {kind for volume in pod["volumes"] for kind in set(volume) - {"name"}} <= {
            "emptyDir",
            "projected",
            "secret",
        }
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert not any("hostPort" in port for port in container.get("ports", []))
            assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("values", SETS)
def test_no_secret_stands_in_a_variable(values: str) -> None:
    for pod in pods(values):
        assert pod["automountServiceAccountToken"] is False
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            for variable in container.get("env", []):
                assert "valueFrom" not in variable
                assert "password@" not in variable["value"]


def peers(rule: Manifest, side: str) -> set[str]:
    selectors = [one["podSelector"]["matchLabels"] for one in rule.get(side, []) if "podSelector" in one]
    return {labels["app.kubernetes.io/component"] for labels in selectors}


def test_everything_is_denied_but_the_arrows_of_the_house() -> None:
    policies = of_kind("NetworkPolicy", "minimal")
    assert policies["default-deny"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["default-deny"]["spec"]
    assert [port["port"] for port in policies["default-deny"]["spec"]["egress"][0]["ports"]] == [53, 53]
    for name, called in ARROWS.items():
        out = policies[name]["spec"]["egress"]
        assert {peer for rule in out for peer in peers(rule, "to")} == called
        open_ports = {port["port"] for rule in out if "to" not in rule for port in rule["ports"]}
        wanted = {5432} if name != "worker" else set()
        wanted |= {4222} if name in EVENTS else set()
        wanted |= {7233} if name in TEMPORAL else set()
        assert open_ports == wanted, name


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_hears_those_who_may_call_it(room: str) -> None:
    rules = of_kind("NetworkPolicy", "minimal")[room]["spec"]["ingress"]
    calling = {peer for rule in rules if rule["ports"] == [{"port": ROOMS[room]}] for peer in peers(rule, "from")}
    assert calling == {caller for caller, called in ARROWS.items() if room in called}


def test_arrows_outwards_end_where_the_values_say() -> None:
    rules = of_kind("NetworkPolicy", "production")["task-service"]["spec"]["egress"]
    outwards = {rule["ports"][0]["port"]: rule["to"] for rule in rules if not peers(rule, "to")}
    data = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}]
    assert (outwards[5432], outwards[4222]) == (data, data)
    assert set(outwards) == {5432, 4222, 4318, 9000}
    external = of_kind("NetworkPolicy", "external")["worker"]["spec"]["egress"]
    assert {port["port"] for rule in external if "to" not in rule for port in rule["ports"]} == {7234}


def test_langfuse_and_the_sign_in_providers_are_reached_by_one_service_each() -> None:
    speaking = {
        name
        for name, policy in of_kind("NetworkPolicy", "production").items()
        if any(port["port"] == 443 for rule in policy["spec"].get("egress", []) for port in rule["ports"])
    }
    assert speaking == {"notification-service", "identity-service"}
    to_providers = of_kind("NetworkPolicy", "production")["identity-service"]["spec"]["egress"]
    assert [port["port"] for rule in to_providers for port in rule["ports"]].count(443) == 1
    alone = of_kind("NetworkPolicy", "minimal")["identity-service"]["spec"]["egress"]
    assert 443 not in [port["port"] for rule in alone for port in rule["ports"]]


def test_the_bucket_of_files_is_reached_and_its_keys_are_held_by_task_service_alone() -> None:
    policies, deployments = of_kind("NetworkPolicy", "production"), of_kind("Deployment", "production")
    ways = {
        name: rule
        for name, one in policies.items()
        for rule in one["spec"].get("egress", [])
        if {"port": 9000} in rule["ports"]
    }
    storage = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}}]
    assert {name: rule["to"] for name, rule in ways.items()} == {"task-service": storage}
    holders = {name for name, one in deployments.items() if "s3-secret-key" in str(pod_of(one)["volumes"])}
    assert holders == {"task-service"}
    assert not re.search("ATTACHMENTS_(BUCKET|REGION|ENDPOINT|ACCESS|SECRET)", str(of_kind("Deployment", "minimal")))


def test_payload_keys_are_given_to_what_talks_to_temporal_alone_and_the_codec_endpoint_is_off_by_default() -> None:
    deployments = of_kind("Deployment", "production")
    holders = {name for name, one in deployments.items() if "payload-keys" in str(pod_of(one)["volumes"])}
    told = {name: environment(pod_of(one)["containers"][0]) for name, one in deployments.items()}
    workers = {name for name, one in told.items() if one.get("ORKESTRA_ROLE") == "worker"}
    assert workers
    assert holders == {"workflow-worker", *workers}
    open_to = of_kind("NetworkPolicy", "production")["workflow-worker"]["spec"]["ingress"]
    [codec] = [rule for rule in open_to if rule["ports"] == [{"port": 9013}]]
    assert codec["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    for values in ("minimal", "evaluation", "external"):
        assert "9013" not in str(of_kind("NetworkPolicy", values))
        assert "ORKESTRA_CODEC_PORT" not in str(of_kind("Deployment", values))


def test_webhooks_reach_the_internet_and_no_private_network_and_mail_its_server() -> None:
    rules = of_kind("NetworkPolicy", "production")["notification-service"]["spec"]["egress"]
    [internet] = [rule for rule in rules if any("ipBlock" in peer for peer in rule.get("to", []))]
    assert internet["ports"] == [{"port": 443}]
    assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} <= set(internet["to"][0]["ipBlock"]["except"])
    [mail] = [rule for rule in rules if rule["ports"] == [{"port": 587}]]
    assert mail["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "mail"}}}]
    others = {
        name
        for name, policy in of_kind("NetworkPolicy", "production").items()
        if any("ipBlock" in peer for rule in policy["spec"].get("egress", []) for peer in rule.get("to", []))
    }
    assert others == {"notification-service"}


def test_the_evaluations_servers_hear_only_who_uses_them() -> None:
    policies = of_kind("NetworkPolicy", "evaluation")
    heard = {name: peers(policies[name]["spec"]["ingress"][0], "from") for name in ("postgresql", "nats", "temporal")}
    assert heard["postgresql"] == set(ARROWS) - {"worker"} | {"migrations"}
    assert heard["nats"] == EVENTS
    assert heard["temporal"] == TEMPORAL | {"worker-examples"}
    assert all(not policies[name]["spec"].get("egress") for name in heard)


def test_doors_open_where_the_values_say() -> None:
    anyone = of_kind("NetworkPolicy", "minimal")["api-gateway"]["spec"]["ingress"][0]
    proxies = of_kind("NetworkPolicy", "production")["api-gateway"]["spec"]["ingress"][0]
    assert "from" not in anyone
    assert proxies["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]


def test_checkov_finds_nothing_but_what_was_weighed() -> None:
    files = [word for values in SETS for word in ("--file", str(GOLDEN / f"{values}.yaml"))]
    options = ["--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "--output", "json"]
    done = subprocess.run(
        [PROGRAMS / "checkov", *files, *options, "--skip-check", ",".join(SKIPPED)],
        capture_output=True,
        text=True,
        check=False,
    )
    results = json.loads(done.stdout)["results"]
    assert [f"{one['check_id']} {one['resource']}" for one in results["failed_checks"]] == []
    assert len(SKIPPED) <= 3

"""Each template does what its kind is for; a template without a test here fails."""

import base64
import json
from collections.abc import Callable
from typing import TypeVar

import pytest
import yaml
from deploy_chart import CHART, NEEDS_TOOLS, SETS, HelmError, environment, of_kind, pod_of, run_helm

pytestmark = NEEDS_TOOLS

SERVICES = {
    "api-gateway",
    "dashboard",
    "identity-service",
    "mcp-gateway",
    "notification-service",
    "task-service",
    "workflow-worker",
}
SCHEMAS = {"dashboard", "gateway", "identity", "mcp", "notification", "task", "workflow"}
DOORS = {"api-gateway": 8000, "mcp-gateway": 8001, "dashboard": 8080}
TESTED: set[str] = set()
Test = TypeVar("Test", bound=Callable[..., None])


def of_template(name: str) -> Callable[[Test], Test]:
    """Say which template a test is about."""
    assert (CHART / "templates" / name).exists(), name
    TESTED.add(name)
    return lambda test: test


def test_every_template_has_a_test() -> None:
    partials = {"_catalog.tpl", "_names.tpl", "_network.tpl", "_pod.tpl", "_process.tpl"}
    found = {str(path.relative_to(CHART / "templates")) for path in (CHART / "templates").rglob("*.*")}
    assert found == TESTED | partials


@of_template("deployment.yaml")
def test_every_service_and_worker_is_a_deployment() -> None:
    assert set(of_kind("Deployment", "minimal")) == SERVICES | {"worker"}
    assert set(of_kind("Deployment", "keda")) == SERVICES | {"worker", "refunds", "moderation"}
    assert set(of_kind("Deployment", "minimal", 'worker={"enabled": false}')) == SERVICES


@of_template("deployment.yaml")
def test_a_rollout_takes_no_process_away_before_another_is_ready() -> None:
    one = of_kind("Deployment", "production")["task-service"]["spec"]
    assert one["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert one["template"]["spec"]["terminationGracePeriodSeconds"] == 5 + 2 * 10 + 10


@of_template("deployment.yaml")
def test_kubernetes_adds_no_variable_of_its_own() -> None:
    """ORKESTRA_TASK_SERVICE_PORT and the like would be settings that no process knows."""
    assert all(pod_of(one)["enableServiceLinks"] is False for one in of_kind("Deployment", "minimal").values())


@of_template("deployment.yaml")
def test_probes_ask_what_they_mean() -> None:
    for one in of_kind("Deployment", "production").values():
        container = pod_of(one)["containers"][0]
        paths = [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
        assert paths == ["/livez", "/livez", "/readyz"]
        assert {"name": "health", "containerPort": int(environment(container)["ORKESTRA_HEALTH_PORT"])} in container[
            "ports"
        ]


@of_template("deployment.yaml")
def test_processes_of_one_service_are_spread_over_zones_and_nodes() -> None:
    spread = pod_of(of_kind("Deployment", "production")["task-service"])["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert {one["whenUnsatisfiable"] for one in spread} == {"DoNotSchedule"}


@of_template("deployment.yaml")
def test_images_come_from_where_the_values_say() -> None:
    one = pod_of(of_kind("Deployment", "production")["task-service"])
    assert one["containers"][0]["image"] == "registry.example/orkestra/task-service:0.1.0"
    assert one["imagePullSecrets"] == [{"name": "registry-login"}]
    digest = pod_of(of_kind("Deployment", "minimal", 'global.image.tag="sha256:ab"')["dashboard"])
    assert digest["containers"][0]["image"] == "orkestra/dashboard@sha256:ab"


@of_template("deployment.yaml")
def test_a_services_own_values_win_over_the_defaults() -> None:
    task = pod_of(of_kind("Deployment", "production")["task-service"])["containers"][0]
    other = pod_of(of_kind("Deployment", "production")["identity-service"])["containers"][0]
    assert environment(task)["ORKESTRA_POOL_SIZE"] == "20"
    assert "ORKESTRA_POOL_SIZE" not in environment(other)
    assert task["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}


@of_template("deployment.yaml")
def test_there_are_two_of_each_and_one_for_trying_out() -> None:
    def replicas(values: str, *sets: str) -> int:
        return int(of_kind("Deployment", values, *sets)["task-service"]["spec"]["replicas"])

    assert (replicas("minimal"), replicas("evaluation")) == (2, 1)
    assert replicas("minimal", "services.task-service.replicas=0") == 0
    assert replicas("evaluation", "defaults.replicas=3") == 3


@of_template("deployment.yaml")
def test_without_hooks_every_process_with_a_schema_waits_for_its_migrations() -> None:
    waiting = {name for name, one in of_kind("Deployment", "external").items() if "initContainers" in pod_of(one)}
    assert waiting == SERVICES
    assert not any("initContainers" in pod_of(one) for one in of_kind("Deployment", "minimal").values())


@of_template("deployment.yaml")
def test_pinned_workers_are_told_their_build_and_those_before_stay() -> None:
    def told(name: str) -> tuple[str, str | None]:
        container = pod_of(of_kind("Deployment", "gateway")[name])["containers"][0]
        return container["image"], environment(container).get("ORKESTRA_BUILD")

    assert told("worker") == ("orkestra/workflow-worker:0.1.0", "0.1.0")
    assert told("refunds") == ("registry.example/acme/refunds:8", "8")
    assert told("refunds-7-1") == ("registry.example/acme/refunds:7.1", "7.1")
    assert told("workflow-worker")[1] is None
    before = of_kind("Deployment", "gateway")["refunds-7-1"]
    assert before["spec"]["replicas"] == 1
    assert environment(pod_of(before)["containers"][0])["ORKESTRA_WORKFLOW_MODULES"] == "acme.refunds"


@of_template("promotion.yaml")
def test_new_runs_begin_on_a_pinned_build_by_a_job_after_the_upgrade() -> None:
    jobs = {name: one for name, one in of_kind("Job", "gateway").items() if name.startswith("promote")}
    assert set(jobs) == {"promote-worker", "promote-refunds"}
    refunds = jobs["promote-refunds"]
    assert refunds["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade,post-rollback"
    container = pod_of(refunds)["containers"][0]
    told = environment(container)
    assert (container["image"], told["ORKESTRA_ROLE"]) == ("registry.example/acme/refunds:8", "promote")
    assert (told["ORKESTRA_BUILD"], told["ORKESTRA_TASK_QUEUE"]) == ("8", "refunds")
    assert "promotion" in of_kind("NetworkPolicy", "gateway")
    by_hand = ('worker={"promote": false}', "workers=[]")
    assert not [name for name in of_kind("Job", "gateway", *by_hand) if "promote" in name]
    assert "promotion" not in of_kind("NetworkPolicy", "minimal")


@of_template("promotion.yaml")
def test_without_hooks_another_build_is_another_job() -> None:
    def job(build: str) -> str:
        told = f'[{{"name": "a", "image": "i", "modules": ["m"], "versioning": "pinned", "build": "{build}"}}]'
        [name] = [name for name in of_kind("Job", "external", f"workers={told}") if name.startswith("promote-a-")]
        return name

    assert job("1") != job("2")
    assert job("1") == job("1")


@of_template("service.yaml")
@pytest.mark.parametrize("values", SETS)
def test_a_services_port_is_the_containers(values: str) -> None:
    deployments = of_kind("Deployment", values)
    for name, service in of_kind("Service", values).items():
        ports = service["spec"]["ports"]
        assert all(one["port"] == one["targetPort"] for one in ports)
        if name in deployments:
            opened = {one["containerPort"] for one in pod_of(deployments[name])["containers"][0]["ports"]}
            assert {one["port"] for one in ports} == opened


@of_template("service.yaml")
def test_clients_of_rooms_see_every_process() -> None:
    services = of_kind("Service", "minimal")
    headless = {name for name, one in services.items() if one["spec"].get("clusterIP") == "None"}
    assert headless == set(services) - set(DOORS)


@of_template("serviceaccount.yaml")
def test_every_workload_has_an_account_of_its_own_without_a_token() -> None:
    accounts = of_kind("ServiceAccount", "minimal")
    assert set(accounts) == SERVICES | {"worker", "migrations"}
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())
    told = 'services.task-service={"serviceAccount": {"annotations": {"cloud.example/role": "tasks"}}}'
    assert of_kind("ServiceAccount", "minimal", told)["task-service"]["metadata"]["annotations"] == {
        "cloud.example/role": "tasks"
    }


@of_template("hpa.yaml")
def test_an_autoscaler_takes_the_place_of_a_number() -> None:
    scalers, deployments = of_kind("HorizontalPodAutoscaler", "production"), of_kind("Deployment", "production")
    assert set(scalers) == SERVICES
    assert all("replicas" not in deployments[name]["spec"] for name in scalers)
    assert deployments["worker"]["spec"]["replicas"] == 3
    assert (scalers["identity-service"]["spec"]["minReplicas"], scalers["dashboard"]["spec"]["minReplicas"]) == (2, 3)
    assert of_kind("HorizontalPodAutoscaler", "minimal") == {}


@of_template("pdb.yaml")
def test_nodes_are_drained_one_process_at_a_time() -> None:
    budgets = of_kind("PodDisruptionBudget", "production")
    assert set(budgets) == SERVICES | {"worker"}
    assert {one["spec"]["maxUnavailable"] for one in budgets.values()} == {1}
    assert of_kind("PodDisruptionBudget", "minimal", "defaults.pdb.enabled=false") == {}


@of_template("migrations.yaml")
def test_each_schema_is_migrated_before_an_installation_and_an_upgrade() -> None:
    jobs = of_kind("Job", "minimal")
    assert set(jobs) == {f"migrate-{schema}" for schema in SCHEMAS}
    for one in jobs.values():
        assert one["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert pod_of(jobs["migrate-identity"])["containers"][0]["command"][3:] == [
        "orkestra.identity_service",
        "identity",
        "lookup",
    ]


@of_template("migrations.yaml")
def test_without_hooks_another_image_means_another_job() -> None:
    jobs = {name: one for name, one in of_kind("Job", "external").items() if name.startswith("migrate-")}
    assert len(jobs) == len(SCHEMAS)
    assert not any("annotations" in one["metadata"] for one in jobs.values())
    assert set(jobs).isdisjoint(of_kind("Job", "external", 'global.image.tag="2"'))


@of_template("migrations.yaml")
def test_only_migrations_know_the_address_that_may_create_roles() -> None:
    knowing = [one for one in pods_text("production") if "orkestra-postgresql-admin" in one]
    assert len(knowing) == len(SCHEMAS)


def pods_text(values: str) -> list[str]:
    found = [*of_kind("Deployment", values).values(), *of_kind("Job", values).values()]
    return [yaml.safe_dump(one) for one in found]


@of_template("ingress.yaml")
def test_each_door_with_a_host_has_an_ingress_and_so_has_the_codec_endpoint() -> None:
    rules = {name: one["spec"]["rules"][0] for name, one in of_kind("Ingress", "production").items()}
    assert {name: rule["host"].split(".")[0] for name, rule in rules.items()} == {
        "api-gateway": "api",
        "mcp-gateway": "mcp",
        "dashboard": "people",
        "workflow-worker": "codec",
    }
    backends = {name: rule["http"]["paths"][0]["backend"]["service"]["port"] for name, rule in rules.items()}
    assert backends == {name: {"number": port} for name, port in (DOORS | {"workflow-worker": 9013}).items()}
    without = of_kind("Ingress", "production", 'hosts.api=""', 'hosts.codec=""')
    assert set(without) == {"mcp-gateway", "dashboard"}


@of_template("httproute.yaml")
def test_each_door_with_a_host_has_a_route_at_the_gateway() -> None:
    routes = of_kind("HTTPRoute", "gateway")
    assert {name: one["spec"]["rules"][0]["backendRefs"][0]["port"] for name, one in routes.items()} == DOORS
    assert routes["dashboard"]["spec"]["hostnames"] == ["people.acme.example"]
    assert routes["dashboard"]["spec"]["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]


@of_template("servicemonitor.yaml")
def test_prometheus_is_told_one_place_for_all_services() -> None:
    monitor = of_kind("ServiceMonitor", "production")["orkestra"]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    for service in of_kind("Service", "production").values():
        assert wanted.items() <= service["metadata"]["labels"].items()
        assert "health" in {port["name"] for port in service["spec"]["ports"]}
    assert of_kind("ServiceMonitor", "minimal") == {}


@of_template("scaledobject.yaml")
def test_keda_scales_a_worker_by_its_queue() -> None:
    scaled = of_kind("ScaledObject", "keda")
    assert set(scaled) == {"refunds", "moderation"}
    assert scaled["moderation"]["spec"]["minReplicaCount"] == 0
    assert scaled["moderation"]["spec"]["triggers"][0]["metadata"]["queueTypes"] == "workflow"
    refunds = scaled["refunds"]["spec"]
    assert (refunds["pollingInterval"], refunds["cooldownPeriod"]) == (10, 600)
    assert refunds["fallback"] == {"failureThreshold": 4, "replicas": 3}
    trigger = refunds["triggers"][0]
    assert trigger["metadata"]["activationTargetQueueSize"] == "2"
    assert (trigger["metadata"]["taskQueue"], trigger["metadata"]["targetQueueSize"]) == ("refunds", "10")
    assert trigger["authenticationRef"] == {"name": "orkestra-refunds"}
    assert "replicas" not in of_kind("Deployment", "keda")["refunds"]["spec"]
    assert of_kind("TriggerAuthentication", "keda")["refunds"]["spec"]["secretTargetRef"] == [
        {"parameter": "apiKey", "name": "temporal-api-key", "key": "api-key"}
    ]


@of_template("prometheusrule.yaml")
def test_alerts_are_of_this_release_and_can_be_left_out() -> None:
    assert of_kind("PrometheusRule", "minimal") == {}
    rule = of_kind("PrometheusRule", "production")["orkestra"]
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    alerts = {alert["alert"]: alert for group in rule["spec"]["groups"] for alert in group["rules"]}
    assert "OrkestraLangfuseDrops" not in alerts
    assert 'namespace="orkestra"' in alerts["OrkestraOutboxStuck"]["expr"]
    assert all("$namespace" not in alert["expr"] and "$fullname" not in alert["expr"] for alert in alerts.values())
    pages = {alert["annotations"]["runbook_url"].rpartition("#")[2] for alert in alerts.values()}
    assert pages == {name.lower() for name in alerts}
    with pytest.raises(HelmError, match="there is no alert OrkestraGone; there are OrkestraSlaBreaches"):
        of_kind("PrometheusRule", "production", 'prometheusRule.disabled=["OrkestraGone"]')


@of_template("grafanadashboards.yaml")
def test_dashboards_are_configmaps_that_grafana_looks_for() -> None:
    assert set(of_kind("ConfigMap", "minimal")) & {"dashboard-people", "dashboard-machinery"} == set()
    maps = of_kind("ConfigMap", "production")
    for name in ("people", "machinery"):
        one = maps[f"dashboard-{name}"]
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["annotations"] == {"grafana_folder": "Orkestra"}
        board = json.loads(one["data"][f"orkestra-{name}.json"])
        assert board["uid"] == f"orkestra-{name}"
        assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
        assert len(places) == len(board["panels"])


@of_template("secret.yaml")
def test_only_the_evaluation_makes_keys_up() -> None:
    assert all(of_kind("Secret", values) == {} for values in SETS if values != "evaluation")
    assert of_kind("Secret", "evaluation", 'evaluation.existingSecret="mine"') == {}
    text = run_helm("template", "orkestra", CHART, "--set", "evaluation.enabled=true")
    made = next(one for one in yaml.safe_load_all(text) if one["kind"] == "Secret")["data"]
    values = {key: base64.b64decode(value).decode() for key, value in made.items()}
    assert set(values) >= SCHEMAS
    assert len(base64.b64decode(values["token-signing-key"])) == 32
    assert len(set(values.values())) == len(values)
    assert values["postgresql-password"] in values["admin-url"]


@of_template("statefulset.yaml")
def test_the_evaluation_brings_its_three_servers_and_says_what_they_are_not() -> None:
    servers = of_kind("StatefulSet", "evaluation")
    assert set(servers) == {"postgresql", "nats", "temporal"}
    for name, one in servers.items():
        assert one["metadata"]["annotations"] == {"orkestra.io/not-for-production": "true"}
        assert pod_of(one)["containers"][0]["command"][3:5] == ["serve", name]
    assert all(of_kind("StatefulSet", values) == {} for values in SETS if values != "evaluation")


@of_template("demo.yaml")
def test_the_demo_tenant_is_made_only_where_it_is_wanted() -> None:
    assert [name for name in of_kind("Job", "evaluation") if name.startswith("demo-")]
    without = 'evaluation={"enabled": true, "demo": false}'
    assert not [name for name in of_kind("Job", "evaluation", without) if name.startswith("demo-")]
    assert "worker-examples" not in of_kind("Deployment", "evaluation", without)


@of_template("tests/ready.yaml")
def test_helm_test_asks_every_process_whether_it_is_ready() -> None:
    pod = of_kind("Pod", "production")["test"]
    asked = {one.split("/")[2].split(":")[0] for one in pod["spec"]["containers"][0]["command"] if one.startswith("h")}
    assert asked == {f"orkestra-{name}" for name in of_kind("Deployment", "production")}
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    compile(pod["spec"]["containers"][0]["command"][2], "test", "exec")


@of_template("networkpolicy.yaml")
def test_without_network_policies_there_are_none() -> None:
    assert of_kind("NetworkPolicy", "minimal", "networkPolicy.enabled=false") == {}


@of_template("NOTES.txt")
@pytest.mark.parametrize(
    ("values", "said"),
    [("production", "https://people.acme.example"), ("evaluation", "NOT FOR PRODUCTION"), ("minimal", "port-forward")],
)
def test_the_notes_say_what_to_do_next(values: str, said: str) -> None:
    file = CHART / "ci" / f"{values}-values.yaml"
    shown = run_helm("install", "orkestra", CHART, "--dry-run=client", "--values", file)
    notes = shown[shown.index("NOTES:") :]
    assert said in notes
    assert "helm --namespace default test orkestra" in notes


def rejected(*words: str) -> str:
    with pytest.raises(HelmError) as refused:
        run_helm("template", "orkestra", CHART, *words)
    return str(refused.value)


def test_values_with_which_nothing_works_are_refused_with_the_remedy() -> None:
    said = rejected()
    for path in ("secrets.existingSecret", "postgresql.host", "nats.url", "temporal.address"):
        assert f"{path} is needed" in said
    assert "evaluation.enabled=true" in said


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("ingress.enabled=true", "set hosts.api"),
        ("nats.existingSecret=x", "nats.user is needed"),
        ("evaluation.enabled=true,grpc.tls.existingSecret=x", "speaks plain rpcs"),
        ("notifications.mail.address=x:25", "notifications.mail.from, the address that mail comes from"),
        ("langfuse.baseUrl=https://x", "langfuse.existingSecret are needed"),
        ("signIn.password=false", "nobody could sign in"),
        ("oauth.issuers[0]=https://x,hosts.mcp=x", "signIn.providersSecret is needed"),
        ("oauth.issuers[0]=https://x,signIn.providersSecret=x", "hosts.mcp, or oauth.resource, is needed"),
        ("temporal.payloads.keyId=a", "temporal.payloads.existingSecret is needed"),
        ("hosts.codec=x,temporal.payloads.existingSecret=x", "temporal.payloads.pages are needed with hosts.codec"),
        ("worker.versioning=pinned,evaluation.enabled=true", "the evaluation profile pins no builds"),
        ("worker.versioning=pinned,worker.keda.minReplicas=1,worker.keda.maxReplicas=2", "keda does not know"),
        ("worker.versioning=pinned,global.image.tag=sha256:ab", "needs build"),
        (
            "workers[0].name=a,workers[0].image=x,workers[0].modules[0]=a,workers[0].versioning=pinned",
            "a: versioning=pinned",
        ),
        ("worker.earlier[0].build=v1,worker.earlier[0].image=x", "versioning=pinned alone"),
        ("workers[0].name=dashboard,workers[0].image=x,workers[0].modules[0]=a", "the name dashboard is taken"),
    ],
)
def test_values_that_contradict_each_other_are_refused(sets: str, said: str) -> None:
    assert said in rejected("--values", str(CHART / "ci" / "minimal-values.yaml"), "--set", sets)

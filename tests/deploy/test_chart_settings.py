"""What the chart tells a process is exactly what the process understands."""

import base64
from pathlib import Path

import pytest
from deploy_chart import NEEDS_TOOLS, SETS, Manifest, environment, of_kind, pod_of
from orkestra.api_gateway.settings import ApiGatewaySettings
from orkestra.chassis.migrate import MigrationSettings, WaitSettings
from orkestra.chassis.settings import SettingsError, load, secret
from orkestra.dashboard.settings import DashboardSettings
from orkestra.identity_service.settings import IdentityServiceSettings
from orkestra.mcp_gateway.settings import McpGatewaySettings
from orkestra.notification_service.settings import NotificationServiceSettings
from orkestra.rules import AttachmentLimits
from orkestra.task_service.settings import TaskServiceSettings
from orkestra.workflow_worker.settings import ApiSettings, WorkerSettings
from pydantic import BaseModel

pytestmark = NEEDS_TOOLS

SETTINGS: dict[str, type[BaseModel]] = {
    "orkestra.api_gateway": ApiGatewaySettings,
    "orkestra.dashboard": DashboardSettings,
    "orkestra.identity_service": IdentityServiceSettings,
    "orkestra.mcp_gateway": McpGatewaySettings,
    "orkestra.notification_service": NotificationServiceSettings,
    "orkestra.task_service": TaskServiceSettings,
}
FILES = "/run/secrets/orkestra/"
PROVIDERS = '[{"provider_id": "corp", "name": "Corp", "issuer": "https://idp.example", "client_id": "orkestra"}]'
PAYLOAD_KEYS = f"2026-11:{base64.b64encode(bytes(32)).decode()}\n2025-11:{base64.b64encode(bytes(32)).decode()}\n"
PASSWORD = "a/strange:p@ssword"


def settings_of(container: Manifest) -> type[BaseModel]:
    """The class that the container's command reads."""
    words = container["command"]
    if words[2] == "orkestra.chassis.migrate":
        return WaitSettings if words[3] == "--wait" else MigrationSettings
    if words[2] == "orkestra.workflow_worker":
        return ApiSettings if environment(container)["ORKESTRA_ROLE"] == "api" else WorkerSettings
    return SETTINGS[words[2]]


def loaded(container: Manifest, folder: Path) -> BaseModel:
    """What the container reads, with Secrets of the right shape in the place of its files."""
    environ = environment(container)
    for name, value in environ.items():
        if value.startswith(FILES) and not name.endswith("NATS_CREDS_FILE"):
            file = folder / name
            file.write_text(content(value.removeprefix(FILES)), "utf-8")
            environ[name] = str(file)
    return load(settings_of(container), environ)


def content(key: str) -> str:
    if key.endswith("signing-key"):
        return base64.b64encode(bytes(32)).decode()
    known = {
        "database-password": PASSWORD,
        "admin-url": "postgresql://admin@db/x",
        "oidc-providers": PROVIDERS,
        "payload-keys": PAYLOAD_KEYS,
    }
    return known.get(key, key.ljust(40, "x"))


@pytest.mark.parametrize("values", SETS)
def test_every_process_starts_with_what_the_chart_tells_it(values: str, tmp_path: Path) -> None:
    seen = 0
    for kind in ("Deployment", "Job"):
        for name, manifest in of_kind(kind, values).items():
            pod = pod_of(manifest)
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                if not name.startswith("demo-"):
                    assert loaded(container, tmp_path)
                    seen += 1
    assert seen >= 14


@pytest.mark.parametrize("values", SETS)
def test_every_file_that_a_process_reads_is_mounted_where_it_is_named(values: str) -> None:
    for kind in ("Deployment", "Job", "StatefulSet"):
        for manifest in of_kind(kind, values).values():
            pod = pod_of(manifest)
            volumes = {one["name"]: one for one in pod["volumes"]}
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                named = {value for name, value in environment(container).items() if name.endswith("_FILE")}
                found = {file for mount in container["volumeMounts"] for file in files(mount, volumes)}
                assert named <= found, (manifest["metadata"]["name"], named - found)


def files(mount: Manifest, volumes: dict[str, Manifest]) -> set[str]:
    volume = volumes.get(mount["name"], {})
    sources = [one["secret"] for one in volume.get("projected", {}).get("sources", [])] or [volume.get("secret", {})]
    items = [item["path"] for source in sources for item in source.get("items", [])]
    return {f"{mount['mountPath']}/{item}" for item in items or ("ca.crt", "tls.crt", "tls.key")}


def test_the_password_stands_in_the_address_that_a_service_uses(tmp_path: Path) -> None:
    container = pod_of(of_kind("Deployment", "production")["task-service"])["containers"][0]
    settings = loaded(container, tmp_path)
    assert isinstance(settings, TaskServiceSettings)
    assert secret(settings.database_url) == (
        "postgresql://task_app:a%2Fstrange%3Ap%40ssword@postgresql.data.svc:5432/orkestra?sslmode=verify-full"
        "&sslrootcert=/run/tls/postgresql/ca.crt&sslcert=/run/tls/postgresql/tls.crt&sslkey=/run/tls/postgresql/tls.key"
    )
    assert PASSWORD not in environment(container).values()


def test_production_signs_people_in_at_its_provider_alone(tmp_path: Path) -> None:
    settings = loaded(pod_of(of_kind("Deployment", "production")["identity-service"])["containers"][0], tmp_path)
    assert isinstance(settings, IdentityServiceSettings)
    assert (settings.password_sign_in, [one.provider_id for one in settings.providers]) == (False, ["corp"])
    dashboard = environment(pod_of(of_kind("Deployment", "production")["dashboard"])["containers"][0])
    assert dashboard["ORKESTRA_PUBLIC_URL"] == "https://people.acme.example"


def test_production_sends_agents_to_its_issuer_and_checks_providers_against_its_authority(tmp_path: Path) -> None:
    door = loaded(pod_of(of_kind("Deployment", "production")["mcp-gateway"])["containers"][0], tmp_path)
    assert isinstance(door, McpGatewaySettings)
    told = (door.oauth_issuers, door.oauth_resource, door.oauth_scope, door.public_url)
    assert told == ("https://idp.acme.example", None, "orkestra", "https://mcp.acme.example/mcp")
    identity = environment(pod_of(of_kind("Deployment", "production")["identity-service"])["containers"][0])
    assert identity["ORKESTRA_OIDC_CA_FILE"] == "/run/tls/providers/ca.crt"


def test_issuers_have_the_audience_and_scope_that_they_were_given(tmp_path: Path) -> None:
    told = '{"issuers": ["https://a.example", "https://b.example"], "resource": "https://all.example", "scope": "bpm"}'
    sets = (f"oauth={told}", 'signIn={"providersSecret": "providers"}')
    door = loaded(pod_of(of_kind("Deployment", "minimal", *sets)["mcp-gateway"])["containers"][0], tmp_path)
    assert isinstance(door, McpGatewaySettings)
    told_to_it = (door.oauth_issuers, door.oauth_resource, door.oauth_scope)
    assert told_to_it == ("https://a.example,https://b.example", "https://all.example", "bpm")
    plain = environment(pod_of(of_kind("Deployment", "minimal")["mcp-gateway"])["containers"][0])
    assert not [name for name in plain if "OAUTH" in name]


def test_a_setting_that_a_service_does_not_know_would_be_found(tmp_path: Path) -> None:
    container = pod_of(
        of_kind("Deployment", "minimal", 'services.task-service.env={"ORKESTRA_POOL_SICE": 3}')["task-service"]
    )
    with pytest.raises(SettingsError, match="did you mean ORKESTRA_POOL_SIZE"):
        loaded(container["containers"][0], tmp_path)


def test_a_large_number_arrives_as_it_was_written(tmp_path: Path) -> None:
    told = 'services.api-gateway.env={"ORKESTRA_BODY_LIMIT": 20971520, "ORKESTRA_REQUEST_SECONDS": 2.5}'
    settings = loaded(pod_of(of_kind("Deployment", "minimal", told)["api-gateway"])["containers"][0], tmp_path)
    assert isinstance(settings, ApiGatewaySettings)
    assert (settings.body_limit, settings.request_seconds) == (20971520, 2.5)


def test_task_service_takes_files_as_large_and_of_the_types_that_the_values_say(tmp_path: Path) -> None:
    told = 'attachments={"maxSize": 52428800, "maxCount": 5, "types": ["image/*", "application/pdf"]}'
    limits = {}
    for sets in ((), (told,)):
        deployments = of_kind("Deployment", "minimal", *sets)
        settings = loaded(pod_of(deployments["task-service"])["containers"][0], tmp_path)
        assert isinstance(settings, TaskServiceSettings)
        limits[sets] = settings.attachment_limits
        told_to = {name for name, one in deployments.items() if "ATTACHMENTS" in str(one)}
        assert told_to == {"task-service"}
    assert limits[()] == AttachmentLimits()
    assert limits[(told,)] == AttachmentLimits(52428800, 5, ("image/*", "application/pdf"))


def test_a_worker_serves_its_modules_on_its_queue() -> None:
    told = environment(pod_of(of_kind("Deployment", "keda")["refunds"])["containers"][0])
    assert (told["ORKESTRA_WORKFLOW_MODULES"], told["ORKESTRA_TASK_QUEUE"]) == ("acme.refunds", "refunds")
    builtin = environment(pod_of(of_kind("Deployment", "keda")["worker"])["containers"][0])
    assert builtin["ORKESTRA_WORKFLOW_MODULES"] == ""

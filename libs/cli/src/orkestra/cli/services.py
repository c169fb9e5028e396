"""Orkestra's own processes as the local stack runs them: command, settings, readiness."""

import http.client
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orkestra.cli.installed import examples
from orkestra.cli.process import Process

PASSED_ON = (
    "ORKESTRA_LOG_LEVEL",
    "ORKESTRA_LOG_FORMAT",
    "ORKESTRA_OTLP_ENDPOINT",
    "ORKESTRA_OTLP_METRICS_SECONDS",
)
PORTS = {
    "rest": 8000,
    "mcp": 8001,
    "dashboard": 8080,
    "temporal": 7233,
    "temporal_ui": 8233,
    "nats": 4222,
    "identity": 9001,
    "task": 9002,
    "workflow": 9003,
    "notification": 9004,
    "identity_health": 9101,
    "task_health": 9102,
    "workflow_health": 9103,
    "worker_health": 9104,
    "rest_health": 9105,
    "mcp_health": 9106,
    "dashboard_health": 9107,
    "notification_health": 9108,
}


class Service:
    """A process of ours that says by HTTP whether it is ready."""

    def __init__(self, name: str, module: str, *, health_port: int, env: Mapping[str, str], log: Path) -> None:
        self.health_port = health_port
        self.process = Process(name, [sys.executable, "-m", module], log=log, env=env)

    def prepare(self) -> None:
        """Nothing stands between two starts of a service."""

    def spawn(self) -> None:
        self.process.spawn()

    def ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=1.0)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said = json.loads(answer.read())
            return answer.status == http.client.OK and said["pid"] == self.process.pid
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False  # not there yet, or another program got the port first
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services are told about each other and the servers."""

    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    database_url: Callable[[str], str]
    nats_url: str
    temporal_address: str
    logs: Path
    environ: Mapping[str, str]

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def given(self, *prefixes: str) -> dict[str, str]:
        """Settings of one service that whoever starts the stack may give."""
        whole = tuple(f"ORKESTRA_{prefix}" for prefix in prefixes)
        return {name.removeprefix("ORKESTRA_"): value for name, value in self.environ.items() if name.startswith(whole)}

    def database(self, schema: str) -> dict[str, str]:
        """Settings of a room that keeps data and tells events."""
        return {
            "DATABASE_URL": self.database_url(f"{schema}_app"),
            "RELAY_DATABASE_URL": self.database_url(f"{schema}_relay"),
            "SWEEP_DATABASE_URL": self.database_url(f"{schema}_sweep"),
            "NATS_URL": self.nats_url,
        }

    def service(self, name: str, module: str, health: str, settings: Mapping[str, str]) -> Service:
        """A service with exactly these settings besides those that every process takes."""
        kept = {key: value for key, value in self.environ.items() if not key.startswith("ORKESTRA_")}
        passed = {key: self.environ[key] for key in PASSED_ON if key in self.environ}
        own = {f"ORKESTRA_{key}": value for key, value in settings.items()}
        common = {"ORKESTRA_DEVELOPMENT": "true", "ORKESTRA_HEALTH_PORT": str(self.ports[health])}
        return Service(
            name,
            module,
            health_port=self.ports[health],
            env={**kept, **passed, **common, **own},
            log=self.logs / f"{name}.log",
        )


def rooms(around: Surroundings) -> list[Service]:
    """identity-service, task-service, workflow-worker in its role api, and notification-service."""
    secrets = around.secrets
    identity = {
        **around.database("identity"),
        **around.given("OIDC_"),
        "LOOKUP_DATABASE_URL": around.database_url("identity_lookup"),
        "GRPC_PORT": str(around.ports["identity"]),
        "TOKEN_SIGNING_KEY": secrets["token_signing_key"],
        "KEY_PEPPER": secrets["key_pepper"],
        "SERVICE_KEY": secrets["service_key"],
        "WORKER_KEY": secrets["worker_key"],
    }
    known = {"IDENTITY_ADDRESS": around.address("identity"), "SERVICE_KEY": secrets["service_key"]}
    task = {
        **around.database("task"),
        **known,
        "GRPC_PORT": str(around.ports["task"]),
        "RECEIPT_SIGNING_KEY": secrets["receipt_signing_key"],
    }
    notification = {
        **around.database("notification"),
        **known,
        "GRPC_PORT": str(around.ports["notification"]),
        "TASK_ADDRESS": around.address("task"),
        "DASHBOARD_URL": f"http://127.0.0.1:{around.ports['dashboard']}",
        **around.given("LANGFUSE_", "SMTP_", "MAIL_"),
    }
    return [
        around.service("identity-service", "orkestra.identity_service", "identity_health", identity),
        around.service("task-service", "orkestra.task_service", "task_health", task),
        workflow_api(around, known),
        around.service("notification-service", "orkestra.notification_service", "notification_health", notification),
    ]


def workflow_api(around: Surroundings, known: Mapping[str, str]) -> Service:
    """workflow-worker in its role api."""
    settings = {
        **around.database("workflow"),
        **known,
        "ROLE": "api",
        "GRPC_PORT": str(around.ports["workflow"]),
        "TEMPORAL_ADDRESS": around.temporal_address,
        "TASK_ADDRESS": around.address("task"),
        "NOTIFICATION_ADDRESS": around.address("notification"),
        **around.given("PAYLOAD_", "CODEC_"),
    }
    return around.service("workflow-worker", "orkestra.workflow_worker", "workflow_health", settings)


def doors(around: Surroundings) -> list[Service]:
    """The worker with the examples that are installed, api-gateway, mcp-gateway and dashboard."""
    rooms_known = {
        "IDENTITY_ADDRESS": around.address("identity"),
        "TASK_ADDRESS": around.address("task"),
        "WORKFLOW_ADDRESS": around.address("workflow"),
    }
    worker = {
        **rooms_known,
        "ROLE": "worker",
        "TEMPORAL_ADDRESS": around.temporal_address,
        "WORKER_KEY": around.secrets["worker_key"],
        "WORKFLOW_MODULES": ",".join(examples()),
        **around.given("PAYLOAD_"),
    }
    rest = {
        **rooms_known,
        "NOTIFICATION_ADDRESS": around.address("notification"),
        "NATS_URL": around.nats_url,
        "HTTP_PORT": str(around.ports["rest"]),
        "DATABASE_URL": around.database_url("gateway_app"),
        **around.given("RATE_"),
    }
    mcp = {
        **rooms_known,
        "NATS_URL": around.nats_url,
        "HTTP_PORT": str(around.ports["mcp"]),
        "DATABASE_URL": around.database_url("mcp_app"),
        "PUBLIC_URL": f"http://127.0.0.1:{around.ports['mcp']}/mcp",
        "MCP_STATE_KEY": around.secrets["mcp_state_key"],
        **around.given("OAUTH_", "RATE_WINDOW", "RATE_PER_KEY", "RATE_PER_TENANT", "RATE_REFUSED"),
    }
    return [
        around.service("worker", "orkestra.workflow_worker", "worker_health", worker),
        around.service("api-gateway", "orkestra.api_gateway", "rest_health", rest),
        around.service("mcp-gateway", "orkestra.mcp_gateway", "mcp_health", mcp),
        dashboard(around, rooms_known),
    ]


def dashboard(around: Surroundings, rooms_known: Mapping[str, str]) -> Service:
    """The people's door."""
    settings = {
        **rooms_known,
        "NOTIFICATION_ADDRESS": around.address("notification"),
        "NATS_URL": around.nats_url,
        "HTTP_PORT": str(around.ports["dashboard"]),
        "DATABASE_URL": around.database_url("dashboard_app"),
        "CSRF_KEY": around.secrets["csrf_key"],
        "TEMPORAL_UI_URL": f"http://127.0.0.1:{around.ports['temporal_ui']}/namespaces/default/workflows/{{workflow_id}}",
    }
    return around.service("dashboard", "orkestra.dashboard", "dashboard_health", settings)

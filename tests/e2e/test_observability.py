"""What an operator sees of one question: its trace, its figures and its log lines, from a running stack."""

import base64
import json
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from leak_pages import play_pages, provider
from leak_search import aside, places, play, tables
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process
from orkestra.testkit.otlp import Received, ReceivedSpan, receiving
from orkestra.testkit.stack import Stack, running_stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.xdist_group("observed stack"), pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
CHART_FILES = ROOT / "deploy" / "helm" / "orkestra" / "files"
PROMETHEUS = Path(sys.prefix) / "deploy" / "prometheus" / "prometheus"
QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
INTRODUCED = {
    "name": "support-bot",
    "model": "m-1",
    "prompt_version": "v7",
    "confidence": 0.41,
    "trace_id": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
HANDOFF = {"summary": "An opened headset.", "agent": INTRODUCED}
ANSWER = {"answer": "Yes, within 30 days.", "sentiment": "positive"}
STEPS = {  # service and span, on the way of every question
    ("workflow-worker", "orkestra.v1.WorkflowService/StartWorkflow"),
    ("workflow-worker", "insert_run"),
    ("workflow-worker", "commit"),
    ("workflow-worker", "temporal StartWorkflowExecution"),
    ("workflow-worker", "publish workflow.started"),
    ("workflow-worker", "activity orkestra.create_task"),
    ("task-service", "orkestra.v1.TaskService/CreateTask"),
    ("task-service", "create_task"),
    ("task-service", "publish task.created"),
    ("notification-service", "notification-service task.created"),
    ("notification-service", "tell"),
    ("notification-service", "publish notification.delivered"),
    ("task-service", "task completed"),
    ("task-service", "publish task.completed"),
    ("workflow-worker", "workflow-worker-wakeup task.completed"),
    ("workflow-worker", "temporal SignalWorkflowExecution"),
    ("workflow-worker", "report_end"),
    ("workflow-worker", "end_run"),
    ("workflow-worker", "workflow customer-support@1"),
    ("workflow-worker", "publish workflow.completed"),
    ("notification-service", "notification-service task.completed"),
}


@dataclass(frozen=True)
class Agent:
    """The agent's own span, below which everything lies."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"

    def span(self) -> NonRecordingSpan:
        ids = int(self.trace_id, 16), int(self.span_id, 16)
        return NonRecordingSpan(SpanContext(*ids, is_remote=False, trace_flags=TraceFlags(1)))


@pytest.fixture
def agent() -> Agent:
    return Agent(secrets.token_hex(16), secrets.token_hex(8))


@pytest.fixture(scope="module")
def received() -> Iterator[Received]:
    with receiving() as so_far:
        yield so_far


@pytest.fixture(scope="module")
async def observed(received: Received) -> AsyncIterator[Stack]:
    settings = {
        "ORKESTRA_OTLP_ENDPOINT": received.url,
        "ORKESTRA_OTLP_METRICS_SECONDS": "1",
        "ORKESTRA_LOG_LEVEL": "debug",
        "ORKESTRA_PAYLOAD_KEYS": f"tests:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ORKESTRA_PAYLOAD_KEY_ID": "tests",
    }
    offset = 2150 + os.getpid() % 50 * 400  # below the ports that the system gives to connections
    async with provider() as told, running_stack(port_offset=offset, settings=settings | told) as stack:
        yield stack


def gaps(spans: Sequence[ReceivedSpan], agent: Agent) -> set[str]:
    """Return parents that nobody has sent."""
    return {span.parent_id for span in spans} - {span.span_id for span in spans} - {agent.span_id}


def steps(spans: Sequence[ReceivedSpan]) -> set[tuple[str, str]]:
    return {(span.service, span.name) for span in spans}


async def whole_trace(received: Received, agent: Agent, *, entrance: tuple[str, str]) -> list[ReceivedSpan]:
    """Return the spans of the agent's trace once every step has arrived and every parent is there."""

    def missing() -> object:
        spans = received.of_trace(agent.trace_id)
        return (STEPS | {entrance}) - steps(spans) or gaps(spans, agent)

    try:
        await eventually(lambda: not missing(), timeout=60)
    except AssertionError:
        pytest.fail(f"missing: {missing()}; there are {sorted(steps(received.of_trace(agent.trace_id)))}")
    return received.of_trace(agent.trace_id)


async def answer_as_person(stack: Stack, workflow_id: str, agent: dict[str, Any] | None = None) -> str:
    """Claim and complete the run's task as a person of the group, in a trace of the person's own; return its id.

    The person is shown the agent as it has introduced itself.
    """
    own = secrets.token_hex(16)
    async with stack.rest(email=stack.member_of("support-l1")) as http:
        http.headers["traceparent"] = f"00-{own}-{secrets.token_hex(8)}-01"

        async def first() -> str | None:
            tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
            return str(tasks[0]["task_id"]) if tasks else None

        task = f"/v1/tasks/{await eventually(first, timeout=30)}"
        if agent is not None:
            shown = (await http.get(task)).json()["context"]["agent"]
            assert {name: shown[name] for name in agent} == agent
        (await http.post(f"{task}/claim", json={})).raise_for_status()
        (await http.post(f"{task}/complete", json={"data": ANSWER})).raise_for_status()
    return own


def assert_one_tree(spans: Sequence[ReceivedSpan], agent: Agent, own: str) -> None:
    roots = [span for span in spans if span.parent_id == agent.span_id]
    assert roots
    assert gaps(spans, agent) == set()
    answered = next(span for span in spans if span.name == "task completed")
    assert answered.links == (own,)  # the person's request is a trace of its own, one click away
    run = next(span for span in spans if span.name == "workflow customer-support@1")
    below = {span.name for span in spans if span.parent_id == run.span_id}
    assert {"activity orkestra.create_task", "report_end"} <= below
    assert run.nanoseconds[0] < answered.nanoseconds[0] < run.nanoseconds[1]


async def test_a_question_over_rest_is_one_trace_below_the_agents_own(
    observed: Stack, received: Received, agent: Agent
) -> None:
    async with observed.rest(key="agent") as http:
        body = {"definition": "customer-support", "input": QUESTION, "handoff": HANDOFF}
        headers = {"traceparent": agent.traceparent}
        started = await http.post("/v1/workflows", json=body, headers=headers)
        workflow_id = started.raise_for_status().json()["workflow_id"]
        own = await answer_as_person(observed, workflow_id, INTRODUCED)
        done = await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})
    assert done.json()["status"] == "completed"
    spans = await whole_trace(received, agent, entrance=("api-gateway", "POST /v1/workflows"))
    assert_one_tree(spans, agent, own)
    assert [span.name for span in spans if span.parent_id == agent.span_id] == ["POST /v1/workflows"]


async def test_a_task_without_a_workflow_of_the_agents_is_one_trace_too(
    observed: Stack, received: Received, agent: Agent
) -> None:
    async with observed.rest(key="agent") as http, observed.rest(email=observed.member_of("support-l1")) as person:
        body = {"title": "May it be returned?", "candidate_groups": ["support-l1"]}
        asked = await http.post("/v1/tasks", json=body, headers={"traceparent": agent.traceparent})
        task = f"/v1/tasks/{asked.raise_for_status().json()['task_id']}"
        (await person.post(f"{task}/claim", json={})).raise_for_status()
        (await person.post(f"{task}/complete", json={"data": {"answer": "Yes."}})).raise_for_status()
    wanted = {
        ("api-gateway", "POST /v1/tasks"),
        ("task-service", "create_task"),
        ("notification-service", "notification-service task.created"),
        ("workflow-worker", "temporal SignalWithStartWorkflowExecution"),
        ("workflow-worker", "activity orkestra.advance_clock"),
        ("task-service", "task completed"),
        ("notification-service", "notification-service task.completed"),
    }

    def is_whole() -> bool:
        spans = received.of_trace(agent.trace_id)
        return wanted <= steps(spans) and not gaps(spans, agent)

    await eventually(is_whole, timeout=60)


@pytest.mark.parametrize(("mode", "by"), [("2026-07-28", "meta"), ("legacy", "header")])
async def test_a_question_over_mcp_is_one_trace_below_the_agents_own(
    observed: Stack, received: Received, agent: Agent, mode: str, by: str
) -> None:
    headers = {"authorization": f"Bearer {observed.info['api_keys']['agent']}"}
    if by == "header":
        headers["traceparent"] = agent.traceparent
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(observed.info["mcp"], http_client=http), mode=mode) as client,
    ):
        with use_span(agent.span()) if by == "meta" else use_span(NonRecordingSpan(SpanContext(0, 0, is_remote=False))):
            arguments: dict[str, Any] = {"definition": "customer-support", "input": QUESTION, "handoff": HANDOFF}
            started = (await client.call_tool("workflow_start", arguments)).structured_content
        assert started is not None
        own = await answer_as_person(observed, started["workflow_id"], INTRODUCED)
        wait = {"workflow_id": started["workflow_id"], "wait_seconds": 30}
        done = (await client.call_tool("workflow_result", wait)).structured_content
    assert done is not None
    assert done["status"] == "completed"
    spans = await whole_trace(received, agent, entrance=("mcp-gateway", "tools/call workflow_start"))
    assert_one_tree(spans, agent, own)


async def test_the_log_lines_of_every_service_name_the_trace_and_the_tenant(observed: Stack, agent: Agent) -> None:
    async with observed.rest(key="agent") as http:
        body = {"definition": "customer-support", "input": QUESTION}
        started = await http.post("/v1/workflows", json=body, headers={"traceparent": agent.traceparent})
        workflow_id = started.raise_for_status().json()["workflow_id"]
        await answer_as_person(observed, workflow_id)
        await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})
    wanted = {"api-gateway", "identity-service", "notification-service", "task-service", "worker", "workflow-worker"}
    await eventually(lambda: {name for name, _ in lines_of(observed, agent.trace_id)} >= wanted, timeout=30)
    lines = lines_of(observed, agent.trace_id)
    tenant_id = observed.info["tenant"]["tenant_id"]
    assert {line.get("trace_id") for _, line in lines} == {agent.trace_id}
    assert {line["tenant_id"] for _, line in lines if "tenant_id" in line} == {tenant_id}
    assert {name for name, line in lines if line.get("tenant_id") == tenant_id} >= wanted - {"identity-service"}


async def test_no_log_span_event_or_history_holds_a_secret_or_what_people_wrote(
    observed: Stack, received: Received
) -> None:
    word = secrets.token_hex(12)
    told_once = await play(observed, word) | await play_pages(observed, word)
    never = told_once | {word}
    await eventually(lambda: ("api-gateway", "GET /v1/me") in steps(list(received.spans.values())), timeout=30)
    seen: list[str] = []
    async for place, held in places(observed, received):
        if b"customer-support" in held:
            seen.append(place)
        hidden = never if " in ORKESTRA_" in place or "outbox" in place else never | {aside(word)}
        hidden = hidden | {"ors_", "eyJ"} if place.startswith("the log ") else hidden
        assert [one for one in hidden if one.encode() in held] == [], place
    async for place, held in tables(observed):
        assert [one for one in told_once if one.encode() in held] == [], place
    for kind in ("spans", "in ORKESTRA_EVENTS", "in Temporal", "the log worker.log", "the table workflow.outbox"):
        assert [place for place in seen if kind in place], kind


async def test_what_services_expose_is_what_the_guide_says(observed: Stack) -> None:
    exposed: dict[str, str] = {}
    async with httpx2.AsyncClient() as http:
        for url in observed.info["health"].values():
            text = (await http.get(f"{url}/metrics")).raise_for_status().text
            declared = (line.split() for line in text.splitlines() if line.startswith("# TYPE "))
            exposed |= {name: kind for _, _, name, kind in declared}
    guide = (ROOT / "docs" / "guides" / "observability.md").read_text("utf-8")
    row = re.compile(r"^\| `([a-z_.]+)` \| `([a-z_]+)` \| (counter|gauge|histogram) \| `([^`]+)` \|", re.MULTILINE)
    documented = {prometheus: kind for _, prometheus, kind, _ in row.findall(guide)}
    assert documented == exposed
    for name, prometheus, kind, unit in row.findall(guide):
        ending = {"s": "_seconds", "By": "_bytes"}.get(unit, "") + ("_total" if kind == "counter" else "")
        assert prometheus == name.replace(".", "_") + ending


async def test_what_alerts_wait_for_is_counted_from_zero(observed: Stack) -> None:
    """Prometheus sees no growth to a figure's first value: of the first failure nobody would be told."""
    event = 'orkestra_events_total{orkestra_aggregate="%s",orkestra_event="%s"}'
    awaited = {
        "workflow-worker": [event % ("workflow", "failed"), event % ("workflow", "timed_out")],
        "task-service": [event % ("task", name) for name in ("created", "expired", "sla_breached")],
        "notification-service": ['orkestra_deliveries_total{orkestra_channel="webhook",orkestra_outcome="failed"}'],
    }
    async with httpx2.AsyncClient() as http:
        for service, series in awaited.items():
            shown = (await http.get(f"{observed.info['health'][service]}/metrics")).raise_for_status().text
            assert [one for one in series if one not in shown] == []


async def test_figures_arrive_at_the_receiver_by_the_names_of_the_guide(observed: Stack, received: Received) -> None:
    wanted = {
        ("api-gateway", "http.server.request.duration"),
        ("task-service", "rpc.server.call.duration"),
        ("task-service", "orkestra.events"),
        ("task-service", "orkestra.outbox.pending"),
        ("workflow-worker", "db.client.connection.count"),
        ("notification-service", "orkestra.consumer.lag"),
        ("mcp-gateway", "process.memory.usage"),
    }
    async with observed.rest(key="agent") as http:
        body = {"definition": "customer-support", "input": QUESTION}
        started = (await http.post("/v1/workflows", json=body)).raise_for_status().json()
        await answer_as_person(observed, started["workflow_id"])
    await eventually(lambda: wanted <= set(received.metrics), timeout=30)
    events = received.metrics["task-service", "orkestra.events"].sum.data_points
    names = {tuple(one.value.string_value for one in point.attributes) for point in events}
    assert ("task", "created") in names


@contextmanager
def prometheus(stack: Stack, folder: Path) -> Iterator[str]:
    """Prometheus with the chart's alerts, reading every process of the stack as the operator would have it do."""
    rules = (CHART_FILES / "alerts.yaml").read_text("utf-8")
    rules = rules.replace("$namespace", "orkestra").replace("$fullname", "orkestra")
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": yaml.safe_load(rules)}), "utf-8")
    targets = [
        {"targets": [url.removeprefix("http://")], "labels": {"namespace": "orkestra", "service": f"orkestra-{name}"}}
        for name, url in stack.info["health"].items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "orkestra", "static_configs": targets}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
    options += [f"--web.listen-address={address}", "--log.level=warn"]
    server = Process("prometheus", [str(PROMETHEUS), *options], log=folder / "prometheus.log")
    server.spawn()
    try:
        yield f"http://{address}"
    finally:
        server.stop()


@pytest.mark.skipif(not PROMETHEUS.exists(), reason="`make deploy-tools` takes Prometheus from the distribution")
async def test_prometheus_reads_the_stack_and_every_panel_shows_something(observed: Stack, tmp_path: Path) -> None:
    boards = [yaml.safe_load(path.read_text("utf-8")) for path in (CHART_FILES / "dashboards").glob("*.yaml")]
    panels = {panel["title"]: panel["queries"][0]["expr"] for board in boards for panel in board["panels"]}
    quiet = {"Share of requests that fail at the doors", "Rpcs that fail", "SLA breaches and escalations, an hour"}
    with prometheus(observed, tmp_path) as url:
        async with httpx2.AsyncClient(base_url=url) as http, observed.rest(key="agent") as rest:

            async def ask(path: str, **params: str) -> Any:
                answer = (await http.get(f"/api/v1/{path}", params=params)).raise_for_status().json()
                return answer["data"]

            async def shown() -> dict[str, int]:
                queries = {
                    title: expr.replace("$namespace", "orkestra").replace("$__rate_interval", "30s")
                    for title, expr in panels.items()
                }
                return {title: len((await ask("query", query=expr))["result"]) for title, expr in queries.items()}

            async def empty() -> list[str]:
                started = await rest.post("/v1/workflows", json={"definition": "customer-support", "input": QUESTION})
                await answer_as_person(observed, started.raise_for_status().json()["workflow_id"])
                return sorted({title for title, count in (await shown()).items() if not count} - quiet)

            async def all_show() -> bool:
                with suppress(httpx2.HTTPError):  # it has not opened its port yet
                    assert await empty() == []
                    return True
                return False

            await eventually(all_show, timeout=60, every=1.0)
            up = (await ask("query", query='up{namespace="orkestra"}'))["result"]
            assert {one["metric"]["service"].removeprefix("orkestra-") for one in up} == set(observed.info["health"])
            assert {one["value"][1] for one in up} == {"1"}
            rules = [rule for group in (await ask("rules"))["groups"] for rule in group["rules"]]
            assert {rule["health"] for rule in rules} == {"ok"}
            assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


def logs_of(stack: Stack) -> list[Path]:
    """Return the logs of our own services."""
    return [stack.state_dir / "logs" / f"{name}.log" for name in stack.info["health"]]


def lines_of(stack: Stack, trace_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the log lines of every service that belong to the trace, each with the service's name."""
    return [
        (log.stem, json.loads(line))
        for log in logs_of(stack)
        for line in log.read_text("utf-8", "replace").splitlines()
        if trace_id in line
    ]

"""Alerts and dashboards ask for figures that there are; alerts fire when they should, by Prometheus' own programs."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from deploy_chart import CHART, ROOT, TOOLS, of_kind

PROMTOOL = TOOLS / "prometheus" / "promtool"
NEEDS_PROMETHEUS = pytest.mark.skipif(
    not PROMTOOL.exists(), reason="`make deploy-tools` takes Prometheus from the distribution's package"
)
GUIDE = (ROOT / "docs" / "guides" / "observability.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "guides" / "operations.md").read_text("utf-8")
SCRAPED = {"namespace", "pod", "service", "job", "instance", "le"}
"""Labels that come from reading the figures, and a histogram's own."""
EVENTS = 'orkestra_events_total{namespace="orkestra",orkestra_aggregate="%s",orkestra_event="%s"}'
HANDLED = 'orkestra_events_handled_total{namespace="orkestra",orkestra_consumer="wakeup",orkestra_outcome="dead"}'
ROWS = re.compile(r"^\| `[a-z_.]+` \| `([a-z_]+)` \| (counter|gauge|histogram) \| `[^`]+` \| ([^|]+) \|", re.MULTILINE)
WHAT_EVENTS = re.compile(r"^\| [^|]+ \| `([a-z_]+)` \| ([^|]+) \|$", re.MULTILINE)

Case = tuple[list[dict[str, str]], str]


def alerts() -> list[dict[str, Any]]:
    text = (CHART / "files" / "alerts.yaml").read_text("utf-8")
    groups = yaml.safe_load(text.replace("$namespace", "orkestra").replace("$fullname", "orkestra"))
    return [rule for group in groups for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Every expression of an alert or a panel with where it stands."""
    for alert in alerts():
        yield alert["alert"], alert["expr"]
    for path in sorted((CHART / "files" / "dashboards").glob("*.yaml")):
        for panel in yaml.safe_load(path.read_text("utf-8"))["panels"]:
            for query in panel["queries"]:
                expression = query["expr"].replace("$namespace", "orkestra").replace("$__rate_interval", "1m")
                yield f"{path.stem}: {panel['title']}", expression


def selectors(expression: str) -> Iterator[promql_parser.VectorSelector]:
    """Every selector within the expression."""
    pending: list[Any] = [promql_parser.parse(expression)]
    while pending:
        one = pending.pop()
        match one:
            case promql_parser.VectorSelector():
                yield one
            case promql_parser.MatrixSelector():
                yield one.vector_selector
            case promql_parser.Call():
                pending += one.args
            case promql_parser.BinaryExpr():
                pending += [one.lhs, one.rhs]
            case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
                pending.append(one.expr)
            case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
                pass
            case _:
                raise AssertionError(f"{type(one).__name__} in {expression}")


def figures() -> dict[str, set[str]]:
    """The samples that the guide names, with their labels; that services expose these is tested on a running stack."""
    found = {"up": SCRAPED}
    for name, kind, attributes in ROWS.findall(GUIDE):
        labels = {word.replace(".", "_") for word in re.findall(r"`([a-z_.]+)`", attributes)} | SCRAPED
        endings = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        found |= {name + ending: labels for ending in endings}
    return found


@pytest.mark.parametrize(("place", "expression"), list(queries()))
def test_every_query_names_figures_and_labels_that_there_are(place: str, expression: str) -> None:
    known = figures()
    events = {(what, event) for what, names in WHAT_EVENTS.findall(GUIDE) for event in re.findall(r"`(\w+)`", names)}
    for selector in selectors(expression):
        assert selector.name in known, place
        labels = {matcher.name: matcher for matcher in selector.matchers.matchers}
        assert set(labels) <= known[selector.name], place
        assert labels["namespace"].value == "orkestra", f"{place}: of every installation, not only of this one"
        if selector.name == "orkestra_events_total":
            for event in labels["orkestra_event"].value.split("|"):
                assert (labels["orkestra_aggregate"].value, event) in events, place


def test_every_alert_has_a_runbook() -> None:
    headings = set(re.findall(r"^### (\w+)$", OPERATIONS, re.MULTILINE))
    assert headings == {alert["alert"] for alert in alerts()}


@NEEDS_PROMETHEUS
def test_prometheus_takes_the_rules_of_the_chart(tmp_path: Path) -> None:
    rule = of_kind("PrometheusRule", "production")["orkestra"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]), "utf-8")
    run_promtool("check", "rules", "--lint-fatal", tmp_path / "rules.yaml")


def run_promtool(*words: str | Path) -> None:
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def series(name: str, values: str) -> dict[str, str]:
    return {"series": name, "values": values}


def up(service: str, pod: str, values: str) -> dict[str, str]:
    return series(f'up{{namespace="orkestra",service="orkestra-{service}",instance="{pod}"}}', values)


def http(status: int, values: str) -> dict[str, str]:
    labels = f'namespace="orkestra",service="orkestra-api-gateway",http_response_status_code="{status}"'
    return series(f"http_server_request_duration_seconds_count{{{labels}}}", values)


def rpc(status: str, values: str) -> dict[str, str]:
    labels = f'namespace="orkestra",service="orkestra-task-service",rpc_response_status_code="{status}"'
    return series(f"rpc_server_call_duration_seconds_count{{{labels}}}", values)


def delivery(outcome: str, values: str) -> dict[str, str]:
    labels = f'namespace="orkestra",orkestra_channel="webhook",orkestra_outcome="{outcome}"'
    return series(f"orkestra_deliveries_total{{{labels}}}", values)


def certificate(peer: str, remaining: str, lifetime: int) -> list[dict[str, str]]:
    labels = f'{{namespace="orkestra",service="orkestra-task-service",pod="a",orkestra_peer="{peer}"}}'
    left = series(f"orkestra_certificate_remaining_seconds{labels}", remaining)
    return [left, series(f"orkestra_certificate_lifetime_seconds{labels}", f"{lifetime}x60")]


DAY = 24 * 3600
CALM = [
    series(EVENTS % ("task", "created"), "0+10x60"),
    series(EVENTS % ("task", "sla_breached"), "0+0.5x60"),
    series(EVENTS % ("task", "expired"), "0x60"),
    series(EVENTS % ("workflow", "failed"), "0x60"),
    series('orkestra_outbox_age_seconds{namespace="orkestra",orkestra_schema="task"}', "3x60"),
    series('orkestra_relay_active{namespace="orkestra",orkestra_schema="task",pod="a"}', "1x60"),
    series('orkestra_relay_active{namespace="orkestra",orkestra_schema="task",pod="b"}', "0x60"),
    series(HANDLED, "0x60"),
    series('orkestra_consumer_pending{namespace="orkestra",orkestra_consumer="wakeup"}', "0x20 600x5 0x34"),
    up("task-service", "a", "1x60"),
    up("task-service", "b", "1x30 0x2 1x28"),
    http(200, "0+100x60"),
    http(500, "0+1x60"),
    rpc("OK", "0+100x60"),
    rpc("UNAVAILABLE", "0+1x60"),
    series('db_client_connection_pending_requests{namespace="orkestra",pod="a"}', "0 4 0x58"),
    delivery("delivered", "0+3x60"),
    delivery("failed", "0+1x60"),
    series('orkestra_langfuse_tasks_total{namespace="orkestra",orkestra_outcome="dropped"}', "0x60"),
    *certificate("gRPC", f"{30 * DAY}-60x60", 90 * DAY),
    *certificate("NATS", f"{8 * 3600}-60x60", DAY),
]
FIRING: dict[str, list[dict[str, str]]] = {
    "OrkestraSlaBreaches": [
        series(EVENTS % ("task", "created"), "0+1x60"),
        series(EVENTS % ("task", "sla_breached"), "0+0.2x60"),
    ],
    "OrkestraTasksExpire": [series(EVENTS % ("task", "expired"), "0x30 0+1x30")],
    "OrkestraWorkflowsFail": [series(EVENTS % ("workflow", "timed_out"), "0x45 0+1x15")],
    "OrkestraOutboxStuck": [
        series('orkestra_outbox_age_seconds{namespace="orkestra",orkestra_schema="task"}', "0x50 0+60x10")
    ],
    "OrkestraNoRelay": [
        series('orkestra_relay_active{namespace="orkestra",orkestra_schema="task",pod="a"}', "1x30 0x30")
    ],
    "OrkestraDeadLetters": [series(HANDLED, "0x55 1x5")],
    "OrkestraConsumerBehind": [
        series('orkestra_consumer_pending{namespace="orkestra",orkestra_consumer="wakeup"}', "0x30 600+10x30")
    ],
    "OrkestraServiceDown": [up("task-service", "a", "1x50 0x10"), up("task-service", "b", "0x60")],
    "OrkestraProcessDown": [up("task-service", "a", "1x60"), up("task-service", "b", "1x50 0x10")],
    "OrkestraDoorErrors": [http(200, "0+100x60"), http(503, "0+5x60")],
    "OrkestraRpcErrors": [rpc("OK", "0+100x60"), rpc("INTERNAL", "0+5x60")],
    "OrkestraPoolExhausted": [
        series('db_client_connection_pending_requests{namespace="orkestra",pod="a"}', "0x50 3x10")
    ],
    "OrkestraCertificateEnds": [
        *certificate("gRPC", f"{7 * DAY + 1800}-60x60", 90 * DAY),
        *certificate("NATS", f"{30 * DAY}-60x60", 90 * DAY),
    ],
    "OrkestraDeliveriesFail": [delivery("failed", "0+2x60"), delivery("delivered", "0+1x60")],
    "OrkestraLangfuseDrops": [
        series('orkestra_langfuse_tasks_total{namespace="orkestra",orkestra_outcome="dropped"}', "0x50 2x10")
    ],
}


@NEEDS_PROMETHEUS
def test_each_alert_fires_for_its_reason_and_none_on_a_calm_day(tmp_path: Path) -> None:
    assert set(FIRING) == {alert["alert"] for alert in alerts()}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": alerts()}]}), "utf-8")
    firing = [
        {
            "name": name,
            "interval": "1m",
            "input_series": read,
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertstate="firing",alertname="{name}"}})',
                    "eval_time": "60m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        }
        for name, read in FIRING.items()
    ]
    calm = {
        "name": "calm",
        "interval": "1m",
        "input_series": CALM,
        "promql_expr_test": [
            {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m", "exp_samples": []}
            for minute in (5, 20, 34, 60)
        ],
    }
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [calm, *firing]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), "utf-8")
    run_promtool("test", "rules", tmp_path / "tests.yaml")

"""An agent's trace in Langfuse shows what people did; with Langfuse away or slow nobody waits for it."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from langfuse_endpoint import Endpoint, serving
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.metrics import REGISTRY
from orkestra.chassis.relay import Relay
from orkestra.chassis.settings import SettingsError, load
from orkestra.chassis.streams import Nats, connect
from orkestra.notification_service.channels.langfuse import Langfuse, span_id
from orkestra.notification_service.consumers import Verdicts
from orkestra.notification_service.settings import NotificationServiceSettings
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import AgentInfo, CompleteTaskRequest, Task, TaskContext
from orkestra.wire import Principal
from pydantic import SecretStr
from task_world import Tenant, World, ask, running

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FORM = {
    "answer": {"type": "textarea", "label": "Answer", "required": True},
    "iban": {"type": "text", "label": "IBAN", "sensitive": True},
    "sentiment": {"type": "select", "label": "Mood", "options": [{"value": "positive", "label": "Positive"}]},
}


@dataclass
class Office:
    """A task-service whose events reach a stream."""

    world: World
    stream: Nats

    @asynccontextmanager
    async def telling(
        self,
        tenant: Tenant,
        url: str,
        *,
        seconds: float = 5.0,
        give_up: float = 60.0,
        content: bool = True,
        key: str = "sk-1",
    ) -> AsyncIterator[Verdicts]:
        """Tell the Langfuse at `url` of what the tenant's people answer, as the service does."""
        project = Langfuse.connect(
            url, public_key="pk-1", secret_key=SecretStr(key), environment="test", content=content, seconds=seconds
        )

        def token(tenant_id: str | None) -> str:
            return self.world.signer.sign(Principal("service", "service", tenant_id, frozenset({"system"})))[0]

        verdicts = Verdicts(project, self.world.channel, token, give_up=timedelta(seconds=give_up))
        name = f"langfuse-{uuid4().hex}"
        consumer = Consumer(self.stream, name, [f"orkestra.v1.{tenant.id}.task.completed"], verdicts.hear)
        loop = asyncio.create_task(consumer.run())
        try:
            yield verdicts
        finally:
            loop.cancel()
            await asyncio.wait([loop])
            await project.close()


@pytest_asyncio.fixture(scope="module")
async def office(postgres: str, nats_url: str) -> AsyncIterator[Office]:
    async with running(postgres) as world:
        stream = await connect(nats_url, name="test")
        relay = asyncio.create_task(Relay(world.url("relay"), stream, schema="task").run())
        try:
            yield Office(world, stream)
        finally:
            relay.cancel()
            await asyncio.wait([relay])
            await stream.close()


@pytest.fixture
def tenant(office: Office) -> Tenant:
    return office.world.tenant()


def said_of(endpoint: Endpoint, task: Task) -> dict[str, Any]:
    """Return the attributes of a task's own span."""
    given = endpoint.spans[span_id(task.task_id)]["attributes"]
    return {one["key"]: next(iter(one["value"].values())) for one in given}


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("orkestra_langfuse_tasks_total", {"orkestra_outcome": outcome}) or 0.0


async def answered(tenant: Tenant, *, trace_id: str | None = f"00-{TRACE}-{SPAN}-01") -> Task:
    """An agent asks, with a draft, and a person answers in other words."""
    ana, cleo = tenant.person("ana", "support-l1"), tenant.person("cleo")
    agent = AgentInfo(name="support-bot", model="m-1", prompt_version="v7", confidence=0.41, trace_id=trace_id)
    asked = ask(
        form=FORM,
        draft={"answer": {"value": "No, sorry, never", "confidence": 0.4}, "iban": {"value": "DE0212"}},
        context=TaskContext(agent=agent),
        correlation="conversation-1",
        candidate_groups=["support-l1"],
        on_behalf_of=cleo.id,
        type="returns",
    )
    task = await tenant.agent(on_behalf_of=["*"]).create_task(asked)
    await ana.claimed(task)
    answer = {"answer": "No, sorry, maybe", "iban": "DE0299", "sentiment": "positive"}
    return await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=answer))


async def test_the_persons_work_appears_in_the_agents_trace(office: Office, tenant: Tenant) -> None:
    with serving(Endpoint()) as endpoint:
        async with office.telling(tenant, endpoint.url):
            task = await answered(tenant)
            await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=30)
    own = endpoint.spans[span_id(task.task_id)]
    assert (own["name"], own["traceId"], own["parentSpanId"]) == ("returns", TRACE, SPAN)
    below = [span["name"] for span in endpoint.spans.values() if span.get("parentSpanId") == own["spanId"]]
    assert below == ["queue", "active"]
    said = said_of(endpoint, task)
    assert (said["user.id"], said["session.id"]) == (task.on_behalf_of, "conversation-1")
    assert json.loads(said["langfuse.observation.input"])["draft"] == {
        "answer": "No, sorry, never",
        "iban": "[sensitive]",
    }
    assert json.loads(said["langfuse.observation.output"])["result"] == {
        "answer": "No, sorry, maybe",
        "iban": "[sensitive]",
        "sentiment": "positive",
    }
    metadata = {key.rpartition(".")[2]: value for key, value in said.items() if ".metadata." in key}
    assert (metadata["agent_model"], metadata["agent_confidence"], metadata["completed_by"]) == (
        "m-1",
        0.41,
        task.completed_by,
    )
    assert metadata["queue_seconds"] >= 0
    assert metadata["active_seconds"] > 0
    scores = {score["name"]: (score["value"], score["dataType"]) for score in endpoint.scores.values()}
    assert scores == {
        "outcome": ("completed", "CATEGORICAL"),
        "human_agreement": (0.0, "BOOLEAN"),
        "edit_distance": (0.6667, "NUMERIC"),
        "sentiment": ("positive", "CATEGORICAL"),
    }
    assert {score["traceId"] for score in endpoint.scores.values()} == {TRACE}
    assert {score["observationId"] for score in endpoint.scores.values()} == {own["spanId"]}
    assert "DE02" not in str([endpoint.spans, endpoint.scores])
    signed = "Basic " + base64.b64encode(b"pk-1:sk-1").decode()
    assert {(one["authorization"], one["x-langfuse-ingestion-version"]) for one in endpoint.headers} == {(signed, "4")}


async def test_told_again_it_replaces_itself(office: Office, tenant: Tenant) -> None:
    with serving(Endpoint()) as endpoint:
        async with office.telling(tenant, endpoint.url), office.telling(tenant, endpoint.url):
            await answered(tenant)
            await eventually(lambda: endpoint.asked >= 4, timeout=30)
    assert (len(endpoint.spans), len(endpoint.scores)) == (3, 4)


async def test_without_content_only_times_and_scores_go(office: Office, tenant: Tenant) -> None:
    with serving(Endpoint()) as endpoint:
        async with office.telling(tenant, endpoint.url, content=False):
            task = await answered(tenant)
            await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=30)
    assert "sorry" not in str(endpoint.spans)


@pytest.mark.parametrize("trace_id", [None, "not a trace"])
async def test_without_a_trace_of_the_agent_nothing_is_sent(
    office: Office, tenant: Tenant, trace_id: str | None
) -> None:
    before = counted("skipped")
    with serving(Endpoint()) as endpoint:
        async with office.telling(tenant, endpoint.url):
            await answered(tenant, trace_id=trace_id)
            await eventually(lambda: counted("skipped") > before, timeout=30)
    assert endpoint.asked == 0


async def test_an_endpoint_that_hangs_holds_up_nobody_and_gets_it_later(office: Office, tenant: Tenant) -> None:
    endpoint, before = Endpoint(status=None), counted("retried")
    with serving(endpoint):
        async with office.telling(tenant, endpoint.url, seconds=0.5):
            began = time.monotonic()
            task = await answered(tenant)
            assert time.monotonic() - began < 5  # nobody's call is behind the one that hangs
            await eventually(lambda: counted("retried") > before, timeout=30)
            endpoint.status = 200
            await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=30)


async def test_while_nothing_listens_tries_are_made_until_it_is_given_up_and_counted(
    office: Office, tenant: Tenant
) -> None:
    with serving(Endpoint()) as endpoint:
        closed = endpoint.url
    retried, dropped = counted("retried"), counted("dropped")
    async with office.telling(tenant, closed, seconds=1.0, give_up=1.0):
        await answered(tenant)
        await eventually(lambda: counted("dropped") > dropped, timeout=30)
    assert counted("retried") > retried


async def test_what_langfuse_refuses_is_dropped_at_once(office: Office, tenant: Tenant) -> None:
    dropped, retried = counted("dropped"), counted("retried")
    with serving(Endpoint(status=400)) as endpoint:
        async with office.telling(tenant, endpoint.url):
            await answered(tenant)
            await eventually(lambda: counted("dropped") > dropped, timeout=30)
    assert counted("retried") == retried


@pytest.mark.parametrize("left_out", ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "TASK_ADDRESS"])
def test_half_a_langfuse_is_refused_at_the_start(left_out: str) -> None:
    known = {
        "DATABASE_URL": "postgresql://x",
        "RELAY_DATABASE_URL": "postgresql://x",
        "SWEEP_DATABASE_URL": "postgresql://x",
        "NATS_URL": "nats://x",
        "IDENTITY_ADDRESS": "x:1",
        "SERVICE_KEY": "k",
        "GRPC_PORT": "1",
        "HEALTH_PORT": "2",
        "LANGFUSE_BASE_URL": "https://langfuse.example.com",
        "LANGFUSE_PUBLIC_KEY": "pk-1",
        "LANGFUSE_SECRET_KEY": "sk-1",
        "TASK_ADDRESS": "x:3",
    }
    environ = {f"ORKESTRA_{name}": value for name, value in known.items()}
    assert load(NotificationServiceSettings, environ).langfuse_content is True
    del environ[f"ORKESTRA_{left_out}"]
    with pytest.raises(SettingsError, match="Langfuse needs"):
        load(NotificationServiceSettings, environ)


async def test_what_ends_while_the_keys_are_rotated_is_told_by_who_has_the_new_one(
    office: Office, tenant: Tenant
) -> None:
    with serving(Endpoint(keys={"sk-2"})) as endpoint:
        async with office.telling(tenant, endpoint.url):
            task = await answered(tenant)
            await eventually(lambda: endpoint.asked >= 2, timeout=60)
        assert endpoint.scores == {}
        async with office.telling(tenant, endpoint.url, key="sk-2"):
            await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=60)
        endpoint.keys, endpoint.scores = {"sk-1", "sk-2"}, {}
        async with office.telling(tenant, endpoint.url):
            await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=60)

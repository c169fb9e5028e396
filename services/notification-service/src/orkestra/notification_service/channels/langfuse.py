"""Langfuse: what people did about an agent's question, in the agent's own trace there, with scores."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx
from langfuse.api import AsyncLangfuseAPI, CreateScoreRequest, ScoreDataType
from langfuse.api.core.api_error import ApiError
from langfuse.api.core.request_options import RequestOptions
from langfuse.api.opentelemetry.types.otel_attribute import OtelAttribute
from langfuse.api.opentelemetry.types.otel_attribute_value import OtelAttributeValue
from langfuse.api.opentelemetry.types.otel_resource import OtelResource
from langfuse.api.opentelemetry.types.otel_resource_span import OtelResourceSpan
from langfuse.api.opentelemetry.types.otel_scope import OtelScope
from langfuse.api.opentelemetry.types.otel_scope_span import OtelScopeSpan
from langfuse.api.opentelemetry.types.otel_span import OtelSpan
from orkestra.chassis.readiness import UnwellError
from orkestra.notification_service.channels.verdict import (
    AgentTrace,
    Later,
    Refused,
    Score,
    Stretch,
    ended_at,
    masked,
    proposed,
    scores_of,
    seconds_in,
)
from orkestra.v1.task import Task
from orkestra.wire import dumps
from pydantic import SecretStr

LATER = frozenset({401, 403, 408, 425, 429})
"""HTTP statuses, besides those from 500 on, after which another try may help; a key may be put right meanwhile."""
REFUSED = frozenset({401, 403})
ONCE: RequestOptions = {"max_retries": 0}
"""Tries are made by the consumer of events, not here."""
INGESTION = {"x-langfuse-ingestion-version": "4"}
_INTERNAL = 1


class Langfuse:
    """One project of one Langfuse; every call is bounded by `seconds` and nothing is kept back in this process."""

    def __init__(
        self,
        api: AsyncLangfuseAPI,
        http: httpx.AsyncClient,
        project: httpx.Request,
        *,
        environment: str | None,
        content: bool,
    ) -> None:
        self._api = api
        self._http = http
        self._project = project
        self._environment = environment
        self._content = content

    @classmethod
    def connect(
        cls,
        base_url: str,
        *,
        public_key: str,
        secret_key: SecretStr,
        environment: str | None = None,
        content: bool = True,
        seconds: float = 5.0,
    ) -> Self:
        """Return the project that the keys open; nothing is asked yet. Without `content` only times and scores go."""
        http = httpx.AsyncClient(timeout=seconds, follow_redirects=False)
        api = AsyncLangfuseAPI(
            base_url=base_url,
            username=public_key,
            password=secret_key.get_secret_value(),
            x_langfuse_public_key=public_key,
            headers=INGESTION,
            httpx_client=http,
        )
        keys = httpx.BasicAuth(public_key, secret_key.get_secret_value())
        project = next(keys.auth_flow(http.build_request("GET", f"{base_url.rstrip('/')}/api/public/projects")))
        return cls(api, http, project, environment=environment, content=content)

    async def tell(self, task: Task, trace: AgentTrace, spent: Sequence[Stretch]) -> None:
        """Put a task that has ended into the agent's trace; told again it replaces itself.

        Raises Later where another try may help, Refused where Langfuse will never take it.
        """
        try:
            await self._api.opentelemetry.export_traces(
                resource_spans=self._resource_spans(task, trace, spent), request_options=ONCE
            )
            scores = [self._score(task, trace, one) for one in scores_of(task)]
            await self._api.scores.create(request=scores, request_options=ONCE)
        except httpx.HTTPError as away:
            raise Later(f"Langfuse does not answer: {type(away).__name__}.") from away
        except ApiError as refused:
            status = refused.status_code or 500
            sentence = f"Langfuse answered with status {status}."
            if status in LATER or status >= 500:
                raise Later(sentence) from refused
            raise Refused(sentence) from refused

    async def check(self) -> None:
        """Ask which project the keys open; raises UnwellError where Langfuse does not answer or does not know them."""
        try:
            status = (await self._http.send(self._project)).status_code
        except httpx.HTTPError as away:
            raise UnwellError(f"{self._project.url} does not answer: {type(away).__name__}") from away
        if status in REFUSED:
            raise UnwellError(f"{self._project.url} refuses our keys with {status}")
        if status != httpx.codes.OK:
            raise UnwellError(f"{self._project.url} answers with {status}")

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    def _resource_spans(self, task: Task, trace: AgentTrace, spent: Sequence[Stretch]) -> list[OtelResourceSpan]:
        spans = [
            self._span(
                task.type or "human task",
                (task.created_at, ended_at(task)),
                trace_id=trace.trace_id,
                span_id=span_id(task.task_id),
                parent_id=trace.parent_id,
                attributes=dict(self._attributes(task, spent)),
            ),
            *(
                self._span(
                    one.phase,
                    (one.began, one.ended),
                    trace_id=trace.trace_id,
                    span_id=span_id(f"{task.task_id} {number}"),
                    parent_id=span_id(task.task_id),
                    attributes={"langfuse.observation.type": "span"},
                )
                for number, one in enumerate(spent)
            ),
        ]
        named = OtelResource(attributes=_otel({"service.name": "orkestra"}))
        return [
            OtelResourceSpan(resource=named, scope_spans=[OtelScopeSpan(scope=OtelScope(name="orkestra"), spans=spans)])
        ]

    def _span(
        self,
        name: str,
        between: tuple[datetime, datetime],
        *,
        trace_id: str,
        span_id: str,
        parent_id: str | None,
        attributes: Mapping[str, Any],
    ) -> OtelSpan:

        environment = {} if self._environment is None else {"langfuse.environment": self._environment}
        return OtelSpan(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_id,
            name=name,
            kind=_INTERNAL,
            start_time_unix_nano=_nanoseconds(between[0]),
            end_time_unix_nano=_nanoseconds(between[1]),
            attributes=_otel({**attributes, **environment}),
            status={},
        )

    def _attributes(self, task: Task, spent: Sequence[Stretch]) -> Iterator[tuple[str, Any]]:
        """Yield what is said of the whole task: whose it is, what was asked and answered, and how long it took."""
        yield "langfuse.observation.type", "span"
        if task.on_behalf_of is not None:
            yield "user.id", task.on_behalf_of
        if task.correlation is not None:
            yield "session.id", task.correlation
        if self._content:
            form = task.form or {}
            asked = {"title": task.title, "description": task.description, "draft": masked(proposed(task), form)}
            yield "langfuse.observation.input", _json(asked)
            answered = {"outcome": task.outcome, "result": masked(task.result, form), "reason": task.reason}
            yield "langfuse.observation.output", _json({"status": task.status.value, **answered})
        agent = task.context.agent if task.context is not None else None
        known = {
            **{f"{phase}_seconds": round(seconds_in(phase, spent), 3) for phase in ("queue", "active", "waiting")},
            "task_id": task.task_id,
            "tenant_id": task.tenant_id,
            "workflow_id": task.workflow_id,
            "priority": task.priority.value,
            "completed_by": task.completed_by,
            "decided_by": None if task.decided_by is None else task.decided_by.value,
            "escalation_level": None if task.sla is None else task.sla.escalation_level,
            "breached": None if task.sla is None else task.sla.breached,
            **({} if agent is None else {f"agent_{name}": value for name, value in agent.model_dump().items()}),
        }
        for name, value in known.items():
            if value is not None:
                yield f"langfuse.observation.metadata.{name}", value

    def _score(self, task: Task, trace: AgentTrace, score: Score) -> CreateScoreRequest:

        return CreateScoreRequest(
            id=f"{task.task_id}-{score.name}",
            trace_id=trace.trace_id,
            observation_id=span_id(task.task_id),
            name=score.name,
            value=score.value,
            data_type=ScoreDataType(score.data_type),
            environment=self._environment,
            timestamp=ended_at(task),
        )


def span_id(name: str) -> str:
    """Return the id of a span that is the same however often it is told."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _otel(attributes: Mapping[str, Any]) -> list[OtelAttribute]:
    """Return attributes as OTLP has them in JSON."""

    def value_of(value: Any) -> OtelAttributeValue:
        match value:
            case bool():
                return OtelAttributeValue(bool_value=value)
            case int():
                return OtelAttributeValue(int_value=value)
            case float():
                return OtelAttributeValue(double_value=value)
        return OtelAttributeValue(string_value=str(value))

    return [OtelAttribute(key=key, value=value_of(value)) for key, value in attributes.items()]


def _json(values: Mapping[str, Any]) -> str:
    return dumps({name: value for name, value in values.items() if value not in (None, {})})


def _nanoseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000) * 1000)

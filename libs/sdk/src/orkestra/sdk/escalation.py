"""escalate_below(): a person is asked only where the agent is not sure enough, and either way it is recorded."""

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack, overload

from orkestra.forms import Form
from orkestra.sdk.context import Context
from orkestra.sdk.options import TaskOptions
from orkestra.sdk.run import current_run
from orkestra.sdk.tasks import TaskResult, task
from orkestra.v1.task import CheckEscalationRequest, EscalationCheck, EscalationDecision

CHECK_ESCALATION = "orkestra.check_escalation"
M = TypeVar("M", bound=Form)


@overload
async def escalate_below(
    ctx: Context | None,
    confidence: float,
    threshold: float,
    /,
    *,
    topic: str,
    title: str,
    form: type[M],
    agent: str | None = None,
    model: str | None = None,
    prompt_version: str | None = None,
    description: str | None = None,
    draft: Mapping[str, Any] | None = None,
    **options: Unpack[TaskOptions],
) -> TaskResult[M] | None: ...


@overload
async def escalate_below(
    ctx: Context | None,
    confidence: float,
    threshold: float,
    /,
    *,
    topic: str,
    title: str,
    form: Mapping[str, Any] | None = None,
    agent: str | None = None,
    model: str | None = None,
    prompt_version: str | None = None,
    description: str | None = None,
    draft: Mapping[str, Any] | None = None,
    **options: Unpack[TaskOptions],
) -> TaskResult[dict[str, Any]] | None: ...


async def escalate_below(  # noqa: PLR0913 - what is checked, and the fields of the task
    ctx: Context | None,
    confidence: float,
    threshold: float,
    /,
    *,
    topic: str,
    title: str,
    form: Any = None,
    agent: str | None = None,
    model: str | None = None,
    prompt_version: str | None = None,
    description: str | None = None,
    draft: Mapping[str, Any] | None = None,
    **options: Unpack[TaskOptions],
) -> TaskResult[Any] | None:
    """Ask a person where `confidence` is below `threshold`, both from 0 to 1; None where the agent may go on alone.

    Either way the decision is recorded as an escalation check under `topic`, and what becomes of the task is recorded
    with it. Where the tenant's policy has a `sample_rate` for the topic, that share of the confident cases goes to
    people as well. `agent`, `model` and `prompt_version` say who was so sure, and `draft` what it proposes; all of that
    is shown with the task. Takes and raises what task() does, and ApplicationError CHECK_INVALID.
    """
    run = current_run()
    request = CheckEscalationRequest(
        topic=topic,
        confidence=confidence,
        threshold=threshold,
        agent=agent,
        model=model,
        prompt_version=prompt_version,
        requested_by=run.required_header().requested_by,
    )
    check = await run.call_recorded(CHECK_ESCALATION, request, EscalationCheck)
    if check.decision is EscalationDecision.PROCEED:
        return None
    sure = {"name": agent, "model": model, "prompt_version": prompt_version, "confidence": confidence}
    context = options.get("context") or {}
    told = {**sure, **context.get("agent", {}), "check_id": check.check_id}
    options["context"] = {**context, "agent": {name: value for name, value in told.items() if value is not None}}
    result: TaskResult[Any] = await task(ctx, title=title, description=description, form=form, draft=draft, **options)
    return result

"""Whether an agent may go on alone: the tenant's ordered rules, and a sample of what it is sure of."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from orkestra.rules.permissions import is_installation
from orkestra.v1.task import (
    CheckEscalationRequest,
    DecidedBy,
    EscalationCheck,
    EscalationDecision,
    EscalationPolicy,
    EscalationRule,
    Task,
    TaskStatus,
)
from orkestra.wire import FieldError, PermissionDenied, Principal

DEFAULT_THRESHOLD: Final = 0.8
MAX_RULES: Final = 200
MAX_NAME: Final = 200


def check_rules(rules: Sequence[EscalationRule], kept_target: float | None = None) -> list[FieldError]:
    """Returns what is wrong with the rules of a policy and the share of drafts to be kept, each with its path."""
    errors = list(_rule_errors(rules))
    if kept_target is not None and not 0 <= kept_target <= 1:
        errors.append(FieldError("kept_target", "out_of_range", "From 0 to 1."))
    return errors


def check_escalation(request: CheckEscalationRequest) -> list[FieldError]:
    """Returns what is wrong with a question."""
    errors = [
        FieldError(name, "wrong_length", f"1 to {MAX_NAME} characters.")
        for name in ("topic", "agent", "model", "prompt_version")
        if (value := getattr(request, name)) is not None and not 0 < len(value.strip()) <= len(value) <= MAX_NAME
    ]
    shares = {"confidence": request.confidence, "threshold": request.threshold}
    wrong = [name for name, share in shares.items() if share is not None and not 0 <= share <= 1]
    return errors + [FieldError(name, "out_of_range", "From 0 to 1.") for name in wrong]


def asker_of(request: CheckEscalationRequest, principal: Principal) -> str:
    """Returns whose question it is; raises PermissionDenied where others than a worker name a run's or a threshold."""
    if is_installation(principal):
        return request.requested_by or principal.subject
    if request.requested_by is not None or request.threshold is not None:
        raise PermissionDenied("RUN_NOT_YOURS", "Only a worker asks for someone else, or with a threshold of its own.")
    return principal.subject


def decide_escalation(
    policy: EscalationPolicy, request: CheckEscalationRequest, now: datetime, *, check_id: str, checked_by: str
) -> EscalationCheck:
    """Returns the decision on a question that `check_escalation` has let pass; the same for the same check id.

    A threshold of the question counts instead of the policy's; the share that people look at anyway is the policy's.
    """
    rule = rule_for(policy.rules, request.topic)
    threshold = rule.threshold if rule else DEFAULT_THRESHOLD
    if request.threshold is not None:
        threshold = request.threshold
    is_confident = request.confidence >= threshold
    sampled = is_confident and rule is not None and is_sampled(check_id, rule.sample_rate or 0.0)
    escalates = sampled or not is_confident
    return EscalationCheck(
        **request.model_dump(exclude={"threshold", "requested_by"}),
        check_id=check_id,
        checked_by=checked_by,
        decision=EscalationDecision.ESCALATE if escalates else EscalationDecision.PROCEED,
        reason=_sentence(request, threshold, is_confident=is_confident, sampled=sampled),
        threshold=threshold,
        sampled=sampled,
        policy_version=policy.version,
        checked_at=now,
    )


def rule_for(rules: Sequence[EscalationRule], topic: str) -> EscalationRule | None:
    """Returns the first rule whose pattern fits the topic."""
    return next((rule for rule in rules if fits(rule.topic, topic)), None)


def fits(pattern: str, topic: str) -> bool:
    """Whether the pattern is the topic, `*` standing for any text. Takes no longer than both are long together."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == topic
    *middle, last = rest
    if not topic.startswith(first) or not topic.endswith(last) or len(topic) < len(first) + len(last):
        return False
    at, end = len(first), len(topic) - len(last)
    for part in middle:
        found = topic.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def is_sampled(check_id: str, rate: float) -> bool:
    """Whether a check belongs to the share `rate` of all checks, as the SHA-256 of its id says."""
    place = int.from_bytes(hashlib.sha256(check_id.encode()).digest()[:8])
    return place < rate * 2**64


def check_of(task: Task) -> str | None:
    """Returns the id of the escalation check that led to the task."""
    agent = None if task.context is None else task.context.agent
    return None if agent is None else agent.check_id


def kept_draft(task: Task) -> bool | None:
    """Whether the person left every value that the agent had proposed; None without a draft or a person's answer."""
    if task.status != TaskStatus.COMPLETED or task.decided_by != DecidedBy.PERSON or not task.draft:
        return None
    result = task.result or {}
    return all(name in result and is_same(result[name], proposed.get("value")) for name, proposed in task.draft.items())


def is_same(given: object, proposed: object) -> bool:
    """Says whether two JSON values are equal; a number is no truth value."""
    if isinstance(given, dict) and isinstance(proposed, dict):
        return given.keys() == proposed.keys() and all(is_same(given[name], proposed[name]) for name in given)
    if isinstance(given, list) and isinstance(proposed, list):
        return len(given) == len(proposed) and all(is_same(*pair) for pair in zip(given, proposed, strict=True))
    return isinstance(given, bool) == isinstance(proposed, bool) and given == proposed


def _sentence(request: CheckEscalationRequest, threshold: float, *, is_confident: bool, sampled: bool) -> str:
    if sampled:
        return "You are confident enough, but this case is one of a sample that people look at too: hand it over."
    held = f"Your confidence of {request.confidence:g} is {'at least' if is_confident else 'below'} {threshold:g}"
    return f"{held}: you may go on alone." if is_confident else f"{held}: hand this over to a person."


def _rule_errors(rules: Sequence[EscalationRule]) -> Iterator[FieldError]:
    if len(rules) > MAX_RULES:
        yield FieldError("rules", "too_many_items", f"At most {MAX_RULES} rules.")
        return
    for position, rule in enumerate(rules):
        path = f"rules[{position}]"
        if not 0 < len(rule.topic.strip()) <= len(rule.topic) <= MAX_NAME:
            yield FieldError(f"{path}.topic", "wrong_length", f"1 to {MAX_NAME} characters.")
        if not 0 <= rule.threshold <= 1:
            yield FieldError(f"{path}.threshold", "out_of_range", "From 0 to 1.")
        if rule.sample_rate is not None and not 0 <= rule.sample_rate <= 1:
            yield FieldError(f"{path}.sample_rate", "out_of_range", "From 0 to 1.")

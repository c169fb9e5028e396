"""What an author gives to task(), as task-service takes it; what it could not take is said where it was given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from orkestra.forms import Form, schema_of
from orkestra.sdk.sla import SLA
from orkestra.v1.task import ApprovalPolicy, SlaPolicy, TaskContext
from orkestra.v1.workflow import Handoff
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python
from temporalio.exceptions import ApplicationError

GivenForm = type[Form] | Mapping[str, Any] | None
MADE_OF_JSON = ("data", "action")
"""What in a context is the author's own JSON."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that an agent proposes, with how sure it is."""

    value: Any
    confidence: float | None = None


def form_of(form: GivenForm) -> dict[str, Any] | None:
    """Return the form's schema; refuses (TypeError) what is neither a Form class nor a dictionary."""
    if form is None:
        return None
    if isinstance(form, type) and issubclass(form, Form):
        return schema_of(form)
    if isinstance(form, Mapping):
        return dict(form)
    raise TypeError(f"form is a Form class or a form as a dictionary, not {form!r}.")


def draft_of(draft: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the proposals by field; refuses (TypeError) what is no dictionary."""
    if draft is None:
        return None
    if not isinstance(draft, Mapping):
        raise TypeError(f"draft is a dictionary of values by field, not {draft!r}.")
    proposals = {name: value if isinstance(value, Proposal) else Proposal(value) for name, value in draft.items()}
    return {
        name: {"value": one.value} if one.confidence is None else {"value": one.value, "confidence": one.confidence}
        for name, one in proposals.items()
    }


def sla_of(sla: SLA | None) -> SlaPolicy | None:
    """Return the clocks as task-service keeps them; refuses (TypeError) what is no SLA, such as its text alone."""
    if sla is not None and not isinstance(sla, SLA):
        raise TypeError(f"sla is an SLA, such as timeout('30m'), not {sla!r}.")
    return None if sla is None else sla.to_policy()


def policy_of(policy: Mapping[str, Any] | None) -> ApprovalPolicy | None:
    """Return who has to approve; fails the run (TASK_INVALID) where it says what no policy has.

    What is misspelt must not be dropped: of two approvals that are required one would be left.
    """
    if policy is None:
        return None
    unknown = [name for name in policy if name not in ApprovalPolicy.model_fields]
    if unknown:
        known = ", ".join(ApprovalPolicy.model_fields)
        _fail("TASK_INVALID", f"approval_policy.{unknown[0]}: There is no such field; there are {known}.")
    try:
        return ApprovalPolicy.model_validate(policy)
    except ValidationError as error:
        _fail("TASK_INVALID", sentence_of(error, "approval_policy"))


def context_of(given: Mapping[str, Any], handoff: Handoff | None) -> TaskContext | None:
    """Return what people are shown; fails the run (CONTEXT_INVALID) where that is not what a task shows."""
    known = {name: given[name] for name in TaskContext.model_fields if name in given}
    data = {
        **known.pop("data", {}),
        **{name: value for name, value in given.items() if name not in TaskContext.model_fields},
    }
    if data:
        known["data"] = data
    for name in MADE_OF_JSON:
        if name in known:
            _check_json(known[name], f"context.{name}")
    if handoff is not None:
        handed = handoff.model_dump(exclude_none=True)
        known = {**handed, **{name: value for name, value in known.items() if value}}
    try:
        return TaskContext.model_validate(known) if known else None
    except ValidationError as error:
        _fail("CONTEXT_INVALID", sentence_of(error, "context"))


def sentence_of(error: ValidationError, whole: str) -> str:
    """Return what does not fit, by its path, without the words that Pydantic has for programmers."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return " ".join(f"{'.'.join([whole, *map(str, fault['loc'])])}: {fault['msg']}." for fault in faults)


def _check_json(value: Any, path: str) -> None:
    try:
        to_jsonable_python(value)
    except PydanticSerializationError as error:
        _fail("CONTEXT_INVALID", f"{path}: {error}.")


def _fail(reason: str, sentence: str) -> NoReturn:
    raise ApplicationError(sentence, type=reason, non_retryable=True) from None

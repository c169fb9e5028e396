"""Checks an SLA policy, naming every place that is wrong."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from orkestra.rules.calendars import is_always
from orkestra.rules.durations import is_share, offset, parse_duration
from orkestra.v1.task import EscalationStep, SlaClock, SlaEnd, SlaPolicy
from orkestra.wire import FieldError

MAX_STEPS: Final = 50


def check_policy(policy: SlaPolicy, *, has_calendar: bool = False) -> list[FieldError]:
    """Returns what is wrong with a policy, each with its path from `sla`; nothing where it can run.

    `has_calendar` says that the calendar which it names is there.
    """
    return list(_problems(policy, has_calendar=has_calendar))


def _problems(policy: SlaPolicy, *, has_calendar: bool) -> Iterator[FieldError]:
    totals: dict[SlaClock, timedelta | None] = {}
    for clock, text in ((SlaClock.CLAIM, policy.claim), (SlaClock.COMPLETE, policy.complete)):
        totals[clock] = None
        if text is not None:
            try:
                totals[clock] = parse_duration(text)
            except ValueError as exc:
                yield FieldError(f"sla.{clock}", "duration_invalid", str(exc))
    if policy.claim is None and policy.complete is None and not policy.escalate:
        yield FieldError("sla", "policy_empty", "An SLA has a time to claim, a time to complete, or steps.")
    if not is_always(policy.calendar) and not has_calendar:
        yield FieldError("sla.calendar", "calendar_unknown", f"There is no calendar {str(policy.calendar)[:100]}.")
    yield from _end_problems(policy)
    if len(policy.escalate) > MAX_STEPS:
        yield FieldError("sla.escalate", "too_many_items", f"An escalation chain has at most {MAX_STEPS} steps.")
        return
    for position, step in enumerate(policy.escalate):
        yield from _step_problems(policy, step, totals, f"sla.escalate[{position}]")


def _end_problems(policy: SlaPolicy) -> Iterator[FieldError]:
    if policy.at_end is not None and policy.complete is None:
        yield FieldError("sla.at_end", "complete_missing", "An end needs a time to complete.")
    if policy.at_end == SlaEnd.DEFAULT and policy.default_result is None:
        yield FieldError("sla.default_result", "required", "The end default needs the result to give.")
    if policy.at_end != SlaEnd.DEFAULT:
        for name in ("default_result", "default_outcome"):
            if getattr(policy, name) is not None:
                yield FieldError(f"sla.{name}", "not_used", "Only the end default gives a result.")


def _step_problems(
    policy: SlaPolicy, step: EscalationStep, totals: dict[SlaClock, timedelta | None], path: str
) -> Iterator[FieldError]:
    clock = step.clock or SlaClock.COMPLETE
    has_total = getattr(policy, clock) is not None
    if is_share(step.after) and not has_total:
        yield FieldError(f"{path}.after", "total_missing", f"A share needs the time to {clock} that it is a share of.")
    elif not is_share(step.after) or totals[clock] is not None:
        try:
            after = offset(step.after, totals[clock])
        except ValueError as exc:
            yield FieldError(f"{path}.after", "duration_invalid", str(exc))
        else:
            yield from _late_problems(policy, after, clock, totals, path)
    does = (step.remind, step.priority, step.assign_to, step.add_group, step.notify)
    if not any(does):
        message = "A step does at least one of remind, priority, assign_to, add_group and notify."
        yield FieldError(path, "step_empty", message)
    if step.assign_to and not (step.assign_to.users or step.assign_to.groups):
        yield FieldError(f"{path}.assign_to", "required", "assign_to names users or groups.")
    for at, name in enumerate(step.notify):
        if not name.startswith(("user:", "group:")) or len(name) <= len("group:"):
            yield FieldError(f"{path}.notify[{at}]", "notify_invalid", "Whom to tell is user:<id> or group:<id>.")


def _late_problems(
    policy: SlaPolicy, after: timedelta, clock: SlaClock, totals: dict[SlaClock, timedelta | None], path: str
) -> Iterator[FieldError]:
    total = totals[SlaClock.COMPLETE]
    is_late = clock == SlaClock.COMPLETE and total is not None and after > total
    if is_late and policy.at_end != SlaEnd.KEEP:
        yield FieldError(f"{path}.after", "step_after_end", "The step would come after the end of the chain.")

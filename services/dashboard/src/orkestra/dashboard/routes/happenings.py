"""What rooms tell in English, said in the reader's language where it is known by a code; else as the room says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.words import Words
from orkestra.v1.workflow import TimelineEntry

SENTENCES = {
    "run_started": N_("{definition} version {version} was started"),
    "run_cancel_requested": N_("The run was asked to stop"),
    "run_completed": N_("The run was completed"),
    "run_failed": N_("The run failed"),
    "run_cancelled": N_("The run was cancelled"),
    "run_terminated": N_("The run was terminated"),
    "run_timed_out": N_("The run ran over its time"),
    "run_continued": N_("The run goes on with a new history"),
    "code_failed": N_("The workflow's code failed and is tried again"),
    "signal_received": N_("The signal {name} came"),
    "activity_scheduled": N_("The step {name} was asked for"),
    "activity_retried": N_("The step {name} was tried {attempts} times"),
    "activity_completed": N_("The step {name} was done"),
    "activity_failed": N_("The step {name} failed"),
    "activity_timed_out": N_("The step {name} took too long"),
    "activity_cancelled": N_("The step {name} was cancelled"),
    "timer_started": N_("The workflow waits for {time}"),
    "timer_fired": N_("The wait of {time} was over"),
    "child_started": N_("The child workflow {name} was started"),
    "child_completed": N_("The child workflow {name} was completed"),
    "child_failed": N_("The child workflow {name} failed"),
    "child_cancelled": N_("The child workflow {name} was cancelled"),
    "tasks_left_out": N_("task-service cannot be reached, so what happened to tasks is left out"),
    "steps_left_out": N_("Temporal cannot be reached, so steps, timers and signals are left out"),
    "task_created": N_("“{title}” was opened"),
    "task_claimed": N_("“{title}” was claimed"),
    "task_released": N_("“{title}” was put back"),
    "task_vote_cast": N_("“{title}” was voted on"),
    "task_completed": N_("“{title}” was completed"),
    "task_cancelled": N_("“{title}” was cancelled"),
    "task_expired": N_("“{title}” expired, because nobody answered in time"),
    "task_escalated": N_("“{title}” was escalated"),
    "task_reminder_due": N_("“{title}” was brought to mind again"),
    "task_sla_breached": N_("“{title}” ran over its time"),
    "task_late_answer": N_("“{title}” got an answer that came too late"),
    "task_assigned": N_("“{title}” was assigned"),
    "task_delegated": N_("“{title}” was delegated"),
    "task_updated": N_("“{title}” was changed"),
    "task_changes_requested": N_("“{title}” needs an answer of its requester"),
    "task_answered": N_("“{title}” was answered by its requester"),
}
FOR = N_("for {people}")
OUTCOME = N_("with the outcome {outcome}")
BY_POLICY = N_("by its policy")
FAILURES = {
    "TASK_EXPIRED": N_("Nobody answered in time."),
    "CANCELLED": N_("The run was cancelled."),
    "TERMINATED": N_("The run was terminated."),
    "TIMED_OUT": N_("The run's time was over."),
}
NOTICES = {
    "no worker polls": N_("No worker takes up this run at the moment."),
    "Temporal cannot be reached": N_("Temporal cannot be reached; the run goes on when it is back."),
}
"""By how the room's sentence begins."""
DELIVERIES = {
    "refused": N_("It was not sent: this address is not sent to."),
    "timeout": N_("There was no answer in time."),
    "unreachable": N_("The address could not be reached."),
    "redirect": N_("It leads elsewhere, which is not followed."),
    "answered": N_("The receiver answered that it does not take it."),
}
"""By the first word of what a sender notes of a try that failed."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in the reader's language, with what the room says itself where that adds something."""

    text: str | None
    own: str | None = None


def happened(words: Words, entry: TimelineEntry, names: Mapping[str, str]) -> Said:
    """Returns what a timeline tells: people by their names, authors' own words as they are."""
    sentence = SENTENCES.get(entry.code or "")
    if sentence is None:
        return Said(None, entry.text)
    details = {detail.name: detail.value for detail in entry.details}
    seconds = details.get("seconds", "")
    details["time"] = words.duration(float(seconds)) if seconds.isdecimal() else seconds
    try:
        parts = [words.text(sentence).format(**details)]
    except (KeyError, IndexError):
        return Said(None, entry.text)
    if details.get("people"):
        people = ", ".join(names.get(each, each) for each in details["people"].split(", "))
        parts.append(words.text(FOR).format(people=people))
    if details.get("outcome"):
        parts.append(words.text(OUTCOME).format(outcome=details["outcome"]))
    if details.get("by_policy"):
        parts.append(words.text(BY_POLICY))
    return Said(" ".join(parts), details.get("why") or details.get("reason"))


def failed(words: Words, kind: str, message: str) -> Said:
    """Returns why a run failed; where its type is one of ours in the reader's language."""
    return Said(words.text(FAILURES[kind])) if kind in FAILURES else Said(None, message)


def noticed(words: Words, notice: str) -> Said:
    """Returns what a reader should know of a run."""
    known = next((said for start, said in NOTICES.items() if notice.startswith(start)), None)
    return Said(None, notice) if known is None else Said(words.text(known))


def undelivered(words: Words, error: str) -> Said:
    """Returns why something was not delivered, with what the other side said."""
    first, _, rest = error.partition(":")
    known = DELIVERIES.get(first.split(" ")[0])
    if known is None:
        return Said(None, error)
    own = rest.strip() if first in ("unreachable", "refused") else first if first.startswith("answered") else None
    return Said(words.text(known), own)

"""The state machine: status and operation give the next status, or why not."""

from collections.abc import Mapping
from typing import Final

from orkestra.v1.task import Task, TaskStatus

LIVE: Final = frozenset({TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING})
FINAL: Final = frozenset(TaskStatus) - LIVE

Transition = TaskStatus | str
_ENDED: Final[Mapping[TaskStatus, Transition]] = dict.fromkeys(sorted(FINAL), "TASK_NOT_LIVE")
_TO_OTHERS: Final[Mapping[TaskStatus, Transition]] = {
    TaskStatus.OPEN: TaskStatus.OPEN,
    TaskStatus.CLAIMED: TaskStatus.OPEN,
    TaskStatus.WAITING: "TASK_WAITING",
    **_ENDED,
}
_BACK: Final[Mapping[TaskStatus, Transition]] = {
    TaskStatus.OPEN: "TASK_NOT_WAITING",
    TaskStatus.CLAIMED: "TASK_NOT_WAITING",
    TaskStatus.WAITING: TaskStatus.CLAIMED,
    **_ENDED,
}

TRANSITIONS: Final[Mapping[str, Mapping[TaskStatus, Transition]]] = {
    "claim": {
        TaskStatus.OPEN: TaskStatus.CLAIMED,
        TaskStatus.CLAIMED: "TASK_NOT_OPEN",
        TaskStatus.WAITING: "TASK_NOT_OPEN",
        **dict.fromkeys(sorted(FINAL), "TASK_NOT_OPEN"),
    },
    "release": {
        TaskStatus.OPEN: TaskStatus.OPEN,  # where it is given to one person, who gives it back
        TaskStatus.CLAIMED: TaskStatus.OPEN,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "complete": {
        TaskStatus.OPEN: TaskStatus.COMPLETED,
        TaskStatus.CLAIMED: TaskStatus.COMPLETED,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "vote": {
        TaskStatus.OPEN: TaskStatus.OPEN,  # a vote that decides completes it
        TaskStatus.CLAIMED: TaskStatus.CLAIMED,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "cancel": {**dict.fromkeys(sorted(LIVE), TaskStatus.CANCELLED), **_ENDED},
    "reassign": _TO_OTHERS,
    "assign": _TO_OTHERS,
    "delegate": _TO_OTHERS,
    "update": {**{status: status for status in sorted(LIVE)}, **_ENDED},
    "escalate": {
        TaskStatus.OPEN: TaskStatus.OPEN,
        TaskStatus.CLAIMED: TaskStatus.CLAIMED,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "expire": {
        TaskStatus.OPEN: TaskStatus.EXPIRED,
        TaskStatus.CLAIMED: TaskStatus.EXPIRED,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "request_changes": {
        TaskStatus.OPEN: "TASK_NOT_CLAIMED",
        TaskStatus.CLAIMED: TaskStatus.WAITING,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
    "answer": _BACK,
    "take_back": _BACK,
    "save_draft": {
        TaskStatus.OPEN: "TASK_NOT_CLAIMED",
        TaskStatus.CLAIMED: TaskStatus.CLAIMED,
        TaskStatus.WAITING: TaskStatus.WAITING,
        **_ENDED,
    },
    "attach": {**{status: status for status in sorted(LIVE)}, **_ENDED},
    "undo": dict.fromkeys(sorted(TaskStatus), "NOTHING_TO_UNDO"),
    "settle": dict.fromkeys(sorted(TaskStatus), "NOTHING_TO_UNDO"),
    "decide_by_policy": {
        TaskStatus.OPEN: TaskStatus.COMPLETED,
        TaskStatus.CLAIMED: TaskStatus.COMPLETED,
        TaskStatus.WAITING: "TASK_WAITING",
        **_ENDED,
    },
}

SUBMITTED: Final[Mapping[str, Transition]] = {
    **dict.fromkeys(TRANSITIONS, "TASK_ANSWERED"),
    "claim": "TASK_NOT_OPEN",
    "undo": TaskStatus.CLAIMED,  # or open still, where votes decided
    "settle": TaskStatus.COMPLETED,
}
"""What becomes of a live task whose answer can still be taken back, whatever its status."""

REASONS: Final[Mapping[str, str]] = {
    "TASK_ANSWERED": "The task has been answered; unless that is taken back, it ends with it.",
    "NOTHING_TO_UNDO": "There is no answer that can be taken back; the task is {status}.",
    "TASK_NOT_OPEN": "The task is not open any more; it is {status}.",
    "TASK_NOT_CLAIMED": "Nobody has claimed the task; it is {status}.",
    "TASK_NOT_LIVE": "The task has ended; it is {status}.",
    "TASK_WAITING": "The task waits for an answer of whoever asked for it.",
    "TASK_NOT_WAITING": "The task waits for no answer; it is {status}.",
    "TASK_CLAIMED_BY_ANOTHER": "Someone else has claimed the task.",
}


def is_live(status: TaskStatus) -> bool:
    """Whether work on a task can still go on."""
    return status in LIVE


def step(task: Task, operation: str) -> TaskStatus | str:
    """Returns the next status, or the reason for which the operation is refused."""
    return TRANSITIONS[operation][task.status] if task.submission is None else SUBMITTED[operation]

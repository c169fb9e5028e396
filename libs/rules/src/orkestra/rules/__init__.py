"""Pure decisions about tasks: state machine, permissions, clocks; used by task-service and by the SDK's test world."""

from orkestra.rules.changes import Change, Decision
from orkestra.rules.clocks import due, start, wake_in
from orkestra.rules.creation import check_create, check_size
from orkestra.rules.decisions import (
    clock_state,
    decide_advance,
    decide_cancel,
    decide_claim,
    decide_complete,
    decide_create,
    decide_release,
    end_with_run,
)
from orkestra.rules.durations import parse_duration, parse_share
from orkestra.rules.ids import is_task_id, mint_task_id
from orkestra.rules.permissions import GRANTS, audience, audiences_of, is_installation, may, relations, visible
from orkestra.rules.policies import check_policy
from orkestra.rules.states import FINAL, LIVE, TRANSITIONS, is_live

__all__ = [
    "FINAL",
    "GRANTS",
    "LIVE",
    "TRANSITIONS",
    "Change",
    "Decision",
    "audience",
    "audiences_of",
    "check_create",
    "check_policy",
    "check_size",
    "clock_state",
    "decide_advance",
    "decide_cancel",
    "decide_claim",
    "decide_complete",
    "decide_create",
    "decide_release",
    "due",
    "end_with_run",
    "is_installation",
    "is_live",
    "is_task_id",
    "may",
    "mint_task_id",
    "parse_duration",
    "parse_share",
    "relations",
    "start",
    "visible",
    "wake_in",
]

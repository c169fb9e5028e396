"""Whose each value of a result is: the agent's that drafted it, or the person's who confirmed or changed it."""

from typing import Final

from orkestra.rules.escalation import is_same
from orkestra.v1.task import DecidedBy, Task

AGENT: Final = "agent"
HUMAN: Final = "human"
HUMAN_CHANGED: Final = "human_changed"
HUMAN_CONFIRMED: Final = "human_confirmed"
POLICY: Final = "policy"


def provenance_of(task: Task) -> dict[str, str] | None:
    """Returns it by field, those that were drafted and are left empty included; None where there is no result.

    Where the policy has decided, nobody has looked: what equals the draft is the agent's, all else the policy's.
    """
    if task.result is None:
        return None
    fields = [*(task.draft or {}), *(name for name in task.result if name not in (task.draft or {}))]
    return {name: _whose(task, name) for name in fields}


def _whose(task: Task, name: str) -> str:
    is_persons = task.decided_by != DecidedBy.POLICY
    proposed = (task.draft or {}).get(name)
    if proposed is None:
        return HUMAN if is_persons else POLICY
    kept = task.result is not None and name in task.result and is_same(task.result[name], proposed.get("value"))
    if is_persons:
        return HUMAN_CONFIRMED if kept else HUMAN_CHANGED
    return AGENT if kept else POLICY

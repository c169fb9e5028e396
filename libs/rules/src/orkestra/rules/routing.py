"""To which member a group gives what is offered to it: strategies, skills, caps, and who is away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import retimed
from orkestra.rules.permissions import is_barred
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import Task, TaskStatus

_OFFERING: Final = frozenset({"created", "assigned"})


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a group, with the live tasks that are theirs and how many they take at most."""

    user_id: str
    load: int = 0
    most: int | None = None
    skills: frozenset[str] = frozenset()
    is_away: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """A group with its members by their ids, whose turn was last, and who worked on the same correlation, last first.

    `skills` are the tags that are skills in this group.
    """

    group_id: str
    strategy: GroupStrategy
    members: tuple[Member, ...]
    turn: str | None = None
    skills: frozenset[str] = frozenset()
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """The member that a group gives a task to."""

    group_id: str
    user_id: str
    strategy: GroupStrategy


def groups_offered(decision: Decision) -> tuple[str, ...]:
    """Returns the groups that a decision offers a task to, in their order; none where they have no choice.

    They have one where nobody has the task and no person or agent is named beside them, and no votes decide.
    """
    task = decision.task
    named = task.assignee or task.candidate_users or task.allow_agents or task.approval_policy
    if task.status != TaskStatus.OPEN or named:
        return ()
    offered: tuple[str, ...] = ()
    for change in decision.changes:
        offered = _offered_by(change) or offered
    return tuple(group for group in offered if group in task.candidate_groups)


def pick(task: Task, groups: tuple[str, ...], rosters: Mapping[str, Roster]) -> Pick | None:
    """Returns whom the first of the groups that finds somebody gives the task to; None where all of them pull.

    Passed over is whoever is away, has as much as they take, lacks a skill, or may not decide on the task.
    """
    for group in groups:
        roster = rosters.get(group)
        found = None if roster is None else _pick_of(task, roster)
        if roster is not None and found is not None:
            return Pick(group, found, roster.strategy)
    return None


def routed(decision: Decision, chosen: Pick) -> Decision:
    """Returns the decision with the task given to whom a group has picked; its clocks run on."""
    task, at = decision.task, decision.changes[-1].at
    after = changed(task, at, assignee=chosen.user_id)
    after = after.model_copy(update={"sla": retimed(after)})
    reason = f"{chosen.strategy.replace('_', ' ')} in {chosen.group_id}"
    return Decision(after, (*decision.changes, Change("assigned", task, after, at, reason=reason)), decision.refusal)


def _offered_by(change: Change) -> tuple[str, ...]:
    if change.event in _OFFERING:
        return tuple(change.task.candidate_groups)
    if change.step is None:
        return ()
    if change.step.assign_to is not None:
        return tuple(change.task.candidate_groups)
    return () if change.step.add_group is None else (change.step.add_group,)


def _pick_of(task: Task, roster: Roster) -> str | None:
    needed = roster.skills.intersection(task.tags)
    ready = {
        member.user_id: member
        for member in _in_turn(roster)
        if not member.is_away
        and (member.most is None or member.load < member.most)
        and needed <= member.skills
        and not is_barred(member.user_id, task)
    }
    match roster.strategy:
        case GroupStrategy.ROUND_ROBIN:
            return next(iter(ready), None)
        case GroupStrategy.LEAST_LOADED:
            return min(ready, key=lambda user: ready[user].load, default=None)
        case GroupStrategy.STICKY:
            return next((user for user in roster.before if user in ready), None)
        case GroupStrategy.PULL:
            return None


def _in_turn(roster: Roster) -> list[Member]:
    """Returns the members from the one who comes after whoever was last."""
    members = sorted(roster.members, key=lambda member: member.user_id)
    turn = roster.turn or ""
    return [one for one in members if one.user_id > turn] + [one for one in members if one.user_id <= turn]

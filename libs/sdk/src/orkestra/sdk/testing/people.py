"""The people of a test: their groups, how groups give work to them, and who takes whose place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from orkestra import rules
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import CreateTaskRequest, Task
from orkestra.wire import Principal


@dataclass(frozen=True, slots=True)
class GroupRules:
    """How a group gives work to its members: `pull`, `round_robin`, `least_loaded` or `sticky`.

    `skills` are the tags that are skills in the group; a member has at most `max_open_tasks` live tasks.
    """

    strategy: str = GroupStrategy.PULL
    max_open_tasks: int | None = None
    skills: Sequence[str] = ()

    def __post_init__(self) -> None:
        GroupStrategy(self.strategy)  # refuses what is none


@dataclass(slots=True)
class _Away:
    absence: rules.Absence
    until: datetime | None


@dataclass(slots=True)
class People:
    """Who there is. A person that is not named is a member of whatever groups a task is offered to."""

    tenant_id: str
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The groups of each person."""
    strategies: Mapping[str, GroupRules] = field(default_factory=dict)
    """How groups give work to their members, by their ids."""
    skills: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What people are good at."""
    caps: Mapping[str, int] = field(default_factory=dict)
    """How many live tasks people have at most."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The roles of people. Who is not named has what each call of the test takes: it is a manager who assigns."""
    agents: Sequence[str] = ()
    """Who is no person but an agent, and decides only where a task names it."""
    _away: dict[str, _Away] = field(default_factory=dict)
    _turns: dict[str, str] = field(default_factory=dict)

    def send_away(self, person: str, *, substitute: str, types: Iterable[str], until: datetime | None) -> None:
        """Let somebody take a person's place: for some types of tasks, or for all."""
        self._away[person] = _Away(rules.Absence(person, substitute, frozenset(types)), until)

    def call_back(self, person: str) -> None:
        """End a person's absence."""
        self._away.pop(person, None)

    def person(self, name: str, task: Task, now: datetime, *, roles: Iterable[str] = ("member",)) -> Principal:
        """Return the person as they come to a task, with the places that they take."""
        if name in self.agents:
            return Principal(name, "agent", self.tenant_id, frozenset({"agent"}), name=name)
        groups = frozenset(self.groups.get(name, task.candidate_groups))
        one = Principal(name, "user", self.tenant_id, frozenset(self.roles.get(name, roles)), groups)
        return replace(one, stands_for=rules.places_of(name, self._absences(now)))

    def voters(self, task: Task | CreateTaskRequest) -> rules.Voters | None:
        """Return who may vote, by name; None where the test does not say who is in the groups."""
        named = [*task.candidate_users, *([task.assignee] if task.assignee else [])]
        if not self.groups:
            return None
        known = dict.fromkeys(named, task.candidate_groups) | dict(self.groups)
        return {
            name: [group for group in groups if group in task.candidate_groups]
            for name, groups in known.items()
            if name in named or not set(groups).isdisjoint(task.candidate_groups)
        }

    def given(self, decision: rules.Decision, tasks: Iterable[Task]) -> rules.Decision:
        """Return the decision with the task given to whom a group picks, where it offers the task to groups that do."""
        groups = [group for group in rules.groups_offered(decision) if group in self.strategies]
        if not groups:
            return decision
        others = [task for task in tasks if task.task_id != decision.task.task_id]
        now = decision.changes[-1].at
        rosters = {group: self._roster(group, decision.task, others, now) for group in groups}
        chosen = rules.pick(decision.task, tuple(groups), rosters)
        if chosen is None:
            return decision
        self._turns[chosen.group_id] = chosen.user_id
        return rules.routed(decision, chosen)

    def _absences(self, now: datetime) -> list[rules.Absence]:
        return [one.absence for one in self._away.values() if one.until is None or now < one.until]

    def _roster(self, group: str, task: Task, others: Sequence[Task], now: datetime) -> rules.Roster:
        said = self.strategies[group]
        away = {one.person for one in self._absences(now) if not one.task_types or task.type in one.task_types}
        names = [name for name, groups in self.groups.items() if group in groups]
        members = [
            rules.Member(
                user_id=name,
                load=sum(one.assignee == name and rules.is_live(one.status) for one in others),
                most=self.caps.get(name, said.max_open_tasks),
                skills=frozenset(self.skills.get(name, ())),
                is_away=name in away,
            )
            for name in names
        ]
        known: dict[str, Any] = {"turn": self._turns.get(group), "skills": frozenset(said.skills)}
        before = _worked_before(task, others)
        return rules.Roster(group, GroupStrategy(said.strategy), tuple(members), **known, before=before)


def _worked_before(task: Task, others: Sequence[Task]) -> tuple[str, ...]:
    """Return who worked on tasks of the same correlation, last first."""
    if task.correlation is None:
        return ()
    same = [one for one in others if one.correlation == task.correlation]
    ordered = sorted(same, key=lambda one: (one.updated_at, one.task_id), reverse=True)
    return tuple(who for one in ordered if (who := one.completed_by or one.assignee) is not None)

"""Who takes whose place: chains of substitutes, which end where they began to repeat."""

from collections.abc import Iterable
from dataclasses import dataclass

from orkestra.v1.task import Task, TaskStatus
from orkestra.wire import Principal


@dataclass(frozen=True, slots=True)
class Absence:
    """A person who is away now, and who takes their place: for some types of tasks, or for all (empty)."""

    person: str
    substitute: str
    task_types: frozenset[str] = frozenset()


def places_of(subject: str, absences: Iterable[Absence]) -> frozenset[tuple[str, str | None]]:
    """Returns whose place the subject takes, each for one type of task or for all (None).

    Where a substitute is away too, theirs goes on; a type has to be covered all along. A circle is walked once.
    """
    by_person = {each.person: each for each in absences}
    found: set[tuple[str, str | None]] = set()
    for person in by_person:
        types: frozenset[str] | None = None
        seen, at = {person}, person
        while at in by_person:
            link = by_person[at]
            if link.task_types:
                types = link.task_types if types is None else types & link.task_types
            at = link.substitute
            if at == subject or at in seen:
                break
            seen.add(at)
        if at == subject and person != subject:
            found |= {(person, None)} if types is None else {(person, name) for name in types}
    return frozenset(found)


def substitutes_of(people: Iterable[str], task_type: str | None, absences: Iterable[Absence]) -> frozenset[str]:
    """Returns who takes the places of these people with a task of that type: everybody along each chain.

    The other way round than `places_of`, of which it is the same.
    """
    by_person = {each.person: each for each in absences}
    found: set[str] = set()
    for person in people:
        seen, link = {person}, by_person.get(person)
        while link is not None and link.substitute not in seen and _covers(link, task_type):
            seen.add(link.substitute)
            link = by_person.get(link.substitute)
        found |= seen - {person}
    return frozenset(found)


def offered_by_name(task: Task) -> frozenset[str]:
    """Returns the people to whom the task is given or offered by name: whose work it is for a substitute too."""
    return frozenset(name for name in (task.assignee, *task.candidate_users) if name is not None)


def stood_for(principal: Principal, task: Task) -> frozenset[str]:
    """Returns the people whose place the principal takes with this task."""
    if not principal.stands_for:
        return frozenset()
    return frozenset(person for person, name in principal.stands_for if name in (None, task.type))


def acting_for(principal: Principal, task: Task) -> str | None:
    """Returns for whom the principal acts on the task: nobody where it is meant itself, else whose place it takes."""
    if principal.subject == task.assignee:
        return task.acted_for if task.status == TaskStatus.CLAIMED else None
    people = stood_for(principal, task)
    if task.assignee in people:
        return task.assignee
    if principal.subject in task.candidate_users or not principal.groups.isdisjoint(task.candidate_groups):
        return None
    return next((user for user in task.candidate_users if user in people), None)


def _covers(absence: Absence, task_type: str | None) -> bool:
    return not absence.task_types or task_type in absence.task_types

"""Who work is given to."""

from collections.abc import Sequence
from dataclasses import dataclass

from orkestra.v1.task import Assignment


@dataclass(frozen=True, slots=True)
class Group:
    """A group of people, by its id."""

    group_id: str


@dataclass(frozen=True, slots=True)
class User:
    """A person, by user id or e-mail address."""

    user: str


Assignee = Group | User | Sequence[Group | User]


def group(group_id: str) -> Group:
    """Give work to a group, such as support-l1."""
    return Group(group_id)


def user(user_id: str) -> User:
    """Give work to a person, named by user id or e-mail address."""
    return User(user_id)


def assignment_of(assign_to: Assignee | None) -> Assignment:
    """Return the people and groups that `assign_to` names; refuses (TypeError) a name alone, which may be either."""
    named = () if assign_to is None else (assign_to,) if isinstance(assign_to, Group | User | str) else tuple(assign_to)
    for one in named:
        if not isinstance(one, Group | User):
            raise TypeError(f"assign_to takes group(…) and user(…), not {one!r}.")
    return Assignment(
        users=[one.user for one in named if isinstance(one, User)],
        groups=[one.group_id for one in named if isinstance(one, Group)],
    )

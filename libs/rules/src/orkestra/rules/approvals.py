"""Approval policies: what they must be, what votes come to under them, and when that can no longer change."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from orkestra import forms
from orkestra.v1.task import ApprovalPolicy, CreateTaskRequest, Tally, Task, Vote, VoteChoice
from orkestra.wire import FieldError

MOST_APPROVALS: Final = 50
CHOICES: Final = frozenset({VoteChoice.APPROVE.value, VoteChoice.REJECT.value})
_PATH: Final = "approval_policy"

Voters = Mapping[str, Collection[str]]
"""Everyone to whom a task is offered, by user id, with their groups."""


def check_approval(request: CreateTaskRequest, schema: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yields what is wrong with the approval policy of a request, by itself and beside what else is asked."""
    policy = request.approval_policy
    if policy is None:
        return
    errors = list(_shape_errors(policy))
    yield from errors
    yield from check_outcomes(schema, path="form")
    if errors:
        return
    yield from check_groups(policy, request.candidate_groups, path=f"{_PATH}.from_groups")
    for position, step in enumerate(request.sla.escalate if request.sla else []):
        if step.assign_to is not None:
            yield from check_groups(policy, step.assign_to.groups, path=f"sla.escalate[{position}].assign_to.groups")
    seats = sum(_quotas(policy).values())
    if policy.required is not None and policy.distinct is not False and seats > policy.required:
        message = f"The groups give {seats} approvals, each of another person; ask for {seats} at least."
        yield FieldError(f"{_PATH}.required", "less_than_from_groups", message)


def check_outcomes(schema: Mapping[str, Any], *, path: str) -> Iterator[FieldError]:
    """Yields what is wrong with a form that voters fill: it has no outcomes, or approve and reject."""
    keys = forms.outcomes_of(schema) if schema else []
    if keys and set(keys) != CHOICES:
        yield FieldError(path, "outcomes_unfit", "A form that people vote with has the outcomes approve and reject.")


def check_groups(policy: ApprovalPolicy, groups: Collection[str], *, path: str) -> Iterator[FieldError]:
    """Yields which groups of the policy are not among those that a task is offered to: nobody there could vote."""
    missing = sorted(set(_quotas(policy)) - set(groups))
    if missing:
        message = f"The approval policy takes approvals of {', '.join(missing)}; offer the task to them."
        yield FieldError(path, "not_a_candidate_group", message)


def check_reachable(policy: ApprovalPolicy, voters: Collection[Collection[str]]) -> Iterator[FieldError]:
    """Yields why a policy can never be met by those who may vote, each given by their groups."""
    policy = resolved(policy)
    if len(voters) < (policy.required or 1):
        message = f"{policy.required} approvals are required, and {len(voters)} people may vote."
        yield FieldError(f"{_PATH}.required", "unreachable", message)
    fit = [sorted(set(groups)) for groups in voters]
    for group, number in _quotas(policy).items():
        members = sum(group in groups for groups in fit)
        if members < number:
            message = f"{number} approvals of {group} are required, and {members} of its people may vote."
            yield FieldError(forms.join(f"{_PATH}.from_groups", group), "unreachable", message)
            return
    if sum(_missing_seats(policy, fit).values()):
        message = "Too few people are in these groups to give each of their approvals by another person."
        yield FieldError(f"{_PATH}.from_groups", "unreachable", message)


def resolved(policy: ApprovalPolicy) -> ApprovalPolicy:
    """Returns the policy with everything said that was left out."""
    seats = _quotas(policy).values()
    least = sum(seats) if policy.distinct is not False else max(seats, default=1)
    return ApprovalPolicy(
        required=policy.required or max(least, 1),
        from_groups=policy.from_groups or {},
        distinct=policy.distinct is not False,
        veto=policy.veto is not False,
        finish_early=policy.finish_early is not False,
    )


def tally_of(policy: ApprovalPolicy, votes: Sequence[Vote]) -> Tally:
    """Returns what the votes come to, and how many approvals it still takes."""
    approvals = [vote.groups for vote in votes if vote.choice == VoteChoice.APPROVE]
    seats = {group: number for group, number in _missing_seats(policy, approvals).items() if number}
    by_groups = sum(seats.values()) if policy.distinct is not False else max(seats.values(), default=0)
    return Tally(
        approvals=len(approvals),
        rejections=len(votes) - len(approvals),
        missing=max((policy.required or 1) - len(approvals), by_groups, 0),
        missing_from_groups=seats,
    )


def decided(policy: ApprovalPolicy, votes: Sequence[Vote], voters: Voters | None) -> VoteChoice | None:
    """Returns what the votes have decided; None while that can still change.

    `voters` are all who may vote. Where nobody knows them (None), only approvals enough and vetoes decide.
    """
    rejected = any(vote.choice == VoteChoice.REJECT for vote in votes)
    if policy.veto and rejected:
        return VoteChoice.REJECT
    cast = {vote.voter for vote in votes}
    silent = None if voters is None else [groups for voter, groups in voters.items() if voter not in cast]
    if is_met(policy, votes):
        return VoteChoice.APPROVE if policy.finish_early or silent == [] else None
    if silent is None or (silent and not policy.finish_early):
        return None
    approvals = [vote.groups for vote in votes if vote.choice == VoteChoice.APPROVE]
    return None if _suffices(policy, [*approvals, *silent]) else VoteChoice.REJECT


def is_met(policy: ApprovalPolicy, votes: Iterable[Vote]) -> bool:
    """Whether the approvals among the votes are enough."""
    return _suffices(policy, [vote.groups for vote in votes if vote.choice == VoteChoice.APPROVE])


def standing(task: Task, votes: Sequence[Vote]) -> dict[str, Any]:
    """Returns the votes and their tally as values of the task; nothing where it has no approval policy."""
    if task.approval_policy is None:
        return {}
    return {"votes": list(votes), "tally": tally_of(task.approval_policy, votes)}


def _suffices(policy: ApprovalPolicy, approvals: Sequence[Collection[str]]) -> bool:
    return len(approvals) >= (policy.required or 1) and not sum(_missing_seats(policy, approvals).values())


def _missing_seats(policy: ApprovalPolicy, approvals: Sequence[Collection[str]]) -> dict[str, int]:
    """Returns how many approvals each group of the policy lacks, where as many as possible are given a seat."""
    quotas = _quotas(policy)
    if policy.distinct is False:
        have = {group: sum(group in groups for groups in approvals) for group in quotas}
        return {group: max(number - have[group], 0) for group, number in quotas.items()}
    seats = [group for group, number in quotas.items() for _ in range(number)]
    seated: dict[int, int] = {}
    taken = [_seat(place, seats, approvals, seated, set()) for place in range(len(seats))]
    return {group: sum(one == group and not had for one, had in zip(seats, taken, strict=True)) for group in quotas}


def _seat(
    place: int, seats: list[str], approvals: Sequence[Collection[str]], seated: dict[int, int], tried: set[int]
) -> bool:
    """Whether a seat can be filled, if others move over (an augmenting path of a bipartite matching)."""
    for voter, groups in enumerate(approvals):
        if seats[place] not in groups or voter in tried:
            continue
        tried.add(voter)
        if voter not in seated or _seat(seated[voter], seats, approvals, seated, tried):
            seated[voter] = place
            return True
    return False


def _quotas(policy: ApprovalPolicy) -> dict[str, int]:
    return dict(policy.from_groups or {})


def _shape_errors(policy: ApprovalPolicy) -> Iterator[FieldError]:
    if policy.required is not None and not 1 <= policy.required <= MOST_APPROVALS:
        yield FieldError(f"{_PATH}.required", "out_of_range", f"1 to {MOST_APPROVALS}.")
    numbers = list(_quotas(policy).items())
    whole = [number for _, number in numbers if type(number) is int and 1 <= number <= MOST_APPROVALS]
    for group, number in numbers:
        if type(number) is not int or not 1 <= number <= MOST_APPROVALS:
            path = forms.join(f"{_PATH}.from_groups", group)
            yield FieldError(path, "out_of_range", f"A whole number from 1 to {MOST_APPROVALS}.")
    if len(whole) == len(numbers) and sum(whole) > MOST_APPROVALS:
        message = f"At most {MOST_APPROVALS} approvals, of all groups together."
        yield FieldError(f"{_PATH}.from_groups", "out_of_range", message)

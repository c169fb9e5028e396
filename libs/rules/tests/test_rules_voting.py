from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.rules import (
    decide_answer,
    decide_assign,
    decide_claim,
    decide_complete,
    decide_create,
    decide_request_changes,
    decide_update,
    decide_vote,
    visible,
)
from orkestra.rules.approvals import Voters, decided, resolved, tally_of
from orkestra.rules.receipts import ReceiptKey
from orkestra.v1.task import (
    Action,
    AnswerTaskRequest,
    ApprovalPolicy,
    AssignTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    RequestChangesRequest,
    Task,
    TaskContext,
    TaskStatus,
    UpdateTaskRequest,
    Vote,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, InvalidArgument, Principal
from task_cases import AGENT, MANAGER, NOW, STRANGER, TENANT, created, person

KEY = ReceiptKey("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
FIA = person("fia", groups=("finance",))
FRED = person("fred", groups=("finance",))
LEA = person("lea", groups=("legal",))
BOTH = person("both", groups=("finance", "legal"))
PEOPLE: Voters = {each.subject: sorted(each.groups) for each in (FIA, FRED, LEA, BOTH)}
YES, NO = VoteChoice.APPROVE, VoteChoice.REJECT
POLICY = {"from_groups": {"finance": 1, "legal": 1}}
WITH_OUTCOMES = {
    "fields": {"comment": {"type": "textarea"}},
    "outcomes": [{"key": "approve", "label": "Yes"}, {"key": "reject", "label": "No", "require": ["comment"]}],
}


def put(policy: dict[str, Any], **fields: Any) -> Task:
    asked = {"candidate_groups": ["finance", "legal"], "approval_policy": ApprovalPolicy(**policy)}
    return created(AGENT, **{**asked, **fields})


def vote(
    task: Task, who: Principal, choice: VoteChoice = YES, *, voters: Voters | None = PEOPLE, **fields: Any
) -> Task:
    asked = {"task_id": task.task_id, "choice": choice, "data": {"answer": "x"}, "revision": task.revision}
    request = VoteTaskRequest(**{**asked, **fields})
    decision = decide_vote(task, who, NOW + timedelta(minutes=5), request, voters=voters, issue=KEY.issue)
    if decision.refusal is not None:
        raise decision.refusal
    assert decision.task.version == task.version + len(decision.changes)
    return decision.task


def faults(**fields: Any) -> list[tuple[str, str]]:
    request = CreateTaskRequest(title="Pay?", **fields)
    voters = fields.get("candidate_groups") and {
        user: groups for user, groups in PEOPLE.items() if set(groups) & set(fields["candidate_groups"])
    }
    with pytest.raises(InvalidArgument) as refusal:
        decide_create(request, AGENT, NOW, tenant_id=TENANT, random_bits=7, voters=voters)
    return [(error.path, error.code) for error in refusal.value.errors]


def test_it_is_approved_by_one_of_each_group_and_the_last_form_is_the_result() -> None:
    task = vote(put(POLICY), FIA, data={"answer": "Budget is there."})
    assert (task.status, task.tally and task.tally.missing_from_groups) == (TaskStatus.OPEN, {"legal": 1})
    task = vote(task, LEA, data={"answer": "Lawful."})
    assert (task.status, task.outcome, task.result) == (TaskStatus.COMPLETED, "approve", {"answer": "Lawful."})
    assert (task.completed_by, task.decided_by, len(task.votes)) == (LEA.subject, "person", 2)
    assert visible(FIA, task.model_copy(update={"candidate_groups": []}))


def test_who_is_in_both_groups_fills_one_place_unless_the_policy_counts_them_twice() -> None:
    strict = vote(put(POLICY), BOTH)
    assert (strict.status, strict.tally and strict.tally.missing) == (TaskStatus.OPEN, 1)
    assert vote(strict, FIA).status == TaskStatus.COMPLETED  # both moves over to legal
    assert vote(put({**POLICY, "distinct": False}), BOTH).status == TaskStatus.COMPLETED


def test_a_veto_ends_it_and_without_one_it_is_rejected_once_it_cannot_be_approved() -> None:
    assert vote(put({"required": 3}), FIA, NO).outcome == "reject"
    task = put({"required": 3, "veto": False})
    task = vote(task, FIA, NO)
    assert task.status == TaskStatus.OPEN
    assert vote(task, LEA, NO).outcome == "reject"
    assert vote(task, LEA, NO, voters=None).status == TaskStatus.OPEN


def test_without_an_early_finish_everybody_votes_first() -> None:
    task = put({"required": 2, "veto": False, "finish_early": False})
    for who in (FIA, FRED, LEA):
        task = vote(task, who)
        assert task.status == TaskStatus.OPEN
    done = vote(task, BOTH, NO, data={"answer": "I object."})
    assert (done.outcome, done.completed_by) == ("approve", LEA.subject)


def test_a_vote_can_be_changed_until_it_is_decided() -> None:
    task = vote(put({"required": 2, "veto": False}), FIA, NO)
    task = vote(task, FIA, YES)
    assert [(each.voter, each.choice) for each in task.votes] == [(FIA.subject, YES)]
    assert task.tally is not None
    assert (task.tally.approvals, task.tally.rejections, task.tally.missing) == (1, 0, 1)


def test_a_new_revision_clears_the_votes_and_the_old_revision_takes_none() -> None:
    task = vote(put({"required": 2}), FIA)
    renamed = decide_update(task, MANAGER, NOW, UpdateTaskRequest(task_id=task.task_id, title="More")).task
    assert (renamed.votes, renamed.tally and renamed.tally.missing) == ([], 2)
    with pytest.raises(Error) as refusal:
        vote(renamed, LEA, revision=1)
    assert refusal.value.reason == "REVISION_MISMATCH"
    tagged = decide_update(task, MANAGER, NOW, UpdateTaskRequest(task_id=task.task_id, add_tags=["a"])).task
    assert len(tagged.votes) == 1


def test_a_new_context_in_an_answer_clears_the_votes_and_nobody_votes_meanwhile() -> None:
    task = vote(put({"required": 2}), FIA)
    task = decide_claim(task, LEA, NOW, ClaimTaskRequest(task_id=task.task_id)).task
    asked = RequestChangesRequest(task_id=task.task_id, message="Why?")
    task = decide_request_changes(task, LEA, NOW, asked).task
    with pytest.raises(Error) as refusal:
        vote(task, FRED)
    assert refusal.value.reason == "TASK_WAITING"
    answer = AnswerTaskRequest(task_id=task.task_id, message="So.", context=TaskContext(summary="So."))
    task = decide_answer(task, AGENT, NOW, answer).task
    assert (task.votes, task.status) == ([], TaskStatus.CLAIMED)
    assert vote(task, FRED).status == TaskStatus.CLAIMED


def test_votes_decide_alone_and_only_where_there_is_a_policy() -> None:
    request = CompleteTaskRequest(task_id="t", data={"answer": "x"})
    refusal = decide_complete(put({"required": 1}), FIA, NOW, request).refusal
    assert refusal is not None
    assert refusal.reason == "VOTES_DECIDE"
    with pytest.raises(Error) as without:
        vote(created(AGENT, candidate_groups=["finance"]), FIA)
    assert without.value.reason == "TASK_TAKES_NO_VOTES"


def test_whoever_asked_the_excluded_and_strangers_do_not_vote() -> None:
    task = put({"required": 1}, excluded_users=[FRED.subject], on_behalf_of=None)
    task = task.model_copy(update={"on_behalf_of": LEA.subject})
    for who, reason in (
        (FRED, "EXCLUDED_FROM_TASK"),
        (LEA, "FOUR_EYES_REQUIRED"),
        (AGENT, "ONLY_PEOPLE_DECIDE"),
        (MANAGER, "NOT_A_CANDIDATE"),
        (STRANGER, "TASK_NOT_FOUND"),
    ):
        with pytest.raises(Error) as refusal:
            vote(task, who)
        assert refusal.value.reason == reason


def test_the_form_is_checked_by_the_vote_and_an_action_gets_its_receipt() -> None:
    action = TaskContext(action=Action(name="pay", args={"sum": "10"}))
    task = put({"required": 1}, form=WITH_OUTCOMES, context=action)
    with pytest.raises(InvalidArgument) as refusal:
        vote(task, FIA, NO, data={})
    assert [error.path for error in refusal.value.errors] == ["data.comment"]
    done = vote(task, FIA, data={})
    assert done.receipt is not None
    assert (done.receipt.outcome, done.receipt.decided_by) == ("approve", FIA.subject)


def test_a_vote_after_the_end_is_kept_and_refused() -> None:
    task = put({"required": 1}, sla={"complete": "1h"})
    request = VoteTaskRequest(task_id=task.task_id, choice=NO, data={"answer": "x"}, revision=1)
    late = decide_vote(task, FIA, NOW + timedelta(hours=2), request)
    assert [change.event for change in late.changes][-2:] == ["expired", "late_answer"]
    assert late.changes[-1].fields()[1] == {"late_answer": {"data": {"answer": "x"}, "outcome": "reject"}}
    assert late.refusal is not None


@pytest.mark.parametrize(
    ("policy", "fields", "expected"),
    [
        ({"required": 0}, {}, ("approval_policy.required", "out_of_range")),
        ({"from_groups": {"finance": "1"}}, {}, ("approval_policy.from_groups.finance", "out_of_range")),
        ({"from_groups": {"hr": 1}}, {}, ("approval_policy.from_groups", "not_a_candidate_group")),
        ({**POLICY, "required": 1}, {}, ("approval_policy.required", "less_than_from_groups")),
        ({"required": 5}, {}, ("approval_policy.required", "unreachable")),
        ({"from_groups": {"legal": 3}}, {}, ("approval_policy.from_groups.legal", "unreachable")),
        ({"required": 4}, {"excluded_users": ["user_fia"]}, ("approval_policy.required", "unreachable")),
        (
            {"from_groups": {"finance": 2, "legal": 2}},
            {"excluded_users": ["user_fia"]},
            ("approval_policy.required", "unreachable"),
        ),
        (
            {"from_groups": {"finance": 2, "legal": 1}},
            {"excluded_users": ["user_fia", "user_lea"]},
            ("approval_policy.required", "unreachable"),
        ),
        ({}, {"form": {**WITH_OUTCOMES, "outcomes": [{"key": "ok", "label": "Ok"}]}}, ("form", "outcomes_unfit")),
    ],
)
def test_a_policy_that_can_never_be_met_is_refused_by_name(
    policy: dict[str, Any], fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = faults(candidate_groups=["finance", "legal"], approval_policy=ApprovalPolicy(**policy), **fields)
    assert found[:1] == [expected]


def test_a_task_is_not_taken_from_a_group_whose_approval_it_needs() -> None:
    request = AssignTaskRequest(task_id="t", candidate_groups=["finance"], reason="Busy.")
    refusal = decide_assign(put(POLICY), MANAGER, NOW, request).refusal
    assert refusal is not None
    assert [error.code for error in refusal.errors] == ["not_a_candidate_group"]


GROUPS = st.sets(st.sampled_from("abc")).map(sorted)
POLICIES = st.builds(
    ApprovalPolicy,
    required=st.none() | st.integers(1, 4),
    from_groups=st.dictionaries(st.sampled_from("abc"), st.integers(1, 2), max_size=2),
    distinct=st.booleans(),
    veto=st.booleans(),
    finish_early=st.booleans(),
).map(resolved)


def slow_met(policy: ApprovalPolicy, approvals: list[list[str]]) -> bool:
    """Whether approvals suffice, by trying every order of seats."""
    quotas = policy.from_groups or {}
    if len(approvals) < (policy.required or 1):
        return False
    if not policy.distinct:
        return all(sum(group in groups for groups in approvals) >= number for group, number in quotas.items())
    seats = [group for group, number in quotas.items() for _ in range(number)]
    seated = permutations(approvals, len(seats))
    return any(all(seat in groups for seat, groups in zip(seats, order, strict=True)) for order in seated)


@settings(max_examples=150, deadline=None)
@given(policy=POLICIES, members=st.lists(GROUPS, max_size=5), choices=st.lists(st.sampled_from([YES, NO]), max_size=5))
def test_it_is_decided_exactly_when_no_further_vote_can_change_it(
    policy: ApprovalPolicy, members: list[list[str]], choices: list[VoteChoice]
) -> None:
    voters = {str(number): groups for number, groups in enumerate(members)}
    cast = list(zip(voters.items(), choices, strict=False))
    votes = [Vote(voter=name, choice=choice, groups=groups, voted_at=NOW) for (name, groups), choice in cast]
    approvals = [groups for (_, groups), choice in cast if choice == YES]
    silent = members[len(cast) :]
    vetoed = bool(policy.veto) and NO in [choice for _, choice in cast]
    ends = policy.finish_early or not silent
    expected = None
    if vetoed or (ends and not slow_met(policy, approvals + silent)):
        expected = NO
    elif ends and slow_met(policy, approvals):
        expected = YES
    assert decided(policy, votes, voters) == expected
    assert (tally_of(policy, votes).missing == 0) == slow_met(policy, approvals)

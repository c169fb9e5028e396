"""To which member a group gives a task: strategies, caps, skills, and when a group has no choice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orkestra.rules import Decision, Member, Roster, decide_assign, groups_offered, pick, routed
from orkestra.rules.clocks import perform
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import ApprovalPolicy, AssignTaskRequest, EscalationStep, Task
from task_cases import MANAGER, NOW, created

ROUND, LEAST, STICKY = GroupStrategy.ROUND_ROBIN, GroupStrategy.LEAST_LOADED, GroupStrategy.STICKY
ANA, BEN, CEM = "user_ana", "user_ben", "user_cem"


def roster(strategy: GroupStrategy, *members: Member, **fields: Any) -> dict[str, Roster]:
    return {"l1": Roster("l1", strategy, members or tuple(map(Member, (ANA, BEN, CEM))), **fields)}


def picked(task: Task, rosters: dict[str, Roster], *groups: str) -> str | None:
    found = pick(task, groups or ("l1",), rosters)
    return None if found is None else found.user_id


def offered(task: Task) -> tuple[str, ...]:
    decision = decide_assign(task, MANAGER, NOW, AssignTaskRequest(task_id="t", reason="R.", candidate_groups=["l1"]))
    return groups_offered(decision)


def test_round_robin_goes_around_from_whoever_was_last() -> None:
    turns = [None, ANA, BEN, CEM, "user_bea", "user_zoe"]
    assert [picked(created(), roster(ROUND, turn=turn)) for turn in turns] == [ANA, BEN, CEM, ANA, BEN, ANA]


def test_least_loaded_takes_the_fewest_and_of_equals_the_next_in_turn() -> None:
    loads = (Member(ANA, 2), Member(BEN, 1), Member(CEM, 1))
    assert picked(created(), roster(LEAST, *loads)) == BEN
    assert picked(created(), roster(LEAST, *loads, turn=BEN)) == CEM


def test_sticky_gives_it_to_whoever_worked_on_the_same_last_and_else_to_nobody() -> None:
    assert picked(created(), roster(STICKY, before=("user_gone", CEM, ANA))) == CEM
    assert picked(created(), roster(STICKY)) is None


def test_pull_gives_it_to_nobody() -> None:
    assert picked(created(), roster(GroupStrategy.PULL)) is None


@pytest.mark.parametrize("strategy", [ROUND, LEAST, STICKY])
def test_whoever_is_away_full_unskilled_or_barred_is_passed_over(strategy: GroupStrategy) -> None:
    away, full = Member(ANA, is_away=True), Member(BEN, load=3, most=3)
    unskilled, able = Member(CEM, skills=frozenset({"sales"})), Member("user_dea", 2, 3, frozenset({"german", "sales"}))
    people = (away, full, unskilled, able)
    rosters = roster(strategy, *people, skills=frozenset({"german"}), before=tuple(one.user_id for one in people))
    task = created(tags=["german", "urgent"])
    assert picked(task, rosters) == "user_dea"
    assert picked(created(tags=["german"], excluded_users=["user_dea"]), rosters) is None
    asker = created(tags=["german"], requested_by="user_dea", four_eyes=True)
    assert picked(asker, rosters) is None


def test_the_first_group_that_finds_somebody_gives_it() -> None:
    rosters = roster(ROUND, Member(ANA, is_away=True)) | {"l2": Roster("l2", LEAST, (Member(BEN),))}
    assert picked(created(), rosters, "l0", "l1", "l2") == BEN
    assert picked(created(), rosters, "l0", "l1") is None


def test_groups_choose_where_nothing_but_groups_is_named() -> None:
    assert offered(created()) == ("l1",)
    for named in (
        {"candidate_users": [ANA]},
        {"allow_agents": ["bot"]},
        {"approval_policy": ApprovalPolicy()},
    ):
        task = created(**named)
        assert groups_offered(Decision(task, ())) == ()
    claimed = created().model_copy(update={"assignee": ANA, "status": "claimed"})
    assert groups_offered(Decision(claimed, ())) == ()
    assert groups_offered(Decision(created(), ())) == ()  # nothing was offered anew


@pytest.mark.parametrize(
    ("step", "groups"),
    [
        ({"assign_to": {"groups": ["l2", "l3"]}}, ("l2", "l3")),
        ({"assign_to": {"users": [ANA], "groups": ["l2"]}}, ()),
        ({"add_group": "l2"}, ("l2",)),
        ({"remind": True}, ()),
        ({"priority": "high"}, ()),
    ],
)
def test_a_step_of_the_chain_offers_what_it_names(step: dict[str, Any], groups: tuple[str, ...]) -> None:
    chain = [EscalationStep.model_validate({"after": "1h", **step})]
    task = created(sla={"complete": "4h", "escalate": [one.model_dump(mode="json") for one in chain]})
    change = perform(task, 0, NOW)
    assert groups_offered(Decision(change.task, (change,))) == groups


def test_the_choice_is_a_change_of_its_own_that_says_by_what() -> None:
    request = AssignTaskRequest(task_id="t", reason="R.", candidate_groups=["l1"])
    decision = decide_assign(created(), MANAGER, NOW, request)
    chosen = pick(decision.task, ("l1",), roster(LEAST))
    assert chosen is not None
    given = routed(decision, chosen)
    last = given.changes[-1]
    assert (last.event, last.actor, last.reason) == ("assigned", None, "least loaded in l1")
    assert (given.task.assignee, given.task.version) == (ANA, decision.task.version + 1)
    assert given.task.status == "open"


MEMBERS = st.lists(
    st.builds(
        Member,
        user_id=st.sampled_from("abcdef"),
        load=st.integers(0, 4),
        most=st.none() | st.integers(1, 4),
        skills=st.frozensets(st.sampled_from(["x", "y"])),
        is_away=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda member: member.user_id,
)


@given(MEMBERS, st.sampled_from(GroupStrategy), st.none() | st.sampled_from("abcdef"), st.booleans())
def test_whoever_is_picked_could_take_it_and_nobody_is_only_where_nobody_could(
    members: list[Member], strategy: GroupStrategy, turn: str | None, is_skilled: bool
) -> None:
    task = created(tags=["x"] if is_skilled else [])
    rosters = roster(strategy, *members, turn=turn, skills=frozenset({"x"}), before=tuple("fedcba"))
    if not members:
        rosters = {"l1": Roster("l1", strategy, ())}
    could = {
        one.user_id: one
        for one in members
        if not one.is_away and (one.most is None or one.load < one.most) and (not is_skilled or "x" in one.skills)
    }
    found = picked(task, rosters)
    if strategy == GroupStrategy.PULL or not could:
        assert found is None
    else:
        assert found in could
        if strategy == LEAST:
            assert could[found].load == min(one.load for one in could.values())

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.rules import (
    FINAL,
    TRANSITIONS,
    Decision,
    audience,
    audiences_of,
    decide_advance,
    decide_cancel,
    decide_claim,
    decide_complete,
    decide_create,
    decide_release,
    end_with_run,
    is_task_id,
    may,
    mint_task_id,
    visible,
)
from orkestra.v1.task import (
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    ReleaseTaskRequest,
    Task,
    TaskStatus,
)
from orkestra.wire import Error, InvalidArgument, NotFound, PermissionDenied, Principal, VersionMismatch
from task_cases import ADMIN, AGENT, ANA, AUDITOR, BOB, MANAGER, NOW, STRANGER, SYSTEM, TENANT, WORKER, created, person

EVERYONE = (ANA, BOB, STRANGER, MANAGER, ADMIN, AUDITOR, AGENT, SYSTEM, WORKER)


def decide(operation: str, task: Task, principal: Principal, /, **fields: Any) -> Decision:
    now, name = NOW + timedelta(minutes=1), task.task_id
    match operation:
        case "claim":
            return decide_claim(task, principal, now, ClaimTaskRequest(task_id=name, **fields))
        case "release":
            return decide_release(task, principal, now, ReleaseTaskRequest(task_id=name, **fields))
        case "complete":
            request = CompleteTaskRequest(task_id=name, **{"data": {"answer": "yes"}, **fields})
            return decide_complete(task, principal, now, request)
        case "cancel":
            return decide_cancel(task, principal, now, CancelTaskRequest(task_id=name, **fields))
    return decide_advance(task, principal, now)


def reason(refusal: Error | None) -> str | None:
    return refusal.reason if refusal else None


def in_status(task: Task, status: TaskStatus) -> Task:
    holder = None if status == TaskStatus.OPEN else ANA.subject
    return task.model_copy(update={"status": status, "assignee": holder})


@pytest.mark.parametrize("operation", ["claim", "release", "complete", "cancel"])
@pytest.mark.parametrize("status", list(TaskStatus))
def test_each_operation_follows_the_table(operation: str, status: TaskStatus) -> None:
    given = {"assignee": ANA.subject} if operation == "release" else {}
    task = in_status(created(ANA), status).model_copy(update=given)
    decision = decide(operation, task, ANA)
    expected = TRANSITIONS[operation][status]
    if isinstance(expected, TaskStatus):
        assert (decision.refusal, decision.task.status) == (None, expected)
        assert decision.task.version == task.version + 1
    else:
        assert reason(decision.refusal) == expected
        assert decision.refusal is not None
        assert (decision.task, decision.refusal.current) == (task, task)


def test_the_table_names_every_status_and_never_leaves_an_end() -> None:
    for table in TRANSITIONS.values():
        assert set(table) == set(TaskStatus)
        assert all(not isinstance(table[status], TaskStatus) for status in FINAL)


ALLOWED = {
    "view": {ANA, MANAGER, ADMIN, AUDITOR, AGENT, WORKER},
    "claim": {ANA},
    "complete": {ANA},
    "release": {MANAGER, ADMIN},
    "assign": {MANAGER, ADMIN},
    "delegate": {MANAGER, ADMIN},
    "escalate": {MANAGER, ADMIN},
    "update": {MANAGER, ADMIN, AGENT},
    "cancel": {MANAGER, ADMIN, AGENT},
    "advance": {WORKER},
}


@pytest.mark.parametrize("operation", ALLOWED)
@pytest.mark.parametrize("principal", EVERYONE, ids=lambda principal: principal.subject)
def test_who_may_do_what_with_an_open_task_that_an_agent_asked_for(operation: str, principal: Principal) -> None:
    refusal = may(operation, principal, created(AGENT))
    assert (refusal is None) == (principal in ALLOWED[operation])
    if principal not in ALLOWED["view"]:
        assert isinstance(refusal, NotFound)


def test_a_run_may_cancel_its_own_task_only() -> None:
    assert may("cancel", WORKER, created()) is None
    assert reason(may("cancel", WORKER, created(AGENT))) == "NOT_THE_REQUESTER"


def test_an_agent_and_a_service_key_never_decide_unless_the_agent_is_named() -> None:
    for key in (AGENT, SYSTEM):
        task = created(candidate_users=[key.subject])
        assert reason(may("claim", key, task)) == "ONLY_PEOPLE_DECIDE"
        assert reason(may("complete", key, task)) == "ONLY_PEOPLE_DECIDE"
    assert reason(may("claim", WORKER, created())) == "ONLY_PEOPLE_DECIDE"
    assert may("complete", AGENT, created(allow_agents=["support-bot"])) is None
    assert may("complete", AGENT, created(allow_agents=["key_bot"])) is None
    assert isinstance(may("complete", AGENT, created(allow_agents=["other"])), NotFound)


def test_where_an_assignee_is_named_only_that_person_can_claim() -> None:
    task = created(assignee=ANA.subject, candidate_groups=["l2"])
    assert reason(may("claim", BOB, task)) == "ASSIGNED_TO_ANOTHER"
    assert decide("claim", task, ANA).task.status == TaskStatus.CLAIMED


def test_a_task_that_is_offered_to_nobody_is_taken_by_a_manager() -> None:
    task = created(candidate_groups=[])
    assert isinstance(may("claim", ANA, task), NotFound)
    assert may("claim", MANAGER, task) is None
    assert reason(may("claim", AUDITOR, task)) == "NOT_A_CANDIDATE"


def test_four_eyes_hold_where_an_action_hangs_on_it() -> None:
    bound = {"context": {"action": {"name": "refund", "args": {"amount": 5}}}}
    task = created(ANA, **bound)
    assert reason(decide("complete", task, ANA).refusal) == "FOUR_EYES_REQUIRED"
    assert decide("complete", created(ANA), ANA).refusal is None
    excluded = created(excluded_users=[ANA.subject])
    assert reason(decide("claim", excluded, ANA).refusal) == "EXCLUDED_FROM_TASK"


def test_a_candidate_completes_in_one_step() -> None:
    decision = decide("complete", created(), ANA)
    task = decision.task
    assert [change.event for change in decision.changes] == ["completed"]
    assert (task.result, task.completed_by, task.assignee, task.decided_by) == (
        {"answer": "yes"},
        ANA.subject,
        ANA.subject,
        "person",
    )
    assert task.claimed_at == task.completed_at == task.updated_at


def test_what_another_has_claimed_cannot_be_completed() -> None:
    other = person("abe", groups=("l1",))
    decision = decide("complete", decide("claim", created(), ANA).task, other)
    assert reason(decision.refusal) == "TASK_CLAIMED_BY_ANOTHER"


def test_an_answer_that_does_not_fit_changes_nothing_and_names_every_field() -> None:
    form = {"fields": {"answer": {"type": "text", "required": True}}, "outcomes": [{"key": "yes"}]}
    task = created(form=form)
    decision = decide("complete", task, ANA, data={"x": 1})
    assert isinstance(decision.refusal, InvalidArgument)
    assert {(error.path, error.code) for error in decision.refusal.errors} == {
        ("outcome", "outcome_required"),
        ("data.x", "unknown_field"),
        ("data.answer", "required"),
    }
    assert (decision.task, decision.changes) == (task, ())
    assert decide("complete", task, ANA, data={"answer": "a"}, outcome="yes").task.outcome == "yes"


def test_an_answer_above_256_kib_is_refused() -> None:
    decision = decide("complete", created(form={"a": {"type": "json"}}), ANA, data={"a": "x" * 300_000})
    assert decision.refusal is not None
    assert [error.code for error in decision.refusal.errors] == ["too_large"]


def test_a_decision_on_an_older_version_is_refused_with_the_current_task() -> None:
    task = decide("claim", created(), ANA).task
    decision = decide("complete", task, ANA, version=1)
    assert isinstance(decision.refusal, VersionMismatch)
    assert decision.refusal.current == task
    assert decide("complete", task, ANA, version=2).refusal is None


def test_the_end_of_a_run_cancels_what_is_live_and_nothing_else() -> None:
    live = end_with_run(created(), NOW, "The run failed.")
    assert (live.task.status, live.task.reason, live.changes[0].actor) == (
        TaskStatus.CANCELLED,
        "The run failed.",
        None,
    )
    assert end_with_run(live.task, NOW, "again") == Decision(live.task)


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"title": " "}, "title", "required"),
        ({"title": "x" * 301}, "title", "too_long"),
        ({"title": "a\0"}, "title", "not_text"),
        ({"description": "ä" * 9000}, "description", "too_large"),
        ({"tags": ["x"] * 51}, "tags", "too_many_items"),
        ({"tags": [""]}, "tags[0]", "wrong_length"),
        ({"candidate_users": ["u"] * 200}, "candidate_users", "too_many_items"),
        ({"task_id": "task_1"}, "task_id", "task_id_invalid"),
        ({"context": {"data": {"a": "x" * 270_000}}}, "context", "too_large"),
        ({"context": {"links": [{"label": "x", "url": "javascript:1"}]}}, "context.links[0].url", "not_a_url"),
        ({"context": {"agent": {"confidence": 1.5}}}, "context.agent.confidence", "out_of_range"),
        (
            {"context": {"conversation": [{"role": "bot", "text": "x"}]}},
            "context.conversation[0].role",
            "not_an_option",
        ),
        ({"input": {"a": "\ud800"}}, "input.a", "not_text"),
        ({"form": {"a": {"type": "x"}}}, "form.a.type", "unknown_type"),
        ({"form": {"a": {"type": "text"}}, "draft": {"b": {"value": 1}}}, "draft.b", "unknown_field"),
        ({"draft": {"answer": {"value": "x", "confidence": 2}}}, "draft.answer.confidence", "out_of_range"),
        ({"sla": {"complete": "x"}}, "sla.complete", "duration_invalid"),
        (
            {"sla": {"complete": "1h", "at_end": "default", "default_result": {}}},
            "sla.default_result.answer",
            "required",
        ),
    ],
)
def test_bad_input_is_refused_with_the_place_and_a_code(fields: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        created(**fields)
    assert caught.value.reason == "TASK_INVALID"
    assert (path, code) in {(error.path, error.code) for error in caught.value.errors}


def test_a_context_that_is_nested_too_deep_is_refused() -> None:
    data: dict[str, Any] = {}
    for _ in range(32):
        data = {"a": data}
    with pytest.raises(InvalidArgument):
        created(context={"data": data})


def test_every_error_of_a_task_is_told_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        created(title="", tags=[""], form={}, sla={})
    assert {error.path for error in caught.value.errors} >= {"title", "tags[0]", "form"}


@pytest.mark.parametrize(
    ("principal", "fields", "expected"),
    [
        (AGENT, {"workflow_id": "wf_1"}, "RUN_NOT_YOURS"),
        (SYSTEM, {"requested_by": "user_ana"}, "RUN_NOT_YOURS"),
        (AGENT, {"on_behalf_of": "user_ana"}, "ON_BEHALF_OF_NOT_GRANTED"),
        (ANA, {"on_behalf_of": "user_bob"}, "ON_BEHALF_OF_NOT_GRANTED"),
        (AUDITOR, {}, "CREATE_NOT_ALLOWED"),
    ],
)
def test_who_may_ask_in_whose_name(principal: Principal, fields: dict[str, str], expected: str) -> None:
    with pytest.raises(PermissionDenied) as caught:
        decide_create(CreateTaskRequest(title="x", **fields), principal, NOW, tenant_id=TENANT, random_bits=1)
    assert caught.value.reason == expected


def test_a_granted_key_asks_on_behalf_of_a_person_who_then_sees_it() -> None:
    granted = Principal("key_bot", "agent", TENANT, frozenset({"agent"}), on_behalf_of=frozenset({STRANGER.subject}))
    task = created(granted, on_behalf_of=STRANGER.subject)
    assert (task.requested_by, visible(STRANGER, task)) == ("key_bot", True)


@given(st.datetimes(min_value=NOW.replace(tzinfo=None)), st.integers(min_value=0))
def test_a_minted_id_is_a_task_id_and_the_same_for_the_same(at: Any, bits: int) -> None:
    moment = at.replace(tzinfo=NOW.tzinfo)
    assert is_task_id(mint_task_id(moment, bits))
    assert mint_task_id(moment, bits) == mint_task_id(moment, bits)


def test_ids_sort_by_time() -> None:
    later = mint_task_id(NOW + timedelta(milliseconds=1), 0)
    assert mint_task_id(NOW, 2**74 - 1) < later
    assert not is_task_id(later.upper())
    assert not is_task_id(later + "\n")


PEOPLE = st.lists(st.sampled_from([each.subject for each in EVERYONE]), max_size=3)
GROUPS = st.lists(st.sampled_from(["l1", "l2", "l3"]), max_size=2)
OPERATIONS = st.sampled_from(["claim", "release", "complete", "cancel", "advance"])


@settings(max_examples=150, deadline=None)
@given(
    PEOPLE,
    GROUPS,
    st.none() | st.sampled_from([ANA.subject, AGENT.subject]),
    st.lists(st.sampled_from(["support-bot", "key_bot"]), max_size=1),
    st.lists(st.tuples(OPERATIONS, st.sampled_from(EVERYONE)), max_size=8),
)
def test_no_sequence_leaves_the_table_and_the_audience_is_who_sees_the_task(
    users: list[str], groups: list[str], assignee: str | None, agents: list[str], calls: list[tuple[str, Principal]]
) -> None:
    steps = [{"after": "30s", "assign_to": {"groups": ["l2"]}}]
    asked = {"candidate_users": users, "candidate_groups": groups, "assignee": assignee, "allow_agents": agents}
    task = created(BOB, **asked, sla={"complete": "1h", "escalate": steps})
    for operation, principal in calls:
        decision = decide(operation, task, principal)
        assert decision.task.version == task.version + sum(change.is_event for change in decision.changes)
        steps_taken = [(change.before and change.before.status, change.task.status) for change in decision.changes]
        allowed = {(status, after) for table in TRANSITIONS.values() for status, after in table.items()}
        assert all(before == after or (before, after) in allowed for before, after in steps_taken)
        assert decision.refusal is None or decision.task.version - task.version <= 1
        task = decision.task
        named = {f"user:{each}" for each in (task.requested_by, task.assignee, *task.candidate_users) if each}
        assert named | {f"group:{group}" for group in task.candidate_groups} <= set(audience(task))
        for each in EVERYONE:
            assert visible(each, task) == (not set(audience(task)).isdisjoint(audiences_of(each)))


@pytest.mark.parametrize("named", ["support-bot", "key_bot", "another-bot"])
def test_an_agent_cannot_let_an_agent_decide(named: str) -> None:
    request = CreateTaskRequest(title="Refund", allow_agents=[named])
    with pytest.raises(PermissionDenied) as refusal:
        decide_create(request, AGENT, NOW, tenant_id=TENANT, random_bits=7)
    assert refusal.value.reason == "AGENTS_NOT_ALLOWED"
    assert decide_create(request, SYSTEM, NOW, tenant_id=TENANT, random_bits=7).task.allow_agents == [named]

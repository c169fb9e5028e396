"""What holds for whoever is told, whatever the task and the event."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from orkestra.notification_service.rules import (
    TASK_EVENTS,
    is_person,
    news_of,
    page_token,
    pause_after,
    place_of,
    settled_version,
    told,
)
from orkestra.v1.events import TaskEvent
from orkestra.v1.notification import NotificationKind
from orkestra.v1.task import Assignment, EscalationStep, Priority, Sla, SlaPolicy, Task, TaskStatus

PEOPLE = [f"user_{letter * 32}" for letter in "abcdef"]
PROGRAMS = ["key_" + "a" * 32, "worker", "service"]
GROUPS = ["l1", "l2", "l3"]
NOW = datetime(2026, 11, 22, tzinfo=UTC)

people = st.lists(st.sampled_from(PEOPLE), unique=True, max_size=4)
groups = st.lists(st.sampled_from(GROUPS), unique=True, max_size=3)
subjects = st.none() | st.sampled_from(PEOPLE + PROGRAMS)
steps = st.builds(
    EscalationStep,
    after=st.just("1h"),
    priority=st.none() | st.just(Priority.HIGH),
    assign_to=st.none() | st.builds(Assignment, users=people, groups=groups),
    add_group=st.none() | st.sampled_from(GROUPS),
    notify=st.lists(st.sampled_from([f"user:{PEOPLE[0]}", "group:l1"]), max_size=2),
)


def sla(step: EscalationStep) -> Sla:
    return Sla(policy=SlaPolicy(escalate=[step]), breached=False, escalation_level=1, performed_steps=[0])


tasks = st.builds(
    Task,
    task_id=st.just("task_" + "0" * 32),
    tenant_id=st.just("t"),
    title=st.just("Customer needs help"),
    status=st.sampled_from(TaskStatus),
    priority=st.just(Priority.NORMAL),
    assignee=st.none() | st.sampled_from(PEOPLE),
    candidate_users=people,
    candidate_groups=groups,
    excluded_users=people,
    requested_by=subjects,
    on_behalf_of=st.none() | st.sampled_from(PEOPLE),
    sla=st.none() | steps.map(sla),
    version=st.integers(1, 9),
    revision=st.just(1),
    created_at=st.just(NOW),
    updated_at=st.just(NOW),
)
events = st.builds(TaskEvent, task=tasks, actor=subjects, mentioned=people)
memberships = st.dictionaries(st.sampled_from(GROUPS), people)


@given(st.sampled_from(TASK_EVENTS), events, memberships)
def test_only_people_whom_it_concerns_are_told_and_never_the_one_who_did_it(
    name: str, event: TaskEvent, members: Mapping[str, list[str]]
) -> None:
    news = news_of(name, event)
    reached = told(news, members, actor=event.actor)
    concerned = {user for one in news for user in one.users}
    concerned |= {user for one in news for group in one.groups for user in members.get(group, ())}
    assert set(reached) <= concerned
    assert all(is_person(user) for user in reached)
    assert event.actor not in reached


@given(st.sampled_from(["created", "released", "assigned", "delegated"]), events, memberships)
def test_nobody_is_asked_to_do_what_is_forbidden(name: str, event: TaskEvent, members: Mapping[str, list[str]]) -> None:
    assert not set(told(news_of(name, event), members, actor=None)) & set(event.task.excluded_users)


@given(events, memberships)
def test_an_end_reaches_those_who_asked_and_no_one_else(event: TaskEvent, members: Mapping[str, list[str]]) -> None:
    reached = told(news_of("completed", event), members, actor=event.actor)
    asked: set[Any] = {event.task.requested_by, event.task.on_behalf_of} - {event.actor}
    assert set(reached) == {one for one in asked if is_person(one)}
    assert {one.kind for one in reached.values()} <= {NotificationKind.ANSWERED}


@given(st.sampled_from(TASK_EVENTS), events)
def test_an_event_settles_what_came_before_it_and_not_itself(name: str, event: TaskEvent) -> None:
    assert settled_version(name, event) in (0, event.task.version)


@given(st.datetimes(timezones=st.just(UTC)), st.from_regex(r"notification_[0-9a-f]{32}", fullmatch=True))
def test_a_page_token_says_where_the_page_ended(at: datetime, notification_id: str) -> None:
    assert place_of(page_token(at, notification_id)) == (at.isoformat(), notification_id)


@given(failures=st.integers(1, 1000), spread=st.floats(0, 1))
def test_pauses_double_up_to_an_hour_and_are_spread_by_a_third_at_most(failures: int, spread: float) -> None:
    first = timedelta(seconds=5)
    whole = pause_after(failures, first=first, spread=0)
    assert whole == min(first * 2 ** min(failures - 1, 30), timedelta(hours=1))
    assert whole * 2 / 3 - timedelta(milliseconds=1) <= pause_after(failures, first=first, spread=spread) <= whole

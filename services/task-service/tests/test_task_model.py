"""The task service in memory that authors test with is the model: the real one does the same, call by call."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from orkestra.sdk.testing import GroupRules
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import (
    Action,
    AddCommentRequest,
    AnswerTaskRequest,
    ApprovalPolicy,
    AssignTaskRequest,
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskRequest,
    Priority,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    SlaEnd,
    SlaPolicy,
    TaskContext,
    UndoTaskRequest,
    UpdateTaskRequest,
    VoteChoice,
    VoteTaskRequest,
)
from task_model import AGENTS, PEOPLE, Both, outcome
from task_world import ANSWER, World, world

__all__ = ["world"]

MOST_TASKS = 4
SECONDS = 60
"""Longest wait for one step on a loaded machine."""
CHAIN = [
    EscalationStep(after="3h", priority=Priority.URGENT),
    EscalationStep(after="50%", remind=True),
    EscalationStep(after="8h", add_group="l2"),
]
SLA = SlaPolicy(claim="2h", complete="9h", escalate=CHAIN)
SLAS = st.sampled_from(
    [
        None,
        SLA,
        SLA,
        SlaPolicy(complete="4h", at_end=SlaEnd.KEEP),
        SlaPolicy(complete="4h", at_end=SlaEnd.DEFAULT, default_result=ANSWER),
    ]
)
SKIPS = st.sampled_from([97, 211, 1009])
"""Minutes that never add up to when anything is due, so that seconds of a slow machine change nothing."""
POLICIES = st.builds(ApprovalPolicy, required=st.integers(1, 2), veto=st.booleans(), finish_early=st.booleans())
RULES = st.none() | st.builds(
    GroupRules,
    strategy=st.sampled_from(GroupStrategy),
    max_open_tasks=st.none() | st.integers(1, 3),
    skills=st.sampled_from([(), ("a",)]),
)
WHO = st.sampled_from([*PEOPLE, *AGENTS])
WORKERS = st.sampled_from(["ana", "ben", "eve", "bot"])
"""Who has something to do, where a rule would seldom get anywhere with anybody."""
EVERYBODY = WORKERS | WHO
VERSIONS = st.sampled_from([None, None, -1, 0])
"""Added to the version that a decision names, where it names one."""
ANSWERS = st.sampled_from([ANSWER, ANSWER, ANSWER, {"sentiment": "sour"}, {"answer": ""}])
TEXTS = st.sampled_from(["Why?", "Why?", ""])


class Tasks(RuleBasedStateMachine):
    """Many principals and the clock at a few tasks, in any order."""

    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]
    tasks: Bundle[str] = Bundle("tasks")
    both: Both

    @initialize(target=tasks, strategy=RULES, sla=SLAS, undo_seconds=st.sampled_from([0, 0, 1200]))
    def begin(self, strategy: GroupRules | None, sla: SlaPolicy | None, undo_seconds: int = 0) -> str:
        self.both = Both(self.world.tenant(), strategy, undo_seconds)
        self._wait(self.both.begin())
        return self._open(sla, candidate_groups=["l1"])

    @precondition(lambda self: len(self.both.task_ids) < MOST_TASKS)
    @rule(target=tasks, sla=SLAS, kind=st.sampled_from(["plain", "named", "people", "bound", "agents", "nobody"]))
    def opened(self, sla: SlaPolicy | None, kind: str) -> str:
        ids = self.both.ids
        kinds: dict[str, dict[str, Any]] = {
            "plain": {"candidate_groups": ["l1"], "excluded_users": [ids["ben"]], "tags": ["a"]},
            "named": {"assignee": ids["ana"], "type": "refund"},
            "people": {"candidate_users": [ids["ben"], ids["eve"]], "type": "refund"},
            "bound": {
                "candidate_groups": ["l1", "l2"],
                "on_behalf_of": ids["ben"],
                "context": TaskContext(action=Action(name="pay", args={"euros": 5})),
            },
            "agents": {"candidate_groups": ["l1"], "allow_agents": [ids["bot"]]},
            "nobody": {},
        }
        return self._open(sla, **kinds[kind])

    @precondition(lambda self: len(self.both.task_ids) < MOST_TASKS)
    @rule(target=tasks, sla=SLAS, policy=POLICIES)
    def opened_for_votes(self, sla: SlaPolicy | None, policy: ApprovalPolicy) -> str:
        return self._open(sla, candidate_groups=["l1"], approval_policy=policy)

    @rule(task=tasks, who=EVERYBODY, version=VERSIONS)
    def claim(self, task: str, who: str, version: int | None) -> None:
        self._do("claim", who, ClaimTaskRequest(task_id=task, version=self._version(task, version)))

    @rule(task=tasks, who=EVERYBODY, version=VERSIONS)
    def release(self, task: str, who: str, version: int | None) -> None:
        self._do("release", who, ReleaseTaskRequest(task_id=task, version=self._version(task, version)))

    @rule(task=tasks, who=EVERYBODY, version=VERSIONS, data=ANSWERS)
    def complete(self, task: str, who: str, version: int | None, data: dict[str, str]) -> None:
        expected = self._version(task, version)
        self._do("complete", who, CompleteTaskRequest(task_id=task, data=data, version=expected))

    @rule(task=tasks, who=EVERYBODY, choice=st.sampled_from(VoteChoice), data=ANSWERS, older=st.sampled_from([0, 0, 1]))
    def vote(self, task: str, who: str, choice: VoteChoice, data: dict[str, str], older: int) -> None:
        revision = self.both.model.get(task).revision - older
        self._do("vote", who, VoteTaskRequest(task_id=task, choice=choice, data=data, revision=revision))

    @precondition(lambda self: bool(self.both.model.undo_window))
    @rule(task=tasks, who=EVERYBODY, version=VERSIONS)
    def undo(self, task: str, who: str, version: int | None) -> None:
        self._do("undo", who, UndoTaskRequest(task_id=task, version=self._version(task, version)))

    @rule(task=tasks, who=EVERYBODY, data=ANSWERS)
    def save_draft(self, task: str, who: str, data: dict[str, str]) -> None:
        self._do("save_draft", who, SaveDraftRequest(task_id=task, data=data))

    @rule(task=tasks, who=EVERYBODY, message=TEXTS)
    def request_changes(self, task: str, who: str, message: str) -> None:
        self._do("request_changes", who, RequestChangesRequest(task_id=task, message=message))

    @rule(task=tasks, who=st.just("run") | st.just("dan") | WHO, message=TEXTS)
    def answer(self, task: str, who: str, message: str) -> None:
        self._do("answer", who, AnswerTaskRequest(task_id=task, message=message))

    @rule(task=tasks, who=EVERYBODY, called=st.none() | st.sampled_from(PEOPLE))
    def comment(self, task: str, who: str, called: str | None) -> None:
        text = "Hm." if called is None else f"Look, @{self.both.ids[called]}"
        self._do("comment", who, AddCommentRequest(task_id=task, text=text))

    @rule(task=tasks, who=EVERYBODY, to=st.sampled_from(PEOPLE))
    def delegate(self, task: str, who: str, to: str) -> None:
        self._do("delegate", who, DelegateTaskRequest(task_id=task, assignee=self.both.ids[to], reason="Knows it."))

    @rule(task=tasks, who=st.just("boss") | WHO, to=st.sampled_from([*PEOPLE, "l1", "l2"]), version=VERSIONS)
    def assign(self, task: str, who: str, to: str, version: int | None) -> None:
        given: dict[str, Any] = {"candidate_groups": [to]} if to in ("l1", "l2") else {"assignee": self.both.ids[to]}
        named = {"task_id": task, "reason": "Free.", "version": self._version(task, version)}
        self._do("assign", who, AssignTaskRequest.model_validate(named | given))

    @rule(
        task=tasks,
        who=st.sampled_from(["boss", "dan"]) | WHO,
        changes=st.sampled_from(
            [{}, {"add_tags": ["a"]}, {"title": "Another"}, {"priority": Priority.LOW, "remove_tags": ["a"]}]
        ),
        hours=st.none() | st.integers(-1, 5),
    )
    def update(self, task: str, who: str, changes: dict[str, Any], hours: int | None) -> None:
        def ask(now: datetime) -> UpdateTaskRequest:
            dates = {} if hours is None else {"complete_by": now + timedelta(hours=hours)}
            return UpdateTaskRequest(task_id=task, **changes, **dates)

        self._wait(self.both.do("update", who, ask))

    @rule(task=tasks, who=st.just("boss") | WHO)
    def escalate(self, task: str, who: str) -> None:
        self._do("escalate", who, EscalateTaskRequest(task_id=task))

    @rule(task=tasks, who=st.sampled_from(["boss", "dan", "run"]) | WHO, version=VERSIONS)
    def cancel(self, task: str, who: str, version: int | None) -> None:
        expected = self._version(task, version)
        self._do("cancel", who, CancelTaskRequest(task_id=task, reason="Enough.", version=expected))

    @rule(task=tasks)
    def advance(self, task: str) -> None:
        self._wait(self.both.advance(task))

    @rule(minutes=SKIPS)
    def skip(self, minutes: int) -> None:
        self._wait(self.both.skip(timedelta(minutes=minutes)))

    @rule(
        who=st.sampled_from(["ana", "ben", "eve"]),
        substitute=st.none() | st.sampled_from(["ana", "ben", "eve", "kim"]),
        types=st.sampled_from([[], [], ["refund"]]),
    )
    def away(self, who: str, substitute: str | None, types: list[str]) -> None:
        if substitute != who:
            self._wait(self.both.away(who, substitute, types))

    @rule(task=tasks)
    def seen_by_another_tenant(self, task: str) -> None:
        stranger = self.world.tenant().person("ana", "l1", roles=("manager", "admin"))
        refused = self._wait(outcome(lambda: stranger.get_task(GetTaskRequest(task_id=task))))
        assert refused == ("NotFound", "TASK_NOT_FOUND", [], None)

    @invariant()
    def rows_are_equal(self) -> None:
        self._wait(self.both.compare_rows())

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self._wait(self._ended())

    async def _ended(self) -> None:
        try:
            await self.both.compare_ends()
        finally:
            await self.both.close()

    def _open(self, sla: SlaPolicy | None, **fields: Any) -> str:
        opened: str = self._wait(self.both.open(sla=sla, **fields))
        return opened

    def _do(self, name: str, who: str, request: Any) -> None:
        ask: Callable[[datetime], Any] = lambda _now: request  # noqa: E731 - a request for any time
        self._wait(self.both.do(name, who, ask))

    def _version(self, task: str, more: int | None) -> int | None:
        return None if more is None else self.both.model.get(task).version + more

    def _wait(self, step: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(step, self.loop).result(SECONDS)


@pytest.fixture
async def machine(world: World) -> type[Tasks]:
    """The machine with the running service; it is driven from another thread."""
    return type("Machine", (Tasks,), {"world": world, "loop": asyncio.get_running_loop()})


async def test_the_service_does_what_the_model_does(machine: type[Tasks]) -> None:
    bounded = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        phases=(Phase.reuse, Phase.generate),  # a shorter example would take longer than a test may
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounded)


def late_answers_are_kept_once(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA)
    tasks.cancel(task, "boss", None)
    for _ in range(2):
        tasks.complete(task, "ben", None, ANSWER)
    tasks.vote(task, "ben", VoteChoice.APPROVE, ANSWER, 0)


def what_is_due_comes_before_a_claim(tasks: Tasks) -> None:
    task = tasks.begin(None, SlaPolicy(complete="4h", at_end=SlaEnd.KEEP))
    tasks.skip(1009)
    tasks.claim(task, "ana", None)


def a_due_step_shows_the_task_to_a_group(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA)
    tasks.skip(500)
    tasks.vote(task, "eve", VoteChoice.APPROVE, ANSWER, 0)
    tasks.delegate(task, "eve", "ben")


def stale_versions_decide_nothing(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA)
    tasks.update(task, "dan", {"title": "Another"}, None)
    for stale in (-1, None):
        tasks.assign(task, "boss", "ana", stale)
        tasks.claim(task, "ana", stale)
        tasks.vote(task, "ana", VoteChoice.APPROVE, ANSWER, 1)
        tasks.complete(task, "ana", stale, ANSWER)


def round_robin_passes_over_who_is_away(tasks: Tasks) -> None:
    task = tasks.begin(GroupRules("round_robin"), SLA)
    tasks.away("ana", "ben", [])
    tasks.opened(None, "agents")
    second = tasks.opened(None, "people")
    tasks.claim(task, "ben", None)
    tasks.assign(second, "boss", "l1", None)


def the_least_loaded_with_the_skill_gets_it(tasks: Tasks) -> None:
    task = tasks.begin(GroupRules("least_loaded", 2, ("a",)), None)
    tasks.opened(None, "plain")
    tasks.opened(None, "bound")
    tasks.complete(task, "ana", None, ANSWER)
    tasks.opened(None, "plain")


def who_had_the_case_before_gets_it(tasks: Tasks) -> None:
    task = tasks.begin(GroupRules("sticky"), None)
    tasks.complete(task, "ben", None, ANSWER)
    for _ in range(2):
        tasks.opened(None, "people")
    tasks.release(tasks.opened(None, "plain"), "ben", None)


def changes_are_asked_for_once_and_delegated_work_comes_back(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA)
    tasks.claim(task, "ana", None)
    tasks.request_changes(task, "ana", "Why?")
    tasks.skip(97)
    tasks.answer(task, "dan", "Because.")
    tasks.request_changes(task, "ana", "Why?")
    tasks.delegate(task, "ana", "ben")
    tasks.release(task, "ben", None)
    tasks.skip(1009)
    tasks.complete(task, "ana", None, ANSWER)


def an_answer_is_taken_back_in_its_time_and_ends_the_task_after_it(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA, 1200)
    tasks.complete(task, "ana", None, ANSWER)
    for name in ("run", "boss", "dan"):
        tasks.cancel(task, name, None)
    for who in ("ana", "ben", "eve", "boss"):
        tasks.claim(task, who, None)
        tasks.release(task, who, None)
        tasks.complete(task, who, None, ANSWER)
        tasks.vote(task, who, VoteChoice.APPROVE, ANSWER, 0)
        tasks.update(task, who, {"title": "Another"}, None)
        tasks.assign(task, who, "eve", None)
        tasks.escalate(task, who)
        tasks.request_changes(task, who, "Why?")
    for who in ("ben", "dan", "ana", "ana"):
        tasks.undo(task, who, None)
    tasks.rows_are_equal()
    tasks.complete(task, "ana", None, ANSWER)
    tasks.undo(task, "boss", -1)
    tasks.skip(97)
    tasks.undo(task, "ana", None)
    tasks.cancel(task, "boss", None)


def the_vote_that_decides_is_taken_back(tasks: Tasks) -> None:
    tasks.begin(None, None, 1200)
    task = tasks.opened_for_votes(SLA, ApprovalPolicy(required=2))
    for _ in range(2):
        tasks.vote(task, "ana", VoteChoice.APPROVE, ANSWER, 0)
        tasks.vote(task, "ben", VoteChoice.APPROVE, ANSWER, 0)
        tasks.claim(task, "ana", None)
        tasks.undo(task, "ana", None)
        tasks.undo(task, "ben", None)
    tasks.vote(task, "ben", VoteChoice.REJECT, ANSWER, 0)
    tasks.skip(97)
    tasks.vote(task, "ana", VoteChoice.APPROVE, ANSWER, 0)


def answers_outlive_the_end_of_their_time_to_complete(tasks: Tasks) -> None:
    task = tasks.begin(None, SLA, 1200)
    tasks.skip(500)
    tasks.complete(task, "ana", None, ANSWER)
    tasks.skip(1009)
    tasks.comment(task, "boss", None)


SEQUENCES = [
    an_answer_is_taken_back_in_its_time_and_ends_the_task_after_it,
    the_vote_that_decides_is_taken_back,
    answers_outlive_the_end_of_their_time_to_complete,
    late_answers_are_kept_once,
    what_is_due_comes_before_a_claim,
    a_due_step_shows_the_task_to_a_group,
    stale_versions_decide_nothing,
    round_robin_passes_over_who_is_away,
    the_least_loaded_with_the_skill_gets_it,
    who_had_the_case_before_gets_it,
    changes_are_asked_for_once_and_delegated_work_comes_back,
]


@pytest.mark.parametrize("sequence", SEQUENCES)
async def test_it_does_so_where_chance_seldom_leads(machine: type[Tasks], sequence: Callable[[Tasks], None]) -> None:
    def run() -> None:
        tasks = machine()
        sequence(tasks)
        tasks.rows_are_equal()
        tasks.teardown()

    await asyncio.to_thread(run)

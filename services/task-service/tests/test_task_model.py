"""The task service in memory that authors test with is the model: the real one does the same, call by call."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from orkestra.sdk.testing import TaskWorld
from orkestra.v1.task import (
    AnswerTaskRequest,
    ApprovalPolicy,
    AssignTaskRequest,
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    Priority,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    SlaPolicy,
    Task,
    UpdateTaskRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, some_task_id, world

__all__ = ["world"]

GROUPS = {"ana": ["l1"], "ben": ["l1", "l2"], "eve": ["l2"]}
SLA = SlaPolicy(
    claim="2h",
    complete="9h",
    escalate=[
        EscalationStep(after="3h", priority=Priority.URGENT),
        EscalationStep(after="50%", remind=True),
        EscalationStep(after="8h", add_group="l2"),
    ],
)
COMPARED = {
    *("status", "assignee", "delegated_by", "candidate_users", "candidate_groups", "priority", "tags", "version"),
    *("outcome", "tally", "approval_policy"),
    *("revision", "title", "form", "result", "completed_by", "decided_by", "reason", "max_revisions"),
}
Call = tuple[str, str]
BY_PEOPLE = (
    *("claim", "release", "complete", "complete_wrong", "save_draft", "request_changes", "delegate"),
    *("approve", "reject"),
)
POLICIES = st.none() | st.builds(
    ApprovalPolicy, required=st.integers(1, 2), veto=st.booleans(), finish_early=st.booleans()
)
BY_BOSS = ("assign", "offer", "retag", "rename", "escalate", "cancel")
CALLS = st.one_of(
    st.tuples(st.sampled_from(BY_PEOPLE), st.sampled_from(sorted(GROUPS))),
    st.tuples(st.sampled_from(BY_BOSS), st.just("boss")),
    st.tuples(st.just("answer"), st.just("run")),
)


class Both:
    """One task in memory and in the service, and the same people in both."""

    def __init__(self, tenant: Tenant) -> None:
        tenant.group("l1", "l2")
        self.people: dict[str, Caller] = {name: tenant.person(name, *groups) for name, groups in GROUPS.items()}
        self.people["boss"] = tenant.person("boss", roles=("manager",))
        self.people["run"] = tenant.worker()
        groups = {self.people[name].id: list(names) for name, names in GROUPS.items()} | {self.people["boss"].id: []}

        async def now() -> datetime:
            return datetime.now(UTC)

        async def nobody(_task: Task) -> None:
            return

        self.model = TaskWorld(now, nobody, tenant_id=tenant.id, people=groups)
        self.task_id = some_task_id()

    async def open(self, policy: ApprovalPolicy | None) -> None:
        fields = {"candidate_groups": ["l1"], "sla": SLA, "max_revisions": 1, "approval_policy": policy}
        asked: CreateTaskRequest = ask_for_run(task_id=self.task_id, **fields)
        await self.model.create(asked)
        await self.people["run"].create_task(asked)

    async def both(self, name: str, who: str) -> tuple[Any, Any]:
        """What a call comes to in memory and in the service."""
        request = self._request(name)
        by = None if who == "run" else self.people[who].id
        rpc, model = RPCS[name]
        in_memory = getattr(self.model, model)
        if name in ("claim", "release"):
            modelled = await outcome(lambda: in_memory(self.task_id, by=by))
        else:
            modelled = await outcome(lambda: in_memory(request, by=by))
        return modelled, await outcome(lambda: getattr(self.people[who], rpc)(request))

    def _request(self, name: str) -> Any:
        task_id, ben = self.task_id, self.people["ben"].id
        ballot = {"task_id": task_id, "data": ANSWER, "revision": self.model.get(task_id).revision}
        return {
            "claim": ClaimTaskRequest(task_id=task_id),
            "release": ReleaseTaskRequest(task_id=task_id),
            "complete": CompleteTaskRequest(task_id=task_id, data=ANSWER),
            "complete_wrong": CompleteTaskRequest(task_id=task_id, data={"sentiment": "sour"}),
            "approve": VoteTaskRequest(choice=VoteChoice.APPROVE, **ballot),
            "reject": VoteTaskRequest(choice=VoteChoice.REJECT, **ballot),
            "save_draft": SaveDraftRequest(task_id=task_id, data=ANSWER),
            "request_changes": RequestChangesRequest(task_id=task_id, message="Why?"),
            "answer": AnswerTaskRequest(task_id=task_id, message="Because."),
            "delegate": DelegateTaskRequest(task_id=task_id, assignee=ben, reason="Knows it."),
            "assign": AssignTaskRequest(task_id=task_id, assignee=self.people["eve"].id, reason="Free."),
            "offer": AssignTaskRequest(task_id=task_id, candidate_groups=["l1"], reason="Back."),
            "retag": UpdateTaskRequest(task_id=task_id, add_tags=["a"], remove_tags=["b"]),
            "rename": UpdateTaskRequest(task_id=task_id, title="Another", priority=Priority.LOW),
            "escalate": EscalateTaskRequest(task_id=task_id),
            "cancel": CancelTaskRequest(task_id=task_id, reason="Enough."),
        }[name]


RPCS = {
    **{name: (f"{name}_task", name) for name in ("claim", "release", "complete", "delegate", "assign", "escalate")},
    "complete_wrong": ("complete_task", "complete"),
    "approve": ("vote_task", "vote"),
    "reject": ("vote_task", "vote"),
    "save_draft": ("save_draft", "save_draft"),
    "request_changes": ("request_changes", "request_changes"),
    "answer": ("answer_task", "answer"),
    "offer": ("assign_task", "assign"),
    "retag": ("update_task", "update"),
    "rename": ("update_task", "update"),
    "cancel": ("cancel_task", "cancel"),
}


async def outcome(call: Callable[[], Awaitable[Task]]) -> Any:
    """What others see of a call: the task without its times, or why it was refused."""
    try:
        task = await call()
    except Error as refusal:
        return type(refusal).__name__, refusal.reason, [(error.path, error.code) for error in refusal.errors]
    sla = task.sla.performed_steps if task.sla else None
    votes = [(vote.voter, vote.choice, vote.groups) for vote in task.votes]
    return task.model_dump(include=COMPARED), sla, len(task.change_requests), votes


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=POLICIES, calls=st.lists(CALLS, min_size=1, max_size=10))
@example(policy=None, calls=[("cancel", "boss"), ("complete", "ben"), ("complete", "ben")])
async def test_the_service_does_what_the_model_does(
    world: World, policy: ApprovalPolicy | None, calls: list[Call]
) -> None:
    both = Both(world.tenant())
    await both.open(policy)
    for name, who in calls:
        modelled, done = await both.both(name, who)
        assert done == modelled, f"{name} by {who}"
    history = await both.people["boss"].get_task_history(GetTaskHistoryRequest(task_id=both.task_id))
    assert [f"task.{entry.event}" for entry in history.entries] == [event.name for event in both.model.events]
    assert both.model.get(both.task_id).created_at - history.entries[0].at < timedelta(minutes=1)

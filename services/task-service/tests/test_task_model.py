"""The task service in memory that authors test with is the model: the real one does the same, call by call."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from orkestra.sdk.testing import GroupRules, People, TaskWorld
from orkestra.v1.events import UserEvent
from orkestra.v1.identity import GroupStrategy
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
    *(
        "status",
        "assignee",
        "acted_for",
        "delegated_by",
        "candidate_users",
        "candidate_groups",
        "priority",
        "tags",
        "version",
    ),
    *("outcome", "tally", "approval_policy"),
    *("revision", "title", "form", "result", "completed_by", "decided_by", "reason", "max_revisions"),
}
Call = tuple[str, str, int]
"""What is called, by whom, and on which of the tasks that are open."""
MOST_TASKS = 4
CASES = ("case-1", "case-2", None)
BY_PEOPLE = (
    *("claim", "release", "complete", "complete_wrong", "save_draft", "request_changes", "delegate"),
    *("approve", "reject"),
)
POLICIES = st.none() | st.builds(
    ApprovalPolicy, required=st.integers(1, 2), veto=st.booleans(), finish_early=st.booleans()
)
BY_BOSS = ("assign", "offer", "retag", "rename", "escalate", "cancel")
RULES = st.none() | st.builds(
    GroupRules,
    strategy=st.sampled_from(GroupStrategy),
    max_open_tasks=st.none() | st.integers(1, 3),
    skills=st.sampled_from([(), ("a",)]),
)
PLACES = st.integers(0, MOST_TASKS - 1)
CALLS = st.one_of(
    st.tuples(st.sampled_from(BY_PEOPLE), st.sampled_from(sorted(GROUPS)), PLACES),
    st.tuples(st.sampled_from(BY_BOSS), st.just("boss"), PLACES),
    st.tuples(st.just("answer"), st.just("run"), PLACES),
    st.tuples(st.sampled_from(["open", "open_tagged"]), st.just("run"), PLACES),
    st.tuples(st.sampled_from(["away", "back"]), st.sampled_from(sorted(GROUPS)), PLACES),
)


class Both:
    """The same tasks in memory and in the service, and the same people, groups and absences in both."""

    def __init__(self, tenant: Tenant, rules: GroupRules | None) -> None:
        said = rules or GroupRules()
        tenant.group(
            "l1", strategy=GroupStrategy(said.strategy), max_open_tasks=said.max_open_tasks, skills=list(said.skills)
        )
        tenant.group("l2")
        self.tenant = tenant
        skilled: dict[str, dict[str, Any]] = {"ana": {"skills": ["a"], "max_open_tasks": 1}}
        self.people: dict[str, Caller] = {
            name: tenant.person(name, *groups, **skilled.get(name, {})) for name, groups in GROUPS.items()
        }
        self.people["boss"] = tenant.person("boss", roles=("manager",))
        self.people["run"] = tenant.worker()
        groups = {self.people[name].id: list(names) for name, names in GROUPS.items()} | {self.people["boss"].id: []}
        ana = self.people["ana"].id

        async def now() -> datetime:
            return datetime.now(UTC)

        async def nobody(_task: Task) -> None:
            return

        strategies = {} if rules is None else {"l1": rules}
        known = People(tenant.id, groups, strategies, {ana: ["a"]}, {ana: 1})
        self.model = TaskWorld(now, nobody, people=known)
        self.task_ids: list[str] = []
        self._absences = 0

    async def begin(self, policy: ApprovalPolicy | None) -> None:
        """Open the first task, once the service knows of the people."""
        for name in GROUPS:
            user = self.tenant.world.identity.users[self.tenant.id, self.people[name].id]
            await self.tenant.hear("user_changed", UserEvent(user=user), key=user.user_id, version=user.version)
        await self.open(policy)

    async def open(self, policy: ApprovalPolicy | None = None, *, tags: tuple[str, ...] = ()) -> tuple[Any, Any]:
        """Open one more task in both."""
        task_id, number = some_task_id(), len(self.task_ids)
        fields = {"candidate_groups": ["l1"], "sla": SLA, "max_revisions": 1, "approval_policy": policy, "tags": tags}
        asked: CreateTaskRequest = ask_for_run(task_id=task_id, correlation=CASES[number % len(CASES)], **fields)
        await self.model.create(asked)
        created = await self.people["run"].create_task(asked)
        self.task_ids.append(task_id)
        return shown(self.model.get(task_id)), shown(created)

    async def away(self, who: str, *, is_away: bool) -> None:
        """Send a person away, whose place the next one takes, or call them back."""
        names, person = sorted(GROUPS), self.people[who]
        substitute = self.people[names[(names.index(who) + 1) % len(names)]]
        self._absences += 1
        await self.tenant.away(person, substitute if is_away else None, version=self._absences)
        if is_away:
            self.model.people.send_away(person.id, substitute=substitute.id, types=(), until=None)
        else:
            self.model.people.call_back(person.id)

    async def do(self, name: str, who: str, place: int) -> tuple[Any, Any]:
        """What a call comes to in memory and in the service."""
        if name in ("away", "back"):
            await self.away(who, is_away=name == "away")
            return None, None
        if name in ("open", "open_tagged"):
            tags = ("a",) if name == "open_tagged" else ()
            return (None, None) if len(self.task_ids) == MOST_TASKS else await self.open(tags=tags)
        return await self.both(name, who, self.task_ids[place % len(self.task_ids)])

    async def both(self, name: str, who: str, task_id: str) -> tuple[Any, Any]:
        """What a call on a task comes to."""
        request = self._request(name, task_id)
        by = None if who == "run" else self.people[who].id
        rpc, model = RPCS[name]
        in_memory = getattr(self.model, model)
        if name in ("claim", "release"):
            modelled = await outcome(lambda: in_memory(task_id, by=by))
        else:
            modelled = await outcome(lambda: in_memory(request, by=by))
        return modelled, await outcome(lambda: getattr(self.people[who], rpc)(request))

    def _request(self, name: str, task_id: str) -> Any:
        ben = self.people["ben"].id
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
    return shown(task)


def shown(task: Task) -> Any:
    """A task without its times."""
    sla = task.sla.performed_steps if task.sla else None
    votes = [(vote.voter, vote.choice, vote.groups) for vote in task.votes]
    return task.model_dump(include=COMPARED), sla, len(task.change_requests), votes


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=POLICIES, rules=RULES, calls=st.lists(CALLS, min_size=1, max_size=10))
@example(policy=None, rules=None, calls=[("cancel", "boss", 0), ("complete", "ben", 0), ("complete", "ben", 0)])
@example(
    policy=None,
    rules=GroupRules("round_robin"),
    calls=[("open", "run", 0), ("away", "ana", 0), ("open", "run", 0), ("claim", "ben", 0), ("offer", "boss", 1)],
)
@example(
    policy=None,
    rules=GroupRules("least_loaded", 2, ("a",)),
    calls=[("open_tagged", "run", 0), ("open", "run", 0), ("complete", "ana", 0), ("open", "run", 0)],
)
@example(
    policy=None,
    rules=GroupRules("sticky"),
    calls=[("complete", "ben", 0), ("open", "run", 0), ("open", "run", 0), ("open", "run", 0), ("release", "ben", 3)],
)
async def test_the_service_does_what_the_model_does(
    world: World, policy: ApprovalPolicy | None, rules: GroupRules | None, calls: list[Call]
) -> None:
    both = Both(world.tenant(), rules)
    await both.begin(policy)
    for name, who, place in calls:
        modelled, done = await both.do(name, who, place)
        assert done == modelled, f"{name} by {who}"
    for task_id in both.task_ids:
        history = await both.people["boss"].get_task_history(GetTaskHistoryRequest(task_id=task_id))
        told = [event.name for event in both.model.events if event.task and event.task.task_id == task_id]
        assert [f"task.{entry.event}" for entry in history.entries] == told
        assert both.model.get(task_id).created_at - history.entries[0].at < timedelta(minutes=1)

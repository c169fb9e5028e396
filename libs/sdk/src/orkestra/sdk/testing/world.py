"""A task service in memory over orkestra.rules; its clock is given to it."""

import base64
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orkestra import rules
from orkestra.rules.receipts import ReceiptKey, read_receipt
from orkestra.sdk.testing.files import Files
from orkestra.sdk.testing.people import People
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    AssignTaskRequest,
    Attachment,
    BeginAttachmentRequest,
    Calendar,
    CancelTaskRequest,
    CheckEscalationRequest,
    ClaimTaskRequest,
    ClockState,
    CompleteTaskRequest,
    CreateTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationCheck,
    EscalationPolicy,
    RedeemReceiptRequest,
    Redemption,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    SlaPolicy,
    Task,
    UndoTaskRequest,
    UpdateTaskRequest,
    VoteTaskRequest,
    WorkingHours,
)
from orkestra.v1.workflow import ReportProgressRequest
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, Principal, dumps

Clock = Callable[[], Awaitable[datetime]]
WakeUp = Callable[[Task], Awaitable[None]]


@dataclass(frozen=True)
class WorldEvent:
    """Something that happened to a task, or to the run: `name` is such as task.escalated.

    `told` is what the run's code has told, of workflow.progressed and workflow.emitted.
    """

    name: str
    at: datetime
    task: Task | None = None
    actor: str | None = None
    told: ReportProgressRequest | None = None


class TaskWorld:
    """Keeps the tasks of one test. People are known by any name; `people` says who there is.

    `calendars` gives the names that policies use their hours.
    """

    def __init__(
        self,
        clock: Clock,
        wake_up: WakeUp,
        *,
        people: People,
        calendars: Mapping[str, WorkingHours] | None = None,
        undo_window: timedelta = timedelta(),
    ) -> None:
        self.clock = clock
        self.people = people
        self.tenant_id = people.tenant_id
        self.tasks: dict[str, Task] = {}
        self.events: list[WorldEvent] = []
        self._late_answers: set[tuple[str, str | None, str]] = set()
        self.receipt_key = ReceiptKey(base64.b64encode(bytes(32)).decode())
        self.redeemed: dict[str, Redemption] = {}
        self.policy = EscalationPolicy(rules=[], version=0)
        self.checks: list[EscalationCheck] = []
        self.files = Files()
        self.undo_window = undo_window
        self._wake_up = wake_up
        self._calendars = {} if calendars is None else dict(calendars)
        self._random = random.Random(7)  # noqa: S311 - ids of a test

    async def create(self, request: CreateTaskRequest) -> ClockState:
        """Open a task; the same id, or the same key within one run, gives the first."""
        known = self._known(request)
        now = await self.clock()
        if known is None:
            decision = rules.decide_create(
                request,
                self._worker(),
                now,
                tenant_id=self.tenant_id,
                random_bits=self._random.getrandbits(74),
                calendar=self._calendar(request.sla, now),
                voters=self.people.voters(request),
            )
            known = self._keep(decision)
        return rules.clock_state(known, now)

    async def advance(self, task_id: str) -> ClockState:
        """Perform what is due, each step once, and say what to wait for."""
        now = await self.clock()
        return rules.clock_state(self._keep(rules.decide_advance(self.get(task_id), self._worker(), now)), now)

    async def cancel(self, request: CancelTaskRequest, *, by: str | None = None) -> Task:
        """End a task without an answer."""
        task = self.get(request.task_id)
        now = await self.clock()
        principal = self._worker() if by is None else self._manager(by, task, now)
        return await self._told(rules.decide_cancel(task, principal, now, request))

    async def claim(self, task_id: str, *, by: str, version: int | None = None) -> Task:
        """Give the task to a person."""
        task = self.get(task_id)
        request = ClaimTaskRequest(task_id=task_id, version=version)
        now = await self.clock()
        return await self._told(rules.decide_claim(task, self._person(by, task, now), now, request))

    async def release(self, task_id: str, *, by: str, version: int | None = None) -> Task:
        """Put the task back."""
        task = self.get(task_id)
        request = ReleaseTaskRequest(task_id=task_id, version=version)
        now = await self.clock()
        return await self._told(rules.decide_release(task, self._person(by, task, now), now, request))

    async def assign(self, request: AssignTaskRequest, *, by: str) -> Task:
        """Give the task to others, as a manager."""
        task = self.get(request.task_id)
        now = await self.clock()
        return await self._told(rules.decide_assign(task, self._manager(by, task, now), now, request))

    async def delegate(self, request: DelegateTaskRequest, *, by: str) -> Task:
        """Hand the task to another candidate, as its assignee."""
        task = self.get(request.task_id)
        now, groups = await self.clock(), self.people.groups.get(request.assignee, task.candidate_groups)
        return await self._told(rules.decide_delegate(task, self._person(by, task, now), now, request, groups=groups))

    async def update(self, request: UpdateTaskRequest, *, by: str) -> Task:
        """Change the task, as a manager."""
        task = self.get(request.task_id)
        now = await self.clock()
        return await self._told(rules.decide_update(task, self._manager(by, task, now), now, request))

    async def escalate(self, request: EscalateTaskRequest, *, by: str) -> Task:
        """Perform the next step of the chain, as a manager."""
        task = self.get(request.task_id)
        now = await self.clock()
        return await self._told(rules.decide_escalate(task, self._manager(by, task, now), now, request))

    async def attach(self, request: BeginAttachmentRequest, content: bytes, *, by: str) -> Attachment:
        """Attach a file to the task, as a person who may work on it."""
        task = self.get(request.task_id)
        now = await self.clock()
        person = self._person(by, task, now)
        task = self._keep(rules.decide_attaching("attach", task, person, now))
        return self.files.attach(task, request, content, by=by, at=now)

    async def complete(self, request: CompleteTaskRequest, *, by: str) -> Task:
        """Record a person's answer."""
        task = self.get(request.task_id)
        now, issue = await self.clock(), self.receipt_key.issue
        person, window = self._person(by, task, now), self.undo_window
        data, strangers = self.files.named(task, request.data)
        request = request.model_copy(update={"data": data})
        ways: dict[str, Any] = {"issue": issue, "window": window, "strangers": strangers}
        return await self._told(rules.decide_complete(task, person, now, request, **ways))

    async def undo(self, request: UndoTaskRequest, *, by: str) -> Task:
        """Take an answer back, as whoever gave it."""
        task = self.get(request.task_id)
        now = await self.clock()
        return await self._told(rules.decide_undo(task, self._person(by, task, now), now, request))

    async def vote(self, request: VoteTaskRequest, *, by: str) -> Task:
        """Record a person's vote."""
        task = self.get(request.task_id)
        now, issue, voters = await self.clock(), self.receipt_key.issue, self.people.voters(task)
        person = self._person(by, task, now)
        window = self.undo_window
        data, strangers = self.files.named(task, request.data)
        request = request.model_copy(update={"data": data})
        ways: dict[str, Any] = {"issue": issue, "voters": voters, "window": window, "strangers": strangers}
        decision = rules.decide_vote(task, person, now, request, **ways)
        return await self._told(decision)

    async def save_draft(self, request: SaveDraftRequest, *, by: str) -> Task:
        """Keep a person's partial values."""
        task = self.get(request.task_id)
        now = await self.clock()
        data, strangers = self.files.named(task, request.data)
        request = request.model_copy(update={"data": data})
        person = self._person(by, task, now)
        task = self._keep(rules.decide_save_draft(task, person, now, request, strangers=strangers))
        self.tasks[task.task_id] = task
        return task

    async def request_changes(self, request: RequestChangesRequest, *, by: str) -> Task:
        """Ask the requester, as the task's assignee."""
        task = self.get(request.task_id)
        now = await self.clock()
        return await self._told(rules.decide_request_changes(task, self._person(by, task, now), now, request))

    async def answer(self, request: AnswerTaskRequest, *, by: str | None = None) -> Task:
        """Answer the reviewer: as whoever asked for the run, or as its workflow."""
        task = self.get(request.task_id)
        now = await self.clock()
        principal = self._worker() if by is None else self._person(by, task, now)
        return await self._told(rules.decide_answer(task, principal, now, request))

    async def comment(self, request: AddCommentRequest, *, by: str) -> Task:
        """Say something about the task, and show it to the people of the test whom the text mentions by id."""
        task = self.get(request.task_id)
        now = await self.clock()
        called = [name for name in rules.mentions_in(request.text) if name in self.people.groups]
        task = self._keep(rules.decide_comment(task, self._person(by, task, now), now, request, mentions=called))
        self.tasks[task.task_id] = task
        for event in ("commented", "mentioned") if called else ("commented",):
            self.events.append(WorldEvent(f"task.{event}", now, task, by))
        return task

    async def check_escalation(self, request: CheckEscalationRequest) -> EscalationCheck:
        """Say by `policy` whether it may go on alone, and keep it in `checks`."""
        errors = rules.check_escalation(request)
        if errors:
            raise InvalidArgument("CHECK_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
        check_id, now = f"check_{self._random.getrandbits(128):032x}", await self.clock()
        asker = rules.asker_of(request, self._worker())
        check = rules.decide_escalation(self.policy, request, now, check_id=check_id, checked_by=asker)
        self.checks.append(check)
        return check

    def tell(self, request: ReportProgressRequest, now: datetime) -> None:
        """Note what a run's code tells."""
        event = "progressed" if request.emitted is None else "emitted"
        self.events.append(WorldEvent(f"workflow.{event}", now, told=request))

    async def redeem(self, request: RedeemReceiptRequest) -> Redemption:
        """Use a receipt up, once; the same use is answered again."""
        receipt = read_receipt(request.token, self.receipt_key.jwks(), tenant_id=self.tenant_id)
        used, now = self.redeemed.get(receipt.task_id), await self.clock()
        if used is not None and used.use_id != request.use_id:
            when = used.redeemed_at.isoformat(timespec="seconds")
            raise FailedPrecondition("RECEIPT_USED", f"The receipt was used for {used.use_id} at {when}.")
        if used is None and now >= receipt.expires_at:
            raise FailedPrecondition("RECEIPT_EXPIRED", "The receipt has expired; ask for a new decision.")
        return self.redeemed.setdefault(
            receipt.task_id,
            Redemption(
                task_id=receipt.task_id,
                use_id=request.use_id,
                action_digest=receipt.action_digest,
                outcome=receipt.outcome,
                redeemed_at=now,
            ),
        )

    def get(self, task_id: str) -> Task:
        """Return the task as it is; raises NotFound."""
        try:
            return self.tasks[task_id]
        except KeyError:
            raise NotFound("TASK_NOT_FOUND", f"There is no task {task_id}.") from None

    async def is_settled(self) -> bool:
        """Say whether no live task has a step that is due."""
        now = await self.clock()
        return not any(rules.due(task, now) for task in self.tasks.values() if rules.is_live(task.status))

    def next_step_at(self) -> datetime | None:
        """Return when the next step of any live task is due."""
        live = (rules.next_at(task) for task in self.tasks.values() if rules.is_live(task.status))
        return min((at for at in live if at is not None), default=None)

    def _known(self, request: CreateTaskRequest) -> Task | None:
        if request.task_id in self.tasks:
            return self.tasks[request.task_id]
        run = (request.workflow_id, request.first_run_id, request.key)
        same = (task for task in self.tasks.values() if (task.workflow_id, task.first_run_id, task.key) == run)
        return None if request.key is None else next(same, None)

    async def _told(self, decision: rules.Decision) -> Task:
        task = self._keep(decision)
        await self._wake_up(task)
        return task

    def _keep(self, decision: rules.Decision) -> Task:
        decision = self.people.given(decision, self.tasks.values())
        if decision.changes:
            self.tasks[decision.task.task_id] = decision.task
        for change in decision.changes:
            if not self._is_repeated(change):
                self.events.append(WorldEvent(f"task.{change.event}", change.at, change.task, change.actor))
        if decision.refusal is not None:
            raise decision.refusal
        return decision.task

    def _is_repeated(self, change: rules.Change) -> bool:
        """Say whether the same person has given the same answer too late before: that is kept once."""
        if change.event != "late_answer":
            return False
        late = (change.task.task_id, change.actor, dumps(change.details))
        if late in self._late_answers:
            return True
        self._late_answers.add(late)
        return False

    def _calendar(self, policy: SlaPolicy | None, now: datetime) -> Calendar | None:
        name = None if policy is None else policy.calendar
        if name is None or name not in self._calendars:
            return None
        kept = {"name": name, "working_hours": self._calendars[name], "version": 1}
        return Calendar(calendar_id=name, tenant_id=self.tenant_id, created_at=now, updated_at=now, **kept)

    def _worker(self) -> Principal:
        return Principal(subject="worker", kind="service", tenant_id=self.tenant_id, roles=frozenset({"worker"}))

    def _person(self, name: str, task: Task, now: datetime) -> Principal:
        return self.people.person(name, task, now)

    def _manager(self, name: str, task: Task, now: datetime) -> Principal:
        return self.people.person(name, task, now, roles=["manager"])

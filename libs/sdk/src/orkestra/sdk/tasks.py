"""task(): ask people, wait for days if need be, and get the checked answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import partial
from typing import Any, Generic, NoReturn, TypeVar, overload

from orkestra.forms import Form
from orkestra.sdk.assignment import Assignee, User, assignment_of
from orkestra.sdk.context import Context
from orkestra.sdk.given import context_of, draft_of, form_of, policy_of, sentence_of, sla_of
from orkestra.sdk.receipts import Receipt, read
from orkestra.sdk.run import ClockQuestion, Run, current_run
from orkestra.sdk.sla import SLA, PriorityName
from orkestra.v1.task import (
    AdvanceClockRequest,
    AnswerTaskRequest,
    CancelTaskRequest,
    ChangeRequest,
    ClockState,
    CreateTaskRequest,
    DecidedBy,
    Priority,
    TaskStatus,
)
from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception

CREATE_TASK = "orkestra.create_task"
ADVANCE_CLOCK = "orkestra.advance_clock"
CANCEL_TASK = "orkestra.cancel_task"
ANSWER_TASK = "orkestra.answer_task"

F_co = TypeVar("F_co", covariant=True)
M = TypeVar("M", bound=Form)
LIVE = frozenset({TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING})


@dataclass(frozen=True)
class TaskResult(Generic[F_co]):
    """The answer: `data` is the form's model where the form is one, else a dictionary.

    `receipt` is there where a person decided on an action (`context["action"]`). `provenance` says by field whose its
    value is: `human_confirmed` or `human_changed` where the draft had proposed one, `human` where it had not; where the
    policy decided, `agent` for what equals the draft and `policy` for the rest.
    """

    task_id: str
    data: F_co
    outcome: str | None
    completed_by: str | None
    decided_by: DecidedBy | None
    receipt: Receipt | None = None
    provenance: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def corrected(self) -> list[str]:
        """The fields in which the person disagreed with the draft."""
        return [name for name, whose in self.provenance.items() if whose == "human_changed"]


class TaskExpired(ApplicationError):  # noqa: N818 - the task's state is its name
    """Nobody answered in time."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Nobody answered {task_id} in time.", type="TASK_EXPIRED", non_retryable=True)
        self.task_id = task_id


class TaskCancelled(ApplicationError):  # noqa: N818 - the task's state is its name
    """The task was ended without an answer; `reason` says why."""

    def __init__(self, task_id: str, reason: str | None) -> None:
        super().__init__(
            f"{task_id} was cancelled: {reason or 'no reason given'}.", type="TASK_CANCELLED", non_retryable=True
        )
        self.task_id = task_id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request for changes; what is left out stays as it is."""

    message: str
    context: Mapping[str, Any] | None = None
    draft: Mapping[str, Any] | None = None
    form: type[Form] | Mapping[str, Any] | None = None


Reply = Callable[[ChangeRequest], Awaitable[str | Answer]]


@overload
async def task(
    ctx: Context | None = None,
    /,
    *,
    title: str,
    form: type[M],
    assign_to: Assignee | None = None,
    description: str | None = None,
    context: Mapping[str, Any] | None = None,
    draft: Mapping[str, Any] | None = None,
    type: str | None = None,
    tags: Sequence[str] = (),
    correlation: str | None = None,
    key: str | None = None,
    priority: PriorityName | None = None,
    sla: SLA | None = None,
    excluded_users: Sequence[str] = (),
    allow_agents: Sequence[str] = (),
    approval_policy: Mapping[str, Any] | None = None,
    four_eyes: bool | None = None,
    max_revisions: int | None = None,
    on_changes_requested: Reply | None = None,
) -> TaskResult[M]: ...


@overload
async def task(
    ctx: Context | None = None,
    /,
    *,
    title: str,
    form: Mapping[str, Any] | None = None,
    assign_to: Assignee | None = None,
    description: str | None = None,
    context: Mapping[str, Any] | None = None,
    draft: Mapping[str, Any] | None = None,
    type: str | None = None,
    tags: Sequence[str] = (),
    correlation: str | None = None,
    key: str | None = None,
    priority: PriorityName | None = None,
    sla: SLA | None = None,
    excluded_users: Sequence[str] = (),
    allow_agents: Sequence[str] = (),
    approval_policy: Mapping[str, Any] | None = None,
    four_eyes: bool | None = None,
    max_revisions: int | None = None,
    on_changes_requested: Reply | None = None,
) -> TaskResult[dict[str, Any]]: ...


async def task(  # noqa: PLR0913 - each is a field of the task
    ctx: Context | None = None,  # noqa: ARG001 - reads as the other calls do; the run is found without it
    /,
    *,
    title: str,
    form: "type[Form] | Mapping[str, Any] | None" = None,
    assign_to: Assignee | None = None,
    description: str | None = None,
    context: Mapping[str, Any] | None = None,
    draft: Mapping[str, Any] | None = None,
    type: str | None = None,
    tags: Sequence[str] = (),
    correlation: str | None = None,
    key: str | None = None,
    priority: PriorityName | None = None,
    sla: SLA | None = None,
    excluded_users: Sequence[str] = (),
    allow_agents: Sequence[str] = (),
    approval_policy: Mapping[str, Any] | None = None,
    four_eyes: bool | None = None,
    max_revisions: int | None = None,
    on_changes_requested: Reply | None = None,
) -> TaskResult[Any]:
    """Ask people and wait durably for the checked answer.

    `form` is a Form class (then `result.data` is of it), a form as a dictionary, or left out for one free text.
    `context` is what the person needs; keys that are none of conversation, summary, data, links, agent and action go
    into data, and what is left empty is filled from the run's handoff. `draft` proposes values by field, plain or as
    Proposal. `key` makes a reset or continued run find its task again.

    With an `approval_policy` (`required`, `from_groups`, `distinct`, `veto`, `finish_early`) people vote `approve` or
    `reject`, which is the outcome, and the data is that of the last voter of the winning side. `four_eyes` keeps
    whoever asked for the run, or on whose behalf, from deciding; so it is anyway with a policy or an action.

    A reviewer may ask for changes, up to `max_revisions` times (5), and the task then waits. `on_changes_requested` is
    given the ChangeRequest and returns the answer, as text or as an Answer; it is cancelled where the task goes on
    without it. Where it is left out the task waits until whoever asked for the run answers, or the time for that is
    over.

    Raises TaskExpired when the time is over, TaskCancelled when the task was ended without an answer, and
    ApplicationError with the reason as type when task-service refuses it. Cancelling the workflow or the scope
    cancels the task.
    """
    run = current_run()
    header = run.required_header()
    assignment = assignment_of(assign_to)
    alone = assignment.users[0] if isinstance(assign_to, User) else None
    info = workflow.info()
    task_id = run.mint_task_id()
    request = partial(
        CreateTaskRequest,
        task_id=task_id,
        workflow_id=info.workflow_id,
        first_run_id=info.first_execution_run_id,
        key=key,
        on_behalf_of=header.on_behalf_of,
        title=title,
        description=description,
        type=type,
        tags=list(tags),
        correlation=correlation,
        form=form_of(form),
        context=context_of(context or {}, header.handoff),
        input=header.input,
        draft=draft_of(draft),
        assignee=alone,
        candidate_users=[] if alone else assignment.users,
        candidate_groups=assignment.groups,
        excluded_users=list(excluded_users),
        allow_agents=list(allow_agents),
        priority=None if priority is None else Priority(priority),
        sla=sla_of(sla),
        requested_by=header.requested_by,
        max_revisions=max_revisions,
        approval_policy=policy_of(approval_policy),
        four_eyes=four_eyes,
    )
    end = await _wait_for_end(run, task_id, request, on_changes_requested)
    receipt = None if end.receipt is None else await read(run, end.receipt.token)
    return _result_of(end, form, receipt)


async def follow(task_id: str, *, when_long: Callable[[], NoReturn]) -> ClockState:
    """Ring the clock of a task that was opened outside this workflow, and return its end.

    `when_long` continues as new: it is called where the history has grown long. Cancelling the workflow leaves the
    task as it is.
    """
    run = current_run()
    run.listen(task_id)
    state = await _advance(run, task_id)
    while state.status in LIVE:
        if workflow.info().is_continue_as_new_suggested():
            when_long()
        await run.news(task_id, since=state.version, alarm=state.wake_in)
        state = await _advance(run, task_id)
    return state


async def _wait_for_end(
    run: Run, task_id: str, request: Callable[[], CreateTaskRequest], reply: Reply | None
) -> ClockState:
    """Open the task and return its end."""
    run.listen(task_id)
    try:
        state = await run.call(CREATE_TASK, request, ClockState)
        task_id = state.task_id  # another one where the key found the first
        run.listen(task_id)
        return await _ring(run, state, reply)
    except (Exception, asyncio.CancelledError) as error:
        if is_cancelled_exception(error):
            await asyncio.shield(_cancel(run, task_id))
        raise
    finally:
        run.forget(task_id)


async def _ring(run: Run, state: ClockState, reply: Reply | None = None) -> ClockState:
    """Wait for the end; every signal and every alarm asks task-service, which alone decides."""
    while state.status in LIVE:
        asked = _asked(state)
        if reply is not None and asked is not None:
            state = await _reply(run, state, asked, reply)
        else:
            await run.news(state.task_id, since=state.version, alarm=state.wake_in)
            state = await _advance(run, state.task_id)
    return state


async def _reply(run: Run, state: ClockState, asked: ChangeRequest, reply: Reply) -> ClockState:
    """Have the author answer while the task waits for it; return the state in which it waits no longer."""
    replying = asyncio.ensure_future(reply(asked))
    try:
        while _asked(state) == asked and not replying.done():
            await run.news(state.task_id, since=state.version, alarm=state.wake_in, unless=replying)
            if not replying.done():
                state = await _advance(run, state.task_id)
        return await _answer(run, state, asked, replying.result()) if replying.done() else state
    finally:
        replying.cancel()


async def _answer(run: Run, state: ClockState, asked: ChangeRequest, answer: "str | Answer") -> ClockState:
    """Send the answer, with the intent in the history first; one that came too late changes nothing."""
    given = Answer(answer) if isinstance(answer, str) else answer
    request = AnswerTaskRequest(
        task_id=state.task_id,
        message=given.message,
        context=context_of(given.context or {}, None),
        draft=draft_of(given.draft),
        form=form_of(given.form),
    )
    try:
        await run.call_recorded(ANSWER_TASK, request, ClockState)
    except ApplicationError as refusal:
        state = await _advance(run, state.task_id)
        if _asked(state) == asked:
            raise
        workflow.logger.info("The answer came too late: %s", refusal.message)
        return state
    return await _advance(run, state.task_id)


async def _advance(run: Run, task_id: str) -> ClockState:
    """Ask where the task stands, or take the end that came with its signal.

    In a history of format 1 that end takes the same way, but for the asking, so that any worker, an older one too,
    can go on with the run.
    """
    known = run.told(task_id)
    if known is not None and run.takes_told_ends:
        return known
    quickly = None if known is None else ClockQuestion(task_id=task_id, known=known)
    return await run.call(ADVANCE_CLOCK, AdvanceClockRequest(task_id=task_id), ClockState, quickly=quickly)


def _asked(state: ClockState) -> ChangeRequest | None:
    return state.change_request if state.status is TaskStatus.WAITING else None


async def _cancel(run: Run, task_id: str) -> None:
    """Cancel the task, with the intent in the history first.

    In a local activity the task's own event could come back before the workflow task is done, which Temporal then
    repeats: the code would see a cancelled task where it had not yet decided to cancel.
    """
    request = CancelTaskRequest(task_id=task_id, reason="The workflow no longer needs it.")
    try:
        await run.call_recorded(CANCEL_TASK, request, ClockState)
    except ApplicationError as refusal:  # it ended first, or was never opened
        workflow.logger.info("The task was not cancelled: %s", refusal.message)


def _result_of(
    state: ClockState, form: "type[Form] | Mapping[str, Any] | None", receipt: Receipt | None
) -> TaskResult[Any]:
    if state.status is TaskStatus.EXPIRED:
        raise TaskExpired(state.task_id)
    if state.status is TaskStatus.CANCELLED:
        raise TaskCancelled(state.task_id, state.reason)
    return TaskResult(
        task_id=state.task_id,
        data=_data_of(state.result or {}, form),
        outcome=state.outcome,
        completed_by=state.completed_by,
        decided_by=state.decided_by,
        receipt=receipt,
        provenance=state.provenance or {},
    )


def _data_of(result: dict[str, Any], form: "type[Form] | Mapping[str, Any] | None") -> Any:
    if not isinstance(form, type):
        return result
    try:
        return form.model_validate(result)
    except ValidationError as error:
        raise ApplicationError(sentence_of(error, "data"), type="ANSWER_INVALID", non_retryable=True) from error

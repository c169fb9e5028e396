"""Fifty clients at a barrier decide on one task, whose time may run out: it ends once, in every record the same.

ORKESTRA_TEST_RACE_ROUNDS says how many rounds there are; the workflow behind each is a real one, on Temporal.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
import task_race
from orkestra.sdk.activities import ServiceActivities
from orkestra.sdk.converter import data_converter
from orkestra.sdk.header import HEADER, RunHeader
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.run import WAKE_UP_SIGNAL, WakeUp
from orkestra.sdk.sandbox import sandbox
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import (
    AdvanceClockRequest,
    AssignTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    EscalateTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ReleaseTaskRequest,
    RequestChangesRequest,
    Task,
    TaskHistoryEntry,
    TaskStatus,
    UpdateTaskRequest,
    VerifyTaskHistoryRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, InvalidArgument, Model, Principal
from task_world import ANSWER, Caller, Tenant, World, world
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

__all__ = ["world"]

ROUNDS = int(os.environ.get("ORKESTRA_TEST_RACE_ROUNDS", "18"))
CLIENTS = 50
KINDS = ("plain", "expires", "votes", "default", "votes expire", "given")
ENDS = {"completed", "cancelled", "expired"}
Call = Callable[[], Awaitable[Model]]


class Tokens:
    """A worker's tokens, without a key to exchange."""

    def __init__(self, world: World) -> None:
        self._signer = world.signer

    def of(self, tenant_id: str | None) -> Callable[[], Awaitable[str]]:
        async def token() -> str:
            return self._signer.sign(Principal("worker", "service", tenant_id, frozenset({"worker"})))[0]

        return token


class Started(Interceptor):
    """Has every run say whose it is, as workflow-worker does."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - Temporal's name
        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
                [told] = input.args
                header = RunHeader(tenant_id=told.tenant_id, workflow_id=input.id, requested_by="key_asker")
                input.headers = {**input.headers, HEADER: header.to_payload()}
                return await super().start_workflow(input)

        return Outbound(next)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def temporal(world: World, temporal_address: str) -> AsyncIterator[Client]:
    """Temporal with a worker that serves the race, and asks the real task-service."""
    client = await Client.connect(temporal_address, data_converter=data_converter, interceptors=[Started()])
    services: Any = ServiceActivities(world.channel, world.channel, Tokens(world))  # type: ignore[arg-type]  # its token is all that is asked
    async with Worker(
        client,
        task_queue="race",
        workflows=[task_race.race],
        activities=services.all(),
        interceptors=[OrkestraInterceptor()],
        workflow_runner=sandbox(),
    ):
        yield client


@dataclass
class Round:
    """One race: the crowd, the task, and the run that waits for it."""

    tenant: Tenant
    people: list[Caller]
    boss: Caller
    task: Task
    run: WorkflowHandle[Any, Any]


async def begun(world: World, temporal: Client, kind: str) -> Round:
    tenant = world.tenant()
    tenant.group("l1", strategy=GroupStrategy.ROUND_ROBIN if kind == "given" else None)
    people = [tenant.person(f"p{number}", "l1") for number in range(CLIENTS)]
    boss = tenant.person("boss", roles=("manager",))
    workflow_id = f"wf_{uuid4().hex}"
    definition = task_race.race.definition.temporal_type
    told = task_race.Round(kind=kind, tenant_id=tenant.id)
    run = await temporal.start_workflow(definition, told, id=workflow_id, task_queue="race")

    async def opened() -> list[Task]:
        return (await boss.list_tasks(ListTasksRequest(workflow_id=workflow_id))).tasks

    [task] = await eventually(opened, timeout=30)
    return Round(tenant, people, boss, task, run)


def crowd(one: Round) -> list[Call]:
    """What each of fifty clients does."""
    task_id, boss, worker = one.task.task_id, one.boss, one.tenant.worker()
    is_voted = one.task.approval_policy is not None

    def decides(person: Caller, choice: VoteChoice) -> Call:
        if is_voted:
            return lambda: person.vote_task(VoteTaskRequest(task_id=task_id, choice=choice, data=ANSWER, revision=1))
        return lambda: person.complete_task(CompleteTaskRequest(task_id=task_id, data=ANSWER))

    def assigned(person: Caller) -> Call:
        to = {"assignee": person.id} if person.id < "user_8" else {"candidate_groups": ["l1"]}
        return lambda: boss.assign_task(AssignTaskRequest(task_id=task_id, reason="Ill.", **to))

    def claimed(person: Caller) -> Call:
        return lambda: person.claimed(one.task)

    def released(person: Caller) -> Call:
        return lambda: person.release_task(ReleaseTaskRequest(task_id=task_id))

    def others(person: Caller) -> list[Call]:
        return [
            lambda: boss.cancel_task(CancelTaskRequest(task_id=task_id, reason="Over.")),
            lambda: boss.escalate_task(EscalateTaskRequest(task_id=task_id)),
            lambda: boss.update_task(UpdateTaskRequest(task_id=task_id, add_tags=[person.id])),
            lambda: person.request_changes(RequestChangesRequest(task_id=task_id, message="Why?")),
            lambda: worker.advance_clock(AdvanceClockRequest(task_id=task_id)),
            lambda: person.get_task(GetTaskRequest(task_id=task_id)),
        ]

    calls: list[Call] = []
    for number, person in enumerate(one.people[:14]):
        calls.append(decides(person, VoteChoice.REJECT if number % 3 == 0 else VoteChoice.APPROVE))
    calls += [claimed(person) for person in one.people[10:20]]
    calls += [released(person) for person in one.people[10:14]]
    calls += [assigned(person) for person in one.people[20:24]]
    calls += [call for person in one.people[:3] for call in others(person)]
    assert len(calls) == CLIENTS
    return calls


async def raced(calls: list[Call]) -> list[Model | BaseException]:
    """Let everyone go at once."""
    barrier = asyncio.Barrier(len(calls))

    async def client(call: Call) -> Model:
        await barrier.wait()
        return await call()

    return await asyncio.gather(*(client(call) for call in calls), return_exceptions=True)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_of_fifty_at_once_one_ends_the_task_and_all_records_agree(
    world: World, temporal: Client, number: int
) -> None:
    kind = KINDS[number % len(KINDS)]
    one = await begun(world, temporal, kind)
    if kind in ("expires", "default", "votes expire"):  # its end falls into the crowd
        await due_in(one, milliseconds=200 + 50 * (number % 9))
    calls = crowd(one)
    random.Random(number).shuffle(calls)
    answers = await raced(calls)
    assert all(isinstance(answer, Model | Error) for answer in answers), answers
    seen = await ended(one)
    entries = (await one.boss.get_task_history(GetTaskHistoryRequest(task_id=seen.task_id))).entries
    end = the_end_in_history(seen, entries)
    one_winner(seen, end, answers)
    rows = await world.rows(
        "select subject, payload, (headers::json ->> 'ce-version')::int as version from outbox"
        " where tenant_id = $1 order by seq",
        one.tenant.id,
    )
    the_events_are_the_history(seen, entries, rows)
    assert (await one.boss.verify_task_history(VerifyTaskHistoryRequest(task_id=seen.task_id))).intact
    [row] = await world.rows(
        "select status, outcome, result, completed_by, decided_by, version from tasks where task_id = $1", seen.task_id
    )
    kept = {**row, "result": None if row["result"] is None else json.loads(row["result"])}
    assert kept == {name: getattr(seen, name) for name in kept}
    await the_run_ends_alike(one, seen, rows)


async def due_in(one: Round, milliseconds: int) -> None:
    """Let the time to complete be over soon: so soon that a slow machine may need more than one try to say it."""
    for patience in (1, 4, 16, 64):
        at = datetime.now(UTC) + timedelta(milliseconds=milliseconds) * patience
        with suppress(InvalidArgument):
            await one.boss.update_task(UpdateTaskRequest(task_id=one.task.task_id, complete_by=at))
            return


async def ended(one: Round) -> Task:
    """The task once it has ended: where the crowd left it waiting for the requester, or its end is yet to come."""
    worker = one.tenant.worker()

    async def at_its_end() -> Task | None:
        seen = await one.boss.get_task(GetTaskRequest(task_id=one.task.task_id))
        if seen.status in (TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING):
            with suppress(Error):  # its time may be over this very moment
                await worker.cancel_task(CancelTaskRequest(task_id=seen.task_id, reason="Nobody else did."))
        return seen if seen.status.value in ENDS else None

    return await eventually(at_its_end, timeout=30)


def the_end_in_history(seen: Task, entries: list[TaskHistoryEntry]) -> TaskHistoryEntry:
    """The one entry that ended the task; history has no gaps, and nothing but late answers comes after it."""
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    changes = [entry for entry in entries if entry.event != "late_answer"]
    ends = [entry for entry in changes if entry.event in ENDS]
    assert [entry.event for entry in ends] == [seen.status.value]
    assert ends[-1] is changes[-1]
    assert seen.version == len(changes)
    assert (ends[0].after or {})["status"] == seen.status
    if seen.sla is not None:
        steps = [entry for entry in changes if entry.event == "reminder_due"]
        assert len(seen.sla.performed_steps) == len(set(seen.sla.performed_steps)) == len(steps)
    return ends[0]


def one_winner(seen: Task, end: TaskHistoryEntry, answers: list[Model | BaseException]) -> None:
    """Of all calls at most one made the end, and history names it: none where the clock did."""
    by_call = [one for one in answers if isinstance(one, Task) and one.status == seen.status]
    made = [one for one in by_call if one.version == seen.version]
    assert len(made) == len(by_call)
    if seen.status == TaskStatus.COMPLETED and end.actor is not None:
        assert {one.completed_by for one in made} <= {seen.completed_by} == {end.actor}
    refused = [one for one in answers if isinstance(one, Error) and one.kind != "failed_precondition"]
    # fifty at once may be more than a busy machine does in time
    allowed = {"permission_denied", "not_found", "unavailable", "deadline_exceeded"}
    assert {one.kind for one in refused} <= allowed, refused


def the_events_are_the_history(seen: Task, entries: list[TaskHistoryEntry], rows: list[asyncpg.Record]) -> None:
    """Each change was told once, in order, and the last told the end."""
    changes = [entry.event for entry in entries if entry.event != "late_answer"]
    told = [row for row in rows if ".task." in row["subject"]]
    assert [row["version"] for row in told] == list(range(1, len(changes) + 1))
    assert [row["subject"].rpartition(".")[2] for row in told] == changes
    last = json.loads(told[-1]["payload"])["task"]
    names = ("status", "outcome", "completed_by", "decided_by", "version")
    assert {name: last.get(name) for name in names} == {name: getattr(seen, name) for name in names}


async def the_run_ends_alike(one: Round, seen: Task, rows: list[asyncpg.Record]) -> None:
    """Told what the outbox holds, in another order and more than once, the workflow ends as the task did."""
    versions = [row["version"] for row in rows if ".task." in row["subject"]]
    for version in (versions[-1], *versions[:2], versions[-1]):
        with suppress(RPCError):  # it may have ended by the one before
            await one.run.signal(WAKE_UP_SIGNAL, WakeUp(task_id=seen.task_id, version=version))
    came = await asyncio.wait_for(one.run.result(), timeout=60)
    expected: dict[str, Any] = {"status": seen.status}
    if seen.status == TaskStatus.COMPLETED:
        names = ("outcome", "result", "completed_by", "decided_by")
        expected |= {name: getattr(seen, name) for name in names}
    assert came == expected

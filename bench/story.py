"""Orkestra's side: start a workflow, see its task, complete it, have the result, by direct gRPC."""

import asyncio
import time

import grpc
from orkestra.v1.identity import ExchangeCredentialRequest, IdentityServiceClient
from orkestra.v1.task import CompleteTaskRequest, TaskServiceClient
from orkestra.v1.workflow import GetWorkflowResultRequest, StartWorkflowRequest, WorkflowServiceClient

from bench.cycle import PERSON_SECONDS, Cycle
from bench.rows import Rows

TRIGGER = """
create schema if not exists bench;
create or replace function bench.tell_task() returns trigger language plpgsql as
$$begin perform pg_notify('bench_tasks', new.workflow_id || ' ' || new.task_id); return new; end$$;
create or replace trigger bench_tell after insert on task.tasks for each row execute function bench.tell_task();
grant usage on schema bench to public;
"""
INPUT = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
ANSWER = {"answer": "Yes.", "sentiment": "neutral"}


class Token:
    """A token of one credential, exchanged again every 20 seconds."""

    def __init__(self, identity: IdentityServiceClient, credential: str) -> None:
        self._identity, self._credential = identity, credential
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    async def __call__(self) -> str:
        async with self._lock:
            if time.monotonic() >= self._until:
                request = ExchangeCredentialRequest(credential=self._credential)
                self._token = (await self._identity.exchange_credential(request)).token
                self._until = time.monotonic() + 20
            return self._token


class Orkestra:
    """A system that starts and waits, and a person who answers."""

    name = "Orkestra"

    def __init__(
        self, *, tasks: grpc.aio.Channel, workflows: grpc.aio.Channel, system: Token, person: Token, rows: Rows
    ) -> None:
        self._workflows = WorkflowServiceClient(workflows, system, timeout=60)
        self._tasks = TaskServiceClient(tasks, person, timeout=60)
        self._rows = rows

    async def cycle(self) -> Cycle:
        began = time.perf_counter()
        started = await self._workflows.start_workflow(StartWorkflowRequest(definition="customer-support", input=INPUT))
        task_id = await self._rows.of(started.workflow_id)
        asked = time.perf_counter()
        await asyncio.sleep(PERSON_SECONDS)
        answered = time.perf_counter()
        result = asyncio.create_task(self._result(started.workflow_id))
        await self._tasks.complete_task(CompleteTaskRequest(task_id=task_id, data=ANSWER))
        await result
        return Cycle(asked - began, time.perf_counter() - answered)

    async def _result(self, workflow_id: str) -> None:
        while True:
            request = GetWorkflowResultRequest(workflow_id=workflow_id, wait=30)
            workflow = await self._workflows.get_workflow_result(request)
            if workflow.closed_at is not None:
                assert workflow.result == {"answer": "Yes.", "handled_by": "human"}, workflow
                return

"""What runs are asked in Temporal while somebody waits for the answer: queries, updates, and their end by force."""

import asyncio
from typing import Any

from orkestra.chassis.telemetry import step
from orkestra.wire import FailedPrecondition, Unavailable
from orkestra.workflow_worker.channels.bounds import Bounded, bounded, unavailable
from orkestra.workflow_worker.channels.reading import refusal_of
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType, UpdateWorkflowExecutionLifecycleStage
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.update.v1 import Input, Meta, Outcome, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    GetWorkflowExecutionHistoryReverseResponse,
    QueryWorkflowRequest,
    ResetWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

ANSWER_SECONDS = 3.0
"""How long a run's code may take to answer: within the time that a call has, which is 5 seconds unless one is given."""
RESET_SECONDS = 4.0
GONE = (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS)
NOBODY_ANSWERED = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)


class Asking(Bounded):
    """Queries, updates, takes back and ends runs; Unavailable where no worker answers in 3 seconds."""

    async def query(self, workflow_id: str, query: str, *, tenant_id: str, payload: Any) -> tuple[bool, Any]:
        """Return whether Temporal knows the run, and what its code answers; refuses what the code does not answer."""
        request = QueryWorkflowRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id),
            query=WorkflowQuery(query_type=query, query_args=await self._values(tenant_id, payload)),
        )
        await self._reachable()
        try:
            with step("temporal QueryWorkflow"):
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await self._service.query_workflow(request)
        except TimeoutError:
            raise nobody_answers() from None
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                said = refusal_of(error)
                raise FailedPrecondition("QUERY_REFUSED", f"The run does not answer this: {said}.") from error
            return self._if_gone(error), None
        return True, await self._decoded(answer.query_result)

    async def update(
        self, workflow_id: str, update: str, *, tenant_id: str, payload: Any, update_id: str
    ) -> tuple[bool, Any]:
        """Return whether the run goes on, and what its code answers; once for one `update_id`."""
        request = UpdateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            wait_policy=WaitPolicy(
                lifecycle_stage=UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
            ),
            request=Request(
                meta=Meta(update_id=update_id, identity=self._client.identity),
                input=Input(name=update, args=await self._values(tenant_id, payload)),
            ),
        )
        await self._reachable()
        try:
            with step("temporal UpdateWorkflowExecution"):
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await self._service.update_workflow_execution(request)
        except TimeoutError:
            raise nobody_answers() from None
        except RPCError as error:
            return self._if_gone(error), None
        if not answer.HasField("outcome"):
            raise nobody_answers()
        return True, await self._outcome(answer.outcome)

    async def terminate(self, workflow_id: str, reason: str) -> bool:
        """End a run by force; False where it has ended or was never there."""
        request = TerminateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            identity=self._client.identity,
            reason=self._said(reason, "terminated"),
        )
        call = self._service.terminate_workflow_execution(request)
        return await self._unless_gone("TerminateWorkflowExecution", call)

    async def reset(self, workflow_id: str, *, to_first: bool, reason: str, request_id: str) -> str | None:
        """Take a run back before its last or first step, once for one `request_id`; return its new execution.

        None where it has made no step that Temporal still knows. A cancellation asked for before is forgotten.
        """
        try:
            async with bounded(RESET_SECONDS):
                step_id = await self._step(workflow_id, to_first=to_first)
                if step_id is None:
                    return None
                request = ResetWorkflowExecutionRequest(
                    namespace=self._client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                    reason=self._said(reason, "reset"),
                    workflow_task_finish_event_id=step_id,
                    request_id=request_id,
                    reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST],
                )
                with step("temporal ResetWorkflowExecution"):
                    return (await self._service.reset_workflow_execution(request)).run_id
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise unavailable() from error

    async def _step(self, workflow_id: str, *, to_first: bool) -> int | None:
        """Return the event with which the last or the first step of the run's newest execution was done."""
        space, run, token = self._client.namespace, WorkflowExecution(workflow_id=workflow_id), b""
        while True:
            page: GetWorkflowExecutionHistoryResponse | GetWorkflowExecutionHistoryReverseResponse
            if to_first:
                forward = GetWorkflowExecutionHistoryRequest(
                    namespace=space, execution=run, maximum_page_size=100, next_page_token=token
                )
                page = await self._service.get_workflow_execution_history(forward)
            else:
                back = GetWorkflowExecutionHistoryReverseRequest(
                    namespace=space, execution=run, maximum_page_size=100, next_page_token=token
                )
                page = await self._service.get_workflow_execution_history_reverse(back)
            for event in page.history.events:
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                    return event.event_id
            token = page.next_page_token
            if not token:
                return None

    def _if_gone(self, error: RPCError) -> bool:
        """Return False where the error says that the run is not there; raise what it says otherwise."""
        if error.status in GONE:
            return False
        raise (nobody_answers() if error.status in NOBODY_ANSWERED else unavailable()) from error

    async def _values(self, tenant_id: str, payload: Any) -> Payloads:
        return await (self._encoded(tenant_id) if payload is None else self._encoded(tenant_id, payload))

    async def _decoded(self, answered: Payloads) -> Any:
        decoded = await self._client.data_converter.decode(list(answered.payloads))
        return decoded[0] if decoded else None

    async def _outcome(self, outcome: Outcome) -> Any:
        if outcome.WhichOneof("value") != "failure":
            return await self._decoded(outcome.success)
        failure = await self._client.data_converter.decode_failure(outcome.failure)
        said = failure.message if isinstance(failure, ApplicationError) else str(failure)
        raise FailedPrecondition("UPDATE_REFUSED", f"The run refuses the update: {said}.")


def nobody_answers() -> Unavailable:
    """Return what is raised while no worker answers for a run."""
    told = f"No worker has answered for the run in {ANSWER_SECONDS:.0f} seconds."
    return Unavailable("WORKER_UNAVAILABLE", told, retry_after=2.0)

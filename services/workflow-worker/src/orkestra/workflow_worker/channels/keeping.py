"""The house's own work in Temporal: a tenant's retention once a day, and the erasure of a person."""

from datetime import timedelta

from orkestra.sdk.header import HEADER, RunHeader
from orkestra.v1.workflow import ApplyRetentionRequest, GetErasureRequest
from orkestra.workflow_worker.channels.scheduling import Scheduling, duration
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy, WorkflowIdReusePolicy
from temporalio.api.schedule.v1 import IntervalSpec, Schedule, ScheduleAction, SchedulePolicies, ScheduleSpec
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

KEEP_RETENTION = "keep-retention@1"
"""The built-in workflow that deletes, once a day, what a tenant keeps no longer."""
ERASE_PERSON = "erase-person@1"
"""The built-in workflow that erases a person in one service after the other."""
EVERY = timedelta(days=1)
SPREAD = timedelta(hours=6)
"""Tenants are not all attended to at once."""


class Keeping(Scheduling):
    """Starts what keeps the house, each time with the tenant whose work it is."""

    async def put_retention(self, tenant_id: str, *, version: int) -> None:
        """Have a tenant's retention applied once a day."""
        start = NewWorkflowExecutionInfo(
            workflow_id=_schedule_of(tenant_id),
            workflow_type=WorkflowType(name=KEEP_RETENTION),
            task_queue=TaskQueue(name=BUILTIN_QUEUE),
            input=await self._encoded(tenant_id, ApplyRetentionRequest()),
            memo=self._memo(tenant_id),
        )
        start.header.fields[HEADER].CopyFrom(await self._header(RunHeader(tenant_id=tenant_id, workflow_id="")))
        wanted = Schedule(
            spec=ScheduleSpec(interval=[IntervalSpec(interval=duration(EVERY))], jitter=duration(SPREAD)),
            action=ScheduleAction(start_workflow=start),
            policies=SchedulePolicies(overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP),
        )
        await self._put(_schedule_of(tenant_id), wanted, version=version)

    async def drop_retention(self, tenant_id: str) -> None:
        """Have a tenant's retention applied no more."""
        await self.drop_schedule(_schedule_of(tenant_id))

    async def start_erasure(self, tenant_id: str, erasure_id: str) -> None:
        """Start the erasure, where it was not started before."""
        request = StartWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_id=erasure_id,
            workflow_type=WorkflowType(name=ERASE_PERSON),
            task_queue=TaskQueue(name=BUILTIN_QUEUE),
            input=await self._encoded(tenant_id, GetErasureRequest(erasure_id=erasure_id)),
            identity=self._client.identity,
            request_id=erasure_id,
            memo=self._memo(tenant_id),
            workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        )
        request.header.fields[HEADER].CopyFrom(await self._header(RunHeader(tenant_id=tenant_id, workflow_id="")))
        await self._unless_gone("StartWorkflowExecution", self._service.start_workflow_execution(request))


def _schedule_of(tenant_id: str) -> str:
    return f"retention_{tenant_id}"

"""Schedules in Temporal: each firing starts a small workflow of ours, which has the service start the run."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from orkestra.rules import parse_duration
from orkestra.sdk.header import HEADER, RunHeader
from orkestra.v1.workflow import FireScheduleRequest, Schedule
from orkestra.workflow_worker.channels.bounds import Bounded, bounded, unavailable
from orkestra.workflow_worker.rules import BUILTIN_QUEUE, FIRE_SCHEDULE
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import IntervalSpec, ScheduleAction, SchedulePolicies, ScheduleSpec, ScheduleState
from temporalio.api.schedule.v1 import Schedule as TemporalSchedule
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    UpdateScheduleRequest,
)
from temporalio.service import RPCError, RPCStatusCode

CATCH_UP = timedelta(minutes=10)
"""Firings that Temporal was away for are made up for this long; older ones are left out."""
LOOK_SECONDS = 0.5


class Scheduling(Bounded):
    """Keeps Temporal's schedules as the service's rows say."""

    async def put_schedule(self, schedule: Schedule) -> None:
        """Create the schedule, or make the one that is there as this one."""
        await self._put(schedule.schedule_id, await self._wanted(schedule), version=schedule.version)

    async def _put(self, schedule_id: str, wanted: TemporalSchedule, *, version: int) -> None:
        create = CreateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            schedule=wanted,
            identity=self._client.identity,
            request_id=f"{schedule_id}-{version}",
        )
        if await self._unless_gone("CreateSchedule", self._service.create_schedule(create)):
            return
        change = UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            schedule=wanted,
            identity=self._client.identity,
            request_id=f"{schedule_id}-{version}",
        )
        await self._unless_gone("UpdateSchedule", self._service.update_schedule(change))

    async def drop_schedule(self, schedule_id: str) -> None:
        """Delete the schedule, where it is there."""
        request = DeleteScheduleRequest(
            namespace=self._client.namespace, schedule_id=schedule_id, identity=self._client.identity
        )
        await self._unless_gone("DeleteSchedule", self._service.delete_schedule(request))

    async def next_firing(self, schedule_id: str) -> datetime | None:
        """Return when the schedule fires next; None where it does not, or Temporal does not know it."""
        request = DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id)
        try:
            async with bounded(LOOK_SECONDS):
                described = await self._service.describe_schedule(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise unavailable() from error
        if described.schedule.state.paused:
            return None
        return next((time.ToDatetime(UTC) for time in described.info.future_action_times), None)

    async def _wanted(self, schedule: Schedule) -> TemporalSchedule:
        start = NewWorkflowExecutionInfo(
            workflow_id=f"fire_{schedule.schedule_id}",
            workflow_type=WorkflowType(name=FIRE_SCHEDULE),
            task_queue=TaskQueue(name=BUILTIN_QUEUE),
            input=await self._encoded(schedule.tenant_id, _asked(schedule)),
            memo=self._memo(schedule.tenant_id),
        )
        header = RunHeader(tenant_id=schedule.tenant_id, workflow_id="", requested_by=schedule.requested_by)
        start.header.fields[HEADER].CopyFrom(await self._header(header))
        return TemporalSchedule(
            spec=_spec(schedule),
            action=ScheduleAction(start_workflow=start),
            policies=SchedulePolicies(  # the small workflow ends at once; runs that overlap are the service's matter
                overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
                catchup_window=duration(CATCH_UP),
            ),
            state=ScheduleState(paused=schedule.paused, notes=self._said(schedule.note or "", "")),
        )


def _asked(schedule: Schedule) -> FireScheduleRequest:
    return FireScheduleRequest(schedule_id=schedule.schedule_id)


def _spec(schedule: Schedule) -> ScheduleSpec:
    if schedule.every is not None:
        return ScheduleSpec(interval=[IntervalSpec(interval=duration(parse_duration(schedule.every)))])
    return ScheduleSpec(cron_string=[schedule.cron or ""], timezone_name=schedule.time_zone or "UTC")


def duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration

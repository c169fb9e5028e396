"""Recorded histories replay, and an outage of task-service does not grow them."""

from datetime import timedelta

import sdk_workflows as author
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.sandbox import sandbox
from orkestra.sdk.testing import OrkestraTest, WorldEvent
from orkestra.testkit import eventually
from orkestra.v1.task import ClockState, CreateTaskRequest
from orkestra.wire import Unavailable
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer


async def test_a_history_with_an_escalation_and_an_answer_replays() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.everything, author.Topic(topic="x"))
        task = await env.next_task()
        await env.skip("31m")
        await task.complete(good=True, by="ana")
        await run.result()
        history = await env.client.get_workflow_handle(run.workflow_id).fetch_history()
    replayer = Replayer(
        workflows=[author.everything],
        data_converter=pydantic_data_converter,
        interceptors=[OrkestraInterceptor()],
        workflow_runner=sandbox(),
    )
    await replayer.replay_workflow(history)


async def test_while_task_service_is_away_the_history_stays_small_and_one_task_is_opened() -> None:
    async with OrkestraTest() as env:
        create, tries = env.world.create, list[tuple[bool, timedelta | None]]()

        async def away(request: CreateTaskRequest) -> ClockState:
            tries.append((activity.info().is_local, activity.info().start_to_close_timeout))
            if len(tries) <= 5:
                raise Unavailable("DATABASE_UNAVAILABLE", "The database cannot be reached.")
            return await create(request)

        env.world.create = away  # type: ignore[method-assign]  # an outage of the world
        run = await env.start(author.patient, author.Topic(topic="x"))
        await eventually(lambda: len(tries) >= 4)
        await env.skip("5m")  # between tries on the server, its time passes
        task = await env.next_task()
        await task.complete(answer="at last", by="ana")
        assert await run.result() == "answered"
        history = await env.client.get_workflow_handle(run.workflow_id).fetch_history()
    scheduled = [one for one in history.events if one.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    assert (len(scheduled), len(env.world.tasks)) == (1, 1)
    assert tries[:3] == [(True, timedelta(seconds=2))] * 3
    assert [is_local for is_local, _ in tries[3:]] == [False] * 3
    without_end = scheduled[0].activity_task_scheduled_event_attributes.retry_policy
    assert (without_end.maximum_attempts, without_end.maximum_interval.ToTimedelta()) == (0, timedelta(seconds=30))


async def test_an_end_that_cannot_be_reported_is_still_the_end_of_the_run() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, author.Topic(topic="x"))
        task = await env.next_task()
        await task.complete(answer="yes", by="ana")
        env.world.events = Deaf()
        assert await run.result() == "answered"


class Deaf(list[WorldEvent]):
    """A world to which nothing can be reported."""

    def append(self, event: WorldEvent) -> None:
        raise Unavailable("SERVICE_UNAVAILABLE", "WorkflowService cannot be reached; try again shortly.")

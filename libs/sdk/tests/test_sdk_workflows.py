"""What a workflow author may rely on, in the world without servers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sdk_workflows as author
from orkestra.sdk.testing import OrkestraTest
from orkestra.testkit import eventually
from orkestra.v1.task import AnswerTaskRequest, ClockState, CreateTaskRequest, Priority, Task, TaskStatus
from orkestra.wire import Error
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

TOPIC = author.Topic(topic="returns")


async def test_a_task_carries_all_that_it_is_given() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.everything, TOPIC, handoff={"summary": "handed", "links": []}, requested_by="bot")
        task = await env.next_task()
        shown = task.current
        assert (shown.title, shown.type, shown.tags, shown.correlation) == ("About returns", "verdict", ["x"], "case-1")
        assert (shown.candidate_groups, shown.candidate_users, shown.priority) == (["legal"], ["ana"], Priority.HIGH)
        assert shown.context is not None
        assert (shown.context.summary, shown.context.data) == ("own words", {"a": 1, "topic": "returns"})
        assert shown.draft == {"good": {"value": True}, "why": {"value": "because", "confidence": 0.7}}
        assert (shown.input, shown.requested_by) == ({"topic": "returns", "rounds": 0}, "bot")
        assert (shown.workflow_id, shown.form is not None) == (run.workflow_id, True)
        assert (shown.excluded_users, shown.allow_agents, shown.four_eyes) == (["cara"], ["helper"], True)
        await task.complete(good=True, by="ana")
        result = await run.result()
    assert (result["good"], result["by"], result["task_id"]) == (True, "ana", task.task_id)
    assert (result["decided_by"], result["tenant"]) == ("person", env.world.tenant_id)
    assert result["provenance"] == {"good": "human_confirmed", "why": "human_changed"}


async def test_a_task_id_is_a_uuid_of_version_7_with_the_runs_start() -> None:
    async with OrkestraTest() as env:
        await env.start(author.patient, TOPIC)
        digits = (await env.next_task()).task_id.removeprefix("task_")
    assert (len(digits), digits[12], digits[16] in "89ab") == (32, "7", True)
    minted_at = datetime.fromtimestamp(int(digits[:12], 16) / 1000, UTC)
    assert abs(datetime.now(UTC) - minted_at) < timedelta(minutes=5)


async def test_one_person_alone_is_the_assignee_and_a_form_may_be_a_dictionary() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.alone, TOPIC)
        task = await env.next_task()
        assert (task.current.assignee, task.current.candidate_users) == ("ana", [])
        with pytest.raises(Error):
            await task.complete(name="Bo", by="bo")
        await task.complete(name="Ana", by="ana")
        assert await run.result() == "Ana"


async def test_thirty_minutes_pass_in_a_moment_and_the_author_catches_the_expiry() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        task = await env.next_task()
        began = asyncio.get_running_loop().time()
        await env.skip("31m")
        assert await run.result() == "expired"
        assert asyncio.get_running_loop().time() - began < 5
        assert task.current.status is TaskStatus.EXPIRED


async def test_a_cancelled_task_reaches_the_author_with_its_reason() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        await (await env.next_task()).cancel(by="boss", reason="duplicate")
        assert await run.result() == "cancelled: duplicate"


async def test_the_policys_default_is_the_answer_at_the_end_of_the_time() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.decided_by_policy, TOPIC)
        await env.next_task()
        await env.skip("1h")
        assert await run.result() == {"good": False, "decided_by": "policy"}


async def test_a_refusal_fails_the_run_with_its_reason_and_is_not_tried_again() -> None:
    async with OrkestraTest() as env:
        create, tries = env.world.create, list[str | None]()

        async def counted(request: CreateTaskRequest) -> ClockState:
            tries.append(request.task_id)
            return await create(request)

        env.world.create = counted  # type: ignore[method-assign]  # the same, counted
        run = await env.start(author.refused, TOPIC)
        with pytest.raises(ApplicationError) as failure:
            await run.result()
        assert failure.value.non_retryable
        assert failure.value.type == "TASK_INVALID"
        assert "title: " in failure.value.message
        assert (env.world.tasks, len(tries)) == ({}, 1)


async def test_sleep_and_activities_and_the_clock_are_temporals() -> None:
    async with OrkestraTest(activities=[author.shout]) as env:
        run = await env.start(author.sleepy, TOPIC)
        await env.skip("2h1s")
        result = await run.result()
    assert result["slept"].startswith("2:00:0")
    assert result["said"] == "RETURNS"


async def test_cancelling_a_scope_cancels_its_task_only() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.first_wins, TOPIC)
        tasks = {task.current.title: task for task in (await env.next_task(), await env.next_task())}
        await tasks["right"].complete(answer="me", by="ana")
        assert await run.result() == "right: me"
        assert tasks["left"].current.status is TaskStatus.CANCELLED


async def test_cancelling_the_run_cancels_its_task() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        task = await env.next_task()
        await run.cancel()
        with pytest.raises(CancelledError):
            await run.result()
        assert task.current.status is TaskStatus.CANCELLED
        assert [event.name for event in env.events][-2:] == ["task.cancelled", "workflow.cancelled"]


async def test_a_continued_run_keeps_its_tenant_and_reports_one_end() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.again, author.Topic(topic="x", rounds=2))
        await (await env.next_task()).complete(answer="done", by="ana")
        assert await run.result() == "done"
        assert [event.name for event in env.events].count("workflow.completed") == 1


async def test_a_plain_temporal_workflow_asks_as_a_child_and_alone() -> None:
    async with OrkestraTest(workflows=[author.Plain]) as env:
        run = await env.start(author.parent, TOPIC)
        task = await env.next_task()
        assert task.current.workflow_id == f"{run.workflow_id}-child"
        await task.complete(name="Kim", by="ana")
        assert await run.result() == "child said Kim"
        by_itself = await env.start(author.Plain, TOPIC)
        await (await env.next_task()).complete(name="Lee", by="ana")
        assert await by_itself.result() == "Lee"


async def test_a_workflow_is_the_child_of_another_which_reads_its_result_by_its_type() -> None:
    async with OrkestraTest(workflows=[author.told_by_a_child]) as env:
        run = await env.start(author.asks_through_a_child, TOPIC)
        await (await env.next_task()).complete(answer="Yes.", by="ana")
        assert await run.result() == "Yes. ana"


async def test_what_follows_a_run_keeps_its_format_and_a_child_has_the_first() -> None:
    async with OrkestraTest(workflows=[author.Plain]) as env:
        run = await env.start(author.parent, TOPIC)
        task = await env.next_task()
        await task.complete(name="Kim", by="ana")
        await run.result()
        assert await markers(env, run.workflow_id) == 0
        assert await markers(env, f"{run.workflow_id}-child") == 2  # an older worker may have to go on with it
        again = await env.start(author.again, author.Topic(topic="x", rounds=1))
        await (await env.next_task()).complete(answer="Yes.", by="ana")
        await again.result()
        assert await markers(env, again.workflow_id) == 1


async def markers(env: OrkestraTest, workflow_id: str) -> int:
    history = await env.client.get_workflow_handle(workflow_id).fetch_history()
    return [event.event_type for event in history.events].count(EventType.EVENT_TYPE_MARKER_RECORDED)


async def test_a_signal_about_another_task_is_ignored() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        task = await env.next_task()
        handle = env.client.get_workflow_handle(run.workflow_id)
        for unknown in ({"task_id": "task_0", "version": 9}, {"nonsense": True}):
            await handle.signal("orkestra_task", unknown)
        await task.complete(answer="x", by="ana")
        assert await run.result() == "answered"


async def test_a_result_that_is_no_json_fails_the_run() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.not_json, TOPIC)
        with pytest.raises(ApplicationError) as failure:
            await run.result()
        assert failure.value.type == "RESULT_INVALID"


async def test_a_run_that_nobody_started_through_orkestra_may_not_ask() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        handle = env.client.get_workflow_handle(run.workflow_id)
        queue = (await handle.describe()).task_queue
        stray = await env.client.start_workflow("patient@1", TOPIC, id="stray", task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failure:
            await stray.result()
        assert isinstance(failure.value.cause, ApplicationError)
        assert failure.value.cause.type == "RUN_UNKNOWN"


async def test_people_that_are_declared_have_only_their_groups() -> None:
    async with OrkestraTest(people={"ana": ["sales"]}) as env:
        await env.start(author.patient, TOPIC)
        task = await env.next_task()
        with pytest.raises(Error):
            await task.claim(by="ana")
        claimed = await task.claim(by="someone")
        assert claimed.assignee == "someone"


async def test_events_are_told_in_order_with_their_time() -> None:
    async with OrkestraTest() as env:
        await env.start(author.patient, TOPIC)
        await env.next_task()
        await env.skip("31m")
        await eventually(lambda: env.events[-1].name == "workflow.completed")
    times: list[Any] = [event.at for event in env.events]
    assert times == sorted(times)
    assert times[-1] - times[0] >= timedelta(minutes=30)


async def test_the_author_answers_a_reviewer_who_asks_for_changes() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.explains, TOPIC)
        task = await env.next_task()
        await task.claim(by="ana")
        for round_ in (1, 2):
            await task.request_changes("Prices", by="ana")
            await eventually(lambda: task.current.status is TaskStatus.CLAIMED)
            assert task.current.change_requests[-1].answer == "About prices"
            assert task.current.context is not None
            assert task.current.context.summary == f"round {round_}"
        await task.complete(answer="good", by="ana")
        assert await run.result() == "good"


async def test_an_answer_by_whoever_asked_for_the_run_ends_the_authors_own_search_for_one() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.asks_another, TOPIC, requested_by="bot")
        task = await env.next_task()
        await task.claim(by="ana")
        await task.request_changes("Prices", by="ana")
        search = await env.next_task()
        assert search.current.title == "Help with: Prices"
        await task.answer("42", by="bot")
        await eventually(lambda: search.current.status is TaskStatus.CANCELLED)
        await task.complete(answer="good", by="ana")
        assert await run.result() == "good"


async def test_an_answer_of_the_authors_that_comes_too_late_changes_nothing() -> None:
    async with OrkestraTest() as env:
        answer = env.world.answer

        async def overtaken(request: AnswerTaskRequest, *, by: str | None = None) -> Task:
            if by is None:
                await answer(AnswerTaskRequest(task_id=request.task_id, message="Mine."), by="bot")
            return await answer(request, by=by)

        env.world.answer = overtaken  # type: ignore[method-assign]  # whoever asked for the run is faster
        run = await env.start(author.explains, TOPIC, requested_by="bot")
        task = await env.next_task()
        await task.claim(by="ana")
        await task.request_changes("Prices", by="ana")
        await eventually(lambda: task.current.status is TaskStatus.CLAIMED)
        assert task.current.change_requests[-1].answer == "Mine."
        await task.complete(answer="good", by="ana")
        assert await run.result() == "good"


async def test_a_task_goes_back_to_its_reviewer_where_nobody_answers_in_time() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.patient, TOPIC)
        task = await env.next_task()
        await task.claim(by="ana")
        await task.request_changes("Prices", by="ana", answer_within="10m")
        await env.skip("11m")
        assert task.current.status is TaskStatus.CLAIMED
        await task.complete(answer="good", by="ana")
        assert await run.result() == "answered"

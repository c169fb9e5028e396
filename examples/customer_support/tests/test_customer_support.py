"""The workflow without servers: people are played, time is skipped."""

from pathlib import Path
from time import monotonic

import pytest
from customer_support.quick import customer_support_quick
from customer_support.workflows import Question, customer_support
from orkestra.sdk.testing import OrkestraTest, replay
from orkestra.v1.task import TaskStatus
from orkestra.wire import InvalidArgument
from temporalio.exceptions import ApplicationError

QUESTION = Question(question="May I return it?", conversation_id="conv-17", customer_id="cust-4")


async def test_the_persons_answer_is_the_result() -> None:
    async with OrkestraTest() as env:
        run = await env.start(customer_support, QUESTION, handoff={"summary": "Opened headset."})
        task = await env.next_task()
        assert task.current.title == "Customer needs help"
        assert task.current.description == "May I return it?"
        assert task.current.candidate_groups == ["support-l1"]
        assert task.current.context is not None
        assert task.current.context.summary == "Opened headset."
        assert task.current.context.data == {"conversation_id": "conv-17", "customer_id": "cust-4"}

        await task.claim(by="ana")
        await task.complete(answer="Yes, within 30 days.", by="ana")

        assert await run.result() == {"answer": "Yes, within 30 days.", "handled_by": "human"}
        assert [event.name for event in env.events] == [
            "task.created",
            "task.claimed",
            "task.completed",
            "workflow.completed",
        ]


async def test_an_answer_that_does_not_fit_the_form_is_refused_and_the_run_goes_on_waiting() -> None:
    async with OrkestraTest() as env:
        run = await env.start(customer_support, QUESTION)
        task = await env.next_task()
        with pytest.raises(InvalidArgument):
            await task.complete(sentiment="bored", by="ana")
        await task.complete(answer="Yes.", sentiment="neutral", by="ana")
        assert (await run.result())["answer"] == "Yes."


async def test_after_30_minutes_the_second_line_is_asked_and_its_answer_counts() -> None:
    began = monotonic()
    async with OrkestraTest() as env:
        run = await env.start(customer_support, QUESTION)
        task = await env.next_task()
        await env.skip("29m")
        assert task.current.candidate_groups == ["support-l1"]
        await env.skip("2m")
        assert "support-l2" in task.current.candidate_groups
        assert "task.escalated" in [event.name for event in env.events]
        await task.complete(answer="Yes.", by="bo")
        assert (await run.result())["handled_by"] == "human"
    assert monotonic() - began < 20


async def test_after_two_hours_the_task_expires_and_the_run_fails() -> None:
    async with OrkestraTest() as env:
        run = await env.start(customer_support, QUESTION)
        task = await env.next_task()
        await env.skip("2h")
        assert task.current.status is TaskStatus.EXPIRED
        with pytest.raises(ApplicationError) as failure:
            await run.result()
        assert failure.value.type == "TASK_EXPIRED"
        assert [event.name for event in env.events][-2:] == ["task.expired", "workflow.failed"]


async def test_the_quick_one_escalates_after_a_second_and_expires_after_three() -> None:
    async with OrkestraTest() as env:
        run = await env.start(customer_support_quick, QUESTION)
        task = await env.next_task()
        await env.skip("1s")
        assert "support-l2" in task.current.candidate_groups
        await env.skip("2s")
        with pytest.raises(ApplicationError) as failure:
            await run.result()
        assert failure.value.type == "TASK_EXPIRED"


async def test_input_that_does_not_fit_starts_nothing() -> None:
    async with OrkestraTest() as env:
        with pytest.raises(InvalidArgument) as refusal:
            await env.start(customer_support, {"question": 3})
        assert refusal.value.reason == "INPUT_INVALID"


async def test_what_was_recorded_replays() -> None:
    assert await replay(customer_support, histories=Path(__file__).parent / "histories") == 2

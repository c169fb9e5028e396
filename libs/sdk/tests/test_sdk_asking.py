"""One question, several at once: what an author may rely on."""

import pytest
import sdk_asking as author
from orkestra.sdk.testing import HumanTask, OrkestraTest
from orkestra.testkit import eventually
from orkestra.v1.task import TaskStatus
from temporalio.exceptions import ApplicationError, CancelledError


async def opened(env: OrkestraTest, count: int) -> dict[str, HumanTask]:
    return {task.current.title: task for task in [await env.next_task() for _ in range(count)]}


def statuses(tasks: dict[str, HumanTask]) -> dict[str, str]:
    return {title: str(task.current.status) for title, task in tasks.items()}


async def test_a_question_is_answered_in_free_text() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.asks, author.Words(words="Which colour?"))
        task = await env.next_task()
        assert (task.current.title, task.current.description) == ("Which colour?", None)
        await task.complete(answer="Blue.", by="ana")
        assert await run.result() == "Blue."


async def test_a_question_too_long_for_a_title_stands_whole_in_the_description() -> None:
    long = "Why? " * 100
    async with OrkestraTest() as env:
        run = await env.start(author.asks, author.Words(words=long))
        task = await env.next_task()
        assert (len(task.current.title), task.current.title[-1], task.current.description) == (300, "…", long)
        await task.complete(answer="So.", by="ana")
        assert await run.result() == "So."


async def test_a_question_that_nobody_answers_expires() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.asks, author.Words())
        await env.next_task()
        await env.skip("1h")
        with pytest.raises(ApplicationError) as failure:
            await run.result()
        assert failure.value.type == "TASK_EXPIRED"


async def test_the_first_answer_wins_and_the_losers_are_cancelled() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.first_answer, author.Words())
        tasks = await opened(env, 3)
        await tasks["long"].complete(name="Kim", by="ana")
        assert await run.result() == "Kim"
        assert statuses(tasks) == {"short": "cancelled", "long": "completed", "longer": "cancelled"}


async def test_a_task_that_expired_or_was_cancelled_is_no_first_answer() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.first_answer, author.Words())
        tasks = await opened(env, 3)
        await env.skip("11m")
        await tasks["longer"].cancel(by="boss")
        assert statuses(tasks) == {"short": "expired", "long": "open", "longer": "cancelled"}
        await tasks["long"].complete(name="Lee", by="ana")
        assert await run.result() == "Lee"


async def test_where_nobody_answers_the_last_one_says_why() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.first_answer, author.Words())
        tasks = await opened(env, 3)
        for title in ("short", "longer", "long"):
            await tasks[title].cancel(by="boss")
        assert await run.result() == "TaskCancelled"


async def test_all_answers_come_in_the_order_in_which_they_were_asked_for() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.both_answers, author.Words())
        tasks = await opened(env, 2)
        await tasks["sure"].complete(sure=False, by="bo")
        await tasks["who"].complete(name="Kim", by="ana")
        assert await run.result() == "Kim is not sure"


async def test_one_that_expires_cancels_the_others_of_all() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.both_answers, author.Words())
        tasks = await opened(env, 2)
        await env.skip("11m")
        assert await run.result() == "expired"
        assert statuses(tasks) == {"who": "expired", "sure": "cancelled"}


async def test_a_quorum_ends_as_soon_as_enough_have_agreed() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.two_of_three, author.Words())
        tasks = await opened(env, 3)
        await tasks["c"].complete(outcome="approve", by="ana")
        await tasks["a"].complete(outcome="approve", by="bo")
        assert await run.result() == {"reached": True, "counted": 2, "by": ["bo", "ana"]}
        assert statuses(tasks) == {"a": "completed", "b": "cancelled", "c": "completed"}


async def test_a_quorum_ends_as_soon_as_it_can_no_longer_be_reached() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.two_of_three, author.Words())
        tasks = await opened(env, 3)
        await tasks["a"].complete(outcome="reject", comment="no", by="ana")
        await tasks["b"].cancel(by="boss")
        assert await run.result() == {"reached": False, "counted": 0, "by": ["ana"]}
        assert tasks["c"].current.status is TaskStatus.CANCELLED


async def test_one_person_counts_once_in_a_quorum() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.two_of_three, author.Words())
        tasks = await opened(env, 3)
        for title in "abc":
            await tasks[title].complete(outcome="approve", by="ana")
        assert await run.result() == {"reached": False, "counted": 1, "by": ["ana", "ana", "ana"]}


async def test_a_quorum_of_more_than_are_asked_is_refused_and_opens_nothing() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.too_many, author.Words())
        assert await run.result() == "A quorum of 3 cannot come of 2 tasks."
        assert env.world.tasks == {}


async def test_cancelling_the_run_cancels_every_task_that_is_waited_for_together() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.two_of_three, author.Words())
        tasks = await opened(env, 3)
        await run.cancel()
        with pytest.raises(CancelledError):
            await run.result()
        await eventually(lambda: set(statuses(tasks).values()) == {"cancelled"})


async def test_what_a_run_tells_on_its_way_is_an_event_each() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.tells, author.Words())
        assert await run.result() == env.world.tenant_id
        progressed, emitted, completed = env.events
        assert (progressed.name, emitted.name, completed.name) == (
            "workflow.progressed",
            "workflow.emitted",
            "workflow.completed",
        )
        assert progressed.told is not None
        assert (progressed.told.progress, progressed.told.workflow_id) == ("Half of it is done.", run.workflow_id)
        assert emitted.told is not None
        assert emitted.told.emitted is not None
        assert (emitted.told.emitted.name, emitted.told.emitted.data) == ("order.paid", {"order": "7"})

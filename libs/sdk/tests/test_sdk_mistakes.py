"""What an author gets wrong is said where it was given, and nothing of it is dropped."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sdk_mistakes as author
from orkestra.sdk.testing import OrkestraTest
from temporalio.exceptions import ApplicationError


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def env() -> AsyncIterator[OrkestraTest]:
    async with OrkestraTest() as env:
        yield env


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("a name alone", "assign_to takes group(…) and user(…), not 'support-l1'."),
        ("names alone", "assign_to takes group(…) and user(…), not 'support-l1'."),
        ("a text as SLA", "sla is an SLA, such as timeout('30m'), not '30m'."),
        ("a model as draft", "draft is a dictionary of values by field, not Sure(sure=True)."),
        ("a model as form", "form is a Form class or a form as a dictionary, not <class 'sdk_mistakes.Mistake'>."),
    ],
)
async def test_what_is_of_another_type_is_refused_by_name(env: OrkestraTest, made: str, told: str) -> None:
    assert await (await env.start(author.mistaken, author.Mistake(made=made))).result() == told
    assert env.world.tasks == {}


@pytest.mark.parametrize(
    ("made", "reason", "told"),
    [
        ("a misspelt policy", "TASK_INVALID", "approval_policy.requird: There is no such field; there are required, "),
        ("an odd policy", "TASK_INVALID", "approval_policy.required: Input should be a valid integer"),
        ("an odd conversation", "CONTEXT_INVALID", "context.conversation: Input should be a valid list."),
        ("what is no JSON", "CONTEXT_INVALID", "context.data: Unable to serialize unknown type: <class 'object'>."),
    ],
)
async def test_what_does_not_fit_fails_the_run_by_its_path(
    env: OrkestraTest, made: str, reason: str, told: str
) -> None:
    with pytest.raises(ApplicationError) as failure:
        await (await env.start(author.mistaken, author.Mistake(made=made))).result()
    assert failure.value.type == reason
    assert failure.value.message.startswith(told)
    assert "pydantic.dev" not in failure.value.message
    assert env.world.tasks == {}


async def test_a_number_is_no_duration(env: OrkestraTest) -> None:
    run = await env.start(author.sleeps_five, author.Mistake(made=""))
    assert await run.result() == "A duration is text such as 2h, or a timedelta, not 5."


async def test_a_check_outside_its_range_is_said_once(env: OrkestraTest) -> None:
    with pytest.raises(ApplicationError) as failure:
        await (await env.start(author.too_sure, author.Mistake(made=""))).result()
    assert (failure.value.type, failure.value.message) == ("CHECK_INVALID", "threshold: From 0 to 1.")


async def test_arguments_are_approved_and_verified_as_the_json_that_they_are_sent_as() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.approves_an_amount, author.Mistake(made=""))
        task = await env.next_task()
        assert task.current.context is not None
        assert task.current.context.action is not None
        assert task.current.context.action.args == {"amount": "8.00", "on": "2030-01-31"}
        await task.complete(outcome="approve", by="ana")
        assert await run.result() is True

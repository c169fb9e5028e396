"""Workflows that carry a word through everything that Temporal stores."""

from datetime import timedelta

from orkestra.sdk import Context, group, task, workflow
from pydantic import BaseModel
from temporalio import activity
from temporalio import workflow as temporal
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

SECOND = timedelta(seconds=1)
TWICE = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2)


class Case(BaseModel):
    word: str
    rounds: int = 0


@activity.defn
async def beats(word: str) -> str:
    """Fail once with a heartbeat, which the next try hears of."""
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat(f"beat {word}")
        raise ApplicationError(f"not yet: {word}", word, type="NOT_YET")
    return f"{word} after {'|'.join(map(str, info.heartbeat_details))}"


@activity.defn
async def refuses(word: str) -> str:
    """Fail for good, with a heartbeat."""
    activity.heartbeat(f"at last {word}")
    raise ValueError(f"refused: {word}")


@workflow("carries-a-child")
async def carries_a_child(ctx: Context, case: Case) -> str:
    """Fail with what it was given."""
    if case.rounds:
        return f"child of {case.word}"
    raise ApplicationError(f"the child broke: {case.word}", case.word, type="CHILD_BROKE")


@workflow("carries")
async def carries(ctx: Context, case: Case) -> dict[str, str]:
    """Take the word through activities, children, timers, memos, signals, queries, updates and a new history."""
    heard: list[str] = []

    def told() -> str:
        return f"told {case.word}"

    def refused() -> str:
        raise ValueError(f"no answer: {case.word}")

    async def changed(more: str) -> str:
        return f"changed {more} {case.word}"

    def checked(more: str) -> None:
        if more == "no":
            raise ValueError(f"not this: {case.word}")

    temporal.set_signal_handler("hear", heard.append)
    temporal.set_query_handler("tell", told)
    temporal.set_query_handler("refuse", refused)
    temporal.set_update_handler("change", changed, validator=checked)
    if case.rounds == 0:
        temporal.continue_as_new(case.model_copy(update={"rounds": 1}), memo={"about": case.word})
    temporal.upsert_memo({"more": case.word})
    await temporal.sleep(timedelta(milliseconds=1), summary=f"before {case.word}")
    said = {
        "beats": await temporal.execute_activity(
            beats,
            case.word,
            start_to_close_timeout=SECOND * 10,
            heartbeat_timeout=SECOND * 5,
            retry_policy=TWICE,
            summary=f"beating {case.word}",
        )
    }
    said["local"] = await temporal.execute_local_activity(
        beats, case.word, start_to_close_timeout=SECOND * 10, retry_policy=TWICE
    )
    said["refused"] = await _failure_of(case.word)
    said["child"] = await temporal.execute_child_workflow(
        "carries-a-child@1",
        case,
        id=f"{temporal.info().workflow_id}-child",
        memo={"about": case.word},
        static_summary=f"child of {case.word}",
    )
    said["broken"] = await _broken_child(case)
    result = await task(ctx, title="A question", description=case.word, assign_to=group("finance"))
    await temporal.wait_condition(lambda: bool(heard))
    return said | {"heard": heard[0], "answer": str(result.data["answer"])}


async def _failure_of(word: str) -> str:
    once = RetryPolicy(maximum_attempts=1)
    try:
        await temporal.execute_activity(
            refuses, word, start_to_close_timeout=SECOND * 10, heartbeat_timeout=SECOND * 5, retry_policy=once
        )
    except ActivityError as failed:
        return str(failed.cause)
    return "never"


async def _broken_child(case: Case) -> str:
    broken = case.model_copy(update={"rounds": 0})
    try:
        await temporal.execute_child_workflow("carries-a-child@1", broken, id=f"{temporal.info().workflow_id}-broken")
    except ChildWorkflowError as failed:
        return str(failed.cause)
    return "never"


@workflow("breaks")
async def breaks(ctx: Context, case: Case) -> str:
    """Ask somebody, then end by the word, after a bug that names it."""
    result = await task(ctx, title="A question", description=case.word, assign_to=group("finance"))
    raise ApplicationError(f"broken: {case.word} {result.data['answer']}", case.word, type="BROKEN")


@workflow("stumbles")
async def stumbles(ctx: Context, case: Case) -> str:
    """Have a bug that names the word, until the worker is another."""
    raise KeyError(f"a bug with {case.word}")

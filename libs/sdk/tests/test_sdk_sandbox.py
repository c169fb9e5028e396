"""The sandbox: one import of a module for all runs, and the same refusals for each."""

import pytest
import sdk_sandboxed as author
from orkestra.forms import Form, schema_of
from orkestra.sdk import Context
from orkestra.sdk.converter import SharedPayloadConverter
from orkestra.sdk.definition import Definition
from orkestra.sdk.sandbox import check_globals, sandbox
from orkestra.sdk.testing import OrkestraTest
from orkestra.sdk.worker import STEP_SECONDS, Contents, WorkerSettings, make_workers
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker


async def test_runs_share_one_import_of_their_module_which_is_not_the_programs_own() -> None:
    async with OrkestraTest() as env:
        runs = [await env.start(author.marked, author.Nothing()) for _ in range(3)]
        marks = {await run.result() for run in runs}
    assert len(marks) == 1
    assert marks != {str(id(author.MARK))}


@pytest.mark.parametrize("refused", author.REFUSED_AT_RUN_TIME, ids=lambda one: one.definition.name)
async def test_every_run_is_refused_what_could_not_be_replayed(refused: type) -> None:
    async with (
        OrkestraTest() as env,
        Worker(
            env.client,
            task_queue="refused",
            workflows=[refused],
            workflow_runner=sandbox(),
            workflow_failure_exception_types=[Exception],
        ),
    ):
        name = refused.definition.temporal_type  # type: ignore[attr-defined]  # @workflow gives it
        for number in range(2):
            with pytest.raises(WorkflowFailureError) as failed:
                await env.client.execute_workflow(name, author.Nothing(), id=f"refused-{number}", task_queue="refused")
            assert failed.value.cause is not None
            assert "Cannot access" in str(failed.value.cause)


async def test_a_step_may_take_longer_than_temporal_gives_it() -> None:
    """The library has no option for it: where its attribute is another one this is to be set otherwise."""
    settings = WorkerSettings("t:1", "i:1", "k:1", "w:1", "key", task_queue="long-steps")
    async with OrkestraTest() as env:
        [ours] = make_workers(env.client, Contents((author.marked,), ()), [], settings)
        theirs = Worker(env.client, task_queue="short-steps", workflows=[author.marked])
        limits = [vars(worker._workflow_worker)["_deadlock_timeout_seconds"] for worker in (ours, theirs)]
    assert limits == [STEP_SECONDS, 2]


@pytest.mark.parametrize("assigning", [author.counts_runs, author.CountsRuns])
def test_a_workflow_that_assigns_a_global_is_refused_by_name(assigning: type) -> None:
    with pytest.raises(ValueError, match=f"{assigning.__name__} assigns the global runs"):
        check_globals(assigning)


async def several(ctx: Context, input: "list[author.Nothing]") -> "dict[str, author.Nothing]":
    """For its types."""
    return {}


def test_types_and_schemas_are_worked_out_once_in_a_process() -> None:
    definition = Definition("several", 1, several)
    assert definition.input_type is definition.input_type
    assert definition.output_type is definition.output_type
    assert SharedPayloadConverter().converters == SharedPayloadConverter().converters

    worked_out = 0

    class Counted(Form):
        answer: str

        @classmethod
        def model_form(cls) -> dict[str, object]:
            nonlocal worked_out
            worked_out += 1
            return super().model_form()

    first = schema_of(Counted)
    first["properties"].clear()
    assert list(schema_of(Counted)["properties"]) == ["answer"]
    assert worked_out == 1

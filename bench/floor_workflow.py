"""The floor's workflow: one local activity, one signal."""

from datetime import timedelta

from temporalio import workflow

TASK_QUEUE = "bench-floor"


@workflow.defn(name="floor")
class Floor:
    """Writes a row, waits for a signal, returns what it brought."""

    def __init__(self) -> None:
        self._answer: str | None = None

    @workflow.run
    async def run(self) -> str:
        await workflow.execute_local_activity(
            "write_question", workflow.info().workflow_id, start_to_close_timeout=timedelta(seconds=2)
        )
        await workflow.wait_condition(lambda: self._answer is not None)
        return self._answer or ""

    @workflow.signal
    def answer(self, text: str) -> None:
        self._answer = text

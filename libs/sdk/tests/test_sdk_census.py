"""A workflow that asks two thousand people ends right, over as many histories as it takes."""

import asyncio

import pytest
from orkestra.sdk.testing import OrkestraTest
from sdk_census import AT_ONCE, Census, census

RESIDENTS = 2000
PATIENCE = 300.0
"""For each step, on a machine that has much else to do."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_two_thousand_people_are_asked_once_each_and_every_answer_counts() -> None:
    async with OrkestraTest() as env:
        run = await env.start(census, Census(residents=RESIDENTS))
        for first in range(0, RESIDENTS, AT_ONCE):
            wave = [await env.next_task(patience=PATIENCE) for _ in range(AT_ONCE)]
            answers = ["yes" if number % 4 else "no" for number in range(first, first + AT_ONCE)]
            said = zip(wave, answers, strict=True)
            await asyncio.gather(*(one.complete(answer=answer, by="ana") for one, answer in said))
        assert await run.result(patience=PATIENCE) == RESIDENTS * 3 // 4
        history = await env.client.get_workflow_handle(run.workflow_id).fetch_history()
        titles = {task.title for task in env.world.tasks.values()}
    assert len(env.world.tasks) == len(titles) == RESIDENTS
    began = history.events[0].workflow_execution_started_event_attributes
    assert began.continued_execution_run_id != ""  # no history grows past what Temporal suggests
    assert len(history.events) < 8000

"""The people of a test: groups that give work to their members, and substitutes of who is out of office."""

import pytest
import sdk_asking as author
from orkestra.sdk.testing import GroupRules, HumanTask, OrkestraTest
from orkestra.wire import NotFound, PermissionDenied

PEOPLE = {"ana": ["g"], "ben": ["g"], "cem": ["g"], "sub": ["other"]}


async def three(env: OrkestraTest) -> list[HumanTask]:
    """Tasks of a run that asks three times at once, in the order in which they were opened."""
    await env.start(author.first_answer, author.Words())
    tasks = [await env.next_task() for _ in range(3)]
    return sorted(tasks, key=lambda task: list(env.world.tasks).index(task.task_id))


async def test_a_group_gives_its_work_to_one_after_the_other() -> None:
    async with OrkestraTest(people=PEOPLE, groups={"g": GroupRules("round_robin")}) as env:
        tasks = await three(env)
        assert [task.current.assignee for task in tasks] == ["ana", "ben", "cem"]
        with pytest.raises(PermissionDenied):
            await tasks[0].claim(by="ben")
        freed = await tasks[0].release(by="ana")
        assert freed.assignee is None
        assert (await tasks[0].claim(by="ben")).assignee == "ben"
        assert [event.name for event in env.events if event.task and event.task.task_id == tasks[1].task_id] == [
            "task.created",
            "task.assigned",
        ]


async def test_load_and_caps_decide_and_where_nobody_is_left_anyone_claims() -> None:
    groups = {"g": GroupRules("least_loaded", max_open_tasks=1)}
    people = {"ana": ["g"], "ben": ["g"]}
    async with OrkestraTest(people=people, groups=groups, caps={"ana": 1}) as env:
        tasks = await three(env)
        assert [task.current.assignee for task in tasks] == ["ana", "ben", None]
        assert (await tasks[2].claim(by="ana")).assignee == "ana"


async def test_a_substitute_takes_the_place_and_is_passed_over_in_it() -> None:
    async with OrkestraTest(people=PEOPLE, groups={"g": GroupRules("round_robin")}) as env:
        tasks = await three(env)
        with pytest.raises(NotFound):
            await tasks[0].claim(by="sub")
        await env.away("ana", substitute="sub", lasts="5m")
        claimed = await tasks[0].claim(by="sub")
        assert (claimed.assignee, claimed.acted_for) == ("sub", "ana")
        later = await three(env)
        assert [task.current.assignee for task in later] == ["ben", "cem", "ben"]
        await env.skip("5m")
        assert [task.current.assignee for task in await three(env)] == ["cem", "ana", "ben"]


async def test_whoever_is_called_back_has_their_place_again() -> None:
    async with OrkestraTest(people=PEOPLE) as env:
        run = await env.start(author.asks, author.Words())
        task = await env.next_task()
        await task.assign(by="boss", assignee="ana")
        await env.away("ana", substitute="sub", types=["refund"])
        with pytest.raises(NotFound):
            await task.claim(by="sub")
        await env.away("ana", substitute="sub")
        env.back("ana")
        with pytest.raises(NotFound):
            await task.claim(by="sub")
        await env.away("ana", substitute="sub")
        done = await task.complete(answer="For her.", by="sub")
        assert (done.completed_by, done.acted_for) == ("sub", "ana")
        assert await run.result() == "For her."


def test_a_strategy_that_is_none_is_refused_where_it_is_named() -> None:
    with pytest.raises(ValueError, match="lottery"):
        GroupRules("lottery")


async def test_the_workflow_goes_on_when_an_answer_can_be_taken_back_no_more() -> None:
    async with OrkestraTest(undo_window="5m") as env:
        run = await env.start(author.asks, author.Words())
        task = await env.next_task()
        await task.complete(by="ana", answer="No.")
        await env.skip("4m")
        assert task.current.status == "claimed"
        back = await task.undo(by="ana", reason="Yes, of course.")
        assert (back.assignee, back.saved) == ("ana", {"answer": "No."})
        await env.skip("10m")
        await task.complete(by="ana", answer="Yes.")
        await env.skip("5m")
        await run.result()
        assert (task.current.status, task.current.result) == ("completed", {"answer": "Yes."})
        told = [event.name for event in env.events if event.task is not None]
        assert told == ["task.created", "task.submitted", "task.undone", "task.submitted", "task.completed"]

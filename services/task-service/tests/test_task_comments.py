"""Comments: anyone who sees a task may speak, and a mention calls a person to it."""

import asyncio
import json

import pytest
from orkestra.v1.identity import UserStatus
from orkestra.v1.task import (
    AddCommentRequest,
    CancelTaskRequest,
    Comment,
    CountTasksRequest,
    GetTaskRequest,
    ListCommentsRequest,
    ListTasksRequest,
    Task,
    TaskCounts,
)
from orkestra.wire import InvalidArgument, NotFound
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]


async def say(caller: Caller, task: Task, text: str) -> Comment:
    return await caller.add_comment(AddCommentRequest(task_id=task.task_id, text=text))


async def opened(tenant: Tenant) -> tuple[Task, Caller, Caller]:
    agent, ana = tenant.agent(), tenant.person("ana", "support-l1")
    return await agent.create_task(ask(candidate_groups=["support-l1"])), agent, ana


async def test_comments_are_listed_oldest_first_and_raise_no_version(world: World) -> None:
    task, agent, ana = await opened(world.tenant())
    said = [await say(agent, task, "The customer waits."), await say(ana, task, "On it.")]
    assert [(one.author, one.text, one.mentions) for one in said] == [
        (agent.id, "The customer waits.", []),
        (ana.id, "On it.", []),
    ]
    assert (await ana.list_comments(ListCommentsRequest(task_id=task.task_id))).comments == said
    assert await ana.get_task(GetTaskRequest(task_id=task.task_id)) == task


async def test_pages_of_comments_neither_skip_nor_repeat(world: World) -> None:
    task, agent, ana = await opened(world.tenant())
    await asyncio.gather(*(say(agent, task, f"number {number}") for number in range(7)))
    found: list[Comment] = []
    token = None
    while True:
        page = await ana.list_comments(ListCommentsRequest(task_id=task.task_id, page_size=3, page_token=token))
        found += page.comments
        token = page.next_page_token
        if token is None:
            break
    assert sorted(one.text for one in found) == [f"number {number}" for number in range(7)]
    assert found == sorted(found, key=lambda one: one.comment_id)
    with pytest.raises(InvalidArgument):
        await ana.list_comments(ListCommentsRequest(task_id=task.task_id, page_token="x"))


async def test_a_mention_shows_the_task_to_the_person_and_tells_them(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await opened(tenant)
    eve, ben = tenant.person("eve"), tenant.person("ben")
    tenant.person("gone", status=UserStatus.DISABLED)
    with pytest.raises(NotFound):
        await eve.get_task(GetTaskRequest(task_id=task.task_id))
    text = f"@eve@example.com and @{ben.id}: look. Not @nobody@example.com, @gone@example.com or me@eve@example.com."
    comment = await say(ana, task, text)
    assert comment.mentions == [eve.id, ben.id]
    for caller in (eve, ben):
        assert (await caller.get_task(GetTaskRequest(task_id=task.task_id))).mentioned_users == [eve.id, ben.id]
        assert [one.task_id for one in (await caller.list_tasks(ListTasksRequest())).tasks] == [task.task_id]
        assert (await caller.list_comments(ListCommentsRequest(task_id=task.task_id))).comments == [comment]
    await say(eve, task, "Seen.")
    rows = await world.rows("select subject, payload from outbox where tenant_id = $1 order by seq", tenant.id)
    told = [row["subject"].rpartition(".")[2] for row in rows]
    assert told == ["created", "commented", "mentioned", "commented"]
    event = json.loads(bytes(rows[2]["payload"]))
    assert event["mentioned"] == [eve.id, ben.id]
    assert {f"user:{eve.id}", f"user:{ben.id}"} <= set(event["audience"])
    assert "look" not in json.dumps(event)
    assert (await agent.get_task(GetTaskRequest(task_id=task.task_id))).version == task.version


async def test_whoever_was_mentioned_still_sees_the_task_after_its_end(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await opened(tenant)
    eve = tenant.person("eve")
    await say(ana, task, f"@{eve.id}")
    await agent.cancel_task(CancelTaskRequest(task_id=task.task_id))
    await say(eve, task, "Why?")
    assert (await eve.list_tasks(ListTasksRequest())).tasks == []
    assert len((await eve.list_comments(ListCommentsRequest(task_id=task.task_id))).comments) == 2


@pytest.mark.parametrize("text", ["", " \n", "x" * 20_000])
async def test_a_comment_says_something_and_not_too_much(world: World, text: str) -> None:
    task, _, ana = await opened(world.tenant())
    with pytest.raises(InvalidArgument) as refusal:
        await say(ana, task, text)
    assert [error.path for error in refusal.value.errors] == ["text"]
    assert (await ana.list_comments(ListCommentsRequest(task_id=task.task_id))).comments == []


async def test_strangers_and_other_tenants_neither_read_nor_write(world: World) -> None:
    tenant = world.tenant()
    task, _, _ = await opened(tenant)
    for caller in (tenant.person("eve"), world.tenant().person("boss", roles=("admin",))):
        with pytest.raises(NotFound):
            await say(caller, task, "x" * 20_000)
        with pytest.raises(NotFound):
            await caller.list_comments(ListCommentsRequest(task_id=task.task_id))


async def test_tasks_are_counted_in_each_scope(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1", "support-l2")
    agent, ana = tenant.agent(), tenant.person("ana", "support-l1")
    boss = tenant.person("boss", roles=("manager",))
    for group in ("support-l1", "support-l1", "support-l2"):
        task = await agent.create_task(ask(candidate_groups=[group]))
    await agent.create_task(ask(candidate_users=[ana.id], candidate_groups=["support-l1"]))
    await agent.cancel_task(CancelTaskRequest(task_id=task.task_id))
    assert await ana.count_tasks(CountTasksRequest()) == TaskCounts(mine=1, groups=3, all=3)
    assert await boss.count_tasks(CountTasksRequest()) == TaskCounts(mine=0, groups=0, all=3)
    assert await world.tenant().person("eve").count_tasks(CountTasksRequest()) == TaskCounts(mine=0, groups=0, all=0)

"""The MCP door before a real task-service, with events over NATS: agents ask, people answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from mcp import Client
from mcp.types import CallToolResult
from mcp_world import MODERN, McpWorld, Migrated, mcp_door
from orkestra.chassis import streams
from orkestra.chassis.relay import Relay
from orkestra.mcp_gateway.tools.news import News
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    ClaimTaskRequest,
    CompleteTaskRequest,
    GetEscalationCheckRequest,
    ListTasksRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    TaskStatus,
)
from orkestra.wire import PermissionDenied
from task_world import Caller, Tenant, World, world

__all__ = ["world"]


@dataclass
class Office:
    """A tenant with an agent, a stranger of the same tenant, and Ana of support-l1."""

    door: McpWorld
    tenant: Tenant
    ana: Caller
    agent: Caller

    @classmethod
    def of(cls, door: McpWorld, world: World) -> "Office":
        tenant = world.tenant()
        office = cls(door, tenant, tenant.person("ana", "support-l1"), tenant.agent(on_behalf_of=["*"]))
        know = door.rooms.know
        know(office.key("real"), subject=office.agent.id, tenant_id=tenant.id)
        know(office.key("other"), subject=tenant.agent().id, tenant_id=tenant.id)
        know(office.key("elsewhere"), subject=office.agent.id, tenant_id=world.tenant().id)
        return office

    def key(self, whose: str) -> str:
        """Returns a key of this tenant alone: doors trust what they know of a key for a second."""
        return f"ork_{whose}_{self.tenant.id}"

    def client(self, whose: str = "real", **options: Any) -> Any:
        return self.door.client(MODERN, self.key(whose), **options)

    async def waiting(self) -> Task:
        """Returns Ana's next task."""

        async def first() -> Task | None:
            page = await self.ana.list_tasks(ListTasksRequest())
            return page.tasks[0] if page.tasks else None

        return await eventually(first)

    async def completed(self, task: Task, data: dict[str, Any], outcome: str | None = None) -> None:
        await self.ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data, outcome=outcome))


@asynccontextmanager
async def hearing(world: World, nats_url: str) -> AsyncIterator[News]:
    """Tells the events of the room to NATS, and the news from there to the door."""
    nats = await streams.connect(nats_url, name="test")
    news = News(nats)
    loops = [
        asyncio.create_task(Relay(world.url("relay"), nats, schema="task").run()),
        asyncio.create_task(news.run()),
    ]
    try:
        yield news
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)
        await nats.close()


@pytest_asyncio.fixture(scope="module")
async def door(world: World, migrated: Migrated, nats_url: str) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with (
        hearing(world, nats_url) as news,
        mcp_door(world.signer, schema.app_url, tasks=world.channel, news=news) as one,
    ):
        yield one


@pytest.fixture
def office(door: McpWorld, world: World) -> Office:
    return Office.of(door, world)


async def call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert isinstance(answer, CallToolResult)
    assert answer.is_error is False, answer.content
    assert answer.structured_content is not None
    return dict(answer.structured_content)


async def refused(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    answer = await client.call_tool(tool, arguments)
    assert isinstance(answer, CallToolResult)
    assert answer.is_error is True
    return "\n".join(block.text for block in answer.content if block.type == "text")


async def test_a_person_answers_and_the_agent_has_it_within_a_second(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orkestra.mcp_gateway.tools.waiting.LOOK_SECONDS", 20.0)  # only the news can be this fast
    async with office.client() as client:
        question = {"question": "May I return it?", "groups": ["support-l1"], "options": ["yes", "no"]}
        asking = asyncio.create_task(call(client, "ask_human", question | {"wait_seconds": 40}))
        task = await office.waiting()
        assert (task.title, task.requested_by) == ("May I return it?", office.agent.id)
        await office.completed(task, {"answer": "yes"})
        answered_at = time.monotonic()
        answer = await asking
        assert time.monotonic() - answered_at < 1
    assert (answer["status"], answer["result"], answer["completed_by"]) == (
        "completed",
        {"answer": "yes"},
        office.ana.id,
    )


async def test_an_approval_is_executed_once(office: Office) -> None:
    approval = {"action": "refund", "args": {"order": 7}, "groups": ["support-l1"], "idempotency_key": "r-7"}
    async with office.client() as client:
        first = await call(client, "request_approval", approval | {"wait_seconds": 0})
        again = await call(client, "request_approval", approval | {"wait_seconds": 0})
        assert first["task_id"] == again["task_id"]
        await office.completed(await office.waiting(), {}, "approve")
        approved = await call(client, "task_wait", {"task_id": first["task_id"]})
        receipt = {"token": approved["receipt"]["token"]}
        used = await call(client, "receipt_redeem", receipt | {"use_id": "once"})
        repeated = await call(client, "receipt_redeem", receipt | {"use_id": "once"})
        twice = await refused(client, "receipt_redeem", receipt | {"use_id": "twice"})
    assert (approved["outcome"], used["use_id"]) == ("approve", "once")
    assert used == repeated
    assert "RECEIPT" in twice


async def test_a_rejected_action_is_not_to_be_executed(office: Office) -> None:
    async with office.client() as client:
        asked = {"action": "refund", "args": {"order": 8}, "groups": ["support-l1"], "wait_seconds": 0}
        task_id = (await call(client, "request_approval", asked))["task_id"]
        await office.completed(await office.waiting(), {"comment": "Too late."}, "reject")
        answer = await call(client, "task_wait", {"task_id": task_id})
    assert (answer["outcome"], answer["result"]) == ("reject", {"comment": "Too late."})
    assert "do not execute" in answer["next"]


async def test_a_reviewer_asks_back_and_gets_its_answer(office: Office) -> None:
    async with office.client() as client:
        task_id = (await call(client, "task_create", {"title": "Check this", "groups": ["support-l1"]}))["task_id"]
        await office.ana.claim_task(ClaimTaskRequest(task_id=task_id))
        waiting = asyncio.create_task(call(client, "task_wait", {"task_id": task_id, "wait_seconds": 40}))
        await office.ana.request_changes(RequestChangesRequest(task_id=task_id, message="Which order?"))
        asked = await asyncio.wait_for(waiting, 5)
        assert asked["answer_needed"] == {"task_id": task_id, "message": "Which order?"}
        answered = await call(client, "task_answer", {"task_id": task_id, "message": "Order 7."})
        await call(client, "task_comment", {"task_id": task_id, "text": "It is urgent."})
        conversation = await client.read_resource(f"orkestra://tasks/{task_id}/conversation")
    assert answered["status"] == "claimed"
    text = conversation.contents[0].text
    assert "Which order?" in text
    assert "Order 7." in text
    assert "It is urgent." in text


@pytest.mark.parametrize("whose", ["other", "elsewhere"])
async def test_what_an_agent_asked_for_is_its_own(office: Office, whose: str) -> None:
    async with office.client() as client:
        task_id = (await call(client, "task_create", {"title": "Mine", "groups": ["support-l1"]}))["task_id"]
        mine = await call(client, "task_list", {})
    async with office.client(whose) as stranger:
        assert (await call(stranger, "task_list", {}))["tasks"] == []
        for tool, more in (("task_get", {}), ("task_cancel", {}), ("task_comment", {"text": "t"})):
            assert "TASK_NOT_FOUND" in await refused(stranger, tool, {"task_id": task_id} | more)
    assert [task["task_id"] for task in mine["tasks"]] == [task_id]


async def test_an_agent_decides_nothing(office: Office) -> None:
    async with office.client() as client:
        task_id = (await call(client, "task_create", {"title": "Mine", "groups": ["support-l1"]}))["task_id"]
        cancelled = await call(client, "task_create", {"title": "Not needed"})
        ended = await call(client, "task_cancel", {"task_id": cancelled["task_id"], "reason": "Solved."})
    assert (ended["status"], ended["reason"]) == ("cancelled", "Solved.")
    with pytest.raises(PermissionDenied):
        await office.agent.claim_task(ClaimTaskRequest(task_id=task_id))
    with pytest.raises(PermissionDenied):
        await office.agent.complete_task(CompleteTaskRequest(task_id=task_id, data={"answer": "a"}))


async def test_what_is_not_sent_yet_is_not_shown(office: Office) -> None:
    async with office.client() as client:
        task_id = (await call(client, "task_create", {"title": "Mine", "groups": ["support-l1"]}))["task_id"]
        await office.ana.claim_task(ClaimTaskRequest(task_id=task_id))
        await office.ana.save_draft(SaveDraftRequest(task_id=task_id, data={"answer": "half a th"}))
        seen = await call(client, "task_get", {"task_id": task_id})
        read = await client.read_resource(f"orkestra://tasks/{task_id}")
    assert "half a th" not in str(seen)
    assert "half a th" not in str(read.contents)


async def test_what_becomes_of_a_check_is_recorded_with_it(office: Office) -> None:
    async with office.client() as client:
        check = await call(client, "escalation_check", {"topic": "returns", "confidence": 0.4})
        context = {"agent": {"name": "bot", "confidence": 0.4, "check_id": check["check_id"]}}
        asked = {"title": "May it go back?", "groups": ["support-l1"], "context": context}
        opened = await call(client, "task_create", asked | {"draft": {"answer": {"value": "No."}}})
        await office.completed(await office.waiting(), {"answer": "Yes."})
    recorded = await office.agent.get_escalation_check(GetEscalationCheckRequest(check_id=check["check_id"]))
    assert (recorded.task_id, recorded.task_status) == (opened["task_id"], TaskStatus.COMPLETED)
    assert recorded.kept_draft is False
    assert check["check_id"] in check["next"]


async def test_an_unsure_agent_is_told_to_hand_over(office: Office) -> None:
    async with office.client() as client:
        unsure = await call(client, "escalation_check", {"topic": "returns", "confidence": 0.4})
        sure = await call(client, "escalation_check", {"topic": "returns", "confidence": 0.95})
    assert (unsure["decision"], sure["decision"]) == ("escalate", "proceed")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"groups": ["nobody-there"]}, "groups"),
        ({"assignees": ["nobody@nowhere.example"]}, "assignees"),
        ({"deadline": "tomorrow"}, "deadline"),
        ({"form": {"a": {"type": "colour"}}}, "form"),
    ],
)
async def test_what_the_room_refuses_is_named_as_the_agent_named_it(
    office: Office, arguments: dict[str, Any], path: str
) -> None:
    async with office.client() as client:
        told = await refused(client, "ask_human", {"question": "q", "wait_seconds": 0} | arguments)
    assert f"- {path}" in told

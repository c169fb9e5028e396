"""Asking people over MCP: questions, approvals, waits, answers to reviewers; in both eras of the protocol."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from mcp.types import CallToolResult
from mcp_world import ERAS, ROUND, McpWorld, Migrated, asked_task, mcp_door
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    Comment,
    CreateTaskRequest,
    EscalationCheck,
    ListTasksResponse,
    Priority,
    Redemption,
    Task,
)
from orkestra.wire import Context, FailedPrecondition, FieldError, InvalidArgument, Model

TASK = asked_task().task_id
RECEIPT = {
    "task_id": TASK,
    "revision": 1,
    "outcome": "approve",
    **dict.fromkeys(("action_digest", "form_digest", "shown_digest"), "0" * 64),
    "decided_by": "user_ben",
    "decided_at": "2030-01-31T12:01:00Z",
    "expires_at": "2030-01-31T13:01:00Z",
    "token": "signed.by.us",
}


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_asked(door: McpWorld) -> None:
    door.rooms.reset()


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def call(door: McpWorld, era: str, tool: str, arguments: dict[str, Any], **more: Any) -> CallToolResult:
    async with door.client(era) as client:
        answer = await client.call_tool(tool, arguments, **more)
    assert isinstance(answer, CallToolResult)
    return answer


def content(answer: CallToolResult) -> dict[str, Any]:
    assert answer.is_error is False, answer.content
    assert answer.structured_content is not None
    return dict(answer.structured_content)


def text_of(answer: Any) -> str:
    return "\n".join(block.text for block in answer.content)


def opened(door: McpWorld) -> CreateTaskRequest:
    (asked,) = [asked.request for asked in door.rooms.asked if asked.rpc == "create_task"]
    assert isinstance(asked, CreateTaskRequest)
    return asked


async def test_a_question_is_answered_while_the_call_waits(door: McpWorld, era: str) -> None:
    states = iter([asked_task(), asked_task(status="completed", version=2, result={"answer": "Yes."})])

    async def looked_at(_ctx: Context, _request: Model) -> Model:
        return next(states)

    door.rooms.answer("create_task", asked_task())
    door.rooms.answer("get_task", looked_at)
    asking = asyncio.create_task(call(door, era, "ask_human", {"question": "May I?", "groups": ["support-l1"]}))
    await eventually(lambda: any(asked.rpc == "get_task" for asked in door.rooms.asked))
    told_at = time.monotonic()
    await door.news.hear("task", TASK)
    answer = content(await asking)
    assert time.monotonic() - told_at < 1
    assert (answer["status"], answer["result"]) == ("completed", {"answer": "Yes."})
    assert "not as instructions" in answer["next"], "what people wrote is marked"
    assert opened(door).title == "May I?"
    assert opened(door).candidate_groups == ["support-l1"]


async def test_a_question_that_takes_longer_gives_a_handle_and_what_to_call_next(door: McpWorld, era: str) -> None:
    sla = {"policy": {}, "breached": False, "escalation_level": 0, "complete_by": "2030-01-31T14:30:00Z"}
    task = asked_task(sla=sla)
    door.rooms.answer("create_task", task)
    door.rooms.answer("get_task", task)
    answer = content(await call(door, era, "ask_human", {"question": "May I?", "wait_seconds": 0}))
    assert (answer["task_id"], answer["status"]) == (TASK, "open")
    assert f"task_wait with task_id {TASK}" in answer["next"]
    assert "waiting for support-l2, due 2030-01-31 14:30 UTC" in answer["next"]


async def test_everything_that_the_person_should_know_is_handed_over(door: McpWorld, era: str) -> None:
    door.rooms.answer("create_task", asked_task())
    door.rooms.answer("get_task", asked_task())
    question = "Is this right?\n" + "long " * 100
    arguments = {
        "question": question,
        "context": {
            "conversation": [{"role": "user", "text": "Hi"}],
            "summary": "s",
            "data": {"n": 2**70},
            "links": [{"label": "case", "url": "https://case.example/1"}],
            "agent": {"name": "bot", "confidence": 0.4},
        },
        "options": ["yes", "no"],
        "assignees": ["ana@demo.example"],
        "urgency": "high",
        "deadline": "2h",
        "on_behalf_of": "cus@demo.example",
        "wait_seconds": 0,
        "idempotency_key": "k-1",
    }
    content(await call(door, era, "ask_human", arguments))
    request = opened(door)
    assert len(request.title) == 300
    assert request.description == question
    assert request.context is not None
    assert request.context.data == {"n": 2**70}
    assert request.context.agent is not None
    assert request.form is not None
    assert [option["value"] for option in request.form["answer"]["options"]] == ["yes", "no"]
    assert (request.candidate_users, request.priority) == (["ana@demo.example"], Priority.HIGH)
    assert request.sla is not None
    assert (request.sla.complete, request.on_behalf_of) == ("2h", "cus@demo.example")
    ctx = door.rooms.asked[0].ctx
    assert (ctx.door, ctx.request_id) == ("mcp", "k-1")


async def test_a_form_and_options_together_are_refused(door: McpWorld, era: str) -> None:
    arguments = {"question": "q", "form": {"a": {"type": "text"}}, "options": ["a"]}
    answer = await call(door, era, "ask_human", arguments)
    assert answer.is_error is True
    assert "- options: Give a form or options" in text_of(answer)
    assert door.rooms.asked == []


async def test_a_rooms_refusal_names_the_argument(door: McpWorld, era: str) -> None:
    errors = [FieldError("candidate_groups[0]", "unknown", "No such group."), FieldError("sla.complete", "x", "Odd.")]
    told = "candidate_groups[0]: No such group."
    door.rooms.answer("create_task", InvalidArgument("TASK_INVALID", told, errors=errors))
    answer = await call(door, era, "ask_human", {"question": "q", "groups": ["nope"], "deadline": "soon"})
    lines = ("TASK_INVALID: groups[0]: No such group.", "- groups[0]: No such group.", "- deadline: Odd.")
    assert "\n".join(lines) in text_of(answer)


async def test_an_approval_is_bound_to_the_action_and_carries_its_receipt(door: McpWorld, era: str) -> None:
    door.rooms.answer("create_task", asked_task())
    door.rooms.answer("get_task", asked_task(status="completed", outcome="approve", result={}, receipt=RECEIPT))
    arguments = {"action": "refund", "args": {"order": 7, "amount": "20.00"}, "why": "Late."}
    answer = content(await call(door, era, "request_approval", arguments))
    assert (answer["outcome"], answer["receipt"]["token"]) == ("approve", "signed.by.us")
    assert "receipt_redeem once" in answer["next"]
    action = opened(door).context
    assert action is not None
    assert action.action is not None
    assert (action.action.name, action.action.args) == ("refund", {"order": 7, "amount": "20.00"})


async def test_a_refused_approval_says_not_to_execute(door: McpWorld, era: str) -> None:
    refused = asked_task(status="completed", outcome="reject", receipt=RECEIPT | {"outcome": "reject"})
    door.rooms.answer("create_task", refused)
    door.rooms.answer("get_task", refused)
    answer = content(await call(door, era, "request_approval", {"action": "refund", "args": {}}))
    assert "do not execute" in answer["next"]


async def test_a_wait_returns_at_once_when_the_reviewer_asks_something(door: McpWorld, era: str) -> None:
    door.rooms.answer("get_task", asked_task(status="waiting", change_requests=[ROUND]))
    answer = content(await call(door, era, "task_wait", {"task_id": TASK, "wait_seconds": 50}))
    assert answer["answer_needed"] == {"task_id": TASK, "message": "Which order?"}
    assert f"task_answer with task_id {TASK}" in answer["next"]


async def test_a_wait_tells_its_progress_and_ends_with_the_state_so_far(door: McpWorld, era: str) -> None:
    told: list[str | None] = []

    async def progress(_done: float, _total: float | None, message: str | None) -> None:
        told.append(message)

    door.rooms.answer("get_task", asked_task())
    arguments = {"task_id": TASK, "wait_seconds": 1}
    answer = content(await call(door, era, "task_wait", arguments, progress_callback=progress))
    assert answer["status"] == "open"
    assert told == ["May I?: waiting for support-l2"]


async def test_a_wait_ends_early_when_the_door_closes(signer: Signer, migrated: Migrated, era: str) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as door, door.client(era) as client:
        door.rooms.answer("get_task", asked_task())
        waiting = asyncio.create_task(client.call_tool("task_wait", {"task_id": TASK, "wait_seconds": 50}))
        await eventually(lambda: len(door.rooms.asked) == 1)
        door.drain.begin()
        answer = await asyncio.wait_for(waiting, 3)
    assert answer.structured_content is not None
    assert answer.structured_content["status"] == "open"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("task_get", {}),
        ("task_wait", {}),
        ("task_cancel", {}),
        ("task_answer", {"message": "m"}),
        ("task_comment", {"text": "t"}),
    ],
)
async def test_what_another_asked_for_is_not_there(
    door: McpWorld, era: str, tool: str, arguments: dict[str, Any]
) -> None:
    door.rooms.answer("get_task", asked_task(requested_by="key_of_another"))
    answer = await call(door, era, tool, {"task_id": TASK} | arguments)
    assert answer.is_error is True
    assert "TASK_NOT_FOUND" in text_of(answer)
    assert {asked.rpc for asked in door.rooms.asked} == {"get_task"}


async def test_the_list_has_only_what_the_agent_asked_for(door: McpWorld, era: str) -> None:
    tasks: list[Task] = [asked_task(), asked_task(task_id="task_2", requested_by="key_of_another")]
    door.rooms.answer("list_tasks", ListTasksResponse(tasks=tasks, next_page_token="more"))
    answer = content(await call(door, era, "task_list", {"status": "open"}))
    assert [task["task_id"] for task in answer["tasks"]] == [TASK]
    assert answer["next_page_token"] == "more"


async def test_a_reviewer_is_answered_and_people_are_told(door: McpWorld, era: str) -> None:
    comment = {
        "comment_id": "comment_1",
        "task_id": TASK,
        "author": "ork_agent",
        "text": "t",
        "created_at": "2030-01-31T12:01:00Z",
    }
    door.rooms.answer("get_task", asked_task())
    door.rooms.answer("answer_task", asked_task(version=4))
    door.rooms.answer("add_comment", Comment.model_validate(comment))
    await call(door, era, "task_answer", {"task_id": TASK, "message": "Order 7.", "context": {"summary": "s"}})
    told = content(await call(door, era, "task_comment", {"task_id": TASK, "text": "t", "idempotency_key": "c"}))
    assert told["comment_id"] == "comment_1"
    asked = [one for one in door.rooms.asked if one.rpc != "get_task"]
    assert isinstance(asked[0].request, AnswerTaskRequest)
    assert asked[0].request.message == "Order 7."
    assert asked[1].request == AddCommentRequest(task_id=TASK, text="t")
    assert asked[1].ctx.request_id == "c"


async def test_a_receipt_is_redeemed_and_a_used_one_refused(door: McpWorld, era: str) -> None:
    used = {"task_id": TASK, "use_id": "u", "action_digest": "0", "redeemed_at": "2030-01-31T12:01:00Z"}
    door.rooms.answer("redeem_receipt", Redemption.model_validate(used))
    answer = content(await call(door, era, "receipt_redeem", {"token": "t", "use_id": "u"}))
    assert "Execute the approved action now" in answer["next"]
    door.rooms.answer("redeem_receipt", FailedPrecondition("RECEIPT_USED", "It was used before."))
    again = await call(door, era, "receipt_redeem", {"token": "t", "use_id": "v"})
    assert again.is_error is True
    assert "RECEIPT_USED" in text_of(again)


@pytest.mark.parametrize(("decision", "told"), [("proceed", "by yourself"), ("escalate", "ask_human")])
async def test_a_check_says_whether_to_go_on_alone(door: McpWorld, era: str, decision: str, told: str) -> None:
    check = {
        "check_id": "check_1",
        "decision": decision,
        "reason": "r",
        "threshold": 0.8,
        "sampled": False,
        "policy_version": 0,
        "checked_at": "2030-01-31T12:01:00Z",
        "topic": "returns",
        "confidence": 0.4,
        "checked_by": "key_1",
    }
    door.rooms.answer("check_escalation", EscalationCheck.model_validate(check))
    answer = content(await call(door, era, "escalation_check", {"topic": "returns", "confidence": 0.4}))
    assert answer["decision"] == decision
    assert told in answer["next"]


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("ask_human", {}, "question"),
        ("ask_human", {"question": "q", "context": {"mood": 1}}, "context.mood"),
        (
            "ask_human",
            {"question": "q", "context": {"conversation": [{"role": "user"}]}},
            "context.conversation[0].text",
        ),
        ("ask_human", {"question": "q", "allow_agents": ["me"]}, "allow_agents"),
        ("ask_human", {"question": "q\u0000"}, "question"),
        ("ask_human", {"question": "q", "urgency": "soon"}, "urgency"),
        ("ask_human", {"question": "q", "wait_seconds": 51}, "wait_seconds"),
        ("request_approval", {"action": "a", "args": "{}"}, "args"),
        ("task_create", {"title": "t", "wait_seconds": 5}, "wait_seconds"),
        ("task_list", {"status": "done"}, "status"),
        ("task_answer", {"task_id": TASK, "message": 7}, "message"),
        ("receipt_redeem", {"token": "t"}, "use_id"),
        ("escalation_check", {"topic": "t", "confidence": 1.5}, "confidence"),
    ],
)
async def test_bad_arguments_are_refused_by_name_and_reach_no_room(
    door: McpWorld, era: str, tool: str, arguments: dict[str, Any], path: str
) -> None:
    answer = await call(door, era, tool, arguments)
    assert answer.is_error is True
    assert f"- {path}: " in text_of(answer)
    assert door.rooms.asked == []

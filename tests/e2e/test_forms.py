"""One form at every door: the same errors at the same fields, in the same words."""

import html
import re
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult
from orkestra.testkit.stack import Stack

pytestmark = pytest.mark.xdist_group("stack")

FORM = {
    "reason": {"type": "text", "required": True, "max_length": 5},
    "pieces": {"type": "integer", "max": 9},
    "price": {"type": "money", "currencies": ["EUR"]},
    "contact": {"type": "email"},
    "colleague": {"type": "user"},
    "items": {"type": "table", "columns": {"count": {"type": "integer"}}},
}
WRONG: dict[str, Any] = {
    "reason": "too long",
    "pieces": "many",
    "price": {"amount": "1,5", "currency": "EUR"},
    "contact": "ana",
    "colleague": "nobody@example.com",
    "items": [{"count": 1}, {"count": "x"}],
}
EXPECTED = {
    ("data.reason", "too_long"): "Must have at most 5 characters.",
    ("data.pieces", "wrong_type"): "Must be a whole number.",
    ("data.price.amount", "not_an_amount"): "Must be an amount such as 12.50.",
    ("data.contact", "not_an_email"): "Must be an e-mail address.",
    ("data.colleague", "unknown_user"): "There is no such person in your organisation.",
    ("data.items[1].count", "wrong_type"): "Must be a whole number.",
}


async def ask_over_mcp(stack: Stack, form: Any) -> CallToolResult:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        asked = {"question": "What is right?", "groups": ["support-l1"], "form": form, "wait_seconds": 0}
        result = await client.call_tool("ask_human", asked)
    assert isinstance(result, CallToolResult)
    return result


async def errors_of_the_page(stack: Stack, email: str, task_id: str) -> list[str]:
    """Send the same answer by the page, as a browser without script."""
    password = next(user["password"] for user in stack.info["users"] if user["email"] == email)
    async with httpx.AsyncClient(base_url=stack.info["dashboard"], timeout=60) as http:
        signed_in = await http.post("/sign-in", data={"email": email, "password": password})
        assert signed_in.status_code == 303, signed_in.text
        http.headers["cookie"] = signed_in.headers["set-cookie"].partition(";")[0]
        csrf = re.findall(r'name="csrf" value="([0-9a-f]{64})"', (await http.get(f"/tasks/{task_id}")).text)
        flat = {"price.amount": "1,5", "price.currency": "EUR", "items.0.count": "1", "items.1.count": "x"}
        typed = {name: value for name, value in WRONG.items() if isinstance(value, str)} | flat
        posted = {"csrf": csrf[0]} | {f"data.{name}": value for name, value in typed.items()}
        answer = await http.post(f"/tasks/{task_id}/complete", data=posted)
    assert answer.status_code == 422
    return [html.unescape(text) for text in re.findall(r'<p class="error"[^>]*>([^<]+)</p>', answer.text)]


async def test_an_answer_of_wrong_types_gets_the_same_errors_by_field_at_every_door(stack: Stack) -> None:
    asked = await ask_over_mcp(stack, FORM)
    assert asked.structured_content is not None
    task_id = asked.structured_content["task_id"]
    email = stack.member_of("support-l1")
    async with stack.rest(email=email) as http:
        refused = await http.post(f"/v1/tasks/{task_id}/complete", json={"data": WRONG})
        german = await http.post(
            f"/v1/tasks/{task_id}/complete", json={"data": WRONG}, headers={"accept-language": "de-AT, en;q=0.5"}
        )
        after = (await http.get(f"/v1/tasks/{task_id}")).json()
    assert refused.status_code == 422
    assert {(each["path"], each["code"]): each["message"] for each in refused.json()["errors"]} == EXPECTED
    told = {each["path"]: each["message"] for each in german.json()["errors"]}
    assert (told["data.pieces"], told["data.contact"]) == (
        "Muss eine ganze Zahl sein.",
        "Muss eine E-Mail-Adresse sein.",
    )
    assert (after["status"], after["result"]) == ("open", None)
    assert sorted(await errors_of_the_page(stack, email, task_id)) == sorted(EXPECTED.values())


async def test_a_wrong_form_gets_every_error_over_mcp_and_rest(stack: Stack) -> None:
    wrong = {"a": {"type": "colour"}, "b": {"type": "text", "max": 3}, "c": {"type": "text", "pattern": "(?=x)"}}
    places = {"form.a.type", "form.b.max", "form.c.pattern"}
    refused = await ask_over_mcp(stack, wrong)
    assert refused.is_error
    told = "\n".join(block.text for block in refused.content if block.type == "text")
    assert {place for place in places if place in told} == places
    async with stack.rest(key="agent") as http:
        answer = await http.post("/v1/tasks", json={"title": "x", "form": wrong, "candidate_groups": ["support-l1"]})
    assert (answer.status_code, {each["path"] for each in answer.json()["errors"]}) == (422, places)

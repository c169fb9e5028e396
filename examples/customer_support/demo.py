"""Plays the story against a running stack: an agent asks over MCP, a person answers over REST."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

QUESTION = {"question": "May I return an opened headset?", "conversation_id": "conv-17", "customer_id": "cust-4"}
HANDOFF = {
    "summary": "The customer wants to return an opened headset; the FAQ does not say whether that is allowed.",
    "conversation": [
        {"role": "user", "text": "I opened the box of my headset. May I still return it?"},
        {"role": "assistant", "text": "I am not sure. I am asking a colleague."},
    ],
    "agent": {"name": "support-bot", "confidence": 0.41},
}
ANSWER = {"answer": "Yes, within 30 days, with the box.", "sentiment": "neutral"}


class Steps:
    """Prints each step with the seconds since the first."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.2f} s  {text}", flush=True)


@asynccontextmanager
async def agent(stack: dict[str, Any]) -> AsyncIterator[Client]:
    """Connect to the MCP door with the official client and the demo agent's key."""
    headers = {"authorization": f"Bearer {stack['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=90) as http,
        Client(streamable_http_client(stack["mcp"], http_client=http)) as client,
    ):
        yield client


async def call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a tool and return its structured answer; a refusal ends the demo with its text."""
    answer = await client.call_tool(tool, arguments)
    if answer.is_error:
        raise SystemExit(f"{tool} was refused: {answer.content}")
    return dict(answer.structured_content or {})


@asynccontextmanager
async def person(stack: dict[str, Any], group: str) -> AsyncIterator[httpx.AsyncClient]:
    """Sign in the first demo user of a group at the REST door."""
    user = next(user for user in stack["users"] if group in user["groups"])
    async with httpx.AsyncClient(base_url=stack["rest"], timeout=60) as http:
        session = await http.post("/v1/sessions", json={"email": user["email"], "password": user["password"]})
        session.raise_for_status()
        http.headers["authorization"] = f"Bearer {session.json()['token']}"
        yield http


async def find_task(http: httpx.AsyncClient, workflow_id: str, *, seconds: float = 10) -> dict[str, Any]:
    """Look into the person's list until the workflow's task is there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).raise_for_status().json()
        if page["tasks"]:
            task: dict[str, Any] = (await http.get(f"/v1/tasks/{page['tasks'][0]['task_id']}")).json()
            return task
        await asyncio.sleep(0.05)
    raise SystemExit(f"No task of {workflow_id} appeared within {seconds:.0f} seconds; is the worker running?")


async def answer_as_person(stack: dict[str, Any], workflow_id: str, steps: Steps) -> None:
    """Find the task in the group's list, claim it and complete it."""
    async with person(stack, "support-l1") as http:
        task = await find_task(http, workflow_id)
        steps.say(f"person    finds {task['task_id']}: {task['title']!r}, {task['description']!r}")
        for message in task["context"]["conversation"]:
            steps.say(f"            {message['role']}: {message['text']}")
        (await http.post(f"/v1/tasks/{task['task_id']}/claim", json={})).raise_for_status()
        steps.say("person    claims it")
        (await http.post(f"/v1/tasks/{task['task_id']}/complete", json={"data": ANSWER})).raise_for_status()
        steps.say(f"person    completes it: {ANSWER['answer']!r}")


async def story_over_mcp(stack: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Play the story with an agent at the MCP door; returns the workflow's result."""
    async with agent(stack) as client:
        arguments = {"definition": "customer-support", "input": QUESTION, "handoff": HANDOFF}
        started = await call(client, "workflow_start", arguments)
        workflow_id = started["workflow_id"]
        steps.say(f"agent     workflow_start over MCP: {workflow_id} is {started['status']}")
        answering = asyncio.create_task(answer_as_person(stack, workflow_id, steps))
        done = await call(client, "workflow_result", {"workflow_id": workflow_id, "wait_seconds": 30})
        await answering
        steps.say(f"agent     workflow_result: {json.dumps(done['result'])}")
        return dict(done["result"])


async def story_over_rest(stack: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Play the same story with an outside system at the REST door; returns the workflow's result."""
    headers = {"authorization": f"Bearer {stack['api_keys']['system']}"}
    async with httpx.AsyncClient(base_url=stack["rest"], headers=headers, timeout=60) as http:
        body = {"definition": "customer-support", "input": QUESTION, "handoff": HANDOFF}
        started = (await http.post("/v1/workflows", json=body)).raise_for_status().json()
        workflow_id = started["workflow_id"]
        steps.say(f"system    POST /v1/workflows: {workflow_id} is {started['status']}")
        answering = asyncio.create_task(answer_as_person(stack, workflow_id, steps))
        done = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).raise_for_status().json()
        await answering
        steps.say(f"system    GET /v1/workflows/…/result: {json.dumps(done['result'])}")
        return dict(done["result"])


async def story_of_silence(stack: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Nobody answers: after 1 s the task goes to support-l2 as well, after 3 s it expires; returns the failed run."""
    headers = {"authorization": f"Bearer {stack['api_keys']['system']}"}
    async with httpx.AsyncClient(base_url=stack["rest"], headers=headers, timeout=60) as http:
        body = {"definition": "customer-support-quick", "input": QUESTION, "handoff": HANDOFF}
        started = (await http.post("/v1/workflows", json=body)).raise_for_status().json()
        workflow_id = started["workflow_id"]
        steps.say(f"system    starts customer-support-quick, whose task may wait for 3 seconds: {workflow_id}")
        async with person(stack, "support-l2") as second_line:
            task = await find_task(second_line, workflow_id)
            steps.say(f"clock     nobody in support-l1 answered; {task['candidate_groups']} may answer now")
        done = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).raise_for_status().json()
        steps.say(f"clock     the time to complete ran out; the workflow is {done['status']}: {done['failure']}")
        return dict(done)


async def play(stack: dict[str, Any]) -> int:
    """Play the three stories; 0 when each ended as it should."""
    steps = Steps()
    expected = {"answer": ANSWER["answer"], "handled_by": "human"}
    over_mcp = await story_over_mcp(stack, steps)
    over_rest = await story_over_rest(stack, steps)
    silent = await story_of_silence(stack, steps)
    good = over_mcp == over_rest == expected and silent["status"] == "failed"
    steps.say("The story ran as it should." if good else "The story did NOT run as it should.")
    return 0 if good else 1


def main() -> None:
    """Read stack.json and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--state-dir", type=Path, default=Path(".orkestra"), help="where `orkestra dev` keeps stack.json"
    )
    path = parser.parse_args().state_dir / "stack.json"
    if not path.exists():
        sys.exit(f"There is no {path}: start the stack with `make up` in another terminal, or give --state-dir.")
    sys.exit(asyncio.run(play(json.loads(path.read_text("utf-8")))))


if __name__ == "__main__":
    main()

"""A person at the REST door, played by a program so that the demo needs nobody."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx


@asynccontextmanager
async def signed_in(rest: str, email: str, password: str) -> AsyncIterator["Person"]:
    """Sign in with e-mail and password."""
    async with httpx.AsyncClient(base_url=rest, timeout=60) as http:
        session = await http.post("/v1/sessions", json={"email": email, "password": password})
        token = session.raise_for_status().json()["token"]
        http.headers["authorization"] = f"Bearer {token}"
        yield Person(http, email.partition("@")[0])


class Person:
    """Finds tasks and answers them."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self._http = http
        self.name = name

    async def next_task(self, question: str, *, seconds: float = 15) -> dict[str, Any]:
        """Look into the list until a task with this question is there."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            page = (await self._http.get("/v1/tasks")).raise_for_status().json()
            for task in page["tasks"]:
                whole: dict[str, Any] = (await self._http.get(f"/v1/tasks/{task['task_id']}")).raise_for_status().json()
                if whole["description"] == question:
                    return whole
            await asyncio.sleep(0.1)
        raise TimeoutError(f"No task asks {question!r} after {seconds:.0f} seconds; is the worker running?")

    async def answer(self, question: str, answer: str, say: Callable[[str], None]) -> None:
        """Find the task with this question, read it, claim it and complete it."""
        task = await self.next_task(question)
        say(f"{self.name:9} finds {task['task_id']}: {task['title']!r}")
        for message in task["context"]["conversation"]:
            say(f"{'':9}   {message['role']}: {message['text']}")
        (await self._http.post(f"/v1/tasks/{task['task_id']}/claim")).raise_for_status()
        say(f"{self.name:9} claims it")
        body = {"data": {"answer": answer, "sentiment": "neutral"}}
        (await self._http.post(f"/v1/tasks/{task['task_id']}/complete", json=body)).raise_for_status()
        say(f"{self.name:9} completes it: {answer!r}")

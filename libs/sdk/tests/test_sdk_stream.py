"""What a program hears of what happens, through breaks, repetitions and refusals; the door's side has its own tests."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from orkestra.chassis.http import HttpServer
from orkestra.sdk import Client, Happened
from orkestra.wire import Internal, Unauthenticated, Unavailable
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


def told(number: int, kind: str = "task.claimed") -> str:
    event = {"id": f"e{number}", "type": kind, "subject": "task_1", "version": number, "data": {"task": {"n": number}}}
    event["time"] = "2030-01-31T12:00:00+00:00"
    return f"id: 5f-{number}\ndata: {json.dumps(event)}\n\n"


class Events:
    """A door that tells one text for each connection, and remembers from where it was asked to go on."""

    def __init__(self, answers: Iterable[str | int]) -> None:
        self.answers = iter(answers)
        self.after: list[str | None] = []

    async def answer(self, request: Request) -> Response:
        self.after.append(request.headers.get("last-event-id"))
        answer = next(self.answers, 401)
        if isinstance(answer, int):
            return JSONResponse({"code": "NO", "detail": "No.", "errors": []}, answer)

        async def text() -> AsyncIterator[str]:
            yield answer

        return StreamingResponse(text(), media_type="text/event-stream")


@asynccontextmanager
async def door(*answers: str | int, patience: float = 5) -> AsyncIterator[tuple[Events, Client]]:
    events = Events(answers)
    server = HttpServer(
        Starlette(routes=[Route("/v1/events", events.answer)]), host="127.0.0.1", port=0, drain_seconds=1
    )
    await server.start()
    try:
        async with Client(f"http://127.0.0.1:{server.port}/", "ork_known", patience=patience) as client:
            yield events, client
    finally:
        await server.stop()


async def heard(client: Client, *, after: str | None = None) -> list[Happened]:
    """What is told until the credential ends."""
    found = list[Happened]()
    try:
        async for one in client.stream(after=after):
            found.append(one)
    except Unauthenticated:
        pass
    return found


async def test_a_stream_goes_on_where_it_broke_and_tells_each_event_once() -> None:
    async with door(told(1) + told(2), 503, told(2) + told(3) + "id: 5f-9\n\n", "retry: 1000\n\n") as (events, client):
        found = await heard(client)
    assert [one.id for one in found] == ["e1", "e2", "e3"]
    assert (found[0].type, found[0].subject, found[0].data) == ("task.claimed", "task_1", {"task": {"n": 1}})
    assert events.after == [None, "5f-2", "5f-2", "5f-9", "5f-9"]


async def test_a_place_that_is_no_longer_known_is_told_as_a_reset() -> None:
    reset = 'id: 60-7\nevent: reset\ndata: {"type": "reset"}\n\n'
    async with door(reset + told(8)) as (events, client):
        found = await heard(client, after="5f-1")
    assert [(one.type, one.place) for one in found] == [("reset", "60-7"), ("task.claimed", "5f-8")]
    assert events.after[0] == "5f-1"


async def test_a_door_that_stays_away_and_one_that_is_none_are_said() -> None:
    async with door(*[503] * 20, patience=0.5) as (_, client):
        with pytest.raises(Unavailable):
            await anext(client.stream())
    async with door("id: 1\ndata: <html>\n\n") as (_, client):
        with pytest.raises(Internal) as unreadable:
            await anext(client.stream())
    assert unreadable.value.reason == "ANSWER_UNREADABLE"

"""What one client can take of a server: heads and bodies that are too large or too slow are refused or cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from orkestra.chassis.door import Envelope, Message, Receive, Scope, Send, read_body
from orkestra.chassis.http import HEAD_BYTES, MOST_HEADERS, HttpServer
from orkestra.wire import DeadlineExceeded
from structlog.testing import capture_logs

GET = b"GET / HTTP/1.1\r\nhost: x\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers its length."""
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message: Message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(**options: float) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = HttpServer(hello, host="127.0.0.1", port=0, drain_seconds=1, **options)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield reader, writer
    writer.close()
    await server.stop()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The status line of the next answer, empty where the connection was cut."""
    try:
        return await asyncio.wait_for(reader.readline(), 20)
    except ConnectionResetError:
        return b""


async def test_one_connection_serves_one_request_after_another() -> None:
    async with connected() as (reader, writer):
        for length in (0, 100_000, 7):
            writer.write(GET + b"content-length: %d\r\n\r\n" % length + b"x" * length)
            assert await answered(reader) == b"HTTP/1.1 200 OK\r\n"
            while await reader.readline() != b"\r\n":
                pass
            assert await reader.readexactly(len(str(length))) == str(length).encode()


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\n", GET + b"Host: y\r\n", GET + b"host: x\r\n"], ids=["none", "two", "one twice"]
)
async def test_a_request_names_its_host_once(head: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(head + b"content-length: 1\r\n\r\nx")
        answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nA request has one Host header.")


async def test_a_client_of_http_1_0_names_no_host() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await answered(reader)).endswith(b" 200 OK\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"x-%d: y\r\n" % number for number in range(MOST_HEADERS)),
        b"x: " + b"y" * HEAD_BYTES + b"\r\n",
        b"".join(b"x-%d: " % number + b"y" * 2000 + b"\r\n" for number in range(50)),
        b"x: " + b"y" * HEAD_BYTES * 8,
        b"x" * HEAD_BYTES * 8,
    ],
    ids=["many", "one large", "many large", "a header without an end", "a name without an end"],
)
async def test_a_head_that_is_too_large_is_refused_and_the_connection_ends(head: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(GET + head + b"\r\n")
        assert await answered(reader) in (b"HTTP/1.1 400 Bad Request\r\n", b"")
        writer.close()


async def test_an_address_that_is_too_long_is_refused() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /?" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\n\r\n")
        assert await answered(reader) in (b"HTTP/1.1 400 Bad Request\r\n", b"")


async def test_a_head_that_does_not_end_in_time_is_cut_off_and_so_is_the_next_one() -> None:
    for first in (b"", GET + b"\r\n"):
        async with connected(head_seconds=0.3) as (reader, writer):
            if first:
                writer.write(first)
                await reader.readuntil(b"\r\n\r\n0")
            writer.write(b"GET / HT")
            assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_a_slow_body_does_not_count_as_a_slow_head() -> None:
    async with connected(head_seconds=0.2) as (reader, writer):
        writer.write(GET + b"content-length: 2\r\n\r\na")
        await asyncio.sleep(0.5)
        writer.write(b"b")
        assert await answered(reader) == b"HTTP/1.1 200 OK\r\n"


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    with pytest.raises(DeadlineExceeded) as refused:
        await read_body(never(), declared="", limit=10, seconds=0.05)
    assert refused.value.reason == "REQUEST_TIMED_OUT"


async def test_the_token_of_a_link_is_in_no_line_of_the_log() -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {"token": "orl_secret"}  # as routing leaves it
        await hello(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        await asyncio.sleep(0)

    with capture_logs() as lines:
        scope = {"type": "http", "method": "GET", "path": "/password/orl_secret", "headers": []}
        await Envelope(page)(scope, receive, send)
    assert [line["path"] for line in lines] == ["/password/{token}"]

"""Bad input at every endpoint: a problem document, and nothing reaches a room."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.api_gateway.routes.examples import REQUESTS
from orkestra.chassis.tokens import Signer
from rest_world import Migrated, RestWorld, rest_door

LIMIT = 64 * 1024
Bad = tuple[Endpoint, bytes, int, str]


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.verb} {endpoint.path}"


NEEDED = {"slug": "none", "surface": "web"}


def url(endpoint: Endpoint) -> str:
    return endpoint.path.format_map(dict.fromkeys(endpoint.in_path, "x"))


def needed(endpoint: Endpoint) -> dict[str, str]:
    """Query parameters that an endpoint without a body cannot be asked without."""
    if endpoint.has_body:
        return {}
    return {name: NEEDED[name] for name, field in endpoint.open_fields.items() if field.is_required()}


def body_of(endpoint: Endpoint, **changes: Any) -> bytes:
    return json.dumps(REQUESTS.get(endpoint.takes, {}) | changes).encode()


def bad_bodies(endpoint: Endpoint) -> Iterator[Bad]:
    """Each body that is wrong for an endpoint, with the status and the code that it gets."""
    for torn in (b"{", b"not json", b"{'a': 1}", b'{"a": 1} x', b"\xff\xfe{}", b"\x00"):
        yield endpoint, torn, 400, "BODY_NOT_JSON"
    for other in (b"[]", b"null", b"7", b'"text"'):
        yield endpoint, other, 422, "REQUEST_INVALID"
    yield endpoint, body_of(endpoint, surprise=1), 422, "REQUEST_INVALID"
    for value in (b"NaN", b"-Infinity", b"1e999", b'"\\u0000"', b'"\\ud800"', b"[" * 40 + b"]" * 40, b"9" * 5000):
        yield endpoint, b'{"surprise": ' + value + b"}", 422, "REQUEST_INVALID"
    yield endpoint, b'{"reason": "a", "reason": "b"}', 422, "REQUEST_INVALID"
    values: tuple[Any, ...] = ({"a": 1}, [[]], 2**80, True, "\u0000", "\ud800")
    for name in endpoint.open_fields:
        for wrong in values:
            if not _fits(endpoint, name, wrong):
                yield endpoint, body_of(endpoint, **{name: wrong}), 422, "REQUEST_INVALID"
    for name in endpoint.in_path:
        yield endpoint, body_of(endpoint, **{name: "x"}), 422, "REQUEST_INVALID"
    if any(field.is_required() for field in endpoint.open_fields.values()):
        yield endpoint, b"{}", 422, "REQUEST_INVALID"
        yield endpoint, b"", 422, "REQUEST_INVALID"
    yield endpoint, body_of(endpoint)[:-1] + b" " * LIMIT + b"}", 413, "BODY_TOO_LARGE"


def _fits(endpoint: Endpoint, name: str, value: object) -> bool:
    """Whether a value of the wrong kind for most fields is right for this one."""
    kind = endpoint.open_fields[name].annotation
    if kind is Any:  # any JSON, which text with NUL or half a character is not
        return not isinstance(value, str)
    if kind in (float, float | None):
        return type(value) is int
    if kind in (bool, bool | None):
        return value is True
    return isinstance(value, dict) and kind in (dict[str, Any], dict[str, Any] | None)


WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.has_body]
WITHOUT_BODY = [endpoint for endpoint in ENDPOINTS if not endpoint.has_body]
CLOSED = [endpoint for endpoint in ENDPOINTS if not endpoint.is_open]


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url, body_limit=LIMIT) as world:
        yield world


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-request-id" in answer.headers
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "errors"}
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:orkestra:error:{code}")
    assert problem["detail"]
    if code == "REQUEST_INVALID":
        assert problem["errors"]
        assert all(error.keys() == {"path", "code", "message"} for error in problem["errors"])


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
async def test_a_bad_body_is_a_problem_and_reaches_no_room(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    headers = {"content-type": "application/json"}
    for _, body, status, code in bad_bodies(endpoint):
        answer = await door.http.request(endpoint.verb, url(endpoint), content=body, headers=headers)
        assert_problem(answer, status, code)
    assert door.rooms.asked == []


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
async def test_a_body_that_is_not_declared_json_is_refused(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        headers = {"content-type": kind}
        answer = await door.http.request(endpoint.verb, url(endpoint), content=body_of(endpoint), headers=headers)
        assert_problem(answer, 415, "CONTENT_TYPE_UNSUPPORTED")
    assert door.rooms.asked == []


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
async def test_an_unknown_query_parameter_is_refused(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    answer = await door.http.request(endpoint.verb, url(endpoint), params={"surprise": "1"})
    assert_problem(answer, 422, "REQUEST_INVALID")
    assert answer.json()["errors"][0]["path"] == "surprise"
    assert door.rooms.asked == []


def bad_values(annotation: Any) -> list[str]:
    """Texts that are no value of the type."""
    if annotation in (str, str | None, list[str]):
        return ["a\0b"]
    if annotation in (float, float | None):
        return ["nonsense", "", "nan", "inf"]
    return ["nonsense", "1.5", "", "99999999999999999999"]


@pytest.mark.parametrize("endpoint", WITHOUT_BODY, ids=named)
async def test_a_bad_query_parameter_is_refused_by_name(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    for name, field in endpoint.open_fields.items():
        for value in bad_values(field.annotation):
            params = needed(endpoint) | {name: value}
            answer = await door.http.request(endpoint.verb, url(endpoint), params=params)
            assert_problem(answer, 422, "REQUEST_INVALID")
            assert answer.json()["errors"][0]["path"].partition("[")[0] == name
        if field.annotation == list[str]:
            continue
        twice = await door.http.request(endpoint.verb, url(endpoint), params=[(name, "1"), (name, "1")])
        assert_problem(twice, 422, "REQUEST_INVALID")
    assert door.rooms.asked == []


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.in_path], ids=named)
async def test_a_nul_in_the_path_is_refused(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    path = endpoint.path.format_map(dict.fromkeys(endpoint.in_path, "a%00b"))
    answer = await door.http.request(
        endpoint.verb,
        path,
        content=body_of(endpoint) if endpoint.has_body else None,
        headers={"content-type": "application/json"},
    )
    assert_problem(answer, 422, "REQUEST_INVALID")
    assert door.rooms.asked == []


@pytest.mark.parametrize("endpoint", CLOSED, ids=named)
async def test_without_a_good_credential_nothing_is_asked(door: RestWorld, endpoint: Endpoint) -> None:
    door.rooms.reset()
    async with httpx.AsyncClient(base_url=door.http.base_url) as nobody:
        for header, code in (
            (None, "CREDENTIAL_REQUIRED"),
            ("Basic eDp5", "CREDENTIAL_REQUIRED"),
            ("Bearer", "CREDENTIAL_REQUIRED"),
            ("Bearer ork_revoked", "CREDENTIAL_INVALID"),
        ):
            headers = {} if header is None else {"authorization": header}
            answer = await nobody.request(endpoint.verb, url(endpoint), headers=headers)
            assert_problem(answer, 401, code)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert door.rooms.asked == []


@pytest.mark.parametrize("endpoint", [e for e in CLOSED if e.in_path], ids=named)
async def test_what_the_room_does_not_show_is_404(door: RestWorld, endpoint: Endpoint) -> None:
    body = body_of(endpoint) if endpoint.has_body else None
    headers = {"content-type": "application/json"}
    answer = await door.http.request(
        endpoint.verb, url(endpoint), params=needed(endpoint), content=body, headers=headers
    )
    assert_problem(answer, 404, "NOTHING_HERE")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/task", "/v1/tasks/", "/v1/tasks/a/b/c", "/docs", "/v2/tasks", "/%00", "/v1/%00/%0a%ff"]
)
async def test_an_unknown_path_is_a_problem(door: RestWorld, path: str) -> None:
    assert_problem(await door.http.get(path), 404, "ROUTE_NOT_FOUND")


async def test_another_method_is_a_problem_that_lists_the_right_ones(door: RestWorld) -> None:
    answer = await door.http.put("/v1/workflows", json={})
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, POST"


async def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(door: RestWorld) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    head = f"POST /v1/workflows HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ork_known\r\nContent-Length: {10**9}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 413")
    assert "connection: close" in answer.lower()
    assert "BODY_TOO_LARGE" in answer


async def test_a_body_without_a_length_is_not_read_past_the_limit(door: RestWorld) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 65_536
            yield b" " * 65_536

    try:
        answer = await door.http.post("/v1/workflows", content=endless(), headers={"content-type": "application/json"})
        assert_problem(answer, 413, "BODY_TOO_LARGE")
    except httpx.TransportError:  # the connection is closed while the client is still sending
        pass
    assert sent < 50_000_000


async def test_a_compressed_body_is_not_unpacked(door: RestWorld) -> None:
    door.rooms.reset()
    bomb = gzip.compress(b'{"title": "' + b"x" * 10_000_000 + b'"}')
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = await door.http.post("/v1/tasks", content=bomb, headers=headers)
    assert_problem(answer, 400, "BODY_NOT_JSON")
    assert (len(bomb) < LIMIT, door.rooms.asked) == (True, [])

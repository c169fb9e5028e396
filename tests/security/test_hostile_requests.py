"""Paths that lead out, and words that would be lines of a log: tried at all three doors of a running stack."""

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote, urlsplit

import httpx
import httpx2
import pytest
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from test_dashboard_stores_nothing import pages

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

OUT = (
    *("/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd"),
    *("//etc/passwd", "/%2fetc%2fpasswd", "/....//....//etc/passwd", "/..%5c..%5csettings.py", "/..%c0%afsettings.py"),
    *(
        "/../__main__.py",
        "/..%2f__main__.py",
        "/%252e%252e%252f__main__.py",
        "/%00",
        "/app.css%00.png",
        "/%0d%0ax:%20y",
    ),
)
"""Ways out of a folder, as they stand in a request."""
IDS = (
    "..",
    "%2e%2e",
    "..%2f..%2fv1%2fme",
    "x%2f..%2f..%2fme",
    "%00",
    "a%00b",
    "%0d%0aset-cookie:%20a=b",
    "%ff%fe",
    "%",
)
NAMES = ("../../../etc/passwd.txt", "..\\..\\evil.txt", "/etc/cron.d/evil.txt", 'a"; filename="evil.html.txt')
DOORS = {"api-gateway", "dashboard", "mcp-gateway"}
SERVERS = {"postgres", "nats", "temporal", "orkestra"}
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)


async def raw(door: str, target: str, *headers: str) -> tuple[int, bytes]:
    """Send a GET whose target and headers nobody puts right, and return status and everything that came."""
    place = urlsplit(door)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    lines = (f"GET {target} HTTP/1.1", f"host: {place.netloc}", "connection: close", *headers)
    writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


def head(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[0].lower()


async def session_of(stack: Stack) -> str:
    async with pages(stack, "admin@demo.example") as http:
        return f"cookie: orkestra_session={http.cookies['orkestra_session']}"


@pytest.mark.parametrize("door", ["rest", "mcp", "dashboard"])
async def test_no_path_leads_out_of_what_is_served(stack: Stack, door: str) -> None:
    place = urlsplit(stack.info[door])
    address = f"{place.scheme}://{place.netloc}"
    known = f"authorization: Bearer {stack.info['api_keys']['admin']}"
    credential = await session_of(stack) if door == "dashboard" else known
    if door == "dashboard":
        status, css = await raw(address, "/static/app.css")
        assert (status, b"text/css" in css) == (HTTPStatus.OK, True), "so a file that is served would be seen"
    for folder in ("", "/static", "/v1", "/mcp"):
        for path in OUT:
            status, answer = await raw(address, folder + path, credential)
            assert status in (*range(*REFUSED), HTTPStatus.SEE_OTHER), (folder + path, answer[:300])
            assert b"root:" not in answer, folder + path
            assert b"Composition" not in answer, folder + path
            assert b"import " not in answer, folder + path
            assert b"\r\nx: y" not in head(answer), folder + path


@pytest.mark.parametrize("hostile", IDS)
async def test_an_id_is_never_a_path_of_another_route(stack: Stack, hostile: str) -> None:
    credential = f"authorization: Bearer {stack.info['api_keys']['admin']}"
    paths = {one.path for one in ENDPOINTS if one.in_path and one.verb == "GET"}
    assert len(paths) > 10
    for path in paths:
        target = path.format_map(dict.fromkeys(_named(path), hostile))
        status, answer = await raw(stack.info["rest"], target, credential)
        assert status in range(*REFUSED), (target, answer[:300])
        assert b"set-cookie" not in head(answer), target
    cookie = await session_of(stack)
    for path in ("/tasks/{}", "/tasks/{}/files/{}", "/workflows/{}", "/views/{}", "/confirm/{}", "/people/{}"):
        status, answer = await raw(stack.info["dashboard"], path.replace("{}", hostile), cookie)
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR, (path, answer[:300])
        assert b"set-cookie" not in head(answer), path


async def test_the_name_of_a_file_is_a_name_and_no_path(stack: Stack) -> None:
    async with stack.rest(key="agent") as agent, stack.rest(email=stack.member_of("support-l1")) as person:
        body = {"title": "Files", "candidate_groups": ["support-l1"]}
        task = f"/v1/tasks/{(await agent.post('/v1/tasks', json=body)).raise_for_status().json()['task_id']}"
        (await person.post(f"{task}/claim", json={})).raise_for_status()
        for name in NAMES:
            sent = await person.post(f"{task}/attachments", files={"file": (name, b"words", "text/plain")})
            if sent.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
                continue
            kept = sent.raise_for_status().json()
            assert not {"/", "\\", "\r", "\n", "\0"} & set(kept["name"]), kept
            content = await person.get(f"{task}/attachments/{kept['attachment_id']}/content")
            told = content.raise_for_status().headers["content-disposition"]
            assert told.startswith("attachment"), told
            assert told.count('"') == 2, f"more than the one name: {told}"
        (await agent.post(f"{task}/cancel", json={})).raise_for_status()


def _named(path: str) -> Iterable[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


async def test_nothing_that_is_sent_is_a_line_of_a_log_of_its_own(stack: Stack) -> None:
    mark = f"forged-{token_hex(8)}"
    line = json.dumps({"event": mark, "level": "critical", "service": "identity-service"})
    hostile = f"a\r\n{line}\n\x1b[31m\x1b]0;{mark}\x07\x85\u2028{line}"
    before = {log: log.stat().st_size for log in _logs(stack)}
    await _send_over_http(stack, hostile)
    await _send_over_mcp(stack, hostile)

    async def is_logged() -> bool:
        return {log.stem for log in before if mark.encode() in _added(log, before)} >= DOORS

    await eventually(is_logged, timeout=30)
    for log in before:
        added = _added(log, before)
        assert b"\x1b" not in added, log.name
        for one in added.splitlines():
            if mark.encode() in one:
                said = json.loads(one)
                assert (said["event"] != mark, said["service"] == log.stem) == (True, True), one


async def _send_over_http(stack: Stack, hostile: str) -> None:
    path = quote(hostile, safe="")
    visible = hostile.replace("\r", "").replace("\n", "").encode("utf-8").decode("latin-1")
    key = stack.info["api_keys"]["admin"]
    headers = [f"{name}: {visible}" for name in ("x-request-id", "user-agent", "traceparent", "accept-language")]
    for door, credential in (
        ("rest", f"authorization: Bearer {key}"),
        ("mcp", f"authorization: Bearer {key}"),
        ("dashboard", await session_of(stack)),
    ):
        for target in (f"/v1/tasks/{path}", f"/tasks/{path}", f"/mcp/{path}", f"/tasks?q={path}", f"/{path}"):
            for given in ((), headers):  # some of which no server takes
                status, answer = await raw(stack.info[door], target, credential, *given)
                assert status < HTTPStatus.INTERNAL_SERVER_ERROR, (door, target, answer[:300])
    async with stack.rest(key="admin") as admin, httpx.AsyncClient(base_url=stack.info["rest"]) as nobody:
        answers = [
            await admin.post("/v1/tasks", json={"title": hostile, "candidate_groups": [hostile]}),
            await admin.post("/v1/groups", json={"group_id": hostile, "name": hostile}),
            await admin.post("/v1/workflows", json={"definition": hostile, "input": {hostile: hostile}}),
            await admin.post("/v1/webhooks", json={"url": f"https://{hostile}/", "events": [hostile]}),
            await admin.get("/v1/tasks", params={"page_token": hostile, hostile: hostile}),
            await nobody.post("/v1/sessions", json={"email": hostile, "password": hostile}),
            await nobody.get("/v1/me", headers={"authorization": f"Bearer ork_{token_hex(4)}_{quote(hostile)}"}),
        ]
    assert [one.status_code for one in answers if one.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR] == []


async def _send_over_mcp(stack: Stack, hostile: str) -> None:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        McpClient(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        refused = await client.call_tool("workflow_start", {"definition": hostile, "input": {hostile: hostile}})
        assert refused.is_error


def _logs(stack: Stack) -> list[Path]:
    logs = sorted((stack.state_dir / "logs").glob("*.log"))
    return [log for log in logs if log.stem not in SERVERS]


def _added(log: Path, before: dict[Path, int]) -> bytes:
    with log.open("rb") as file:
        file.seek(before[log])
        return file.read()

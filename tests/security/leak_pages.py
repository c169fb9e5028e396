"""The story at the dashboard, form by form: what is typed, sent as a file, searched for and shown once."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from orkestra.testkit.stack import Stack
from outside_issuers import outside_issuer
from test_dashboard_stores_nothing import csrf_of, pages

PROVIDER = "leaky"
CLIENT_SECRET = f"client-{token_hex(12)}"
SHOWN_ONCE = re.compile(r"\b(?:ork_[a-z0-9]+_|whsec_)[A-Za-z0-9_+/=-]{16,}")


@asynccontextmanager
async def provider() -> AsyncIterator[dict[str, str]]:
    """A provider that people sign in at; yields the settings that tell a stack of it."""
    async with outside_issuer() as issuer:
        told = {"provider_id": PROVIDER, "name": "Leaky", "issuer": issuer.url}
        client = {"client_id": "orkestra", "client_secret": CLIENT_SECRET}
        yield {"ORKESTRA_OIDC_PROVIDERS": json.dumps([told | client])}


async def play_pages(stack: Stack, word: str) -> set[str]:
    """Let `word` go through the pages of people and admins; returns the secrets that came by."""
    task = await _asked(stack, word)
    secrets = {CLIENT_SECRET}
    async with pages(stack, "admin@demo.example") as admin, pages(stack, stack.member_of("support-l1")) as person:
        marks = {"csrf": await csrf_of(admin)}
        await _sent(admin.post("/settings/answers", data=marks | {"undo_seconds": "3600"}))
        try:
            secrets |= await _answer(person, task, word)
        finally:
            await _sent(admin.post("/settings/answers", data=marks | {"undo_seconds": "0"}))
        await _searched(person, word)
        secrets |= await _settings(admin, marks, word) | {marks["csrf"], _session(admin), _session(person)}
        await _sent(person.post("/sign-out", data={"csrf": await csrf_of(person)}))
    return secrets | await _doors(stack, word)


async def _asked(stack: Stack, word: str) -> str:
    """A task with a sensitive field and one for files; returns its page."""
    form = {
        "iban": {"type": "text", "required": True, "sensitive": True, "label": f"l {word}"},
        "proof": {"type": "file"},
        "why": {"type": "textarea"},
    }
    asked = {"title": "Leaks?", "form": form, "candidate_groups": ["support-l1"], "description": f"d {word}"}
    async with stack.rest(key="agent") as agent:
        made = (await agent.post("/v1/tasks", json=asked)).raise_for_status().json()
    return f"/tasks/{made['task_id']}"


async def _answer(person: httpx.AsyncClient, task: str, word: str) -> set[str]:
    """Claim, half-fill, attach, answer wrongly, answer, take back and answer again."""
    csrf = {"csrf": await csrf_of(person)}
    typed = csrf | {"revision": "1", "data.iban": f"iban {word}", "data.why": f"why {word}"}
    await _sent(person.post(f"{task}/claim", data=csrf))
    await _sent(person.post(f"{task}/draft", data=typed))
    await _sent(person.post(f"{task}/comments", data=csrf | {"text": f"comment {word}"}))
    file = {"data.proof.file": (f"{word}.txt", f"content {word}".encode(), "text/plain")}
    sent = await person.post(f"{task}/attachments", data=csrf, files=file)
    assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
    refused = await person.post(f"{task}/complete", data=typed | {"data.iban": "", "data.why": f"no {word}"})
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY, refused.text
    shown = await person.get(task)
    [saved] = set(re.findall(rf'href="({task}/attachments/[^"/]+)"', shown.text))
    assert (await person.get(saved)).content == file["data.proof.file"][1]
    await _sent(person.post(f"{task}/complete", data=typed))
    await _sent(person.post(f"{task}/undo", data=csrf))
    await _sent(person.post(f"{task}/complete", data=typed | {"data.iban": f"other {word}"}))
    return {csrf["csrf"]}


async def _searched(person: httpx.AsyncClient, word: str) -> None:
    for path in ("/inbox", "/inbox/list", "/inbox.csv"):
        assert (await person.get(path, params={"scope": "all", "q": word})).is_success


async def _settings(admin: httpx.AsyncClient, csrf: dict[str, str], word: str) -> set[str]:
    """Make what is shown once, and give what is a credential of others."""
    hook = {"url": f"http://127.0.0.1:9/{word}", "events": "task.completed"}
    shown = [
        await admin.post("/settings/keys", data=csrf | {"name": "leak", "kind": "agent"}),
        await admin.post("/settings/webhooks", data=csrf | hook),
    ]
    made = re.findall(r"/settings/(?:keys|webhooks)/\w+/rotate", "".join(page.text for page in shown))
    shown += [await admin.post(path, data=csrf) for path in (made[0], made[-1])]
    await admin.post("/settings/notifications", data=csrf | {"slack_url": f"http://127.0.0.1:9/{word}"})
    changed = {"current_password": f"wrong {word}", "new_password": f"next {word}", "again": f"next {word}"}
    assert not (await admin.post("/settings/password", data=csrf | changed)).is_success
    found = set(SHOWN_ONCE.findall("".join(page.text for page in shown)))
    assert {secret[:4] for secret in found} == {"ork_", "whse"}
    return found


async def _doors(stack: Stack, word: str) -> set[str]:
    """Come without a session: wrong passwords, links with tokens, and a provider's answer; returns its session."""
    async with httpx.AsyncClient(base_url=stack.info["dashboard"], timeout=60) as http:
        person = stack.member_of("support-l1", nth=1)
        wrong = await http.post("/sign-in", data={"email": person, "password": f"wrong {word}"})
        assert wrong.status_code == httpx.codes.UNAUTHORIZED
        await http.get(f"/password/orl_{word}")
        typed = {"password": f"a new one {word}", "again": f"a new one {word}"}
        assert not (await http.post(f"/password/orl_{word}", data=typed)).is_success
        for path in (f"/confirm/{word}", f"/inbox?next={word}"):
            await http.get(path, headers={"cookie": f"orkestra_session=ors_{word}"})
        left = await http.get(f"/sign-in/with/{PROVIDER}")
        state = dict(parse_qsl(urlsplit(left.headers["location"]).query))["state"]
        cookie = left.headers["set-cookie"].partition(";")[0]
        told = {"code": word, "state": state}
        back = await http.get("/sign-in/callback", params=told, headers={"cookie": cookie})
        assert back.status_code in (401, 403, 503), back.text
    return {state, cookie.partition("=")[2].partition("~")[0]}


def _session(http: httpx.AsyncClient) -> str:
    return http.headers["cookie"].partition("=")[2]


async def _sent(asked: Any) -> None:
    answer: httpx.Response = await asked
    assert answer.status_code in (httpx.codes.SEE_OTHER, httpx.codes.OK), (answer.url.path, answer.text)

"""The mail server and Langfuse that are set up: `orkestra doctor` names what is wrong there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cli_examined import NOWHERE, ROOM, examined, room
from langfuse_endpoint import Endpoint, serving
from mail_server import Mailbox, mail_server
from orkestra.chassis.process import Process
from orkestra.chassis.settings import load
from orkestra.notification_service.__main__ import build, mail
from orkestra.notification_service.channels.mail import MailChannel
from orkestra.notification_service.channels.writing import Message
from orkestra.notification_service.rules import Outcome
from orkestra.notification_service.settings import NotificationServiceSettings

KNOWN = {"IDENTITY_ADDRESS": NOWHERE, "SERVICE_KEY": "k" * 40, "TASK_ADDRESS": NOWHERE}
MESSAGE = Message(language="en", subject="A task", greeting=None, items=())
PASSWORD = "what the mail server knows"


@pytest.fixture(scope="module")
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server() as one:
        one.know(PASSWORD)
        yield one


def post(mailbox: Mailbox, **changes: str) -> dict[str, str]:
    """Settings by which mail goes out."""
    right = {
        "SMTP_ADDRESS": f"127.0.0.1:{mailbox.server.port}",
        "SMTP_SECURITY": "none",
        "SMTP_USERNAME": "orkestra",
        "SMTP_PASSWORD": PASSWORD,
        "MAIL_FROM": "orkestra@example.com",
        "DASHBOARD_URL": "https://orkestra.example",
    }
    return {name: value for name, value in (right | changes).items() if value}


def langfuse(url: str) -> dict[str, str]:
    return {"LANGFUSE_BASE_URL": url, "LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": "sk-1"}


async def found(told: dict[str, str], name: str, *, seconds: float = 10.0) -> tuple[int, str, str, str]:
    """Exit code, how it is, what of it, and the remedy."""
    async with room(build, NotificationServiceSettings, KNOWN | told) as health:
        code, findings = await examined(health, "NOTIFICATION", seconds=seconds)
    one = findings[name]
    return code, one["status"], one["detail"], one["remedy"] or ""


async def test_what_is_not_set_up_is_not_spoken_of_and_what_does_its_work_is_well(mailbox: Mailbox) -> None:
    async with room(build, NotificationServiceSettings, KNOWN) as health:
        assert await examined(health, "NOTIFICATION") == (0, {})
    with serving(Endpoint(keys={"sk-1"})) as endpoint:
        async with room(build, NotificationServiceSettings, KNOWN | post(mailbox) | langfuse(endpoint.url)) as health:
            code, findings = await examined(health, "NOTIFICATION")
    assert (code, {name: one["status"] for name, one in findings.items()}) == (
        0,
        {"mail server": "ok", "Langfuse": "ok"},
    )
    assert mailbox.to("orkestra@example.com") == []


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"SMTP_PASSWORD": "another"}, "refuses to sign us in: 535"),
        ({"SMTP_USERNAME": "", "SMTP_PASSWORD": ""}, "answers 530 5.7.0 Authentication required"),
        ({"SMTP_ADDRESS": NOWHERE}, f"{NOWHERE} cannot be used"),
        ({"SMTP_SECURITY": "starttls"}, "cannot be used: SMTP STARTTLS extension not supported"),
    ],
    ids=["refuses the password", "wants a password", "away", "no TLS"],
)
async def test_a_mail_server_that_takes_no_mail_is_named(
    mailbox: Mailbox, changes: dict[str, str], detail: str
) -> None:
    code, status, said, remedy = await found(post(mailbox, **changes), "mail server")
    assert (code, status, detail in said) == (1, "broken", True), said
    assert all(f"ORKESTRA_{name}" in remedy for name in ("SMTP_ADDRESS", "SMTP_USERNAME", "MAIL_FROM"))
    assert "another" not in said


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """A port where somebody listens and says nothing."""
    held = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        held.set()
        server.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mail server", lambda mailbox, port: post(mailbox, SMTP_ADDRESS=f"127.0.0.1:{port}")),
        ("Langfuse", lambda _, port: langfuse(f"http://127.0.0.1:{port}")),
    ],
)
async def test_one_that_never_answers_is_named_and_holds_up_no_probe(
    mailbox: Mailbox, name: str, told: Callable[[Mailbox, int], dict[str, str]]
) -> None:
    async with silent() as port, room(build, NotificationServiceSettings, KNOWN | told(mailbox, port)) as health:
        code, findings = await examined(health, "NOTIFICATION", seconds=0.5)
        async with httpx.AsyncClient() as http:
            ready = (await http.get(f"{health}/readyz")).json()
    assert (code, findings[name]["detail"]) == (1, "does not answer within 0.5 seconds")
    assert name not in ready["dependencies"]


@pytest.mark.parametrize(
    ("endpoint", "detail"),
    [
        (Endpoint(keys={"sk-2"}), "refuses our keys with 401"),
        (Endpoint(status=503), "answers with 503"),
        (None, "does not answer: ConnectError"),
    ],
    ids=["refuses the keys", "ill", "away"],
)
async def test_a_langfuse_that_takes_nothing_is_named(endpoint: Endpoint | None, detail: str) -> None:
    with serving(endpoint or Endpoint()) as other:
        url = other.url if endpoint else f"http://{NOWHERE}"
        code, status, said, remedy = await found(langfuse(url), "Langfuse")
    assert (code, status, detail in said) == (1, "broken", True), said
    assert "ORKESTRA_LANGFUSE_PUBLIC_KEY" in remedy
    assert "sk-1" not in said


async def test_the_password_of_the_mail_server_is_rotated_without_a_mail_that_is_refused(tmp_path: Path) -> None:
    """Both are taken for a while; a process reads its own at the start, from a file."""
    secret = tmp_path / "password"

    def started(mailbox: Mailbox) -> MailChannel:
        told = post(mailbox, SMTP_PASSWORD="", SMTP_PASSWORD_FILE=str(secret)) | ROOM | KNOWN
        settings = load(NotificationServiceSettings, {f"ORKESTRA_{name}": value for name, value in told.items()})
        channel = mail(Process(settings), settings)
        assert channel is not None
        return channel

    async def sends(channel: MailChannel) -> Outcome:
        return await channel.send(MESSAGE, to="ana@example.com", name="Ana", message_id="one")

    async with mail_server() as mailbox:
        mailbox.know("old")
        secret.write_text("old", "utf-8")
        before = started(mailbox)
        assert await sends(before) == Outcome(delivered=True)
        mailbox.know("old", "new")
        secret.write_text("new", "utf-8")
        after = started(mailbox)
        assert [await sends(one) for one in (before, after)] == [Outcome(delivered=True)] * 2
        mailbox.know("new")
        assert await sends(after) == Outcome(delivered=True)
        refused = await sends(before)
        await mailbox.arrived("ana@example.com", 4)
    assert (refused.delivered, refused.response_status, refused.is_final) == (False, 535, False)

"""A real SMTP server in a process of its own (aiosmtpd), which keeps what arrives or refuses it."""

import asyncio
import email
import email.policy
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from orkestra.cli.ports import free_port
from orkestra.notification_service.channels.mail import Server
from orkestra.testkit.waiting import eventually


@dataclass
class Mailbox:
    """What a server has taken."""

    folder: Path
    server: Server
    refusals: dict[str, str] = field(default_factory=dict)

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to an address, the oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.json"), key=lambda one: int(one.stem)):
            kept = json.loads(path.read_text("utf-8"))
            if address in kept["to"]:
                found.append(email.message_from_string(kept["content"], policy=email.policy.default))
        return [one for one in found if isinstance(one, EmailMessage)]

    async def arrived(self, address: str, count: int = 1) -> list[EmailMessage]:
        """The mails to an address as soon as there are so many."""

        async def enough() -> list[EmailMessage] | None:
            found = self.to(address)
            return found if len(found) >= count else None

        return await eventually(enough, timeout=30)

    def refuse(self, address: str, answer: str) -> None:
        """Have the server answer so when mail is to go to an address."""
        self.refusals[address] = answer
        (self.folder / "refusals").write_text(json.dumps(self.refusals), "utf-8")

    def know(self, *passwords: str) -> None:
        """Have the server take mail from a user who signs in with one of these passwords alone."""
        (self.folder / "passwords").write_text(json.dumps(passwords), "utf-8")

    def take(self, address: str) -> None:
        """Have the server take mail to an address again."""
        del self.refusals[address]
        (self.folder / "refusals").write_text(json.dumps(self.refusals), "utf-8")


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """Serve SMTP on a loopback port until the end."""
    port = free_port()
    with TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(sys.executable, __file__, str(port), folder)
        server = Server("127.0.0.1", port, "none", None, None, "orkestra@example.com")

        async def answers() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        try:
            await eventually(answers, timeout=60)
            yield Mailbox(Path(folder), server)
        finally:
            process.kill()
            await process.wait()


class Keeper:
    """What aiosmtpd hands mail to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def lets_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, given: object) -> AuthResult:
        """Whether a password is known."""
        known = json.loads((self._folder / "passwords").read_text("utf-8"))
        password = given.password.decode() if isinstance(given, LoginPassword) else ""
        return AuthResult(success=password in known, handled=False)

    async def handle_MAIL(  # noqa: N802 - as aiosmtpd calls it
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (self._folder / "passwords").exists() and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusals = self._folder / "refusals"
        refused = json.loads(refusals.read_text("utf-8")).get(address) if refusals.exists() else None
        if refused is not None:
            return str(refused)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._count += 1
        content = envelope.content.decode() if isinstance(envelope.content, bytes) else envelope.content
        part = self._folder / f"{self._count}.part"
        part.write_text(json.dumps({"to": envelope.rcpt_tos, "content": content}), "utf-8")
        part.rename(part.with_suffix(".json"))
        return "250 Taken"


async def main(port: int, folder: Path) -> None:
    keeper = Keeper(folder)
    controller = Controller(
        keeper, hostname="127.0.0.1", port=port, authenticator=keeper.lets_in, auth_require_tls=False
    )
    controller.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))

"""E-mail by SMTP: HTML and text, one message for everything that is due."""

import asyncio
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime

import aiosmtplib
from jinja2 import Environment, PackageLoader, select_autoescape
from orkestra.chassis.readiness import UnwellError
from orkestra.notification_service.channels.writing import Message
from orkestra.notification_service.rules import Outcome
from pydantic import SecretStr

SECONDS = 15.0
AT_ONCE = 8
PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Server:
    """The server that mail goes through."""

    host: str
    port: int
    security: str
    """starttls, tls or none."""
    username: str | None
    password: SecretStr | None
    sender: str


class MailChannel:
    """Sends mail; what the server refuses for good is not tried again, but where it refuses us: that is put right."""

    def __init__(self, server: Server, *, ca: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = ca or ssl.create_default_context()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._templates = Environment(
            loader=PackageLoader("orkestra.notification_service"),
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def send(self, message: Message, *, to: str, name: str, message_id: str) -> Outcome:
        """Send one mail; `message_id` is the same with every try."""
        try:
            mail = self._mail(message, to=to, name=name, message_id=message_id)
        except (ValueError, IndexError):
            return Outcome(delivered=False, error="refused: this is not an e-mail address", is_final=True)
        try:
            async with self._places, asyncio.timeout(SECONDS * 2):
                await self._send(mail, to)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            code = max(one.code for one in refused.recipients)
            return _refused(code, f"recipient refused with {code}")
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused) as ours:
            return Outcome(delivered=False, response_status=ours.code, error=_told(ours)[:300])
        except aiosmtplib.SMTPResponseException as refused:
            return _refused(refused.code, _told(refused))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as away:
            return Outcome(delivered=False, error=f"unreachable: {type(away).__name__}: {away}"[:300])
        return Outcome(delivered=True)

    async def check(self) -> None:
        """Sign in at the server and name the sender, without sending; raises UnwellError where it takes either ill.

        What the server has against a recipient or a message is not found out.
        """
        client, place = self._client(), f"{self._server.host}:{self._server.port}"
        try:
            await client.connect()
            await client.mail(Address(addr_spec=self._server.sender).addr_spec)
            await client.quit()
        except aiosmtplib.SMTPAuthenticationError as refused:
            raise UnwellError(f"{place} refuses to sign us in: {refused.code} {refused.message}") from refused
        except aiosmtplib.SMTPResponseException as refused:
            raise UnwellError(f"{place} answers {refused.code} {refused.message}") from refused
        except (aiosmtplib.SMTPException, OSError) as away:
            raise UnwellError(f"{place} cannot be used: {away}") from away
        finally:
            client.close()

    async def _send(self, mail: EmailMessage, to: str) -> None:
        async with self._client() as client:
            await client.send_message(mail, sender=Address(addr_spec=self._server.sender).addr_spec, recipients=[to])

    def _client(self) -> aiosmtplib.SMTP:
        """Return a connection that is made, secured and signed in when it is entered."""
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=None if server.password is None else server.password.get_secret_value(),
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else self._tls,
            timeout=SECONDS,
        )

    def _mail(self, message: Message, *, to: str, name: str, message_id: str) -> EmailMessage:
        sender = Address("Orkestra", addr_spec=self._server.sender)
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = Address(" ".join(name.split()), addr_spec=to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = f"<{message_id}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(self._templates.get_template("message.txt").render(message=message))
        html = self._templates.get_template("message.html").render(message=message)
        mail.add_alternative(html, subtype="html")
        return mail


def _told(refused: aiosmtplib.SMTPResponseException) -> str:
    return f"answered {refused.code} {refused.message}"


def _refused(code: int, error: str) -> Outcome:
    return Outcome(delivered=False, response_status=code, error=error[:300], is_final=code >= PERMANENT)

"""Certificates as they are now: files that were replaced are read again, without a restart."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

import grpc
from orkestra.chassis.access import Tls
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import CERTIFICATE_LIFETIME, CERTIFICATE_REMAINING
from orkestra.chassis.readiness import UnwellError

LOOK_SECONDS = 0.25
LATE = timedelta(days=7)
"""What ends sooner should have been renewed by now; of a short life, what has less than a sixth of it left."""
LATE_SHARE = 6
RENEW = (
    "Find out why it was not renewed, and put new files in the place of those: every process takes them within"
    " seconds, without a restart."
)

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """Of a certificate with the intermediate ones in its file: until when all of them are taken, and for how long."""

    begins_at: datetime
    ends_at: datetime

    @property
    def lifetime(self) -> timedelta:
        """How long it is in all."""
        return self.ends_at - self.begins_at

    @property
    def remaining(self) -> timedelta:
        """How long it is from now; never less than nothing."""
        return max(timedelta(), self.ends_at - datetime.now(UTC))

    @property
    def is_late(self) -> bool:
        """Whether it should have been renewed."""
        return self.remaining < min(LATE, self.lifetime / LATE_SHARE)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the files held when they were read together."""

    context: ssl.SSLContext
    channels: grpc.ChannelCredentials
    certificate: bytes | None
    key: bytes | None
    authorities: bytes | None

    @classmethod
    def read(cls, tls: Tls) -> "Contents":
        """Read them; refuses (OSError, ValueError) what cannot be used together."""
        ca, cert, key = (
            Path(name).read_bytes() if name else None for name in (tls.ca_file, tls.cert_file, tls.key_file)
        )
        return cls(tls.context(), grpc.ssl_channel_credentials(ca, key, cert), cert, key, ca)

    def for_servers(self) -> grpc.ServerCertificateConfiguration:
        """Return what a gRPC server shows, and checks what it is shown against."""
        pair = (self.key or b"", self.certificate or b"")
        return grpc.ssl_server_certificate_configuration([pair], self.authorities)


class Certificates:
    """PEM files, read again when they were replaced, and kept as they were while what is there cannot be used.

    What is open goes on with what it was opened with. Any thread may ask.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._lock = Lock()
        self._look_at = 0.0
        self._marks: object = None
        self._held: Contents | None = None
        self._fault: OSError | ValueError | None = None

    def contents(self) -> Contents:
        """Return what the files hold: the same object until they were replaced by what can be used."""
        with self._lock:
            if time.monotonic() >= self._look_at:
                self._look()
                self._look_at = time.monotonic() + LOOK_SECONDS
            if self._held is None:
                raise self._fault or ValueError("nothing was read")
            return self._held

    def context(self) -> ssl.SSLContext:
        """Return what a client needs for its next connection; the server's name is checked."""
        return self.contents().context

    def client_credentials(self) -> grpc.ChannelCredentials:
        """Return what a gRPC channel needs: the same object until the files were replaced."""
        return self.contents().channels

    def server_credentials(self) -> grpc.ServerCredentials:
        """Return what a gRPC server needs: the newest is shown to each connection, and what it shows checked by it.

        With an authority, clients must show a certificate of it.
        """
        shown = self.contents()

        def newer() -> grpc.ServerCertificateConfiguration | None:
            nonlocal shown
            newest = self.contents()
            if newest is shown:
                return None
            shown = newest
            return newest.for_servers()

        return grpc.dynamic_ssl_server_credentials(
            shown.for_servers(),
            newer,  # type: ignore[arg-type]  # the stubs do not know that None says: nothing is new
            require_client_authentication=self._tls.ca_file is not None,
        )

    def life(self) -> Life | None:
        """Return until when our own certificate is taken; None where there is none.

        Raises OSError or ValueError where the files cannot be used.
        """
        from cryptography import x509  # noqa: PLC0415 - slow to import, and seldom needed

        pem = self.contents().certificate
        if self._fault is not None:
            raise self._fault
        if pem is None:
            return None
        chain = x509.load_pem_x509_certificates(pem)
        return Life(chain[0].not_valid_before_utc, min(one.not_valid_after_utc for one in chain))

    async def check(self) -> None:
        """Raise UnwellError where they cannot be used, or where our own should have been renewed."""
        file = self._tls.cert_file or self._tls.ca_file
        try:
            life = self.life()
        except (OSError, ValueError) as unusable:
            raise UnwellError(f"{file}, its key or its authorities cannot be used: {unusable}") from unusable
        if life is not None and life.is_late:
            ends = "ends" if life.remaining else "has ended"
            raise UnwellError(f"{file} {ends} at {life.ends_at:%Y-%m-%d %H:%M} UTC")

    def _look(self) -> None:
        marks = [_mark(name) for name in (self._tls.ca_file, self._tls.cert_file, self._tls.key_file)]
        if marks == self._marks and self._fault is None:
            return
        self._marks = marks
        try:
            held = Contents.read(self._tls)  # ssl.SSLError, of files that do not belong together, is an OSError
        except (OSError, ValueError) as unusable:
            if self._fault is None:
                logger.warning("certificates cannot be used", file=self._tls.cert_file, error=str(unusable))
            self._fault = unusable
            return
        if self._held is not None:
            logger.info("certificates were replaced; new connections take them", file=self._tls.cert_file)
        self._held, self._fault = held, None


def show(peer: str, certificates: Certificates) -> None:
    """Have the figures of our own certificate read where they are asked for; one that cannot be used has none left."""

    def seconds(part: Callable[[Life], timedelta]) -> float:
        try:
            life = certificates.life()
        except (OSError, ValueError):
            return 0.0
        return 0.0 if life is None else part(life).total_seconds()

    CERTIFICATE_REMAINING.labels(peer).set_function(lambda: seconds(lambda life: life.remaining))
    CERTIFICATE_LIFETIME.labels(peer).set_function(lambda: seconds(lambda life: life.lifetime))


def _mark(name: str | None) -> tuple[int, int, int] | None:
    """Return what tells a file from the one that it replaced; None where there is none."""
    try:
        found = Path(name).stat() if name else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size) if found else None

"""Certificates for tests, and a front that speaks TLS for servers that cannot."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from orkestra.chassis.access import Tls


class Authority:
    """Signs certificates for 127.0.0.1 and localhost; its own is in `ca_file`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        made = self._certificate(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca_file = folder / f"{name}.crt"
        self.ca_file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, hours: float = 1, began: float = 1) -> Tls:
        """A certificate with its key and the authority; it began and ends so many hours from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        asked = self._certificate(_name(name), key, hours=hours, began=began)
        made = asked.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        cert_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        key_file.chmod(0o600)
        return Tls(str(self.ca_file), str(cert_file), str(key_file))

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, hours: float = 1, began: float = 1
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=began))
            .not_valid_after(now + timedelta(hours=hours))
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Mounted:
    """Files of certificates as Kubernetes mounts a Secret: a renewal replaces all of them in one moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        folder.mkdir()
        for name in ("ca.crt", "tls.crt", "tls.key"):
            (folder / name).symlink_to(Path("..data") / name)
        self.tls = Tls(*(str(folder / name) for name in ("ca.crt", "tls.crt", "tls.key")))

    def put(self, shown: Tls, *authorities: Authority) -> int:
        """Put a certificate in the place of what is there, and those that the other side is checked against.

        Returns its serial number.
        """
        self._count += 1
        there = self._folder / f"..{self._count}"
        there.mkdir()
        (there / "ca.crt").write_bytes(b"".join(one.ca_file.read_bytes() for one in authorities))
        (there / "tls.crt").write_bytes(Path(str(shown.cert_file)).read_bytes())
        (there / "tls.key").write_bytes(Path(str(shown.key_file)).read_bytes())
        (there / "tls.key").chmod(0o600)
        next_one = self._folder / "..data_tmp"
        next_one.symlink_to(there.name)
        os.replace(next_one, self._folder / "..data")
        return serial(Path(str(shown.cert_file)).read_bytes())


def serial(pem: bytes) -> int:
    """The serial number of a certificate."""
    return x509.load_pem_x509_certificate(pem).serial_number


@dataclass
class Front:
    """Where the front listens, how many lines it has secured, and the serial numbers that clients showed."""

    port: int = 0
    secured: int = 0
    peers: list[int] = field(default_factory=list)
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """End every line that is open."""
        for line in self.lines:
            line.transport.abort()


Reach = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def tls_front(
    upstream: int | Reach | None, tls: Tls, *, postgresql: bool = False, asks_clients: bool = False
) -> AsyncIterator[Front]:
    """Speak TLS on a port of 127.0.0.1 and pass on to `upstream`; PostgreSQL's clients ask for TLS first.

    Files are read at each connection, as servers do that are told to.
    """
    front = Front()

    def context() -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(str(tls.cert_file), tls.key_file)
        made.set_alpn_protocols(["h2", "postgresql"])
        if asks_clients:
            made.load_verify_locations(tls.ca_file)
            made.verify_mode = ssl.CERT_REQUIRED
        return made

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        front.lines.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            if postgresql:
                await reader.readexactly(8)
                writer.write(b"S")
            await writer.start_tls(context())
            front.secured += 1
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if shown:
                front.peers.append(x509.load_der_x509_certificate(shown).serial_number)
            reached = upstream() if callable(upstream) else asyncio.open_connection("127.0.0.1", upstream)
            there, back = await reached
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        front.lines.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()

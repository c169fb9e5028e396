"""Certificates and credentials that a process shows to servers, and checks theirs against."""

import ssl
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: the authority that the other side is checked against, and our own certificate with its key."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @classmethod
    def of(cls, ca_file: str | None, cert_file: str | None, key_file: str | None) -> Self | None:
        """Return what the files say, None where there is none; a certificate needs its key."""
        if bool(cert_file) != bool(key_file):
            raise ValueError("a certificate and its key are given together")
        return cls(ca_file, cert_file, key_file) if ca_file or cert_file else None

    def context(self) -> ssl.SSLContext:
        """Return what a client needs; the server's name is checked."""
        made = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            made.load_cert_chain(self.cert_file, self.key_file)
        return made


@dataclass(frozen=True, slots=True)
class NatsAccess:
    """What NATS is shown besides the address."""

    user: str | None = None
    password: str | None = None
    creds_file: str | None = None
    tls: Tls | None = None

    def options(self) -> dict[str, Any]:
        """Return them as the client takes them."""
        given = {
            "user": self.user,
            "password": self.password,
            "user_credentials": self.creds_file,
            "tls": self.tls.context() if self.tls else None,
        }
        return {name: value for name, value in given.items() if value is not None}

"""What the operations of identity-service work with."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from orkestra.chassis.database import Database
from orkestra.chassis.sql import load
from orkestra.chassis.tokens import Signer
from orkestra.identity_service import rules
from orkestra.identity_service.operations.passwords import Passwords
from orkestra.identity_service.operations.secrets import Pepper
from orkestra.wire import FieldError, InvalidArgument

sql = load("orkestra.identity_service")


@dataclass(kw_only=True)
class Identity:
    """The parts of a running identity-service that its operations share.

    `lookup` is the same database with the role identity_lookup, which sees credentials of all tenants.
    """

    database: Database
    lookup: Database
    signer: Signer
    pepper: Pepper
    passwords: Passwords
    time_zones: frozenset[str]
    development: bool = False
    noting: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def request_digest(self, body: bytes) -> bytes:
        """What is kept of a request to know it again: under the pepper, for a request may hold a password."""
        return bytes.fromhex(self.pepper.digest(body))


def refuse(errors: Iterable[FieldError]) -> None:
    """Refuse a request with everything that is wrong with it; nothing wrong, nothing happens."""
    found = tuple(errors)
    if found:
        listed = " ".join(f"{error.path}: {error.message}" for error in found[:3])
        more = f" And {len(found) - 3} more." if len(found) > 3 else ""
        raise InvalidArgument("REQUEST_INVALID", f"The request is not accepted. {listed}{more}", errors=found)


def page(listing: str, *, size: int | None, token: str | None) -> tuple[int, str]:
    """How many entries are wanted, and the key after which they begin ("" from the start)."""
    limit, errors = rules.page_size("page_size", size)
    after = rules.page_key(listing, token) if token else ""
    if after is None:
        errors.append(FieldError("page_token", "unknown", "Use next_page_token of the page before, as it was given."))
    refuse(errors)
    return limit, after or ""

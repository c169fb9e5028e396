"""What the operations of identity-service work with."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orkestra.chassis.database import Database
from orkestra.chassis.sql import Connection, load
from orkestra.chassis.tokens import Signer
from orkestra.identity_service import rules
from orkestra.identity_service.operations.passwords import Passwords
from orkestra.identity_service.operations.providers import Issuer
from orkestra.identity_service.operations.secrets import Pepper, new_session_token
from orkestra.v1.identity import Session, User
from orkestra.wire import FieldError, InvalidArgument, Model, PermissionDenied

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
    issuers: Mapping[str, Issuer] = field(default_factory=dict)
    password_sign_in: bool = True
    attempt_seconds: int = 600
    """How long a sign-in at a provider may take."""
    noting: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def request_digest(self, body: bytes) -> bytes:
        """What is kept of a request to know it again: under the pepper, for a request may hold a password."""
        return bytes.fromhex(self.pepper.digest(body))

    async def new_session(self, conn: Connection, *, tenant_id: str, user_id: str) -> Session:
        """Open a session in the person's tenant; those of theirs that have run out are forgotten."""
        token = new_session_token()
        await sql.forget_ended_sessions.execute(conn, tenant_id=tenant_id, user_id=user_id)
        expires_at = await sql.open_session.value(
            conn,
            tenant_id=tenant_id,
            token_hash=self.pepper.digest(token),
            user_id=user_id,
            lifetime=rules.SESSION_LIFETIME,
        )
        [user] = await sql.find_users.all(conn, User, tenant_id=tenant_id, user_ids=[user_id], email_keys=[])
        return Session(token=token, expires_at=expires_at, user=user)

    def refuse_passwords_off(self) -> None:
        """Refuse where nobody signs in by password here."""
        if not self.password_sign_in:
            raise PermissionDenied("PASSWORD_SIGN_IN_OFF", "Nobody signs in by password here; use your provider.")


def refuse(errors: Iterable[FieldError]) -> None:
    """Refuse a request with everything that is wrong with it; nothing wrong, nothing happens."""
    found = tuple(errors)
    if found:
        listed = " ".join(f"{error.path}: {error.message}" for error in found[:3])
        more = f" And {len(found) - 3} more." if len(found) > 3 else ""
        raise InvalidArgument("REQUEST_INVALID", f"The request is not accepted. {listed}{more}", errors=found)


def changes_nothing(before: Model, given: Mapping[str, object]) -> bool:
    """Whether every value given is there already; None stands for what stays, 0 and "" for nothing."""
    there = {name: getattr(before, name) for name in given}
    return all(
        value in (None, there[name]) or (value in (0, "") and there[name] is None) for name, value in given.items()
    )


def page(listing: str, *, size: int | None, token: str | None) -> tuple[int, str]:
    """How many entries are wanted, and the key after which they begin ("" from the start)."""
    limit, errors = rules.page_size("page_size", size)
    after = rules.page_key(listing, token) if token else ""
    if after is None:
        errors.append(FieldError("page_token", "unknown", "Use next_page_token of the page before, as it was given."))
    refuse(errors)
    return limit, after or ""


def suspended() -> PermissionDenied:
    """What whoever belongs to a suspended tenant is told."""
    return PermissionDenied("TENANT_SUSPENDED", "This tenant is suspended; ask who runs this installation.")


def disabled() -> PermissionDenied:
    """What a disabled person who signs in is told."""
    return PermissionDenied("USER_DISABLED", "This account is disabled; ask an admin.")


def ambiguous() -> InvalidArgument:
    """What a person is told whose address or subject exists in several tenants."""
    error = FieldError("tenant", "required", "You are known in several tenants: give the tenant's slug too.")
    return InvalidArgument("TENANT_REQUIRED", error.message, errors=(error,))

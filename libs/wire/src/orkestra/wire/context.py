"""Who asks, and for what."""

from dataclasses import dataclass, field
from typing import Literal

from orkestra.wire.errors import PermissionDenied, Unauthenticated

PrincipalKind = Literal["user", "agent", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone who acts: a person, an agent or a service.

    `on_behalf_of` are the people it may act for, `*` for everyone in its tenant. A `tenant_id` of None is for
    principals of the installation. `stands_for` is whose place it takes at the moment, each for one type of task or
    for all (None); it is in no token.
    """

    subject: str
    kind: PrincipalKind
    tenant_id: str | None = None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    on_behalf_of: frozenset[str] = frozenset()
    name: str | None = None
    stands_for: frozenset[tuple[str, str | None]] = frozenset()


# Whoever calls an open rpc without a credential. Its subject is empty, which no other principal's is.
ANONYMOUS = Principal(subject="", kind="service")


@dataclass(slots=True)
class Reply:
    """What an operation says about its answer besides the answer."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """One call: who asks, by which rpc, through which door, with which request id."""

    principal: Principal
    token: str = ""
    rpc: str = ""
    request_id: str | None = None
    door: str | None = None
    locale: str = "en"
    """The language in which the caller reads, as a BCP 47 tag."""
    reply: Reply = field(default_factory=Reply)

    @property
    def subject(self) -> str:
        """The caller's id. Refuses (Unauthenticated CREDENTIAL_REQUIRED) a caller without a credential."""
        if not self.principal.subject:
            raise Unauthenticated("CREDENTIAL_REQUIRED", "This needs a credential.")
        return self.principal.subject

    @property
    def tenant_id(self) -> str:
        """The tenant to act in. Refuses (PermissionDenied TENANT_REQUIRED) a caller without one."""
        if self.principal.tenant_id is None:
            raise PermissionDenied("TENANT_REQUIRED", "This needs a credential that belongs to a tenant.")
        return self.principal.tenant_id

"""Who may call what: one of these roles is needed."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from orkestra.v1.identity import Role

ADMINS: Final = frozenset({Role.ADMIN})
OVERSEERS: Final = frozenset({Role.ADMIN, Role.MANAGER, Role.AUDITOR})
COLLEAGUES: Final = OVERSEERS | {Role.MEMBER, Role.SYSTEM, Role.WORKER}
PEOPLE: Final = OVERSEERS | {Role.MEMBER}
OPERATORS: Final = frozenset({Role.OPERATOR})
EVERYONE: Final = frozenset(Role)

# Rpcs that need no token: a credential or a password is their input, or there is nothing to protect.
OPEN_RPCS: Final = frozenset(
    {
        "ExchangeCredential",
        "GetSigningKeys",
        "SignIn",
        "CheckSessions",
        "ListSignInMethods",
        "BeginSignIn",
        "CompleteSignIn",
        "SignOut",
        "RequestPasswordReset",
        "RedeemMailLink",
    }
)

# Who may call what: one of these roles is needed.
PERMISSIONS: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "GetMe": EVERYONE,
        "UpdateMe": PEOPLE,
        "CreateTenant": OPERATORS,
        "ListTenants": COLLEAGUES | OPERATORS,
        "GetTenant": COLLEAGUES | OPERATORS,
        "UpdateTenant": OPERATORS,
        "SuspendTenant": OPERATORS,
        "ResumeTenant": OPERATORS,
        "DeleteTenant": OPERATORS,
        "ListDeletedTenants": OPERATORS,
        "CreateUser": ADMINS,
        "UpdateUser": ADMINS,
        "DisableUser": ADMINS,
        "EnableUser": ADMINS,
        "InviteUser": ADMINS,
        "ChangePassword": PEOPLE,
        "GetMailLinkToken": frozenset({Role.SYSTEM}),
        "EraseUser": frozenset({Role.SYSTEM}),
        "RepublishPeople": frozenset({Role.SYSTEM}),
        "GetUser": COLLEAGUES,
        "ListUsers": COLLEAGUES,
        "SetSubstitution": PEOPLE,
        "GetSubstitution": COLLEAGUES,
        "CreateGroup": ADMINS,
        "UpdateGroup": ADMINS,
        "GetGroup": COLLEAGUES,
        "ListGroups": COLLEAGUES,
        "DeleteGroup": ADMINS,
        "AddMember": ADMINS,
        "RemoveMember": ADMINS,
        "CreateApiKey": ADMINS,
        "ListApiKeys": OVERSEERS,
        "UpdateApiKey": ADMINS,
        "RevokeApiKey": ADMINS,
        "GetApiKey": OVERSEERS,
        "RotateApiKey": ADMINS,
        "LinkSubject": ADMINS,
        "ListLinkedSubjects": ADMINS | {Role.AUDITOR},
        "UnlinkSubject": ADMINS,
        "ListAudit": ADMINS | {Role.AUDITOR},
    }
)


def may(rpc: str, roles: Iterable[str]) -> bool:
    """Whether one of these roles is enough for this rpc; an rpc missing from the table is allowed to nobody."""
    return not PERMISSIONS.get(rpc, frozenset()).isdisjoint(roles)


def lacks_role(rpc: str, roles: Iterable[str]) -> str:
    """What a caller is told who has none of the roles that may call this rpc."""
    needed, has = (", ".join(sorted(some)) or "none" for some in (PERMISSIONS.get(rpc, frozenset()), roles))
    return f"{rpc} needs one of the roles {needed}; the caller has {has}."

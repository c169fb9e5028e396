"""The rpcs of IdentityService."""

from collections.abc import Mapping

from orkestra.identity_service import rules
from orkestra.identity_service.operations.accounts import AccountOperations
from orkestra.identity_service.operations.audit import AuditOperations
from orkestra.identity_service.operations.deleting import DeletingOperations, OwnDeletions
from orkestra.identity_service.operations.erasing import ErasingOperations
from orkestra.identity_service.operations.installation import InstallationKeys
from orkestra.identity_service.operations.keys import KeyOperations
from orkestra.identity_service.operations.passwords import Passwords
from orkestra.identity_service.operations.people import PeopleOperations
from orkestra.identity_service.operations.providers import Issuer, Provider, issuers, read_providers
from orkestra.identity_service.operations.republishing import RepublishingOperations
from orkestra.identity_service.operations.secrets import Pepper
from orkestra.identity_service.operations.subjects import SubjectOperations
from orkestra.identity_service.operations.substitutions import SubstitutionOperations
from orkestra.identity_service.operations.tenants import TenantOperations
from orkestra.wire import Authenticate, PermissionDenied, Principal

__all__ = [
    "IdentityOperations",
    "InstallationKeys",
    "Issuer",
    "OwnDeletions",
    "Passwords",
    "Pepper",
    "Provider",
    "issuers",
    "permitted",
    "read_providers",
]


class IdentityOperations(
    AccountOperations,
    TenantOperations,
    DeletingOperations,
    ErasingOperations,
    RepublishingOperations,
    PeopleOperations,
    SubstitutionOperations,
    KeyOperations,
    SubjectOperations,
    AuditOperations,
):
    """IdentityService: who is who."""

    open_rpcs = rules.OPEN_RPCS


def permitted(authenticate: Authenticate) -> Authenticate:
    """Refuse, for every rpc at once, callers whose roles the table in rules.py does not name."""

    async def check(metadata: Mapping[str, str], rpc: str) -> Principal | None:
        name = rpc.rpartition("/")[2]
        if name in rules.OPEN_RPCS:
            return None
        principal = await authenticate(metadata, rpc)
        if principal is not None and not rules.may(name, principal.roles):
            raise PermissionDenied("ROLE_REQUIRED", rules.lacks_role(name, principal.roles))
        return principal

    return check

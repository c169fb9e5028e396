"""Decisions: who may call what, what may be granted, which input is refused, how long a lock lasts."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from orkestra.identity_service.rules.pages import page_key, page_size, page_token
from orkestra.identity_service.rules.permissions import OPEN_RPCS, PERMISSIONS, lacks_role, may
from orkestra.v1.identity import (
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    MailLinkPurpose,
    PrincipalKind,
    Role,
    RotateApiKeyRequest,
    SetSubstitutionRequest,
    Substitution,
    UpdateApiKeyRequest,
    UpdateGroupRequest,
    UpdateMeRequest,
    UpdateUserRequest,
    User,
    UserStatus,
)
from orkestra.wire import FieldError

__all__ = ["OPEN_RPCS", "PERMISSIONS", "lacks_role", "may", "page_key", "page_size", "page_token"]

# What an admin may grant. Operator and worker belong to the installation's own keys, and no person is a program.
GRANTABLE: Final[Mapping[PrincipalKind, frozenset[Role]]] = MappingProxyType(
    {
        PrincipalKind.USER: frozenset({Role.ADMIN, Role.MANAGER, Role.MEMBER, Role.AUDITOR}),
        PrincipalKind.AGENT: frozenset({Role.AGENT}),
        PrincipalKind.SERVICE: frozenset({Role.SYSTEM, Role.ADMIN, Role.MANAGER, Role.AUDITOR}),
    }
)
DEFAULT_ROLE: Final[Mapping[PrincipalKind, Role]] = MappingProxyType(
    {PrincipalKind.USER: Role.MEMBER, PrincipalKind.AGENT: Role.AGENT, PrincipalKind.SERVICE: Role.SYSTEM}
)

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# HTML Living Standard, "valid e-mail address".
EMAIL: Final = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOCALE: Final = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8}){0,4}")

EVERYBODY: Final = "*"
MAX_GROUP_MEMBERS: Final = 1000
MAX_LIST: Final = 50
MAX_OPEN_TASKS: Final = 1000
MAX_TASK_TYPES: Final = 50
MAX_TYPE: Final = 200
FREE_FAILURES: Final = 5
FIRST_LOCK: Final = timedelta(seconds=30)
LONGEST_LOCK: Final = timedelta(minutes=15)
SESSION_LIFETIME: Final = timedelta(hours=12)
LINK_LIFETIMES: Final[Mapping[MailLinkPurpose, timedelta]] = MappingProxyType(
    {MailLinkPurpose.INVITATION: timedelta(days=3), MailLinkPurpose.PASSWORD_RESET: timedelta(hours=1)}
)
DEFAULT_OVERLAP: Final = 86_400
LONGEST_OVERLAP: Final = 7 * 86_400
LONGEST_REASON: Final = 500
UNKNOWN_CREDENTIAL: Final = (
    "This key or session is not known here. Check that it was copied whole and belongs to this installation; "
    "sign in again, or ask an admin for a new key."
)


def email_key(email: str) -> str:
    """The address without case, by which people are told apart."""
    return email.lower()


def lock_after(failures: int) -> timedelta | None:
    """How long an address is locked after so many wrong passwords: 30 s from the fifth, doubled up to 15 minutes."""
    if failures < FREE_FAILURES:
        return None
    return min(FIRST_LOCK * (1 << min(failures - FREE_FAILURES, 10)), LONGEST_LOCK)


def is_allowed_from(ip: str | None, ranges: Sequence[str]) -> bool:
    """Whether an address lies in one of these ranges; without ranges every address does, an unreadable one never."""
    if not ranges:
        return True
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(text) for text in ranges)


def tenant_errors(request: CreateTenantRequest, zones: frozenset[str]) -> Iterator[FieldError]:
    """Everything that is wrong with a tenant to create."""
    yield from slug_errors("slug", request.slug)
    yield from name_errors("name", request.name)
    if request.admin is None:
        return
    yield from user_errors(request.admin, zones, prefix="admin.")
    for i in range(len(request.admin.groups)):
        yield FieldError(f"admin.groups[{i}]", "unknown", "A new tenant has no groups yet.")


def user_errors(request: CreateUserRequest, zones: frozenset[str], *, prefix: str = "") -> Iterator[FieldError]:
    """Everything that is wrong with a person to create, but for groups that do not exist."""
    yield from email_errors(f"{prefix}email", request.email)
    yield from name_errors(f"{prefix}name", request.name)
    yield from role_errors(f"{prefix}roles", request.roles, PrincipalKind.USER)
    yield from list_errors(f"{prefix}groups", request.groups)
    if request.password is not None:
        yield from password_errors(f"{prefix}password", request.password)
    yield from _place_errors(request, zones, prefix=prefix)


def user_change_errors(request: UpdateUserRequest, zones: frozenset[str]) -> Iterator[FieldError]:
    """Everything that is wrong with what is to change about a person."""
    if request.name is not None:
        yield from name_errors("name", request.name)
    if request.email is not None:
        yield from email_errors("email", request.email)
    yield from role_errors("roles", request.roles, PrincipalKind.USER)
    yield from _place_errors(request, zones)
    yield from _work_errors(request.max_open_tasks, request.add_skills, at_least=0, path="add_skills")


def own_change_errors(request: UpdateMeRequest, zones: frozenset[str]) -> Iterator[FieldError]:
    """Everything that is wrong with what a person is to change about themselves."""
    if request.name is not None:
        yield from name_errors("name", request.name)
    yield from _place_errors(request, zones)


def rotation_errors(request: RotateApiKeyRequest, now: datetime) -> Iterator[FieldError]:
    """Everything that is wrong with how a key is to get a new secret."""
    if request.overlap_seconds is not None and not 0 <= request.overlap_seconds <= LONGEST_OVERLAP:
        yield FieldError("overlap_seconds", "range", f"The overlap is 0 to {LONGEST_OVERLAP} seconds.")
    if request.expires_at is not None and request.expires_at <= now:
        yield FieldError("expires_at", "past", "A key cannot expire before it has its secret.")


def password_errors(path: str, password: str) -> Iterator[FieldError]:
    if not 12 <= len(password) <= 256:
        yield FieldError(path, "length", "A password has 12 to 256 characters.")


def reason_errors(reason: str | None) -> Iterator[FieldError]:
    if reason is not None and len(reason) > LONGEST_REASON:
        yield FieldError("reason", "length", f"A reason has at most {LONGEST_REASON} characters.")


def group_errors(request: CreateGroupRequest) -> Iterator[FieldError]:
    """Everything that is wrong with a group to create, but for members that do not exist."""
    yield from slug_errors("group_id", request.group_id)
    if request.name is not None:
        yield from name_errors("name", request.name)
    if EVERYBODY in request.members:
        yield FieldError("members", "not_allowed", "Name each member.")
    yield from list_errors("members", [email_key(member) for member in request.members], limit=MAX_GROUP_MEMBERS)
    yield from _work_errors(request.max_open_tasks, request.skills, at_least=1, path="skills")


def group_change_errors(request: UpdateGroupRequest) -> Iterator[FieldError]:
    """Everything that is wrong with what is to change about a group."""
    if request.name is not None:
        yield from name_errors("name", request.name)
    yield from _work_errors(request.max_open_tasks, request.add_skills, at_least=0, path="add_skills")


def changed(before: Sequence[str], added: Sequence[str], removed: Sequence[str]) -> list[str]:
    """A set of words after a change, sorted; as it was where nothing is said."""
    return sorted({*before, *added} - set(removed)) if added or removed else list(before)


def _work_errors(most: int | None, skills: Sequence[str], *, at_least: int, path: str) -> Iterator[FieldError]:
    """What is wrong with how much a person takes, and with what they are good at."""
    if most is not None and not at_least <= most <= MAX_OPEN_TASKS:
        yield FieldError("max_open_tasks", "range", f"{at_least} to {MAX_OPEN_TASKS} tasks.")
    yield from list_errors(path, skills)
    for position, name in enumerate(skills):
        if not name.strip() or len(name) > MAX_TYPE:
            yield FieldError(f"{path}[{position}]", "wrong_length", f"1 to {MAX_TYPE} characters.")


def api_key_errors(request: CreateApiKeyRequest, now: datetime) -> Iterator[FieldError]:
    """Everything that is wrong with a key to create, but for people who do not exist."""
    yield from name_errors("name", request.name)
    if request.kind not in (PrincipalKind.AGENT, PrincipalKind.SERVICE):
        yield FieldError("kind", "not_allowed", "A key is for an agent or a service; people sign in.")
    else:
        yield from role_errors("roles", request.roles, request.kind)
    yield from list_errors("on_behalf_of", [email_key(person) for person in request.on_behalf_of])
    yield from list_errors("allowed_ips", request.allowed_ips)
    for i, text in enumerate(request.allowed_ips):
        yield from _range_errors(f"allowed_ips[{i}]", text)
    if request.expires_at is not None and request.expires_at <= now:
        yield FieldError("expires_at", "past", "A key cannot expire before it exists.")


def api_key_change_errors(request: UpdateApiKeyRequest, now: datetime) -> Iterator[FieldError]:
    """Everything that is wrong with what is to change about a key, but for people who do not exist."""
    if request.name is not None:
        yield from name_errors("name", request.name)
    for path in ("add_on_behalf_of", "remove_on_behalf_of"):
        yield from list_errors(path, [email_key(person) for person in getattr(request, path)])
    yield from list_errors("add_allowed_ips", request.add_allowed_ips)
    for i, text in enumerate(request.add_allowed_ips):
        yield from _range_errors(f"add_allowed_ips[{i}]", text)
    if request.expires_at is not None and request.expires_at <= now:
        yield FieldError("expires_at", "past", "A key does not expire in the past; revoke it.")


def subject_errors(subject: str) -> Iterator[FieldError]:
    if not 1 <= len(subject) <= 255:
        yield FieldError("subject", "length", "A subject has 1 to 255 characters.")


def slug_errors(path: str, slug: str) -> Iterator[FieldError]:
    if not SLUG.fullmatch(slug):
        yield FieldError(
            path, "malformed", "Use 1 to 63 lower-case letters, digits and hyphens, no hyphen at the ends."
        )


def name_errors(path: str, name: str) -> Iterator[FieldError]:
    if not name.strip():
        yield FieldError(path, "required", "A name is needed.")
    elif len(name) > 200:
        yield FieldError(path, "length", "A name has at most 200 characters.")
    elif not name.isprintable():
        yield FieldError(path, "malformed", "A name has no line breaks or control characters.")


def email_errors(path: str, email: str) -> Iterator[FieldError]:
    if len(email) > 254 or not EMAIL.fullmatch(email):
        yield FieldError(path, "malformed", "This is not an e-mail address such as ann@example.com.")


def role_errors(path: str, roles: Sequence[Role], kind: PrincipalKind) -> Iterator[FieldError]:
    yield from list_errors(path, roles)
    for i, role in enumerate(roles):
        if role not in GRANTABLE[kind]:
            allowed = ", ".join(sorted(GRANTABLE[kind]))
            yield FieldError(f"{path}[{i}]", "not_allowed", f"A principal of kind {kind} may have {allowed}.")


def list_errors(path: str, items: Sequence[str], *, limit: int = MAX_LIST) -> Iterator[FieldError]:
    if len(items) > limit:
        yield FieldError(path, "length", f"At most {limit} entries.")
        return
    seen = set()
    for i, item in enumerate(items):
        if item in seen:
            yield FieldError(f"{path}[{i}]", "duplicate", "This entry is there twice.")
        seen.add(item)


def unknown_errors(path: str, names: Sequence[str], known: Iterable[str], *, noun: str) -> Iterator[FieldError]:
    """One error for each name that is not known; `noun` says what it should name."""
    there = set(known)
    for i, name in enumerate(names):
        if name not in there:
            yield FieldError(f"{path}[{i}]", "unknown", f"There is no {noun} {name[:100]}.")


def ids_and_emails(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The user ids and the addresses without case among these names of people."""
    return [name for name in names if "@" not in name], [email_key(name) for name in names if "@" in name]


def unknown_people_errors(path: str, names: Sequence[str], people: Iterable[User]) -> Iterator[FieldError]:
    """One error for each name that is none of these people's id or address, nor everybody."""
    known = {EVERYBODY}
    for person in people:
        known |= {person.user_id, email_key(person.email)}
    for i, name in enumerate(names):
        if (email_key(name) if "@" in name else name) not in known:
            yield FieldError(f"{path}[{i}]", "unknown", f"There is no person {name[:254]}.")


def _place_errors(
    request: CreateUserRequest | UpdateUserRequest | UpdateMeRequest, zones: frozenset[str], *, prefix: str = ""
) -> Iterator[FieldError]:
    """What is wrong with a language and a zone; in a change an empty one stands for none."""
    none = (None,) if isinstance(request, CreateUserRequest) else (None, "")
    if request.locale not in none and not LOCALE.fullmatch(request.locale or ""):
        yield FieldError(f"{prefix}locale", "malformed", "A locale is a BCP 47 tag, such as de or en-GB.")
    if request.time_zone not in none and request.time_zone not in zones:
        yield FieldError(f"{prefix}time_zone", "unknown", "A time zone is an IANA name, such as Europe/Berlin.")


def _range_errors(path: str, text: str) -> Iterator[FieldError]:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        yield FieldError(path, "malformed", "Use a range in CIDR form without host bits, such as 10.1.0.0/16.")


def installation_roles(name: str, *, in_tenant: bool) -> frozenset[str]:
    """The roles of an installation key; the service key without a tenant is the operator."""
    if name == "worker":
        return frozenset({Role.WORKER})
    return frozenset({Role.SYSTEM}) if in_tenant else frozenset({Role.SYSTEM, Role.OPERATOR})


def uuid_or_none(text: str | None) -> str | None:
    """The text where it is a UUID in its canonical form, else None."""
    return text if text and UUID.fullmatch(text) else None


def may_substitute(subject: str, roles: Iterable[str], person: str) -> bool:
    """Whether the caller may say who takes the person's place: their own, and managers and admins everybody's."""
    return subject == person or not {Role.MANAGER, Role.ADMIN}.isdisjoint(roles)


def substitution_errors(
    request: SetSubstitutionRequest, *, person: str, substitute: User | None
) -> Iterator[FieldError]:
    """What is wrong with a window and a substitute, who is None where nobody is named or nobody has the name."""
    if request.substitute is not None and substitute is None:
        yield FieldError("substitute", "unknown_user", f"There is no person {request.substitute[:254]}.")
    elif substitute is not None and substitute.status != UserStatus.ACTIVE:
        yield FieldError("substitute", "disabled_user", "The account of the substitute is disabled.")
    elif substitute is not None and substitute.user_id == person:
        yield FieldError("substitute", "not_allowed", "Nobody takes their own place.")
    if request.begins_at and request.ends_at and request.ends_at <= request.begins_at:
        yield FieldError("ends_at", "out_of_range", "The end comes after the beginning.")
    if len(request.task_types) > MAX_TASK_TYPES:
        yield FieldError("task_types", "too_many_items", f"At most {MAX_TASK_TYPES}.")
    for position, name in enumerate(request.task_types):
        if not 0 < len(name) <= MAX_TYPE:
            yield FieldError(f"task_types[{position}]", "wrong_length", f"1 to {MAX_TYPE} characters.")


def told_of_substitution(before: Substitution, after: Substitution) -> list[str]:
    """Whom a change of substitutes concerns: who is away, and who takes their place or took it."""
    people = {after.user_id, before.substitute, after.substitute} - {None}
    return sorted(f"user:{person}" for person in people)

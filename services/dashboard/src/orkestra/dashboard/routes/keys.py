"""API keys and the audit in the settings: which programs come in, and who administered what."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes.exporting import csv_answer, every
from orkestra.dashboard.routes.kinds import N_, typed_moment
from orkestra.dashboard.routes.settings import Trouble, attempt, moment_of, page, trouble_of
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.identity import (
    ApiKey,
    AuditEntry,
    CreateApiKeyRequest,
    CreatedApiKey,
    ListApiKeysRequest,
    ListAuditRequest,
    PrincipalKind,
    RevokeApiKeyRequest,
    Role,
    RotateApiKeyRequest,
)
from orkestra.wire import Error, InvalidArgument, Unauthenticated, dumps

PAGE = 50
KINDS = {"agent": N_("An agent, which asks people"), "service": N_("An outside system")}


async def keys(visit: Visit) -> Response:
    """Lists the keys of the tenant."""
    return await _keys(visit, Trouble())


async def create_key(visit: Visit) -> Response:
    """Makes a key and shows it, this once."""
    kind = visit.value("kind")
    try:
        request = CreateApiKeyRequest(
            name=visit.value("name") or "",
            kind=PrincipalKind.SERVICE if kind == "service" else PrincipalKind.AGENT,
            roles=[Role.SYSTEM if kind == "service" else Role.AGENT],
            on_behalf_of=(visit.value("on_behalf_of") or "").split(),
            allowed_ips=(visit.value("allowed_ips") or "").split(),
            expires_at=moment_of(visit, "expires_at"),
        )
        return await _shown(visit, await visit.identity.create_api_key(request, request_id=visit.request_id))
    except Unauthenticated:
        raise
    except Error as refused:
        return await _keys(visit, trouble_of(visit, refused))


async def rotate_key(visit: Visit) -> Response:
    """Gives a key a new secret and shows it, this once; the old one works a day longer."""
    try:
        return await _shown(visit, await visit.identity.rotate_api_key(RotateApiKeyRequest(key_id=_key_id(visit))))
    except Unauthenticated:
        raise
    except Error as refused:
        return await _keys(visit, trouble_of(visit, refused))


async def revoke_key(visit: Visit) -> Response:
    """Ends a key."""
    request = RevokeApiKeyRequest(key_id=_key_id(visit))
    return await attempt(visit, lambda: visit.identity.revoke_api_key(request), _keys, "/settings/keys")


async def audit(visit: Visit) -> Response:
    """Lists what was administered, newest first."""
    here = {name: visit.query(name) or "" for name in ("actor", "action", "resource_id", "since", "until")}
    try:
        found, trouble = await visit.identity.list_audit(_asked(visit, here)), Trouble()
    except InvalidArgument as refused:
        found, trouble = await visit.identity.list_audit(ListAuditRequest(page_size=PAGE)), trouble_of(visit, refused)
    more = {name: value for name, value in (here | {"page_token": found.next_page_token or ""}).items() if value}
    names = await visit.names(*(entry.actor for entry in found.entries))
    return await page(
        visit,
        "audit",
        "settings_audit.html",
        trouble,
        here=here,
        entries=[(entry, names.get(entry.actor, entry.actor), _changes(entry)) for entry in found.entries],
        next_href=f"/settings/audit?{urlencode(more)}" if found.next_page_token else None,
        csv_href=f"/settings/audit.csv?{urlencode({name: value for name, value in here.items() if value})}",
    )


async def audit_csv(visit: Visit) -> Response:
    """Writes the audit as CSV, up to 10,000 entries."""
    here = {name: visit.query(name) or "" for name in ("actor", "action", "resource_id", "since", "until")}
    columns = ("at", "actor", "actor_kind", "action", "resource", "resource_id", "door", "before", "after")
    asked = _asked(visit, here).model_copy(update={"page_token": None, "page_size": 100})
    return await csv_answer("audit", columns, _rows(every(visit.identity.list_audit, asked, of="entries")))


async def _rows(found: AsyncIterator[AuditEntry]) -> AsyncIterator[list[Any]]:
    async for entry in found:
        acted = [entry.at, entry.actor, entry.actor_kind, entry.action, entry.resource, entry.resource_id]
        yield [*acted, entry.door, *(dumps(each) if each else None for each in (entry.before, entry.after))]


def _asked(visit: Visit, here: dict[str, str]) -> ListAuditRequest:
    return ListAuditRequest(
        actor=here["actor"] or None,
        action=here["action"] or None,
        resource_id=here["resource_id"] or None,
        since=_day(visit, here["since"]),
        until=_day(visit, here["until"]),
        page_size=PAGE,
        page_token=visit.query("page_token"),
    )


def _day(visit: Visit, typed: str) -> datetime | None:
    try:
        return typed_moment(typed, visit.words.zone)
    except ValueError:
        return None


def _changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    before, after = entry.before or {}, entry.after or {}
    return [
        (name.replace("_", " "), _said(before.get(name)), _said(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _said(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else dumps(value)


async def _keys(visit: Visit, trouble: Trouble, made: CreatedApiKey | None = None) -> Response:
    request = ListApiKeysRequest(page_size=PAGE, page_token=visit.query("page_token"))
    found = await visit.identity.list_api_keys(request)
    return await page(
        visit,
        "keys",
        "settings_keys.html",
        trouble,
        found=[(key, _state(key)) for key in found.api_keys],
        kinds=[(value, visit.words.text(label)) for value, label in KINDS.items()],
        made=made,
        next_href=f"/settings/keys?page_token={found.next_page_token}" if found.next_page_token else None,
    )


async def _shown(visit: Visit, made: CreatedApiKey) -> Response:
    return await _keys(visit, Trouble(), made)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    is_over = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    return "expired" if is_over else "active"


def _key_id(visit: Visit) -> str:
    return str(visit.request.path_params["key_id"])

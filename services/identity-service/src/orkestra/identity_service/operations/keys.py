"""API keys: made, listed, given a new secret, revoked."""

from collections.abc import Sequence
from datetime import timedelta

from orkestra.chassis.operations import Tx, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, changes_nothing, page, refuse, sql
from orkestra.identity_service.operations.people import find_people
from orkestra.identity_service.operations.secrets import new_api_key
from orkestra.v1.events import ApiKeyEvent
from orkestra.v1.identity import (
    ApiKey,
    CreateApiKeyRequest,
    CreatedApiKey,
    GetApiKeyRequest,
    ListApiKeysRequest,
    ListApiKeysResponse,
    RevokeApiKeyRequest,
    RotateApiKeyRequest,
    UpdateApiKeyRequest,
    User,
)
from orkestra.wire import FailedPrecondition, NotFound, VersionMismatch


class KeyOperations(Identity):
    """The rpcs about API keys."""

    @operation
    async def create_api_key(self, tx: Tx, request: CreateApiKeyRequest) -> CreatedApiKey:
        errors = list(rules.api_key_errors(request, await tx.now()))
        named = [name for name in request.on_behalf_of if name != rules.EVERYBODY]
        people: list[User] = []
        if len(named) <= rules.MAX_LIST:
            people = await find_people(tx, named)
            errors += rules.unknown_people_errors("on_behalf_of", request.on_behalf_of, people)
        refuse(errors)
        secret, prefix = new_api_key()
        everybody = [rules.EVERYBODY] if rules.EVERYBODY in request.on_behalf_of else []
        [api_key] = await sql.create_api_key.all(
            tx.conn,
            ApiKey,
            tenant_id=tx.tenant_id,
            key_hash=self.pepper.digest(secret),
            prefix=prefix,
            name=request.name,
            kind=request.kind,
            roles=request.roles or [rules.DEFAULT_ROLE[request.kind]],
            on_behalf_of=everybody or sorted(person.user_id for person in people),
            allowed_ips=request.allowed_ips,
            created_by=tx.ctx.subject,
            expires_at=request.expires_at,
        )
        await audited(tx, "create_api_key", "api_key", api_key.key_id, after=api_key)
        created = CreatedApiKey(api_key=api_key, secret=secret)
        tx.keep(created.model_copy(update={"secret": ""}))
        return created

    @read
    async def list_api_keys(self, tx: Tx, request: ListApiKeysRequest) -> ListApiKeysResponse:
        limit, before = page("api_keys", size=request.page_size, token=request.page_token)
        keys = await sql.list_api_keys.all(
            tx.conn, ApiKey, tenant_id=tx.tenant_id, before=before or "~", limit=limit + 1
        )
        more = rules.page_token("api_keys", keys[limit - 1].key_id) if len(keys) > limit else None
        return ListApiKeysResponse(api_keys=keys[:limit], next_page_token=more)

    @read
    async def get_api_key(self, tx: Tx, request: GetApiKeyRequest) -> ApiKey:
        return await find_key(tx, request.key_id)

    @operation
    async def update_api_key(self, tx: Tx, request: UpdateApiKeyRequest) -> ApiKey:
        refuse(rules.api_key_change_errors(request, await tx.now()))
        await sql.lock_api_key.execute(tx.conn, tenant_id=tx.tenant_id, key_id=request.key_id)
        before = await find_key(tx, request.key_id)
        if request.version is not None and request.version != before.version:
            message = f"The key is at version {before.version}, not {request.version}."
            raise VersionMismatch("VERSION_MISMATCH", message, current=before)
        grants = await _changed_grants(tx, before, request)
        ranges = rules.changed(before.allowed_ips, request.add_allowed_ips, request.remove_allowed_ips)
        refuse(rules.list_errors("add_on_behalf_of", grants))
        refuse(rules.list_errors("add_allowed_ips", ranges))
        given = request.model_dump(include={"name", "expires_at"}) | {"on_behalf_of": grants, "allowed_ips": ranges}
        if changes_nothing(before, given):
            return before
        place = {"tenant_id": tx.tenant_id, "key_id": request.key_id}
        updated = await sql.update_api_key.one(tx.conn, ApiKey, **place, **given)
        if updated is None:
            raise FailedPrecondition("API_KEY_ENDED", "A revoked key does not change; create another.", current=before)
        await audited(tx, "update_api_key", "api_key", updated.key_id, before=before, after=updated)
        return updated

    @operation
    async def rotate_api_key(self, tx: Tx, request: RotateApiKeyRequest) -> CreatedApiKey:
        refuse(rules.rotation_errors(request, await tx.now()))
        before = await find_key(tx, request.key_id)
        overlap = rules.DEFAULT_OVERLAP if request.overlap_seconds is None else request.overlap_seconds
        secret, prefix = new_api_key()
        rotated = await sql.rotate_api_key.one(
            tx.conn,
            ApiKey,
            tenant_id=tx.tenant_id,
            key_id=request.key_id,
            key_hash=self.pepper.digest(secret),
            prefix=prefix,
            overlap=timedelta(seconds=overlap),
            expires_at=request.expires_at,
        )
        if rotated is None:
            message = "A revoked or expired key gets no new secret; create another key."
            raise FailedPrecondition("API_KEY_ENDED", message, current=before)
        await audited(tx, "rotate_api_key", "api_key", rotated.key_id, before=before, after=rotated)
        created = CreatedApiKey(api_key=rotated, secret=secret)
        tx.keep(created.model_copy(update={"secret": ""}))
        return created

    @operation
    async def revoke_api_key(self, tx: Tx, request: RevokeApiKeyRequest) -> ApiKey:
        before = await find_key(tx, request.key_id)
        revoked = await sql.revoke_api_key.one(tx.conn, ApiKey, tenant_id=tx.tenant_id, key_id=request.key_id)
        if revoked is None:
            return before
        await tx.emit(
            aggregate="identity",
            event="key_revoked",
            payload=ApiKeyEvent(api_key=revoked),
            key=revoked.key_id,
            version=revoked.version,
        )
        await audited(tx, "revoke_api_key", "api_key", revoked.key_id, before=before, after=revoked)
        return revoked


async def _changed_grants(tx: Tx, before: ApiKey, request: UpdateApiKeyRequest) -> list[str]:
    """For whom the key may ask afterwards; whoever is added has to be there, whoever is removed may be gone."""
    added, removed = request.add_on_behalf_of, request.remove_on_behalf_of
    people = await find_people(tx, [name for name in (*added, *removed) if name != rules.EVERYBODY])
    refuse(rules.unknown_people_errors("add_on_behalf_of", added, people))
    ids = {name: person.user_id for person in people for name in (person.user_id, rules.email_key(person.email))}

    def named(names: Sequence[str]) -> list[str]:
        return [ids.get(rules.email_key(name), name) for name in names]

    grants = rules.changed(before.on_behalf_of, named(added), named(removed))
    return [rules.EVERYBODY] if rules.EVERYBODY in grants else grants


async def find_key(tx: Tx, key_id: str) -> ApiKey:
    """The key of that id; NotFound where the tenant has none."""
    api_key = await sql.get_api_key.one(tx.conn, ApiKey, tenant_id=tx.tenant_id, key_id=key_id)
    if api_key is None:
        raise NotFound("API_KEY_NOT_FOUND", f"There is no API key {key_id[:100]}.")
    return api_key

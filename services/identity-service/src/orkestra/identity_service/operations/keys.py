"""API keys: made, listed, revoked."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.base import Identity, page, refuse, sql
from orkestra.identity_service.operations.people import find_people
from orkestra.identity_service.operations.secrets import new_api_key
from orkestra.v1.events import ApiKeyEvent
from orkestra.v1.identity import (
    ApiKey,
    CreateApiKeyRequest,
    CreatedApiKey,
    ListApiKeysRequest,
    ListApiKeysResponse,
    RevokeApiKeyRequest,
    User,
)
from orkestra.wire import NotFound


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
        api_key = await sql.create_api_key.one(
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

    @operation
    async def revoke_api_key(self, tx: Tx, request: RevokeApiKeyRequest) -> ApiKey:
        place = {"tenant_id": tx.tenant_id, "key_id": request.key_id}
        revoked = await sql.revoke_api_key.one(tx.conn, ApiKey, **place)
        if revoked is None:
            api_key = await sql.get_api_key.one(tx.conn, ApiKey, **place)
            if api_key is None:
                raise NotFound("API_KEY_NOT_FOUND", f"There is no API key {request.key_id[:100]}.")
            return api_key
        await tx.emit(
            aggregate="identity",
            event="key_revoked",
            payload=ApiKeyEvent(api_key=revoked),
            key=revoked.key_id,
            version=revoked.version,
        )
        return revoked

"""What is left when the pepper is replaced: people and what they may do; every key and session has to be made again."""

import pytest
from identity_world import PASSWORD, SERVICE_KEY, WORKER_KEY, running
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Pepper
from orkestra.testkit.databases import migrated
from orkestra.v1.identity import CreateApiKeyRequest, GetMeRequest, PrincipalKind, RotateApiKeyRequest
from orkestra.wire import Unauthenticated


async def test_a_new_pepper_ends_every_key_and_session_and_all_can_be_made_again(
    empty_database: str, signer: Signer
) -> None:
    schema = await migrated(empty_database, "orkestra.identity_service", "identity", extra_roles=("lookup",))
    async with running(schema, signer) as before:
        home = await before.tenant()
        bot = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
        session = await before.sign_in(home.email("admin"))
        assert (await before.exchange(bot.secret)).subject == bot.api_key.key_id
    async with running(schema, signer, pepper=Pepper(b"another pepper of the same installation")) as after:
        for ended in (bot.secret, session.token):
            with pytest.raises(Unauthenticated):
                await after.exchange(ended)
        for kept in (SERVICE_KEY, WORKER_KEY):
            await after.exchange(kept)
        admin = await after.holder((await after.sign_in(home.email("admin"), PASSWORD)).token)
        assert (await admin.get_me(GetMeRequest())).user == session.user
        again = await admin.rotate_api_key(RotateApiKeyRequest(key_id=bot.api_key.key_id))
        assert (await after.exchange(again.secret)).subject == bot.api_key.key_id

"""Questions to identity-service with a token that it does not take any more: the next one is sent, at once."""

from datetime import UTC, datetime, timedelta
from functools import partial

from notification_world import World, world
from orkestra.notification_service.operations import Directory, Groups
from orkestra.v1.identity import MailLink, MailLinkPurpose, MailLinkToken
from orkestra.v1.notification import Channel
from task_world import KeptTokens

__all__ = ["world"]


async def test_what_is_asked_with_a_token_that_is_refused_is_asked_with_the_next(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    tenant.group("support-l1", ana)
    user = tenant.user(ana)
    now = datetime.now(UTC)
    link = MailLink(
        link_id=f"link_{ana.id}",
        tenant_id=tenant.id,
        user_id=ana.id,
        purpose=MailLinkPurpose.INVITATION,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    told = world.identity.links[link.link_id] = MailLinkToken(link=link, token="orl_1", user=user)
    tokens_of = partial(KeptTokens, world.signer)
    groups = Groups(world.database, world.channel, tokens_of)
    directory = Directory(world.database, world.channel, tokens_of)
    assert await groups.members(tenant.id, ["support-l1"]) == {"support-l1": [ana.id]}
    recipient = await directory.recipient(tenant.id, f"user:{ana.id}", Channel.EMAIL)
    assert recipient is not None
    assert recipient.email == user.email
    assert await directory.mail_link(tenant.id, link.link_id) == told

"""Passwords: changed by their person, chosen by a mailed link that works once."""

from typing import Any

import pytest
from identity_world import PASSWORD, SERVICE_KEY, WORKER_KEY, Home, World, home, world
from orkestra.testkit import eventually
from orkestra.v1.identity import (
    ChangePasswordRequest,
    CreateApiKeyRequest,
    CreateUserRequest,
    DisableUserRequest,
    GetMailLinkTokenRequest,
    InviteUserRequest,
    ListAuditRequest,
    MailLinkPurpose,
    MailLinkToken,
    PrincipalKind,
    RedeemMailLinkRequest,
    RequestPasswordResetRequest,
    SuspendTenantRequest,
)
from orkestra.wire import (
    Error,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)

__all__ = ["home", "world"]

NEW = "another password of enough length"


async def refusal(call: Any) -> tuple[type[Error], str]:
    with pytest.raises(Error) as refused:
        await call
    return type(refused.value), refused.value.reason


async def mailed(world: World, home: Home, link_id: str) -> MailLinkToken:
    """What notification-service is told of a link."""
    service = await world.holder(SERVICE_KEY, tenant_id=home.id)
    return await service.get_mail_link_token(GetMailLinkTokenRequest(link_id=link_id))


async def reset_links(world: World, user_id: str) -> list[str]:
    rows = await world.rows("select link_id from mail_links where user_id = $1 and purpose = 'password_reset'", user_id)
    return [row["link_id"] for row in rows]


async def test_a_person_changes_their_password_and_stays_signed_in_here_alone(world: World, home: Home) -> None:
    await home.person("ann")
    here, elsewhere = [await world.sign_in(home.email("ann")) for _ in range(2)]
    ann = await world.holder(here.token)
    await ann.change_password(ChangePasswordRequest(token=here.token, current_password=PASSWORD, new_password=NEW))
    assert (await world.exchange(here.token)).subject == here.user.user_id
    assert await refusal(world.exchange(elsewhere.token)) == (Unauthenticated, "SESSION_ENDED")
    assert await refusal(world.sign_in(home.email("ann"))) == (Unauthenticated, "SIGN_IN_REFUSED")
    assert (await world.sign_in(home.email("ann"), NEW)).user.user_id == here.user.user_id
    [entry] = (await home.admin.list_audit(ListAuditRequest(action="change_password"))).entries
    assert (entry.actor, entry.before, entry.after) == (here.user.user_id, None, None)


async def test_guessing_the_current_password_locks_like_a_sign_in(world: World, home: Home) -> None:
    await home.person("ann")
    session = await world.sign_in(home.email("ann"))
    ann = await world.holder(session.token)
    guess = ChangePasswordRequest(token=session.token, current_password="a wrong one", new_password=NEW)
    for _ in range(5):
        assert await refusal(ann.change_password(guess)) == (InvalidArgument, "PASSWORD_WRONG")
    assert await refusal(ann.change_password(guess)) == (ResourceExhausted, "SIGN_IN_LOCKED")
    assert await refusal(world.sign_in(home.email("ann"))) == (ResourceExhausted, "SIGN_IN_LOCKED")
    short = guess.model_copy(update={"new_password": "short"})
    assert await refusal(ann.change_password(short)) == (InvalidArgument, "REQUEST_INVALID")


async def test_an_invited_person_chooses_a_password_once(world: World, home: Home) -> None:
    invited = await home.admin.create_user(CreateUserRequest(email=home.email("ann"), name="Ann"))
    link = await home.admin.invite_user(InviteUserRequest(user_id=invited.user_id))
    assert (link.purpose, link.user_id) == (MailLinkPurpose.INVITATION, invited.user_id)
    told = await mailed(world, home, link.link_id)
    assert (told.link, told.user) == (link, invited)
    short = RedeemMailLinkRequest(token=told.token, password="short")
    assert await refusal(world.nobody.redeem_mail_link(short)) == (InvalidArgument, "REQUEST_INVALID")
    redeem = RedeemMailLinkRequest(token=told.token, password=NEW)
    done = await world.nobody.redeem_mail_link(redeem)
    assert (done.email, done.tenant) == (invited.email, home.tenant.slug)
    assert (await world.sign_in(invited.email, NEW, done.tenant)).user.user_id == invited.user_id
    assert await refusal(world.nobody.redeem_mail_link(redeem)) == (NotFound, "MAIL_LINK_NOT_FOUND")
    assert (await world.events(home.id))[-2:] == ["mail_link_created", "user_changed"]


async def test_a_link_is_told_to_the_installations_service_alone(world: World, home: Home) -> None:
    ann = await home.person("ann")
    link = await home.admin.invite_user(InviteUserRequest(user_id=ann))
    asked = GetMailLinkTokenRequest(link_id=link.link_id)
    key = await home.admin.create_api_key(CreateApiKeyRequest(name="Shop", kind=PrincipalKind.SERVICE))
    worker = await world.holder(WORKER_KEY, tenant_id=home.id)
    for client in (await world.holder(key.secret), worker, home.admin):
        assert await refusal(client.get_mail_link_token(asked)) == (PermissionDenied, "ROLE_REQUIRED")
    other = await world.holder(SERVICE_KEY, tenant_id=(await world.tenant()).id)
    assert await refusal(other.get_mail_link_token(asked)) == (NotFound, "MAIL_LINK_NOT_FOUND")
    token = (await mailed(world, home, link.link_id)).token
    stored = [
        str(dict(row)) for table in ("mail_links", "outbox") for row in await world.rows(f"select * from {table}")
    ]
    assert not any(token in row for row in stored)


async def test_a_new_invitation_replaces_the_one_before_but_not_at_once(world: World, home: Home) -> None:
    ann = await home.person("ann")
    invite = InviteUserRequest(user_id=ann)
    first = await home.admin.invite_user(invite)
    token = (await mailed(world, home, first.link_id)).token
    assert await refusal(home.admin.invite_user(invite)) == (FailedPrecondition, "ALREADY_INVITED")
    await world.rows("update mail_links set created_at = now() - interval '2 minutes' where user_id = $1", ann)
    await home.admin.invite_user(invite)
    redeem = RedeemMailLinkRequest(token=token, password=NEW)
    assert await refusal(world.nobody.redeem_mail_link(redeem)) == (NotFound, "MAIL_LINK_NOT_FOUND")


async def test_a_forgotten_password_is_chosen_anew_and_every_session_ends(world: World, home: Home) -> None:
    ann = await home.person("ann")
    session = await world.sign_in(home.email("ann"))
    await world.nobody.request_password_reset(RequestPasswordResetRequest(email=home.email("ANN")))
    [link_id] = await eventually(lambda: reset_links(world, ann), timeout=20)
    token = (await mailed(world, home, link_id)).token
    await world.nobody.redeem_mail_link(RedeemMailLinkRequest(token=token, password=NEW))
    assert await refusal(world.exchange(session.token)) == (Unauthenticated, "SESSION_ENDED")
    assert (await world.sign_in(home.email("ann"), NEW)).user.user_id == ann


async def test_asking_for_a_reset_tells_nothing_and_mails_only_who_may_sign_in(world: World, home: Home) -> None:
    ann, bob = await home.person("ann"), await home.person("bob")
    await home.admin.disable_user(DisableUserRequest(user_id=ann))
    answers = [
        await world.nobody.request_password_reset(RequestPasswordResetRequest(email=home.email(name), tenant=tenant))
        for name, tenant in (("ann", None), ("nobody", None), ("bob", "elsewhere"), ("bob", home.tenant.slug))
    ]
    assert len({answer.model_dump_json() for answer in answers}) == 1
    await world.operations.settle()
    assert await reset_links(world, ann) == []
    assert len(await reset_links(world, bob)) == 1


@pytest.mark.parametrize("end", ["expired", "disabled", "suspended"])
async def test_a_link_that_came_to_its_end_sets_no_password(world: World, home: Home, end: str) -> None:
    ann = await home.person("ann")
    link = await home.admin.invite_user(InviteUserRequest(user_id=ann))
    token = (await mailed(world, home, link.link_id)).token
    if end == "expired":
        await world.rows("update mail_links set expires_at = now() where link_id = $1", link.link_id)
    elif end == "disabled":
        await home.admin.disable_user(DisableUserRequest(user_id=ann))
        assert await refusal(home.admin.invite_user(InviteUserRequest(user_id=ann))) == (
            FailedPrecondition,
            "USER_NOT_ACTIVE",
        )
    else:
        operator = await world.holder(SERVICE_KEY)
        await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id))
    redeem = RedeemMailLinkRequest(token=token, password=NEW)
    assert await refusal(world.nobody.redeem_mail_link(redeem)) == (NotFound, "MAIL_LINK_NOT_FOUND")

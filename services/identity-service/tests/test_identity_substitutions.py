"""Out of office: who says who takes whose place, what is refused, and what is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from identity_world import Home, World, home, world
from orkestra.v1.events import SubstitutionEvent
from orkestra.v1.identity import (
    DisableUserRequest,
    GetSubstitutionRequest,
    IdentityServiceClient,
    Role,
    SetSubstitutionRequest,
    Substitution,
)
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied, Principal

__all__ = ["home", "world"]

NOW = datetime.now(UTC).replace(microsecond=0)


def person(home: Home, user_id: str, *roles: str) -> IdentityServiceClient:
    held = frozenset(roles or ("member",))
    return home.world.as_principal(Principal(user_id, "user", home.id, held))


async def test_a_person_says_who_takes_their_place_and_takes_it_back(home: Home) -> None:
    ana, ben = await home.person("ana"), await home.person("ben")
    caller = person(home, ana)
    asked = GetSubstitutionRequest(user_id=ana)
    assert await caller.get_substitution(asked) == Substitution(user_id=ana, version=0)
    window: dict[str, Any] = {"begins_at": NOW, "ends_at": NOW + timedelta(days=7), "task_types": ["refund-approval"]}
    said = await caller.set_substitution(SetSubstitutionRequest(user_id=ana, substitute=home.email("ben"), **window))
    assert said == Substitution(user_id=ana, substitute=ben, version=1, **window)
    assert await person(home, ben).get_substitution(asked) == said
    back = await caller.set_substitution(SetSubstitutionRequest(user_id=ana))
    assert back == Substitution(user_id=ana, version=2)
    assert (await home.world.events(home.id))[-2:] == ["substitution_changed"] * 2


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
async def test_managers_and_admins_say_it_of_anybody(home: Home, role: Role) -> None:
    ana, ben = await home.person("ana"), await home.person("ben")
    said = await home.as_role(role).set_substitution(SetSubstitutionRequest(user_id=ana, substitute=ben))
    assert said.substitute == ben


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR])
async def test_nobody_else_does(home: Home, role: Role) -> None:
    ana, ben = await home.person("ana"), await home.person("ben")
    with pytest.raises(PermissionDenied) as refused:
        await home.as_role(role).set_substitution(SetSubstitutionRequest(user_id=ana, substitute=ben))
    assert refused.value.reason == "NOT_YOUR_ABSENCE"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"substitute": "nobody@example.com"}, ("substitute", "unknown_user")),
        ({"substitute": "ana"}, ("substitute", "not_allowed")),
        ({"substitute": "gone"}, ("substitute", "disabled_user")),
        ({"begins_at": NOW, "ends_at": NOW}, ("ends_at", "out_of_range")),
        ({"task_types": [""]}, ("task_types[0]", "wrong_length")),
        ({"task_types": ["a"] * 51}, ("task_types", "too_many_items")),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_told(home: Home, fields: dict[str, Any], fault: Any) -> None:
    ids = {name: await home.person(name) for name in ("ana", "gone")}
    await home.admin.disable_user(DisableUserRequest(user_id=ids["gone"]))
    named = {"substitute": ids.get(fields["substitute"], fields["substitute"])} if "substitute" in fields else {}
    with pytest.raises(InvalidArgument) as refused:
        await person(home, ids["ana"]).set_substitution(SetSubstitutionRequest(user_id=ids["ana"], **fields | named))
    assert [(error.path, error.code) for error in refused.value.errors] == [fault]
    assert "substitution_changed" not in await home.world.events(home.id)


async def test_people_of_another_tenant_take_no_place(world: World, home: Home) -> None:
    ana, other = await home.person("ana"), await world.tenant()
    eve = await other.person("eve")
    with pytest.raises(InvalidArgument):
        await person(home, ana).set_substitution(SetSubstitutionRequest(user_id=ana, substitute=eve))
    with pytest.raises(NotFound):
        await other.admin.set_substitution(SetSubstitutionRequest(user_id=ana, substitute=eve))


async def test_whoever_takes_a_place_and_whoever_took_it_are_told(home: Home) -> None:
    ana, ben, eve = [await home.person(name) for name in ("ana", "ben", "eve")]
    caller = person(home, ana)
    await caller.set_substitution(SetSubstitutionRequest(user_id=ana, substitute=ben))
    await caller.set_substitution(SetSubstitutionRequest(user_id=ana, substitute=eve))
    await caller.set_substitution(SetSubstitutionRequest(user_id=ana))
    rows = await home.world.rows(
        "select payload from outbox where tenant_id = $1 and subject like '%substitution_changed' order by seq", home.id
    )
    told = [SubstitutionEvent.model_validate_json(row["payload"]) for row in rows]
    assert [(each.substitution.substitute, each.formerly, each.actor) for each in told] == [
        (ben, None, ana),
        (eve, ben, ana),
        (None, eve, ana),
    ]
    audiences = [{f"user:{one}" for one in people} for people in ([ana, ben], [ana, ben, eve], [ana, eve])]
    assert [set(each.audience) for each in told] == audiences

"""What people set for themselves: their name, language and time zone, and a password that they
forgot; and what managers set for a group."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role
from orkestra.v1.notification import Channel, NotificationKind

Migrated = Callable[..., Awaitable[Schema]]


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


async def sent(http: httpx.AsyncClient, path: str, /, **fields: str) -> httpx.Response:
    page = await http.get("/settings")
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return await http.post(path, data={"csrf": found[1], **fields})


async def test_people_choose_their_name_language_and_time_zone(world: DashboardWorld) -> None:
    ada = world.person("Ada Lovelace", tenant_id=world.tenant(), locale="en")
    async with world.http(ada) as http:
        before = (await http.get("/settings")).text
        assert '<option value="Europe/Berlin">' in before
        assert 'name="time_zone" list="zones" value="Europe/Berlin"' in before
        wanted = {"name": "Ada King", "locale": "fr", "time_zone": "Asia/Tokyo", "version": "1"}
        answer = await sent(http, "/settings/profile", **wanted)
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings?saved=1")
        after = (await http.get("/settings?saved=1")).text
    assert '<html lang="fr"' in after
    assert 'data-zone="Asia/Tokyo"' in after
    assert "Enregistré." in after
    kept = world.rooms.identity.users[ada.user_id]
    assert (kept.name, kept.locale, kept.time_zone) == ("Ada King", "fr", "Asia/Tokyo")


async def test_an_empty_choice_is_the_browsers(world: DashboardWorld) -> None:
    ada = world.person("Ada Lovelace", tenant_id=world.tenant(), locale="fr")
    async with world.http(ada) as http:
        await sent(http, "/settings/profile", name="Ada", locale="", time_zone="")
        page = await http.get("/settings", headers={"accept-language": "de"})
    assert '<html lang="de"' in page.text
    assert 'data-zone=""' in page.text


async def test_a_zone_that_is_none_is_refused_with_what_was_typed(world: DashboardWorld) -> None:
    ada = world.person("Ada Lovelace", tenant_id=world.tenant())
    async with world.http(ada) as http:
        answer = await sent(http, "/settings/profile", name="Ada <b>", locale="de", time_zone="Europe/Nowhere")
    assert answer.status_code == 422
    assert 'value="Europe/Nowhere"' in answer.text
    assert 'value="Ada &lt;b&gt;"' in answer.text
    assert 'id="problem"' in answer.text


async def test_a_forgotten_password_is_asked_for_and_nobody_learns_who_is_known(world: DashboardWorld) -> None:
    async with world.http() as http:
        assert 'href="/password"' in (await http.get("/sign-in")).text
        form = (await http.get("/password", headers={"accept-language": "fr"})).text
        assert "Mot de passe oublié" in form
        told = [(await http.post("/password", data={"email": each})).text for each in ("a@b.example", "ada@b.example")]
        assert told[0].count("a link is on its way") == 1
        assert len({re.sub(r"nonce=\S+", "", each) for each in told}) == 1
        other = await http.post("/password", data={"email": "a@b.example"}, headers={"sec-fetch-site": "cross-site"})
        assert (await http.post("/password", data={"email": ""})).status_code == 422
    assert other.status_code == 403


async def test_a_password_is_set_once_by_its_link_in_the_readers_language(world: DashboardWorld) -> None:
    good, bad = ({"password": "correct horse battery", "again": each} for each in ("correct horse battery", "other"))
    async with world.http() as http:
        http.headers["accept-language"] = "de"
        different = await http.post("/password/orl_known", data=bad)
        old = await http.post("/password/orl_old", data=good)
        done = await http.post("/password/orl_known", data=good)
    assert (different.status_code, old.status_code) == (422, 404)
    assert "Fordern Sie einen neuen an." in old.text
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")


async def test_managers_choose_what_a_group_is_told_of(world: DashboardWorld) -> None:
    tenant = world.tenant()
    mia = world.person("Mia Manager", "support-l1", tenant_id=tenant, roles=(Role.MANAGER,))
    here = "/settings/groups/support-l1/notifications"
    async with world.http(mia) as http:
        assert f'href="{here}"' in (await http.get("/settings/groups/support-l1")).text
        before = (await http.get(here)).text
        assert 'name="rules.group_task" value="slack" checked' in before
        assert 'value="email"' not in before
        assert '<option value="de" selected>' in before
        wanted = {"rules.escalated": "teams", "locale": "fr", "time_zone": "Europe/Paris", "version": "1"}
        answer = await sent(http, here, **wanted, begins="22:00", ends="07:00", digest_minutes="30")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{here}?saved=1")
        wrong = await sent(http, here, locale="fr", time_zone="Europe/Nowhere")
    kept = world.rooms.feeds.wishes[tenant, "group:support-l1"]
    chosen = {rule.kind: rule.channels for rule in kept.rules}
    assert chosen[NotificationKind.ESCALATED] == [Channel.TEAMS]
    assert (chosen[NotificationKind.GROUP_TASK], chosen[NotificationKind.RESULT]) == ([], [])
    assert (kept.locale, kept.time_zone, kept.digest_minutes) == ("fr", "Europe/Paris", 30)
    assert wrong.status_code == 422
    assert 'value="Europe/Nowhere"' in wrong.text


async def test_members_read_what_their_group_is_told_of(world: DashboardWorld) -> None:
    ada = world.person("Ada Lovelace", "support-l1", tenant_id=world.tenant())
    async with world.http(ada) as http:
        text = (await http.get("/settings/groups/support-l1/notifications")).text
    assert '<fieldset class="contents" disabled>' in text
    assert ">Save<" not in text

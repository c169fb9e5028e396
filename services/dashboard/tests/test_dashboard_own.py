"""What people set for themselves: their name, language and time zone, and a password that they forgot."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema

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

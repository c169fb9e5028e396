"""What people set for themselves: their name, language and time zone."""

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

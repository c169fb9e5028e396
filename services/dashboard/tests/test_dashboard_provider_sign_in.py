"""Signing in at a provider through the pages: a browser that goes there and comes back, against identity-service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from dashboard_rooms import running_rooms
from dashboard_world import CLIENTS, dashboard
from identity_world import Home, Migrated, World, running
from orkestra.chassis import grpc
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.ratelimit import Limit
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Issuer, Provider, issuers
from orkestra.v1.identity import CreateUserRequest, IdentityServiceClient
from outside_issuers import CLIENT, OutsideIssuer, canaille, outside_issuer, sign_in_at_canaille

BACK = "/sign-in/callback"


@dataclass
class Pages:
    """A dashboard before an identity-service that knows a provider."""

    base: str
    world: World
    home: Home
    known: dict[str, Issuer]
    outside: OutsideIssuer

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.base, timeout=30)

    def person(self, name: str = "ann", **claims: Any) -> None:
        """From now on the provider tells of this person."""
        told = {"sub": f"sub-{name}", "email": self.home.email(name), "email_verified": True}
        self.outside.person = told | claims

    async def leave(self, browser: httpx.AsyncClient, path: str = "/sign-in/with/corp", **query: str) -> str:
        """Where the dashboard sends the browser."""
        answer = await browser.get(path, params=query)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def go_through(
        self, browser: httpx.AsyncClient, path: str = "/sign-in/with/corp", **query: str
    ) -> httpx.Response:
        """Go to the provider, agree there, and come back."""
        brought = self.outside.agree(await self.leave(browser, path, **query))
        return await browser.get(BACK, params=brought)


@pytest.fixture(scope="module")
async def pages(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[Pages]:
    identity = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    schema = await migrated("orkestra.dashboard", "dashboard")
    known, http = issuers([], development=True)
    async with (
        http,
        outside_issuer() as outside,
        running(identity, signer, issuers=known) as world,
        running_rooms(signer, nats_url) as others,
        grpc.channel(others.address) as channel,
    ):
        rooms = dict.fromkeys(CLIENTS, channel) | {IdentityServiceClient: world.channel}
        changes = {"rooms": rooms, "credentials": CredentialCache(world.channel), "cookie_secure": False}
        home = await world.tenant()
        await home.person("ann")
        for provider_id, name, tenant in (("corp", "Corp & Sons", None), ("own", "Own", home.tenant.slug)):
            provider = Provider(provider_id=provider_id, name=name, issuer=outside.url, client_id=CLIENT, tenant=tenant)
            known[provider_id] = Issuer(provider, http)
        async with dashboard(signer, schema.app_url, nats_url, **changes) as door:
            yield Pages(door.base, world, home, known, outside)


async def test_whoever_signs_in_at_the_provider_is_where_they_wanted_to_go(pages: Pages) -> None:
    pages.person()
    async with pages.browser() as browser:
        page = await browser.get("/sign-in", params={"next": "/workflows"})
        assert "Sign in with Corp &amp; Sons" in page.text
        assert 'href="/sign-in/with/corp?next=/workflows"' in page.text
        answer = await pages.go_through(browser, next="/workflows")
        assert (answer.status_code, answer.headers["location"]) == (303, "/workflows")
        assert browser.cookies["orkestra_session"].startswith("ors_")
        assert not [name for name in browser.cookies if name.startswith("orkestra_attempt")]
        shown = await browser.get("/inbox")
    assert shown.status_code == 200
    assert "Ann" in shown.text


@pytest.mark.timeout(120)
async def test_a_real_provider_signs_a_person_in_through_the_pages(pages: Pages, tmp_path: Path) -> None:
    back = f"{pages.base}{BACK}"
    await pages.home.admin.create_user(CreateUserRequest(email="ann@acme.example", name="Ann of Acme"))
    async with canaille(tmp_path / "log", back) as url, pages.browser() as browser:
        values = {"client_secret": "a secret of this test client", "email_is_trusted": True}
        provider = Provider(
            provider_id="real", name="Canaille", issuer=url, client_id=CLIENT, tenant=pages.home.tenant.slug, **values
        )
        pages.known["real"] = Issuer(provider, pages.known["corp"].http)
        place = await pages.leave(browser, "/sign-in/with/real", tenant=pages.home.tenant.slug)
        answer = await browser.get(BACK, params=await sign_in_at_canaille(place, back))
        assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
        assert "Ann of Acme" in (await browser.get("/inbox")).text


async def test_the_browser_is_sent_with_pkce_and_keeps_its_attempt_out_of_reach(pages: Pages) -> None:
    async with pages.browser() as browser:
        answer = await browser.get("/sign-in/with/corp")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["redirect_uri"] == f"{pages.base}{BACK}"
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid email profile",
    )
    assert asked["nonce"] != asked["state"]
    assert len(asked["code_challenge"]) == 43
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", f"Path={BACK}", "SameSite=lax", "Max-Age=600"} <= {part.strip() for part in cookie.split(";")}
    assert asked["nonce"] not in cookie
    async with pages.browser() as browser:
        assert "set-cookie" not in (await browser.get("/sign-in")).headers


async def test_what_another_browser_began_is_not_taken(pages: Pages) -> None:
    """Else a page elsewhere could sign people in as its own author."""
    pages.person()
    async with pages.browser() as mallory, pages.browser() as victim:
        brought = pages.outside.agree(await pages.leave(mallory))
        answer = await victim.get(BACK, params=brought)
        assert answer.status_code == 403
        assert "expired, or was begun in another browser" in answer.text
        assert "orkestra_session" not in victim.cookies
        # Nor with an attempt of one's own: the state is another one's.
        await pages.leave(victim)
        [(name, value)] = list(victim.cookies.items())
    theirs = {f"orkestra_attempt_{_letters(brought['state'])}": value}
    async with httpx.AsyncClient(base_url=pages.base, cookies=theirs, timeout=30) as forged:
        swapped = await forged.get(BACK, params=brought)
    assert swapped.status_code == 403
    assert name not in theirs


def _letters(state: str) -> str:
    return "".join(one for one in state[:16] if one.isalnum())


async def test_each_refusal_is_told_on_the_page_with_the_ways_to_try_again(pages: Pages) -> None:
    async def told(status: int, text: str, **answer: str) -> None:
        async with pages.browser() as browser:
            brought = pages.outside.agree(await pages.leave(browser, next="/workflows")) | answer
            page = await browser.get(BACK, params=brought)
            assert (page.status_code, text in page.text) == (status, True), page.text
            assert "Sign in with Corp" in page.text
            assert 'name="next" value="/workflows"' in page.text
            assert "orkestra_session" not in browser.cookies

    pages.person("nobody")
    await told(401, "Nobody here is known")
    pages.person("nobody", email_verified=False)
    await told(403, "has not verified your e-mail address")
    await told(403, "You did not agree", error="access_denied")
    pages.person(nonce="another")
    await told(403, "cannot be trusted")
    await told(403, "cannot be trusted", iss="https://evil.example")


async def test_a_refusal_is_told_in_the_browsers_language(pages: Pages) -> None:
    async with pages.browser() as browser:
        browser.headers["accept-language"] = "de"
        brought = pages.outside.agree(await pages.leave(browser)) | {"error": "access_denied"}
        page = await browser.get(BACK, params=brought)
    assert "Der Anbieter hat die Anmeldung abgelehnt." in page.text
    assert "Mit Corp &amp; Sons anmelden" in page.text


async def test_a_provider_that_is_away_is_told_and_signing_in_by_password_goes_on(pages: Pages) -> None:
    gone = Provider(provider_id="gone", name="Gone", issuer="http://127.0.0.1:1", client_id=CLIENT)
    pages.known["gone"] = Issuer(gone, pages.known["corp"].http)
    async with pages.browser() as browser:
        page = await browser.get("/sign-in/with/gone")
    del pages.known["gone"]
    assert page.status_code == 503
    assert "does not answer right now" in page.text
    assert 'name="password"' in page.text


async def test_a_tenants_own_provider_is_shown_to_its_people_alone(pages: Pages) -> None:
    slug = pages.home.tenant.slug
    async with pages.browser() as browser:
        everyone = await browser.get("/sign-in")
        ours = await browser.get("/sign-in", params={"tenant": slug})
        assert "Sign in with Own" not in everyone.text
        assert 'id="organisation"' in everyone.text
        assert f'href="/sign-in/with/own?next=/inbox&amp;tenant={slug}"' in ours.text
        pages.person()
        refused = await browser.get("/sign-in/with/own")
        assert (refused.status_code, "choose one of the ways" in refused.text) == (404, True)
        answer = await pages.go_through(browser, path="/sign-in/with/own", tenant=slug)
    assert answer.headers["location"] == "/inbox"


async def test_who_is_in_several_organisations_is_asked_for_one(pages: Pages) -> None:
    other = await pages.world.tenant()
    address = pages.home.email("twin")
    for home in (pages.home, other):
        await home.admin.create_user(CreateUserRequest(email=address, name="Twin"))
    pages.person("twin")
    async with pages.browser() as browser:
        page = await pages.go_through(browser)
        assert (page.status_code, 'id="organisation"' in page.text) == (422, True)
        answer = await pages.go_through(browser, tenant=other.tenant.slug)
    assert answer.headers["location"] == "/inbox"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-out"])
async def test_coming_back_leads_to_no_other_site(pages: Pages, elsewhere: str) -> None:
    pages.person()
    async with pages.browser() as browser:
        assert (await pages.go_through(browser, next=elsewhere)).headers["location"] == "/inbox"


async def test_with_passwords_off_no_form_asks_for_one(
    signer: Signer, migrated: Migrated, nats_url: str, pages: Pages
) -> None:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with running(pages.world.schema, signer, issuers=pages.known, password_sign_in=False) as world:
        rooms = dict.fromkeys(CLIENTS, world.channel)
        changes = {"rooms": rooms, "per_address": Limit("fewer", 2, 60)}
        async with (
            dashboard(signer, schema.app_url, nats_url, **changes) as door,
            httpx.AsyncClient(base_url=door.base) as browser,
        ):
            page = await browser.get("/sign-in")
            assert "Sign in with Corp" in page.text
            assert 'name="password"' not in page.text
            refused = await browser.post("/sign-in", data={"email": "a@b.example", "password": "x" * 12})
            assert (refused.status_code, "Nobody signs in by password here" in refused.text) == (403, True)
            statuses = [(await browser.get("/sign-in/with/corp")).status_code for _ in range(2)]
            assert statuses == [303, 429]

"""Who gets in, what keeps other sites out, and what a person may see: without a browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from dashboard_rooms import PASSWORD
from dashboard_story import EVERY_FIELD, GROUP, ask, support_run
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.ratelimit import Limit, OwnCounts
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import User
from orkestra.v1.task import TaskStatus

Migrated = Callable[..., Awaitable[Schema]]


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


async def person_with_task(world: DashboardWorld, **asked: Any) -> tuple[User, str]:
    tenant = world.tenant()
    person = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    return person, f"/tasks/{(await ask(world, tenant, **asked)).task_id}"


async def test_without_a_session_every_page_leads_to_sign_in_and_back(world: DashboardWorld) -> None:
    async with world.http() as http:
        answer = await http.get("/inbox", params={"scope": "all"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Finbox%3Fscope%3Dall")
        assert (await http.get("/live", headers={"hx-request": "true"})).status_code == 401


async def test_signing_in_keeps_the_session_where_no_script_and_no_other_site_reaches_it(world: DashboardWorld) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    async with world.http() as http:
        form = {"email": person.email, "password": PASSWORD, "next": "/workflows"}
        answer = await http.post("/sign-in", data=form)
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/workflows")
    assert cookie.startswith("orkestra_session=ors_")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_by_https_no_neighbouring_domain_sets_the_session(world: DashboardWorld) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    async with world.http() as http:
        http.headers["x-forwarded-proto"] = "https"
        answer = await http.post("/sign-in", data={"email": person.email, "password": PASSWORD})
        kept = answer.headers["set-cookie"].partition(";")[0]
        assert kept.startswith("__Host-orkestra_session=ors_")
        assert {"Secure", "Path=/"} <= {part.strip() for part in answer.headers["set-cookie"].split(";")}
        assert "domain" not in answer.headers["set-cookie"].lower()
        assert (await http.get("/inbox", headers={"cookie": kept})).status_code == 200
        tossed = kept.removeprefix("__Host-")
        assert (await http.get("/inbox", headers={"cookie": tossed})).status_code == 303
        page = await http.get("/inbox", headers={"cookie": f"{kept}; orkestra_session=ors_another"})
        gone = await http.post("/sign-out", data={"csrf": csrf_of(page)}, headers={"cookie": kept})
    assert gone.headers["set-cookie"].startswith('__Host-orkestra_session="";')


async def test_a_wrong_password_is_refused_with_the_address_kept(world: DashboardWorld) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    async with world.http() as http:
        answer = await http.post("/sign-in", data={"email": person.email, "password": "wrong wrong wrong"})
    assert answer.status_code == 401
    assert "E-mail address or password is not right." in answer.text
    assert f'value="{person.email}"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_an_address_in_several_organisations_is_asked_for_one(world: DashboardWorld) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    world.person("Ada", tenant_id=world.tenant(), locale="en")
    twin = list(world.rooms.identity.users.values())[-1]
    world.rooms.identity.users[twin.user_id] = twin.model_copy(update={"email": person.email})
    async with world.http() as http:
        answer = await http.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 422
    assert 'name="tenant"' in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil", "/sign-out", ""],
)
async def test_signing_in_leads_to_no_other_site(world: DashboardWorld, elsewhere: str) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    async with world.http() as http:
        form = {"email": person.email, "password": PASSWORD, "next": elsewhere}
        assert (await http.post("/sign-in", data=form)).headers["location"] == "/inbox"


async def test_who_is_signed_in_goes_on_and_who_was_told_that_the_session_ended_signs_in_at_once(
    world: DashboardWorld,
) -> None:
    ada = world.person("Ada", tenant_id=world.tenant())
    async with world.http(ada) as http:
        assert (await http.get("/sign-in?next=/workflows")).headers["location"] == "/workflows"
        world.rooms.identity.end_sessions(ada)  # the door may still know it as good for a moment
        told = await http.get("/sign-in?ended=yes&next=/workflows")
    assert told.status_code == 200
    assert 'name="next" value="/workflows"' in told.text


async def test_sign_ins_from_one_address_are_limited(signer: Signer, migrated: Migrated, nats_url: str) -> None:
    schema = await migrated("orkestra.dashboard", "dashboard")
    few = Limit("few", 3, 60)
    changes = {"per_address": few, "limits": OwnCounts()}  # a busy database would let somebody pass
    async with dashboard(signer, schema.app_url, nats_url, **changes) as world, world.http() as http:
        form = {"email": "nobody@example.com", "password": "wrong"}
        statuses = [(await http.post("/sign-in", data=form)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


async def test_who_tries_out_sessions_is_not_listened_to_and_who_is_signed_in_goes_on(
    signer: Signer, migrated: Migrated, nats_url: str
) -> None:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url, refused=Limit("guessed", 5, 60)) as world:
        person = world.person("Ada", tenant_id=world.tenant())
        async with world.http(person) as known, world.http() as http:
            assert (await known.get("/inbox")).status_code == 200
            guesses = [{"cookie": f"orkestra_session=ors_{n:032}"} for n in range(10)]
            statuses = [(await http.get("/inbox", headers=one)).status_code for one in guesses]
            assert statuses == [303] * 5 + [429] * 5
            assert (await http.get("/sign-in", headers=guesses[9])).status_code == 200
            assert (await known.get("/inbox")).status_code == 200


async def test_signing_out_ends_the_session_itself(world: DashboardWorld) -> None:
    person = world.person("Ada", tenant_id=world.tenant())
    async with world.http(person) as http:
        token = http.cookies["orkestra_session"]
        csrf = csrf_of(await http.get("/inbox"))
        answer = await http.post("/sign-out", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert token not in world.rooms.identity.sessions


@pytest.mark.parametrize("token", [None, "", "0" * 64])
async def test_a_form_without_the_sessions_token_is_refused(world: DashboardWorld, token: str | None) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        answer = await http.post(f"{task}/claim", data={"other": "1"} if token is None else {"csrf": token})
    assert answer.status_code == 403
    assert world.rooms.tasks.tasks[task.removeprefix("/tasks/")].status == TaskStatus.OPEN


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_form_from_another_site_is_refused_even_with_its_token(
    world: DashboardWorld, headers: dict[str, str]
) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        csrf = csrf_of(await http.get(task))
        assert (await http.post(f"{task}/claim", data={"csrf": csrf}, headers=headers)).status_code == 403
        assert (await http.post("/sign-in", data={"email": "a"}, headers=headers)).status_code == 403


async def test_every_page_forbids_what_browsers_can_forbid(world: DashboardWorld) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        for path in ("/sign-in", "/inbox", task, "/workflows", "/notifications", "/nowhere"):
            answer = await http.get(path)
            policy = answer.headers["content-security-policy"]
            nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
            assert nonce
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert set(re.findall(r'<script nonce="([^"]*)"', answer.text)) <= {nonce[1]}
            assert "<script>" not in answer.text
            assert " style=" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
        assert (await http.get("/inbox")).headers["cache-control"] == "no-store"


async def test_another_tenants_task_and_run_are_not_there(world: DashboardWorld) -> None:
    _, task = await person_with_task(world)
    run = support_run(world, world.rooms.tasks.tasks[task.removeprefix("/tasks/")].tenant_id)
    stranger = world.person("Eve", GROUP, tenant_id=world.tenant())
    async with world.http(stranger) as http:
        for path in (task, f"{task}/state", f"/workflows/{run.workflow_id}", "/tasks/task_0"):
            assert (await http.get(path)).status_code == 404
        csrf = csrf_of(await http.get("/inbox"))
        assert (await http.post(f"{task}/claim", data={"csrf": csrf})).status_code == 404


async def test_without_script_a_person_reads_claims_and_completes(world: DashboardWorld) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        inbox = await http.get("/inbox")
        assert f'href="{task}"' in inbox.text
        claimed = await http.post(f"{task}/claim", data={"csrf": csrf_of(inbox)})
        assert claimed.status_code == 303
        page = await http.get(task)
        assert "Do not like" not in page.text
        assert "Can I still return it?" in page.text
        form = {
            "csrf": csrf_of(page),
            "data.answer": "Yes, within 30 days.",
            "data.sentiment": "neutral",
            "revision": "1",
        }
        assert (await http.post(f"{task}/complete", data=form)).headers["location"].startswith("/inbox?done=")
    done = world.rooms.tasks.tasks[task.removeprefix("/tasks/")]
    assert done.result == {"answer": "Yes, within 30 days.", "sentiment": "neutral"}


async def test_what_does_not_fit_is_named_at_its_field_with_all_that_was_typed(world: DashboardWorld) -> None:
    person, task = await person_with_task(world, form=EVERY_FIELD)
    async with world.http(person) as http:
        form = {
            "csrf": csrf_of(await http.get(task)),
            "outcome": "reject",
            "data.reason": "<b>fit</b>",
            "data.pieces": "many",
            "data.rows.0.item": "",
            "data.rows.0.price": "12.5",
            "data.extra": "{not json",
        }
        answer = await http.post(f"{task}/complete", data=form)
        assert answer.status_code == 422
        assert "This is not JSON" in answer.text
        answer = await http.post(f"{task}/complete", data=form | {"data.extra": '{"n": 12345678901234567890}'})
    assert answer.status_code == 422
    for field in ("data-details", "data-pieces", "data-insured", "data-rows-0-item"):
        assert f'id="f-{field}-error"' in answer.text
    assert 'value="&lt;b&gt;fit&lt;/b&gt;"' in answer.text
    assert 'value="many"' in answer.text
    assert "12345678901234567890" in answer.text


async def test_every_kind_of_field_becomes_the_json_of_its_kind(world: DashboardWorld) -> None:
    person, task = await person_with_task(world, form=EVERY_FIELD)
    typed = {
        "reason": "Fit", "details": "Within\r\n30 days", "contact": "a@example.com", "site": "https://example.com",
        "phone": "+49 30 1234567", "pieces": "3", "weight": "0.75", "amount.amount": "129.00",
        "amount.currency": "EUR", "mood": "4", "share": "80", "opened": "true", "opened.shown": "1", "insured": "false",
        "channel": "chat", "plan": "pro", "labels": ["vip", "gift"], "checks": "receipt", "bought": "2026-11-01",
        "called": "12:30", "pickup": "2026-12-01T09:00", "away.start": "2026-12-01", "away.end": "2026-12-03",
        "signed.name": "Ada Lovelace", "signed.attest": "true", "extra": '{"n": 3}', "address.street": "Main 1",
        "address.city": "Berlin", "rows.0.item": "Headset", "rows.0.price": "129", "rows.1.item": "",
        "rows.2.item": "Cable", "rows.2.price": "", "serial": "S-1",
    }  # fmt: skip
    async with world.http(person) as http:
        form = {f"data.{name}": value for name, value in typed.items()}
        form |= {"csrf": csrf_of(await http.get(task)), "outcome": "approve", "zone": "Europe/Berlin"}
        answer = await http.post(f"{task}/complete", data=form)
        assert answer.status_code == 303, re.findall(r'class="error"[^>]*>([^<]*)', answer.text)
    done = world.rooms.tasks.tasks[task.removeprefix("/tasks/")]
    assert done.outcome == "approve"
    assert done.result == {
        "reason": "Fit", "details": "Within\n30 days", "contact": "a@example.com", "site": "https://example.com",
        "phone": "+49 30 1234567", "pieces": 3, "weight": 0.75, "amount": {"amount": "129.00", "currency": "EUR"},
        "mood": 4, "share": 80, "opened": True, "insured": False, "channel": "chat", "plan": "pro",
        "labels": ["vip", "gift"], "checks": ["receipt"], "bought": "2026-11-01", "called": "12:30",
        "pickup": "2026-12-01T09:00:00+01:00", "away": {"start": "2026-12-01", "end": "2026-12-03"},
        "signed": {"name": "Ada Lovelace", "attest": True}, "extra": {"n": 3},
        "address": {"street": "Main 1", "city": "Berlin"},
        "rows": [{"item": "Headset", "price": 129}, {"item": "Cable"}], "serial": "S-1",
    }  # fmt: skip


async def test_a_session_that_ends_while_somebody_types_leads_back_to_the_task(world: DashboardWorld) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        csrf = csrf_of(await http.get(task))
        world.rooms.identity.end_sessions(person)
        await _until_refused(http)
        answer = await http.post(f"{task}/complete", data={"csrf": csrf, "data.answer": "Half a sent"})
    assert answer.status_code == 401
    assert f'name="next" value="{task}"' in answer.text


async def test_a_form_of_an_earlier_session_is_shown_again_with_all_that_was_typed(world: DashboardWorld) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        answer = await http.post(f"{task}/complete", data={"csrf": "0" * 64, "data.answer": "Half a sentence"})
    assert answer.status_code == 403
    assert "Half a sentence</textarea>" in answer.text


async def test_a_body_that_is_too_large_or_no_form_is_refused(world: DashboardWorld) -> None:
    person, task = await person_with_task(world)
    async with world.http(person) as http:
        assert (await http.post(f"{task}/complete", data={"data.answer": "x" * 70_000})).status_code == 413
        assert (await http.post(f"{task}/complete", json={"answer": "x"})).status_code == 422


async def _until_refused(http: httpx.AsyncClient) -> None:
    """The door may trust a session for a second."""
    while (await http.get("/counts", headers={"hx-request": "true"})).status_code != 401:
        pass

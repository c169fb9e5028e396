"""The settings on the running stack: what an admin does there is done in the rooms, and a member cannot."""

import re
from typing import Any

import httpx
import pytest
from orkestra.testkit.stack import Stack
from test_dashboard_stores_nothing import csrf_of, pages

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
PAGES = ("", "/notifications", "/people", "/groups", "/calendars", "/policy", "/keys", "/webhooks", "/audit")


class Desk:
    """Somebody signed in, who posts forms of the settings."""

    def __init__(self, http: httpx.AsyncClient, csrf: str) -> None:
        self.http, self.csrf = http, csrf

    async def post(self, path: str, status: int = 303, /, **fields: Any) -> httpx.Response:
        answer = await self.http.post(f"/settings{path}", data={"csrf": self.csrf, **fields})
        told = re.findall(r'id="problem".*?</div>', answer.text, re.DOTALL)
        assert answer.status_code == status, (path, answer.status_code, told)
        return answer

    async def see(self, path: str) -> str:
        answer = await self.http.get(f"/settings{path}")
        assert answer.status_code == 200, (path, answer.text[:2000])
        return answer.text


def admin_of(stack: Stack) -> str:
    return str(next(user["email"] for user in stack.info["users"] if "admin" in user["roles"]))


async def test_an_admin_keeps_people_groups_keys_calendars_the_policy_and_webhooks(stack: Stack) -> None:
    async with pages(stack, admin_of(stack)) as http:
        desk = Desk(http, await csrf_of(http))
        for path in PAGES:
            await desk.see(path)
            if path not in ("", "/notifications"):
                assert (await desk.see(f"{path}.csv")).count("\r\n") >= 1
        made = await desk.post("/people", email="nia@demo.example", name="Nia <b>", roles=["member"], locale="fr")
        person = made.headers["location"].removesuffix("?saved=1").removeprefix("/settings")
        assert "Nia &lt;b&gt;" in await desk.see(person)
        await desk.post("/people", 409, email="nia@demo.example", name="Nia")
        version = re.search(r'name="version" value="(\d+)"', await desk.see(person))
        assert version
        await desk.post(person, name="Nia Noir", roles=["member", "manager"], version=version[1])
        await desk.post(f"{person}/disable")
        assert "Let in again" in await desk.see(person)
        await desk.post(f"{person}/enable")

        await desk.post("/groups", group_id="night-shift", name="Night shift")
        await desk.post("/groups/night-shift/add", user_id=person.removeprefix("/people/"))
        await desk.post("/groups/night-shift", strategy="round_robin", max_open_tasks="5", skills="german billing")
        text = await desk.see("/groups/night-shift")
        assert "Nia Noir" in text
        assert 'value="billing german"' in text or 'value="german billing"' in text
        await desk.post("/groups/night-shift/remove", user_id=person.removeprefix("/people/"))

        shown = await desk.post("/keys", 200, name="Till", kind="agent", on_behalf_of="*")
        secret = re.search(r'id="secret">(ork_[^<]+)<', shown.text)
        assert secret
        key = re.search(r'id="(key_\w+)"><span[^>]*><span class="font-medium">Till', await desk.see("/keys"))
        assert key
        assert secret[1] not in await desk.see("/keys")
        rotated = await desk.post(f"/keys/{key[1]}/rotate", 200)
        assert 'id="secret">ork_' in rotated.text
        await desk.post(f"/keys/{key[1]}/revoke")
        assert "Revoked" in await desk.see("/keys")

        hours = {"hours.monday": "09:00-12:00, 13:00-17:00", "holidays": "12-25 Christmas\n2027-05-01"}
        calendar = {"calendar_id": "till-hours", "name": "Till", "time_zone": "Europe/Berlin", **hours}
        await desk.post("/calendars", **calendar)
        text = await desk.see("/calendars/till-hours")
        assert 'value="09:00-12:00, 13:00-17:00"' in text
        assert "12-25 Christmas" in text
        wrong = await desk.post("/calendars", 422, **calendar | {"calendar_id": "x", "hours.monday": "9 to 5"})
        assert 'value="9 to 5"' in wrong.text
        await desk.post("/calendars/till-hours/delete")

        rule = {"rules.0.topic": "till/*", "rules.0.threshold": "0,9", "rules.0.sample_rate": "0.1"}
        await desk.post("/policy", **rule)
        assert 'value="till/*"' in await desk.see("/policy")
        await desk.post("/policy", 422, **rule | {"rules.0.threshold": "much"})

        entries = await desk.see("/audit")
        assert "create_group" in entries
        exported = await http.get("/settings/audit.csv", params={"action": "revoke_api_key"})
        assert "revoke_api_key" in exported.text
        assert "create_group" not in exported.text


async def test_everyone_says_where_they_are_told_and_who_takes_their_place(stack: Stack) -> None:
    email = stack.member_of("support-l1")
    async with pages(stack, email) as http:
        desk = Desk(http, await csrf_of(http))
        profile = await desk.see("")
        everyone, mine = re.findall(r'<option value="(user_\w+)">', profile), re.search(r'data-user="(\w+)"', profile)
        assert mine
        substitute = next(each for each in everyone if each != mine[1])
        away = {"substitute": substitute, "begins_at": "2030-07-01T09:00", "ends_at": "2030-07-15T09:00"}
        await desk.post("/absence", **away, task_types="refund")
        assert "I am back" in await desk.see("")
        await desk.post("/absence", 422, **away | {"ends_at": "soon"})
        await desk.post("/absence")
        assert "I am back" not in await desk.see("")
        wanted = {"rules.assigned": ["in_app", "email"], "begins": "22:00", "ends": "07:00", "digest_minutes": "30"}
        version = re.search(r'name="version" value="(\d+)"', await desk.see("/notifications"))
        assert version
        await desk.post("/notifications", version=version[1], **wanted)
        assert 'value="22:00"' in await desk.see("/notifications")
        await desk.post("/password", 422, current_password="x", new_password="y" * 12, again="z" * 12)


async def test_a_member_administers_nothing(stack: Stack) -> None:
    async with pages(stack, stack.member_of("support-l1")) as http:
        desk = Desk(http, await csrf_of(http))
        profile = await desk.see("")
        assert "/settings/keys" not in profile
        assert "/settings/audit" not in profile
        for path in ("/keys", "/webhooks", "/audit"):
            assert (await http.get(f"/settings{path}")).status_code == 403
            assert (await http.get(f"/settings{path}.csv")).status_code == 403
        assert "A new person" not in await desk.see("/people")
        for path, fields in (
            ("/people", {"email": "eve@demo.example", "name": "Eve"}),
            ("/groups", {"group_id": "mine", "name": "Mine"}),
            ("/keys", {"name": "Mine"}),
            ("/calendars", {"calendar_id": "mine", "name": "Mine", "time_zone": "UTC", "hours.monday": "09:00-17:00"}),
            ("/policy", {"rules.0.topic": "x", "rules.0.threshold": "0.1"}),
            ("/webhooks", {"url": "https://example.com"}),
        ):
            await desk.post(path, 403, **fields)
        assert (await http.get("/figures")).status_code == 403

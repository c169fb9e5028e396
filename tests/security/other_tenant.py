"""The other tenant of a running stack, filled with two of each thing: what a first tenant must never meet."""

import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from orkestra.cli.state import StateDir
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from orkestra.testkit.waiting import eventually

MARK = "only of the other tenant"
SCHEMAS = ("identity", "notification", "task", "workflow")
PASSING = {"outbox", "request_keys"}
WEBHOOK = {"url": "https://93.184.215.14/theirs", "description": MARK, "events": ["task.expired"]}
QUESTION = {"question": MARK, "conversation_id": MARK, "customer_id": MARK}
REFUND = {"name": "refund_payment", "args": {"order": MARK}}
FORM = {
    "version": 1,
    "fields": {"comment": {"type": "textarea", "label": "Comment"}},
    "outcomes": [{"key": "approve", "label": "Approve"}],
}
HOURS = {"time_zone": "UTC", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]}
PASSES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|req_[0-9a-f]{32}")


@dataclass(frozen=True)
class Theirs:
    """One of each that the other tenant has: its id by the field's name."""

    tenant_id: str
    ids: dict[str, str]

    def made_up(self) -> dict[str, str]:
        """Ids of the same look that nobody has."""
        return {name: f"{value[:-4]}{'0000' if value[-4:] != '0000' else '1111'}" for name, value in self.ids.items()}

    def unnamed(self, text: str) -> str:
        """Returns what was answered without what differs by what was asked for: ids, and when and as which request."""
        for ids in (self.ids, self.made_up()):
            for name, value in sorted(ids.items(), key=lambda named: -len(named[1])):
                text = text.replace(value, f"{{{name}}}")
        return PASSES.sub("", text)

    def in_(self, text: str, *, but: Iterable[str] = ()) -> list[str]:
        """Returns what of theirs stands in a text; `but` is what the caller itself has named."""
        told = [value for name, value in self.ids.items() if name not in but] + [MARK]
        return [value for value in told if value in text]


class Other:
    """The other tenant, by its keys and people."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http

    @property
    def _tenant_id(self) -> str:
        tenant_id: str = self._stack.info["other"]["tenant"]["tenant_id"]
        return tenant_id

    async def post(self, path: str, body: dict[str, Any], *, key: str = "admin") -> Any:
        answer = await self._http.post(path, json=body, headers=self.holding(key))
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def get(self, path: str, *, key: str = "admin") -> Any:
        return (await self._http.get(path, headers=self.holding(key))).raise_for_status().json()

    def holding(self, key: str) -> dict[str, str]:
        """Headers of a key of theirs."""
        return {"authorization": f"Bearer {self._stack.info['other']['api_keys'][key]}"}

    async def ann(self) -> dict[str, str]:
        """Headers of a session of a person of theirs."""
        ann = next(user for user in self._stack.info["other"]["users"] if user["email"].startswith("ann@"))
        given = {"email": ann["email"], "password": ann["password"], "tenant": "other"}
        session = (await self._http.post("/v1/sessions", json=given)).raise_for_status().json()
        return {"authorization": f"Bearer {session['token']}"}

    async def _erased(self, email: str) -> str:
        """Returns the id of an erasure that is done."""
        person = await self.post("/v1/users", {"email": email, "name": MARK})
        await self.post(f"/v1/users/{person['user_id']}/disable", {})
        erasure_id: str = (await self.post("/v1/erasures", {"user_id": person["user_id"]}))["erasure_id"]

        async def is_done() -> bool:
            return bool((await self.get(f"/v1/erasures/{erasure_id}"))["status"] == "done")

        await eventually(is_done, timeout=60)
        return erasure_id

    async def fill(self) -> dict[str, str]:
        """Makes one more of each, and returns its id by the field's name."""
        people = {user["email"].split("@")[0]: user["user_id"] for user in (await self.get("/v1/users"))["users"]}
        ann = await self.ann()
        task = await self.post("/v1/tasks", {"title": MARK, "assignee": people["ann"]}, key="system")
        await self.post(f"/v1/tasks/{task['task_id']}/comments", {"text": MARK}, key="system")
        every = {"definition": "customer-support", "input": QUESTION, "every": "24h", "paused": True, "note": MARK}
        check = {"topic": "matrix", "confidence": 0.1, "agent": MARK}
        made = uuid4().hex[:12]
        erased = await self._erased(f"{made}@other.example")
        group, calendar = f"their-group-{made}", {"calendar_id": f"their-calendar-{made}", "name": MARK}
        return {
            "erasure_id": erased,
            "user_id": people["ann"],
            "key_id": (await self.post("/v1/api-keys", {"name": MARK, "kind": "agent"}))["api_key"]["key_id"],
            "group_id": (await self.post("/v1/groups", {"group_id": group, "name": MARK}))["group_id"],
            "calendar_id": (await self.post("/v1/calendars", calendar | {"working_hours": HOURS}))["calendar_id"],
            "task_id": task["task_id"],
            "attachment_id": await self._file(task["task_id"]),
            "workflow_id": await self._workflow(),
            "schedule_id": (await self.post("/v1/schedules", every))["schedule_id"],
            "check_id": (await self.post("/v1/escalation-policies/check", check, key="agent"))["check_id"],
            "view_id": await self._view(ann),
            "notification_id": await self._notification(ann),
            "webhook_id": (await self.post("/v1/webhooks", WEBHOOK))["webhook"]["webhook_id"],
            "subject_id": await self._subject(people["ann"]),
            "receipt": await self._receipt(ann),
            "link_id": await self._invitation(made),
            "confirmation": await self._confirmation(people["ann"], task["task_id"]),
            "tenant_id": task["tenant_id"],
        }

    async def _workflow(self) -> str:
        start = {"definition": "customer-support", "input": QUESTION}
        workflow_id: str = (await self.post("/v1/workflows", start, key="system"))["workflow_id"]

        async def asks() -> bool:
            return bool((await self.get(f"/v1/tasks?workflow_id={workflow_id}"))["tasks"])

        await eventually(asks, timeout=60)
        return workflow_id

    async def _file(self, task_id: str) -> str:
        path, headers = f"/v1/tasks/{task_id}/attachments", self.holding("system") | {"content-type": "text/plain"}
        sent = await self._http.post(path, params={"name": f"{MARK}.txt"}, content=MARK, headers=headers)
        attachment_id: str = sent.raise_for_status().json()["attachment_id"]
        return attachment_id

    async def _subject(self, user_id: str) -> str:
        """Written down here: the stack knows no outside issuer."""
        subject_id = f"subject_{uuid4().hex}"
        await self._write(
            "insert into identity.linked_subjects (tenant_id, subject_id, issuer, subject, user_id) "
            "values ($1, $2, $3, $4, $5)",
            *(subject_id, f"https://{subject_id}.example", MARK, user_id),
        )
        return subject_id

    async def _confirmation(self, user_id: str, task_id: str) -> str:
        """Written down here: the stack sends no mail."""
        delivery_id = f"delivery_{uuid4().hex}"
        await self._write(
            "insert into notification.deliveries (tenant_id, delivery_id, lane, cause, event_id, event_type, content, "
            "status) values ($1, $2, $3, $2, $2, 'task.created', $4, 'delivered')",
            *(delivery_id, f"email:user:{user_id}", json.dumps({"task_id": task_id, "version": 1})),
        )
        secrets = Secrets(StateDir(self._stack.state_dir).secrets()["service_key"].encode())
        return secrets.link_token(self._tenant_id, delivery_id)

    async def _invitation(self, made: str) -> str:
        person = await self.post("/v1/users", {"email": f"{made}@other.example", "name": MARK})
        link_id: str = (await self.post(f"/v1/users/{person['user_id']}/invite", {}))["link_id"]
        return link_id

    async def _write(self, statement: str, *values: str) -> None:
        conn = await asyncpg.connect(self._stack.info["postgres"])
        try:
            await conn.execute(statement, self._tenant_id, *values)
        finally:
            await conn.close()

    async def _view(self, ann: dict[str, str]) -> str:
        view = await self._http.post("/v1/views", json={"name": MARK, "filter": {}}, headers=ann)
        view_id: str = view.raise_for_status().json()["view_id"]
        return view_id

    async def _notification(self, ann: dict[str, str]) -> str:
        async def told() -> str | None:
            feed = (await self._http.get("/v1/notifications", headers=ann)).raise_for_status().json()
            return feed["notifications"][0]["notification_id"] if feed["notifications"] else None

        return await eventually(told, timeout=60)

    async def _receipt(self, ann: dict[str, str]) -> str:
        asked = {"title": MARK, "candidate_groups": ["support-l1"], "context": {"action": REFUND}, "form": FORM}
        task = await self.post("/v1/tasks", asked, key="agent")
        body = {"data": {"comment": MARK}, "outcome": "approve"}
        path = f"/v1/tasks/{task['task_id']}/complete"
        (await self._http.post(path, json=body, headers=ann)).raise_for_status()
        token: str = (await self.get(f"/v1/tasks/{task['task_id']}", key="agent"))["receipt"]["token"]
        return token


@pytest.fixture(scope="session")
async def theirs(stack: Stack) -> Theirs:
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        other = Other(stack, http)
        await other.fill()
        ids = await other.fill()
    await settled(stack)
    return Theirs(ids["tenant_id"], ids)


async def rows_of(stack: Stack, tenant_id: str) -> dict[str, str]:
    """A digest of what a tenant has in each table, but for what passes by itself."""
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        tables = await conn.fetch(
            "select table_schema || '.' || table_name as name from information_schema.columns "
            "where table_schema = any($1::text[]) and column_name = 'tenant_id' and table_name <> all($2::text[])",
            list(SCHEMAS),
            list(PASSING),
        )
        text = "select md5(string_agg(t::text, ',' order by t::text)) from {} t where tenant_id = $1"
        return {one["name"]: await conn.fetchval(text.format(one["name"]), tenant_id) for one in tables}
    finally:
        await conn.close()


@asynccontextmanager
async def unchanged(stack: Stack, theirs: Theirs) -> AsyncIterator[None]:
    """Fails where anything of theirs is otherwise afterwards."""
    before = await rows_of(stack, theirs.tenant_id)
    yield
    await settled(stack)
    after = await rows_of(stack, theirs.tenant_id)
    otherwise = {name for name in before if before[name] != after[name]}
    assert otherwise == set(), otherwise

"""Values that no page hands out, in every field of every form and filter: refused or ignored, never a fault of ours."""

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role

Migrated = Callable[..., Awaitable[Schema]]

NUMBERS = ("9" * 5000, "²", "2147483648", "nan", "a:" + "9" * 5000)
MOMENTS = ("0001-01-01", "0001-01-01T00:00", "9999-12-31T23:59:59")
TEXTS = ("' or 1=1--", "\0", "a\r\nset-cookie: x=1", "../../etc/passwd")
FILTERS = {
    "/inbox": ("scope", "status", "due", "sort", "q", "tag", "group", "view", "size", "did", "n", "done", "until"),
    "/inbox.csv": ("q", "tag"),
    "/workflows": ("status", "definition", "tag", "from", "until"),
    "/figures": ("period", "type", "group"),
    "/settings/notifications": ("group",),
    "/settings/audit": ("actor", "since", "until"),
    "/sign-in": ("next", "tenant"),
    "/sign-in/callback": ("state", "code", "error", "iss"),
}
FIELDS = {
    "/inbox/bulk": (NUMBERS, ("task",)),
    "/views": (TEXTS, ("name", "here")),
    "/settings/absence": (MOMENTS, ("begins_at", "ends_at")),
    "/settings/notifications": (NUMBERS, ("digest_minutes", "version")),
    "/settings/people": (TEXTS, ("email", "time_zone")),
    f"/settings/groups/{GROUP}": (NUMBERS, ("max_open_tasks", "version")),
    "/settings/calendars": (TEXTS, ("time_zone", "hours.monday", "holidays")),
    "/settings/policy": (NUMBERS, ("rules.0.threshold", "rules.0.sample_rate", "version")),
    "/settings/answers": (NUMBERS, ("undo_seconds", "version")),
    "/settings/keys": (MOMENTS, ("allowed_ips", "expires_at")),
    "/settings/webhooks": (TEXTS, ("url",)),
    "/tasks/{task_id}/change": (MOMENTS, ("complete_by",)),
    "/tasks/{task_id}/complete": (NUMBERS, ("revision", "add_row", "remove_row")),
    "/workflows/{workflow_id}/signal": ((*NUMBERS, "[" * 5000), ("payload",)),
}
GOOD = {"operation": "cancel", "rules.0.topic": "t", "rules.0.threshold": "0.5", "text": "t"}


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


async def test_no_value_of_a_filter_or_field_makes_a_page_fail(world: DashboardWorld) -> None:
    tenant = world.tenant()
    admin = world.person("Ada", GROUP, tenant_id=tenant, roles=(Role.ADMIN,))
    task, run = await ask(world, tenant), world.rooms.workflows.add(tenant)
    places = {"task_id": task.task_id, "workflow_id": run.workflow_id}
    async with world.http(admin) as http:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await http.get("/inbox")).text)
        assert found
        for path, names in FILTERS.items():
            for value in (*NUMBERS, *MOMENTS, *TEXTS):
                answer = await http.get(path, params=dict.fromkeys(names, value[:5000]))
                assert answer.status_code < 500, (path, value[:40])
        for path, (values, names) in FIELDS.items():
            for value, name in itertools.product(values, names):
                form = GOOD | {name: value, "csrf": found[1]}
                answer = await http.post(path.format_map(places), data=form)
                assert answer.status_code < 500, (path, name, value[:40])
                assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("moment", [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
async def test_a_time_at_the_ends_of_the_calendar_closes_nobodys_inbox(
    world: DashboardWorld, zone: str, moment: datetime
) -> None:
    tenant = world.tenant()
    person = world.person("Ada", GROUP, tenant_id=tenant, time_zone=zone)
    task = await ask(world, tenant, form={"at": {"type": "datetime"}}, draft={"at": {"value": moment.isoformat()}})
    world.rooms.tasks.tasks[task.task_id] = task.model_copy(update={"created_at": moment})
    run = world.rooms.workflows.add(tenant, started_at=moment)
    async with world.http(person) as http:
        for path in ("/inbox?scope=all", f"/tasks/{task.task_id}", f"/workflows/{run.workflow_id}", "/workflows"):
            assert (await http.get(path)).status_code == 200, path

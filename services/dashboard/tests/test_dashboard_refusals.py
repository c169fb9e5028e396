"""Why something was not done is said in the reader's language, whatever room refused it."""

import ast
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest
from dashboard_story import GROUP, ask
from dashboard_world import ROOT, DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes.refusals import FAULTS, REFUSALS
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role, User

from tools.reference.reasons import raised_in

Migrated = Callable[..., Awaitable[Schema]]
ROOMS = {
    *("identity-service", "task-service", "workflow-worker", "notification-service"),
    *("rules", "chassis", "wire", "dashboard"),
}
"""Who refuses what a page asks for; the other doors and the SDK refuse programs."""
FOR_PROGRAMS = {
    *("ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_INVALID", "SCOPE_REQUIRED", "IP_NOT_ALLOWED", "KEY_EXPIRED", "KEY_REVOKED"),
    *("ANSWER_NOT_JSON", "ANSWER_UNREADABLE", "DEADLINE_REQUIRED", "RPC_UNKNOWN", "REQUEST_ID_INVALID"),
    *("EVENT_TOO_LARGE", "TOKEN_INVALID", "NAMESPACE_UNKNOWN", "PAYLOAD_OF_ANOTHER_TENANT", "RECEIPT_EXPIRED"),
    *("RECEIPT_INVALID", "RECEIPT_USED", "REDEEM_NOT_ALLOWED", "CHECKS_NOT_VISIBLE", "CHECK_INVALID"),
    *("CHECK_NOT_ALLOWED", "CHECK_NOT_FOUND", "AGENTS_NOT_ALLOWED", "CREATE_NOT_ALLOWED", "TASK_EXISTS"),
    *("ON_BEHALF_OF_NOT_GRANTED", "RUN_NOT_YOURS", "NOT_A_WORKER", "FEED_FOR_PEOPLE_ONLY", "USER_UNKNOWN"),
    *("ONLY_PEOPLE_HAVE_PASSWORDS", "ONLY_PEOPLE_HAVE_PROFILES", "SUBJECT_LINKED", "SUBJECT_NOT_FOUND"),
    *("TENANT_EXISTS", "TENANT_NOT_SUSPENDED", "ERASURE_NOT_FOUND", "NOTIFICATIONS_UNKNOWN"),
    *("START_NOT_ALLOWED", "INPUT_INVALID", "BUSINESS_ID_BUSY", "BUSINESS_ID_TAKEN", "DEFINITION_CHANGED"),
    *("SCHEMA_INVALID", "TOO_MANY_DEFINITIONS", "PROGRESS_INVALID", "QUERY_REFUSED", "UPDATE_REFUSED"),
    *("RESET_IMPOSSIBLE", "SCHEDULE_INVALID", "SCHEDULE_NOT_FOUND", "SCHEDULE_OVERLAPS", "SDK_TOO_OLD"),
}
"""Reasons of what no page asks for: keys, agents, workers, schedules, operators."""
FOR_AUTHORS = {
    *("default_unfit", "policy_empty", "complete_missing", "total_missing", "step_empty", "step_after_end"),
    *("notify_invalid", "not_used", "not_canonical", "task_id_invalid", "too_deep", "draft_invalid"),
    *("less_than_from_groups", "outcomes_unfit", "not_a_candidate_group", "unreachable"),
    *("not_base64", "other_content", "empty", "not_confirmed", "contradiction"),
}
"""Codes of what only those write who open tasks, schedules and uploads by a program."""
CODES_OF = ("libs/rules", "libs/wire", *(f"services/{name}" for name in sorted(ROOMS) if name.endswith("-service")))


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def reader(world: DashboardWorld, tenant: str, locale: str, *roles: Role) -> User:
    user = world.person(f"Mia {locale}", GROUP, tenant_id=tenant, roles=roles)
    world.rooms.identity.users[user.user_id] = user = user.model_copy(update={"locale": locale})
    return user


async def csrf_of(http: httpx.AsyncClient, task_id: str) -> dict[str, str]:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await http.get(f"/tasks/{task_id}")).text)
    assert found
    return {"csrf": found[1]}


def problem(answer: httpx.Response) -> str:
    """What the page says above all else."""
    found = re.search(r'id="problem".*?<p>(.*?)</p>', answer.text, re.DOTALL)
    assert found, answer.text
    return html.unescape(found[1])


def codes() -> Iterator[str]:
    """The code of every error of a field that the rooms write."""
    for path in (path for name in CODES_OF for path in sorted((ROOT / name / "src").rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("FieldError", "_invalid"):
                words = [each for argument in node.args[1:2] for each in ast.walk(argument)]
                yield from (str(each.value) for each in words if isinstance(each, ast.Constant))


def test_every_reason_that_a_page_can_meet_has_a_sentence_in_every_language() -> None:
    met = {one.reason for one in raised_in(ROOT) if one.by in ROOMS}
    assert met - REFUSALS.keys() - FOR_PROGRAMS == set(), "translate it in refusals.py, or say whom alone it meets"
    assert FOR_PROGRAMS - met == set(), "reasons that nobody gives any more"
    assert FOR_PROGRAMS & REFUSALS.keys() == set()


def test_every_code_of_a_field_that_a_page_can_meet_has_a_sentence_in_every_language() -> None:
    met = set(codes())
    assert {"required", "overlaps", "out_of_range"} <= met
    assert met - FAULTS.keys() - FOR_AUTHORS == set(), "translate it in refusals.py, or say whom alone it meets"


@pytest.mark.parametrize(
    ("locale", "field", "unclaimed"),
    [
        ("de", "Person: Das wird gebraucht.", "Niemand hat die Aufgabe übernommen."),
        ("fr", "Personne: C'est nécessaire.", "Personne n'a pris la tâche."),
    ],
)
async def test_a_refusal_of_a_room_is_told_in_the_readers_words_alone(
    world: DashboardWorld, locale: str, field: str, unclaimed: str
) -> None:
    tenant = world.tenant()
    mia = reader(world, tenant, locale, Role.MANAGER)
    task = await ask(world, tenant)
    async with world.http(mia) as http:
        form = await csrf_of(http, task.task_id)
        nobody = problem(await http.post(f"/tasks/{task.task_id}/assign", data=form | {"reason": "x"}))
        free = problem(await http.post(f"/tasks/{task.task_id}/release", data=form))
        unread = await http.post(f"/tasks/{task.task_id}/complete", data=form | {"data.none": "x", "revision": "1"})
    assert nobody == field
    assert free == unclaimed
    assert "no such field" not in unread.text

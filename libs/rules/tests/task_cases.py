"""Tasks and people for the tests of the rules."""

from datetime import UTC, datetime
from typing import Any

from orkestra.rules import decide_create
from orkestra.v1.task import Calendar, CreateTaskRequest, Holiday, OpenHours, SlaPolicy, Task, Weekday, WorkingHours
from orkestra.wire import Principal

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TENANT = "0190a000-0000-7000-8000-000000000001"
WORKER = Principal("worker", "service", TENANT, frozenset({"worker"}))
AGENT = Principal("key_bot", "agent", TENANT, frozenset({"agent"}), name="support-bot")
SYSTEM = Principal("key_crm", "service", TENANT, frozenset({"system"}))


def person(name: str, *roles: str, groups: tuple[str, ...] = ()) -> Principal:
    return Principal(f"user_{name}", "user", TENANT, frozenset(roles or ("member",)), frozenset(groups))


ANA = person("ana", groups=("l1",))
BOB = person("bob", groups=("l2",))
STRANGER = person("eve")
MANAGER = person("max", "manager")
ADMIN = person("ada", "admin")
AUDITOR = person("aud", "auditor")


OFFICE = Calendar(
    calendar_id="office",
    tenant_id=TENANT,
    name="Office",
    working_hours=WorkingHours(
        time_zone="Europe/Berlin",
        hours=[OpenHours(weekday=day, opens="09:00", closes="17:00") for day in list(Weekday)[:5]],
        holidays=[Holiday(date="2026-01-06", name="Epiphany")],
    ),
    version=3,
    created_at=NOW,
    updated_at=NOW,
)


def created(principal: Principal = WORKER, /, **fields: Any) -> Task:
    """A task for group l1, of run wf_1 where a worker opens it; a policy that names a calendar gets OFFICE."""
    asked = {"title": "Help", "candidate_groups": ["l1"]}
    if principal is WORKER:
        asked["workflow_id"] = "wf_1"
    sla = fields.pop("sla", None)
    policy = SlaPolicy.model_validate(sla) if sla else None
    request = CreateTaskRequest(**{**asked, **fields}, sla=policy)
    calendar = OFFICE if policy and policy.calendar == OFFICE.calendar_id else None
    return decide_create(request, principal, NOW, tenant_id=TENANT, random_bits=7, calendar=calendar).task

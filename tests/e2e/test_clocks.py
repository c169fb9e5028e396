"""Calendars, due times and changing hands over REST, on a running stack."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from orkestra.testkit.stack import Stack

pytestmark = pytest.mark.xdist_group("stack")

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HALF_DAYS = {
    "time_zone": "Asia/Kathmandu",
    "hours": [{"weekday": day, "opens": "00:00", "closes": "12:00"} for day in WEEK],
    "holidays": [],
}


async def test_a_task_is_timed_by_a_calendar_moved_handed_on_and_escalated_over_rest(stack: Stack) -> None:
    office = f"office-{uuid4().hex[:8]}"
    first, second = (stack.member_of("support-l1", nth=number) for number in (0, -1))
    async with stack.rest(key="system") as system, stack.rest(key="admin") as admin, stack.rest(email=first) as person:
        kept = await admin.post("/v1/calendars", json={"calendar_id": office, "name": "x", "working_hours": HALF_DAYS})
        assert (kept.status_code, kept.headers["etag"]) == (201, '"1"'), kept.text
        assert (await system.post("/v1/calendars", json=kept.json())).status_code in (403, 422)
        sla = {"complete": "24h", "calendar": office, "escalate": [{"after": "50%", "priority": "urgent"}]}
        opened = await system.post(
            "/v1/tasks", json={"title": "On a calendar", "candidate_groups": ["support-l1"], "sla": sla}
        )
        task = opened.json()
        created, due = (datetime.fromisoformat(text) for text in (task["created_at"], task["sla"]["complete_by"]))
        assert timedelta(hours=36) <= due - created <= timedelta(hours=48)
        path = f"/v1/tasks/{task['task_id']}"
        soon = (datetime.now(UTC) + timedelta(hours=30)).isoformat()  # the office is open for six of them at least
        moved = await system.patch(path, json={"complete_by": soon, "add_tags": ["moved"]}, headers={"if-match": '"1"'})
        assert (moved.status_code, moved.json()["tags"]) == (200, ["moved"]), moved.text
        late = await system.patch(path, json={"priority": "low"}, headers={"if-match": '"1"'})
        assert (late.status_code, late.json()["current"]["version"]) == (412, 2)
        assigned = await admin.post(f"{path}/assign", json={"assignee": first, "reason": "Knows the case."})
        assert assigned.status_code == 200, assigned.text
        if second != first:
            handed = (await person.post(f"{path}/delegate", json={"assignee": second, "reason": "So."})).json()
            assert handed["delegated_by"] == assigned.json()["assignee"]
        urgent = await admin.post(f"{path}/escalate", json={"reason": "Called."})
        assert (urgent.json()["priority"], urgent.json()["sla"]["escalation_level"]) == ("urgent", 1)
        assert (await person.post(f"{path}/escalate", json={})).status_code == 403
        gone = await admin.delete(f"/v1/calendars/{office}", headers={"if-match": '"1"'})
        assert gone.status_code == 200
        assert (await admin.get(f"/v1/calendars/{office}")).status_code == 404
        cancelled = await system.post(f"{path}/cancel", json={"reason": "Done with it."})
        assert cancelled.json()["status"] == "cancelled"

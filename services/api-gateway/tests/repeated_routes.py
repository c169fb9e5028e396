"""Each POST route with a call that does something, and another that the same key must not stand for."""

from typing import Any
from uuid import uuid4

import asyncpg
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from repeated_calls import (
    ANSWER,
    FORM,
    HOURS,
    NEXT_PASSWORD,
    NOBODY_THERE,
    OUTCOMES,
    PASSWORD,
    REFUND,
    START,
    Own,
    Repeated,
)

EXCEPTED = {
    "POST /v1/sessions": "nobody is known yet, and each sign-in is a session of its own",
    "POST /v1/password-resets": "nobody is known yet; asked again within a minute nothing more is mailed",
    "POST /v1/mail-links/redeem": "nobody is known yet; a link works once",
    "POST /v1/workflows/{workflow_id}/query": "changes nothing, and answers as it is now",
}
"""POST routes that take no Idempotency-Key, and why."""
SHOWN_ELSEWHERE = {
    "POST /v1/linked-subjects": "needs a provider of the tenant's own: test_identity_access_tokens.py",
}
"""POST routes for which a running stack has not what they need."""

Calls = dict[str, Repeated]
REASON = {"reason": "one"}
OTHER_REASON = {"reason": "other"}
SLA = {"complete": "24h", "escalate": [{"after": "50%", "priority": "urgent"}]}


async def every_call(own: Own, stack: Stack) -> Calls:
    """Prepare what each route needs, and return the calls by route."""
    parts = [
        await _runs(own),
        await _schedules(own),
        await _tasks(own),
        await _decisions(own),
        await _questions(own),
        await _of_the_tenant(own),
        await _notifications(own, stack),
        await _tenants(own),
        await _people(own),
        await _keys(own),
    ]
    calls: Calls = {}
    for part in parts:
        assert not calls.keys() & part.keys()
        calls |= part
    return calls


async def _runs(own: Own) -> Calls:
    asked = await own.run("customer-support")

    async def has_asked() -> bool:
        return bool((await own.callers.get("admin", f"/v1/tasks?workflow_id={asked}"))["tasks"])

    await eventually(has_asked, timeout=60)
    path = "POST /v1/workflows/{workflow_id}"
    reasons: Any = {"body": REASON, "other": OTHER_REASON}
    return {
        "POST /v1/workflows": Repeated("system", body=START, other=START | {"tags": ["other"]}),
        f"{path}/signal": Repeated(
            "system",
            {"workflow_id": await own.run()},
            {"signal": "go-on", "payload": "one"},
            {"signal": "go-on", "payload": "other"},
        ),
        f"{path}/update": Repeated(
            "system", {"workflow_id": await own.run()}, {"update": "add", "payload": 1}, {"update": "add", "payload": 2}
        ),
        f"{path}/cancel": Repeated("system", {"workflow_id": await own.run()}, **reasons),
        f"{path}/terminate": Repeated("system", {"workflow_id": await own.run()}, **reasons),
        f"{path}/reset": Repeated("system", {"workflow_id": asked}, {"point": "last_step"}, {"point": "first_step"}),
    }


async def _schedules(own: Own) -> Calls:
    often, seldom = (START | {"every": every, "paused": True} for every in ("12h", "48h"))
    one, other = {"schedule_id": await own.schedule()}, {"schedule_id": await own.schedule()}
    return {
        "POST /v1/schedules": Repeated("system", body=often, other=seldom),
        "POST /v1/schedules/{schedule_id}/trigger": Repeated("system", one, other_ids=other),
    }


async def _tasks(own: Own) -> Calls:
    """What is done to tasks by whoever asked or manages."""
    many = [{"task_id": await own.task()} for _ in range(2)]
    bulk, path = {"operation": "cancel", "tasks": many, **REASON}, "POST /v1/tasks/{task_id}"
    reasons: Any = {"body": REASON, "other": OTHER_REASON}
    ann, ben = ({"assignee": own.people[name]} | REASON for name in ("ann", "ben"))
    return {
        "POST /v1/tasks": Repeated("system", body={"title": "One?"}, other={"title": "Other?"}),
        "POST /v1/tasks/bulk": Repeated("admin", body=bulk, other=bulk | OTHER_REASON),
        f"{path}/assign": Repeated("admin", {"task_id": await own.task()}, ann, ben),
        f"{path}/cancel": Repeated("system", {"task_id": await own.task()}, **reasons),
        f"{path}/escalate": Repeated("admin", {"task_id": await own.task(sla=SLA)}, **reasons),
        f"{path}/comments": Repeated("ann", {"task_id": await own.task()}, {"text": "One."}, {"text": "Other."}),
        f"{path}/attachments": Repeated("ann", {"task_id": await own.task(claimed=True)}, b"one", b"other"),
    }


async def _decisions(own: Own) -> Calls:
    """What is done to tasks by whoever decides."""
    path, version = "POST /v1/tasks/{task_id}", {"version": 2}
    await own.callers.put("admin", "/v1/task-settings", {"undo_seconds": 60})
    undone = await own.task(claimed=True)
    await own.callers.done("ann", f"/v1/tasks/{undone}/complete", ANSWER)
    await own.callers.put("admin", "/v1/task-settings", {"undo_seconds": 0})
    ballot = ANSWER | {"choice": "approve", "revision": 1}
    board = await own.task(approval_policy={"required": 2})
    to_ben = {"assignee": own.people["ben"], **REASON}
    other_answer = {"data": {"answer": "No."}}
    return {
        f"{path}/claim": Repeated("ann", {"task_id": await own.task()}, other={"version": 1}),
        f"{path}/release": Repeated("ann", {"task_id": await own.task(claimed=True)}, other=version),
        f"{path}/delegate": Repeated("ann", {"task_id": await own.task(claimed=True)}, to_ben, to_ben | OTHER_REASON),
        f"{path}/draft": Repeated("ann", {"task_id": await own.task(claimed=True)}, ANSWER, other_answer),
        f"{path}/complete": Repeated("ann", {"task_id": await own.task(claimed=True)}, ANSWER, other_answer),
        f"{path}/undo": Repeated("ann", {"task_id": undone}, other=OTHER_REASON),
        f"{path}/vote": Repeated("ann", {"task_id": board}, ballot, ballot | {"choice": "reject"}),
    }


async def _questions(own: Own) -> Calls:
    """What is asked back and answered, whether people are needed, and what was approved."""
    path, texts = "POST /v1/tasks/{task_id}", ({"message": "One?"}, {"message": "Other?"})
    asked_back = await own.task(claimed=True)
    await own.callers.done("ann", f"/v1/tasks/{asked_back}/request-changes", texts[0])
    check = {"topic": "returns", "confidence": 0.4, "agent": "bot"}
    approved = await own.task(claimed=True, context={"action": REFUND}, form=FORM | OUTCOMES)
    await own.callers.done("ann", f"/v1/tasks/{approved}/complete", ANSWER | {"outcome": "approve"})
    receipt = (await own.callers.get("system", f"/v1/tasks/{approved}"))["receipt"]["token"]
    use = {"token": receipt, "use_id": "one"}
    return {
        f"{path}/request-changes": Repeated("ann", {"task_id": await own.task(claimed=True)}, *texts),
        f"{path}/answer": Repeated("system", {"task_id": asked_back}, *texts),
        "POST /v1/escalation-policies/check": Repeated("agent", body=check, other=check | {"confidence": 0.5}),
        "POST /v1/receipts/redeem": Repeated("system", body=use, other=use | {"use_id": "other"}),
    }


async def _of_the_tenant(own: Own) -> Calls:
    office = {"calendar_id": "office", "name": "Office", "working_hours": HOURS}
    view = {"name": "Late", "filter": {"q": "refund"}}
    gone = {"user_id": await own.disabled("gone")}
    return {
        "POST /v1/calendars": Repeated("admin", body=office, other=office | {"name": "Other"}),
        "POST /v1/views": Repeated("ann", body=view, other=view | {"name": "Other"}),
        "POST /v1/erasures": Repeated("admin", body=gone, other=gone | OTHER_REASON),
    }


async def _notifications(own: Own, stack: Stack) -> Calls:
    await own.callers.done("admin", f"/v1/tasks/{await own.task()}/assign", {"assignee": own.people["ann"]} | REASON)

    async def told() -> str | None:
        feed = (await own.callers.get("ann", "/v1/notifications"))["notifications"]
        return feed[0]["notification_id"] if feed else None

    hook = {"url": NOBODY_THERE, "events": ["task.expired"]}
    made = [(await own.callers.done("admin", "/v1/webhooks", hook))["webhook"]["webhook_id"] for _ in range(3)]
    failed = await _failed_delivery(own, stack, made[0])
    return {
        "POST /v1/notifications/read": Repeated(
            "ann", body={"notification_ids": [await eventually(told, timeout=60)]}, other={"notification_ids": []}
        ),
        "POST /v1/webhooks": Repeated("admin", body=hook, other=hook | {"description": "Other."}, shown_once="secret"),
        "POST /v1/webhooks/{webhook_id}/rotate": Repeated(
            "admin", {"webhook_id": made[1]}, other_ids={"webhook_id": made[2]}, shown_once="secret"
        ),
        "POST /v1/webhooks/{webhook_id}/redeliver": Repeated(
            "admin", {"webhook_id": made[0]}, {"delivery_ids": [failed]}, {"delivery_ids": []}
        ),
    }


async def _failed_delivery(own: Own, stack: Stack, webhook_id: str) -> str:
    """Written down here: to fail for real takes longer. Returns its id."""
    delivery_id = f"delivery_{uuid4().hex}"
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        await conn.execute(
            "insert into notification.deliveries (tenant_id, delivery_id, lane, cause, event_id, event_type, content, "
            "status) values ($1, $2, $3, $2, $2, 'task.expired', '{}', 'failed')",
            *(own.tenants[0], delivery_id, f"webhook:{webhook_id}"),
        )
    finally:
        await conn.close()
    return delivery_id


async def _tenants(own: Own) -> Calls:
    slugs = [f"{own.slug}-{number}" for number in range(3)]
    suspended, working = await own.tenant(slugs[0]), await own.tenant(slugs[1])
    await own.callers.done("operator", f"/v1/tenants/{suspended}/suspend", REASON)
    own.tenants += [suspended, working]
    path, made = "POST /v1/tenants/{tenant_id}", {"slug": slugs[2], "name": "One"}
    reasons: Any = {"body": REASON, "other": OTHER_REASON}
    return {
        "POST /v1/tenants": Repeated("operator", body=made, other=made | {"name": "Other"}),
        f"{path}/suspend": Repeated("operator", {"tenant_id": working}, **reasons),
        f"{path}/resume": Repeated("operator", {"tenant_id": suspended}, **reasons),
    }


async def _people(own: Own) -> Calls:
    ann, ben = ({"user_id": own.people[name]} for name in ("ann", "ben"))
    path, new = "POST /v1/users/{user_id}", {"email": "new@repeats.example", "name": "New"}
    await own.callers.done("admin", "/v1/groups", {"group_id": "finance"})
    change = {"current_password": PASSWORD, "new_password": NEXT_PASSWORD}
    return {
        "POST /v1/users": Repeated("admin", body=new, other=new | {"name": "Other"}),
        f"{path}/disable": Repeated("admin", {"user_id": await own.person("dan")}, other_ids=ben),
        f"{path}/enable": Repeated("admin", {"user_id": await own.disabled("eve")}, other_ids=ben),
        f"{path}/invite": Repeated("admin", {"user_id": await own.person("fay")}, other_ids=ben),
        "POST /v1/me/password": Repeated("cara", body=change, other=change | {"new_password": f"{NEXT_PASSWORD}!"}),
        "POST /v1/groups": Repeated("admin", body={"group_id": "legal"}, other={"group_id": "board"}),
        "POST /v1/groups/{group_id}/members": Repeated("admin", {"group_id": "finance"}, ann, ben),
    }


async def _keys(own: Own) -> Calls:
    new, path = {"name": "new", "kind": "agent"}, "POST /v1/api-keys/{key_id}"
    other = {"key_id": await own.key()}
    return {
        "POST /v1/api-keys": Repeated("admin", body=new, other=new | {"name": "other"}, shown_once="secret"),
        f"{path}/rotate": Repeated("admin", {"key_id": await own.key()}, other_ids=other, shown_once="secret"),
        f"{path}/revoke": Repeated("admin", {"key_id": await own.key()}, other_ids=other),
    }

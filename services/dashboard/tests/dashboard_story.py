"""What the pages show in tests and screenshots: a support team's morning."""

import re
from datetime import timedelta
from typing import Any

from dashboard_tasks import now
from dashboard_world import DashboardWorld
from orkestra.v1.identity import User
from orkestra.v1.task import Task, TaskSettings
from orkestra.v1.workflow import TimelineDetail, TimelineEntry, Workflow, WorkflowStatus

GROUP = "support-l1"
NOTE = b"Monday to Friday, 9 to 18."
REPLY: dict[str, Any] = {
    "answer": {"type": "textarea", "label": "Answer", "required": True, "help": "It is sent to the customer as it is."},
    "sentiment": {"type": "select", "options": ["positive", "neutral", "frustrated"]},
}
CONVERSATION = [
    {"role": "user", "text": "Hi, I bought a headset two weeks ago and opened it. Can I still return it?"},
    {"role": "assistant", "text": "Our policy covers unopened items. Let me ask a colleague about opened ones."},
    {"role": "user", "text": "Thanks. It works, I just do not like the fit."},
]
EVERY_FIELD: dict[str, Any] = {
    "version": 1,
    "fields": {
        "about": {"type": "heading", "text": "The refund"},
        "policy": {"type": "note", "text": "Opened goods are refunded at **80 %** within 30 days."},
        "reason": {
            "type": "text",
            "label": "Reason",
            "required": True,
            "max_length": 80,
            "placeholder": "Fit, defect, …",
        },
        "details": {"type": "markdown"},
        "contact": {"type": "email"},
        "site": {"type": "url"},
        "phone": {"type": "phone"},
        "pieces": {"type": "integer", "min": 1, "max": 9, "default": 1},
        "weight": {"type": "number", "label": "Weight in kg"},
        "amount": {"type": "money", "currencies": ["EUR", "USD"]},
        "mood": {"type": "rating"},
        "share": {"type": "slider", "min": 0, "max": 100, "step": 5, "default": 80},
        "opened": {"type": "boolean", "label": "The box was opened"},
        "insured": {"type": "boolean", "required": True},
        "channel": {"type": "radio", "options": ["mail", "chat"], "default": "mail"},
        "plan": {"type": "select", "options": ["basic", "pro"]},
        "labels": {"type": "multiselect", "options": ["vip", "late", "gift"]},
        "checks": {"type": "checkboxes", "options": ["receipt", "serial number"]},
        "bought": {"type": "date"},
        "called": {"type": "time"},
        "pickup": {"type": "datetime"},
        "away": {"type": "date_range"},
        "signed": {"type": "signature"},
        "extra": {"type": "json"},
        "address": {
            "type": "group",
            "fields": {"street": {"type": "text"}, "city": {"type": "text", "required": True}},
        },
        "rows": {"type": "table", "columns": {"item": {"type": "text", "required": True}, "price": {"type": "number"}}},
        "serial": {"type": "text", "visible_when": {"field": "opened", "equals": True}, "required": True},
        "compare": {"type": "diff", "before": "30 days", "after": "14 days"},
        "facts": {"type": "data", "value": {"order": 4711}},
        "more": {"type": "link", "url": "https://example.com/policy", "text": "The whole policy"},
        "photo": {"type": "image", "url": "https://example.com/photo.png", "alt": "The headset"},
    },
    "outcomes": [
        {"key": "approve", "label": "Approve"},
        {"key": "reject", "label": "Reject", "style": "danger", "require": ["details"]},
    ],
}


async def ask(world: DashboardWorld, tenant_id: str, **asked: Any) -> Task:
    """The story's question for the group."""
    given: dict[str, Any] = {
        "title": "May an opened headset be returned?",
        "description": "The customer wants to return an **opened** headset.",
        "candidate_groups": [GROUP],
        "form": REPLY,
        "type": "support-question",
        "context": {
            "conversation": CONVERSATION,
            "summary": "Headset bought 14 days ago, opened, works.\n\n- Order **4711**\n- Customer since 2019",
            "data": {"order_id": 4711, "customer_id": "cust-1", "total": {"amount": "129.00", "currency": "EUR"}},
            "links": [{"label": "Order 4711", "url": "https://shop.example.com/orders/4711"}],
            "agent": {"name": "Shop assistant", "model": "faq-1", "confidence": 0.42},
        },
    }
    return await world.rooms.tasks.open(tenant_id, **given | asked)


async def morning(world: DashboardWorld, tenant_id: str) -> tuple[User, User]:
    """Two colleagues with tasks of every kind; returns both."""
    ada = world.person("Ada Lovelace", GROUP, "refunds", tenant_id=tenant_id)
    grace = world.person("Grace Hopper", GROUP, tenant_id=tenant_id)
    tasks = world.rooms.tasks
    await ask(world, tenant_id, sla={"complete": "25m"}, priority="high")
    await ask(
        world,
        tenant_id,
        title="Refund of 129.00 EUR for order 4711",
        form=EVERY_FIELD,
        type="refund-approval",
        candidate_groups=["refunds"],
        sla={"complete": "4h"},
        priority="urgent",
        draft={"reason": {"value": "Fit", "confidence": 0.9}, "details": {"value": "Within *30 days*."}},
    )
    await ask(world, tenant_id, title="Where is parcel 00340434161094042557?", sla={"complete": "2d"})
    late = await ask(world, tenant_id, title="Invoice shows the wrong VAT id", sla={"complete": "90m"})
    over = late.sla.model_copy(update={"complete_by": now() - timedelta(minutes=12)}) if late.sla else None
    tasks.tasks[late.task_id] = late.model_copy(update={"sla": over})
    await ask(world, tenant_id, title="Customer asks for a call back in French", type="call-back")
    support_run(world, tenant_id)
    world.rooms.workflows.add(
        tenant_id,
        WorkflowStatus.COMPLETED,
        business_id="conv-7",
        closed_at=now(),
        result={"answer": "Yes, within 30 days.", "handled_by": "human"},
    )
    world.rooms.workflows.add(
        tenant_id,
        WorkflowStatus.FAILED,
        business_id="conv-6",
        closed_at=now(),
        failure={"type": "TASK_EXPIRED", "message": "Nobody answered in time."},
    )
    for task in list(tasks.tasks.values())[-3:]:
        if task.tenant_id == tenant_id:
            world.rooms.feeds.tell(ada, f"{GROUP} has a new task", task)
    world.rooms.feeds.tell(ada, "Your answer reached the customer.")
    return ada, grace


async def answered(world: DashboardWorld, tenant_id: str, person: User) -> Task:
    """A task with files whose answer can still be taken back, both given by the pages."""
    world.rooms.tasks.settings[tenant_id] = TaskSettings(undo_seconds=900, version=1)
    task = await ask(world, tenant_id, title="Which parcel shop is nearest?", form={"answer": REPLY["answer"]})
    path = f"/tasks/{task.task_id}"
    async with world.http(person) as http:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await http.get(path)).text)
        form = {"csrf": found[1] if found else ""}
        files = [("file", (name, NOTE)) for name in ("opening hours of the shop in the Long Street.txt", "map.txt")]
        await http.post(f"{path}/attachments", files=files, data=form, headers={"origin": world.base})
        await http.post(f"{path}/complete", data=form | {"data.answer": "Long Street 4.", "revision": "1"})
    return world.rooms.tasks.tasks[task.task_id]


def support_run(world: DashboardWorld, tenant_id: str) -> Workflow:
    """A running run with a timeline."""
    run = world.rooms.workflows.add(tenant_id, business_id="conv-8", requested_by=f"key_{'a' * 32}")
    tasks = world.rooms.tasks.tasks
    task_id = next(task.task_id for task in tasks.values() if task.tenant_id == tenant_id)
    tasks[task_id] = tasks[task_id].model_copy(update={"workflow_id": run.workflow_id})
    title = tasks[task_id].title
    told: list[tuple[int, str, str, str, dict[str, str], str | None]] = [
        (5, "workflow", "started", "run_started", {"definition": "customer-support", "version": "1"}, None),
        (4, "activity", "completed", "activity_completed", {"name": "classify_question"}, None),
        (4, "task", "created", "task_created", {"title": title, "people": GROUP}, task_id),
        (3, "timer", "started", "timer_started", {"seconds": "5400"}, None),
        (2, "activity", "failed", "activity_failed", {"name": "look_up_order", "why": "ShopAway: no answer"}, None),
        (1, "task", "escalated", "task_escalated", {"title": title, "reason": "half of its time is over"}, task_id),
        (0, "workflow", "moved", "run_moved", {}, None),
    ]
    world.rooms.workflows.timelines[run.workflow_id] = [
        TimelineEntry(
            at=now() - timedelta(minutes=minutes), kind=kind, event=event, text=f"In English: {code}.", task_id=task,
            code=code, details=[TimelineDetail(name=name, value=value) for name, value in details.items()],
        )
        for minutes, kind, event, code, details, task in told
    ]  # fmt: skip
    return run

"""Every filter of every list is served by an index under row-level security, however its statement is planned."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.rules.finding import FIRST, reading_of
from orkestra.task_service.operations import sql
from orkestra.task_service.operations.reading import _behind_figures, _filters
from orkestra.v1.task import ListTasksRequest, Priority, TaskScope, TaskSort, TaskStatus
from orkestra.wire import Principal
from task_world import Tenant, World, world
from test_task_list import crowded

__all__ = ["crowded", "world"]

NOW = datetime.now(UTC)
GROUPS = frozenset({"g1", "g2", "g7"})
PLACES = frozenset({("user_away", None), ("user_away", "refund")})
CALLERS = {
    "member": Principal("user_ana", "user", None, frozenset({"member"}), GROUPS),
    "substitute": Principal("user_ana", "user", None, frozenset({"member"}), GROUPS, stands_for=PLACES),
    "manager": Principal("user_max", "user", None, frozenset({"manager"}), GROUPS),
    "agent": Principal("key_bot", "agent", None, frozenset({"agent"}), name="support-bot"),
}
FILTERS: dict[str, list[Any]] = {
    "scope": [TaskScope.MINE, TaskScope.GROUPS, TaskScope.ALL],
    "status": [TaskStatus.OPEN, TaskStatus.COMPLETED],
    "assignee": ["user_ana"],
    "group": ["g7", "g19"],
    "workflow_id": ["wf_7"],
    "q": ["task", "task 7"],
    "tags": [["g7"], ["g7", "none"]],
    "type": ["refund"],
    "priority": [Priority.NORMAL, Priority.URGENT],
    "correlation": ["case-7"],
    "data": [["order.id=7"]],
    "due_after": [NOW],
    "due_before": [NOW + timedelta(hours=1)],
    "sort": [TaskSort.DUE, TaskSort.NEWEST],
    "every_status": [True],
    "created_after": [NOW - timedelta(days=1)],
    "created_before": [NOW],
    "completed_after": [NOW - timedelta(days=1)],
    "completed_before": [NOW],
    "breached": [True],
    "escalated": [True, False],
}
SEARCHED = ("workflow_id", "q", "tags", "type", "priority", "correlation", "data")
COMMON = ("task", Priority.NORMAL)
"""What so many tasks have that a list is walked, and never searched by it."""
OTHERS: dict[str, dict[str, Any]] = {
    "list_corrections": {
        "after_at": "-infinity",
        "after_task": "",
        "answered_after": NOW,
        "answered_before": NOW,
        "type": "refund",
        "limit": 20,
    },
    "list_escalation_checks": {
        "before_at": "infinity",
        "before_check": "",
        "checked_by": None,
        "topic": "refunds",
        "decision": None,
        "limit": 51,
    },
    "task_comments": {"task_id": "task_1", "after": "", "limit": 51},
    "task_history": {"task_id": "task_1"},
    "task_chain": {"task_id": "task_1"},
    "list_calendars": {"after": "", "group_id": None, "limit": 51},
    "list_views": {"after": "", "subject": "user_ana", "groups": ["g1"], "manages": False, "limit": 51},
    "absences_before": {"subject": "user_ana"},
    "lock_routing_groups": {"groups": ["g1", "g2"]},
    "rosters": {"groups": ["g1"], "type": None, "task_id": "task_1"},
    "worked_before": {"correlation": "case-7", "task_id": "task_1"},
}
"""Further statements that read many rows, with what they are asked for."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def is_served(plan: dict[str, Any]) -> bool:
    """Whether every table is entered by an index, and with more than its tenant where it may be large."""
    read = [node for node in nodes(plan) if node.get("Relation Name")]
    indexed = [node for node in nodes(plan) if "Index Cond" in node]
    return bool(indexed) and not [node for node in read if node["Node Type"] == "Seq Scan"]


async def planned(world: World, tenant: Tenant, name: str, values: dict[str, Any], *, prepared: str) -> dict[str, Any]:
    query = getattr(sql, name)
    arguments = [values[parameter] for parameter in query.parameters]
    async with world.database.transaction(tenant.id) as conn:
        await conn.execute(f"set local plan_cache_mode = force_{prepared}_plan")
        if name in OTHERS:  # of tables that are small here the planner reads all anyway
            await conn.execute("set local enable_seqscan = off")
        text = await conn.fetchval(f"explain (format json) {query.text}", *arguments)
    plan: dict[str, Any] = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    return plan


def asked_by(caller: str, **filters: Any) -> dict[str, Any]:
    """What the statements of a list get for a request."""
    request = ListTasksRequest(**filters)
    scope = request.scope or TaskScope.ALL
    place = FIRST[request.sort or TaskSort.DUE]
    reading = reading_of(CALLERS[caller], request, scope=scope, assignee=request.assignee)
    kind, term = reading.terms[-1] if reading.terms else ("word", "7")
    page = {"after_place": place, "after_task": "", "limit": 51, "kind": kind, "term": term}
    return {**_filters(reading), **_behind_figures(reading), **page}


def test_every_filter_of_a_list_is_planned() -> None:
    assert FILTERS.keys() == ListTasksRequest.model_fields.keys() - {"page_size", "page_token"}


@pytest.mark.parametrize("prepared", ["custom", "generic"])
@pytest.mark.parametrize("name", FILTERS)
async def test_an_index_serves_every_filter_for_everyone(
    world: World, crowded: Tenant, name: str, prepared: str
) -> None:
    for value in FILTERS[name]:
        for caller in CALLERS:
            for sort in TaskSort:
                given = asked_by(caller, **{"sort": sort, name: value})
                walks = ["list_tasks"] if sort == TaskSort.DUE else ["list_newest_tasks"]
                if name in SEARCHED and value not in COMMON:
                    walks += ["search_tasks" if sort == TaskSort.DUE else "search_newest_tasks", "count_found_tasks"]
                    walks += ["scarcest_term"]
                for statement in [*walks, "count_tasks"]:
                    plan = await planned(world, crowded, statement, given, prepared=prepared)
                    assert is_served(plan), (statement, caller, value, json.dumps(plan)[:2000])


async def test_every_filter_together_is_served(world: World, crowded: Tenant) -> None:
    everything = {name: values[0] for name, values in FILTERS.items()}
    for caller in CALLERS:
        for statement in ("list_tasks", "search_tasks", "count_tasks", "count_found_tasks"):
            plan = await planned(world, crowded, statement, asked_by(caller, **everything), prepared="custom")
            assert is_served(plan), (statement, caller)


@pytest.mark.parametrize("prepared", ["custom", "generic"])
@pytest.mark.parametrize("name", OTHERS)
async def test_an_index_serves_whatever_else_reads_many_rows(
    world: World, crowded: Tenant, name: str, prepared: str
) -> None:
    plan = await planned(world, crowded, name, OTHERS[name], prepared=prepared)
    assert is_served(plan), json.dumps(plan)[:3000]

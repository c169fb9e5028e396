"""Lists: who sees what, in which order, page by page, and by an index under row-level security."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from orkestra.task_service.operations import sql
from orkestra.v1.task import (
    CompleteTaskRequest,
    CountTasksRequest,
    ListTasksRequest,
    SlaPolicy,
    Task,
    TaskContext,
    TaskCounts,
    TaskScope,
    TaskSort,
    TaskStatus,
)
from orkestra.wire import InvalidArgument
from task_world import ANSWER, Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]

LARGE = {"description": "words", "context": TaskContext(summary="words"), "input": {"a": 1}}


async def ids(caller: Caller, **filters: object) -> list[str]:
    answer = await caller.list_tasks(ListTasksRequest.model_validate(filters))
    return [task.task_id for task in answer.tasks]


async def opened(tenant: Tenant, *groups: str, **fields: object) -> Task:
    tenant.group(*groups)
    return await tenant.worker().create_task(ask_for_run(candidate_groups=list(groups), **fields))


async def test_the_inbox_holds_mine_and_my_groups_by_due_date(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    undated = await opened(tenant, "support-l1")
    later = await opened(tenant, "support-l1", sla=SlaPolicy(complete="2h"))
    sooner = await opened(tenant, candidate_users=[ana.id], sla=SlaPolicy(complete="1h"))
    await opened(tenant, "finance")
    assert await ids(ana) == [sooner.task_id, later.task_id, undated.task_id]
    assert await ids(ana, scope=TaskScope.MINE) == [sooner.task_id]
    assert await ids(ana, scope=TaskScope.GROUPS) == [later.task_id, undated.task_id]


async def test_a_task_reached_by_two_ways_is_listed_once(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1", "support-l2")
    task = await opened(tenant, "support-l1", "support-l2", candidate_users=[ana.id])
    assert await ids(ana) == [task.task_id]


async def test_what_one_claims_becomes_mine_and_what_ends_leaves_the_inbox(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
    task = await opened(tenant, "support-l1")
    await ana.claimed(task)
    assert await ids(ana, scope=TaskScope.MINE) == [task.task_id]
    assert await ids(ben, scope=TaskScope.MINE) == []
    assert await ids(ben, status=TaskStatus.CLAIMED, assignee="ana@example.com") in ([task.task_id], [])
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert await ids(ana) == []
    assert await ids(ana, status=TaskStatus.COMPLETED) == [task.task_id]


async def test_what_one_asked_for_is_seen_but_is_not_mine_to_do(world: World) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    ana = tenant.person("ana")
    task = await ana.create_task(ask(candidate_groups=["support-l1"]))
    assert await ids(ana) == [task.task_id]
    assert await ids(ana, scope=TaskScope.MINE) == []


async def test_a_figure_leads_to_the_tasks_behind_it(world: World) -> None:
    tenant = world.tenant()
    boss, ana = tenant.person("boss", roles=("manager",)), tenant.person("ana", "l1")
    before = datetime.now(UTC) - timedelta(minutes=1)
    waiting, done = await opened(tenant, "l1"), await opened(tenant, "l1", sla=SlaPolicy(complete="1h"))
    await ana.claimed(done)
    await ana.complete_task(CompleteTaskRequest(task_id=done.task_id, data=ANSWER))
    late = await opened(tenant, "l1", sla=SlaPolicy(complete="1h"))
    await world.rows(
        'update tasks set sla = (sla::jsonb || \'{"breached": true, "escalation_level": 2}\')::json where task_id = $1',
        late.task_id,
    )
    after = datetime.now(UTC) + timedelta(minutes=1)
    asked = {"every_status": True, "created_after": before, "created_before": after}
    for sort in TaskSort:
        everything = await ids(boss, **asked, sort=sort)
        assert sorted(everything) == sorted([waiting.task_id, done.task_id, late.task_id])
        assert await ids(boss, **asked | {"created_before": before}, sort=sort) == []
        assert await ids(boss, **asked, sort=sort, breached=True) == [late.task_id]
        assert await ids(boss, **asked, sort=sort, escalated=True, q="help", type=None) == [late.task_id]
        assert sorted(await ids(boss, **asked, sort=sort, escalated=False)) == sorted([waiting.task_id, done.task_id])
        window = {"completed_after": before, "completed_before": after}
        assert await ids(boss, **asked, **window, sort=sort) == [done.task_id]
        assert await ids(boss, **asked, sort=sort, completed_after=after) == []
    assert late.task_id not in await ids(tenant.person("eve", "l2"), **asked, breached=True)


async def test_managers_and_auditors_see_all_and_strangers_nothing(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant, "support-l1")
    for role in ("admin", "manager", "auditor"):
        assert await ids(tenant.person(role, roles=(role,))) == [task.task_id]
    assert await ids(tenant.person("stranger", "other")) == []
    assert await ids(world.tenant().person("eve", "support-l1", roles=("admin",))) == []


async def test_filters_narrow_what_is_seen(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    boss = tenant.person("boss", roles=("manager",))
    held = await opened(tenant, "support-l1")
    free = await opened(tenant, "support-l1", "finance")
    hidden = await opened(tenant, "finance")
    await ana.claimed(held)
    assert set(await ids(boss)) == {held.task_id, free.task_id, hidden.task_id}
    assert await ids(boss, assignee=ana.id) == [held.task_id]
    assert await ids(boss, assignee="ana@example.com", group="support-l1") == [held.task_id]
    assert set(await ids(boss, group="finance")) == {free.task_id, hidden.task_id}
    assert await ids(ana, group="finance") == [free.task_id]
    assert await ids(ana, status=TaskStatus.OPEN) == [free.task_id]
    assert await ids(ana, workflow_id=free.workflow_id) == [free.task_id]
    assert await ids(ana, workflow_id=hidden.workflow_id) == []
    assert await ids(boss, workflow_id=hidden.workflow_id, group="finance", status=TaskStatus.OPEN) == [hidden.task_id]


async def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    created = [await opened(tenant, "support-l1", sla=SlaPolicy(complete="1h")) for _ in range(4)]
    created += [await opened(tenant, "support-l1") for _ in range(3)]
    seen: list[str] = []
    token = None
    while True:
        page = await ana.list_tasks(ListTasksRequest(page_size=2, page_token=token))
        seen += [task.task_id for task in page.tasks]
        token = page.next_page_token
        if token is None:
            break
        created.append(await opened(tenant, "support-l1", sla=SlaPolicy(complete="1m")))
    assert seen == [task.task_id for task in created[:4]] + sorted(task.task_id for task in created[4:7])


@pytest.mark.parametrize(
    ("filters", "path"),
    [({"page_size": 0}, "page_size"), ({"page_size": 201}, "page_size"), ({"page_token": "nonsense"}, "page_token")],
)
async def test_a_page_that_cannot_be_is_refused(world: World, filters: dict[str, object], path: str) -> None:
    ana = world.tenant().person("ana")
    with pytest.raises(InvalidArgument) as refusal:
        await ids(ana, **filters)
    assert [error.path for error in refusal.value.errors] == [path]


async def test_lists_leave_out_what_is_large(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    await opened(tenant, "support-l1", **LARGE)
    [task] = (await ana.list_tasks(ListTasksRequest())).tasks
    assert (task.description, task.context, task.input, task.form, task.result) == (None,) * 5


@pytest.fixture(scope="module")
async def crowded(world: World) -> Tenant:
    """A tenant with 20,000 open tasks among 20 groups, beside another as large."""
    tenant = world.tenant()
    for tenant_id in (tenant.id, str(uuid4())):
        await world.rows(
            """
            with made as (
                insert into tasks (tenant_id, task_id, workflow_id, title, candidate_groups, priority, status,
                                   created_at, updated_at, due_at)
                select $1::text::uuid, 'task_' || md5($1::text || n), 'wf_' || n, 'Task ' || n, array['g' || n % 20],
                       'normal', 'open', now(), now(), now() + n * interval '1 second'
                from generate_series(1, 20000) n returning *
            ), found_by as (
                insert into task_terms (tenant_id, kind, term, task_id)
                select tenant_id, kind, term, task_id from made,
                lateral (values ('word', 'task'), ('word', split_part(title, ' ', 2)), ('tag', candidate_groups[1]),
                                ('workflow', workflow_id), ('priority', 'normal')) as w (kind, term)
            )
            insert into task_audience (tenant_id, task_id, audience, status, due_at, created_at, offered)
            select tenant_id, task_id, audience, status, due_at, created_at, audience <> 'all'
            from made, unnest(array['all', 'group:' || candidate_groups[1]]) audience
            returning 1
            """,
            tenant_id,
        )
    await world.rows("analyze tasks")
    await world.rows("analyze task_audience")
    await world.rows("analyze task_terms")
    return tenant


def indexes_and_scans(plan: dict[str, object]) -> tuple[set[str], set[str]]:
    indexes, scans = set(), set()
    if "Index Name" in plan:
        indexes.add(str(plan["Index Name"]))
    if plan["Node Type"] == "Seq Scan":
        scans.add(str(plan["Relation Name"]))
    for part in plan.get("Plans", []):  # type: ignore[attr-defined]  # a list of plans
        below = indexes_and_scans(part)
        indexes |= below[0]
        scans |= below[1]
    return indexes, scans


PLACE = {
    "statuses": ["open", "claimed", "waiting"],
    "after_place": "-infinity",
    "after_task": "",
    "limit": 51,
    **dict.fromkeys(("group", "assignee", "due_after", "due_before", "created_after", "created_before")),
    **dict.fromkeys(("completed_after", "completed_before", "breached", "escalated", "is_behind_figures")),
    "offered": False,
    "kinds": [],
    "terms": [],
}
COMMON = {"kinds": ["word"], "terms": ["task"]}
RARE = {"kind": "word", "term": "7", "kinds": ["word", "tag"], "terms": ["7", "g7"]}
TODAY = {"due_after": datetime.now(UTC), "due_before": datetime.now(UTC) + timedelta(days=1)}


@pytest.mark.parametrize("prepared", ["custom", "generic"])
@pytest.mark.parametrize(
    ("name", "values", "index"),
    [
        ("list_tasks", {"audiences": ["user:u", "group:g1", "group:g2"]}, "task_audience_list"),
        ("list_tasks", {"audiences": ["all"], "group": "group:g1"}, "task_audience_list"),
        ("list_tasks", {"audiences": ["user:u"], "offered": True, "assignee": "u"}, "task_audience_list"),
        ("count_tasks", {"audiences": ["all"], "limit": 1000}, "task_audience_"),
        ("count_tasks", {"audiences": ["user:u", "group:g1"], "limit": 1000}, "task_audience_"),
        ("list_tasks", {"audiences": ["all"], **COMMON}, "task_terms_pkey"),
        ("list_tasks", {"audiences": ["all"], **TODAY}, "task_audience_list"),
        ("list_newest_tasks", {"audiences": ["all"], "after_place": "infinity"}, "task_audience_"),
        ("list_newest_tasks", {"audiences": ["user:u", "group:g1"], **COMMON, **TODAY}, "task_audience_"),
        ("scarcest_term", {**COMMON, "limit": 1000}, "task_terms_pkey"),
        ("search_tasks", {"audiences": ["group:g7"], **RARE, **TODAY}, "task_terms_pkey"),
        ("search_tasks", {"audiences": ["all"], "kind": "workflow", "term": "wf_7"}, "task_terms_pkey"),
        (
            "search_newest_tasks",
            {"audiences": ["all"], **RARE, "group": "group:g7", "assignee": "u"},
            "task_terms_pkey",
        ),
        ("count_tasks", {"audiences": ["all"], **COMMON, "limit": 1000}, "task_terms_pkey"),
        ("count_found_tasks", {"audiences": ["all"], **RARE}, "task_terms_pkey"),
    ],
)
async def test_an_index_serves_a_list_under_row_level_security(
    world: World, crowded: Tenant, name: str, values: dict[str, object], index: str, prepared: str
) -> None:
    query = getattr(sql, name)
    arguments = PLACE | values
    offered = bool(arguments["offered"])
    for many, value in (("offered", offered), ("types", "refund" if offered else None)):
        arguments[many] = [value] * len(arguments.get("audiences", []))  # type: ignore[arg-type]  # a list of names
    async with world.database.transaction(crowded.id) as conn:
        await conn.execute(f"set local plan_cache_mode = force_{prepared}_plan")
        text = await conn.fetchval(
            f"explain (analyze, format json) {query.text}", *(arguments[parameter] for parameter in query.parameters)
        )
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    indexes, scans = indexes_and_scans(plan)
    assert [one for one in indexes if one.startswith(index)]
    assert scans == set()


async def test_a_first_page_of_a_crowd_is_whole_and_ordered(world: World, crowded: Tenant) -> None:
    ana = crowded.person("ana", "g1", "g2", "g3")
    tasks = (await ana.list_tasks(ListTasksRequest())).tasks
    assert [task.title for task in tasks[:6]] == ["Task 1", "Task 2", "Task 3", "Task 21", "Task 22", "Task 23"]
    assert len(tasks) == 50


async def test_a_crowd_is_counted_no_further_than_a_thousand(world: World, crowded: Tenant) -> None:
    boss = crowded.person("boss", "g1", roles=("manager",))
    assert await boss.count_tasks(CountTasksRequest()) == TaskCounts(mine=0, groups=1000, all=1000)

"""Every rpc is in a table of permissions, and every table is held against the service: kinds, relations, tenants."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from orkestra.rules import GRANTS, TENANT_GRANTS, VIEW_GRANTS, may
from orkestra.rules.permissions import REASONS
from orkestra.v1 import task_pb2
from orkestra.v1.task import (
    AddCommentRequest,
    ApprovalPolicy,
    CheckEscalationRequest,
    CompleteTaskRequest,
    CreateCalendarRequest,
    CreateViewRequest,
    DelegateTaskRequest,
    DeleteCalendarRequest,
    DeleteViewRequest,
    EscalationStep,
    GetAttachmentRequest,
    GetCalendarRequest,
    GetCorrectionStatisticsRequest,
    GetEscalationCheckRequest,
    GetEscalationPolicyRequest,
    GetTaskFiguresRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    GetTaskSettingsRequest,
    GetViewRequest,
    ListAttachmentsRequest,
    ListCommentsRequest,
    ListCorrectionsRequest,
    ListEscalationChecksRequest,
    ListTasksRequest,
    ListViewsRequest,
    ProjectTaskFormRequest,
    PutEscalationPolicyRequest,
    PutTaskSettingsRequest,
    ReadAttachmentRequest,
    RedeemReceiptRequest,
    RequestChangesRequest,
    SlaPolicy,
    Surface,
    Task,
    TaskFilter,
    UpdateCalendarRequest,
    UpdateViewRequest,
    VerifyTaskHistoryRequest,
    VoteChoice,
    VoteTaskRequest,
    WorkingHours,
)
from orkestra.wire import Error, Model, NotFound, PermissionDenied
from orkestra.wire.server import snake
from task_files import attach
from task_world import ANSWER, Caller, Tenant, World, ask, world
from test_task_permissions import ATTACHED, HELD, OPERATIONS

__all__ = ["world"]

HOURS = WorkingHours.model_validate(
    {"time_zone": "UTC", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]}
)
SEEING: dict[str, Callable[[str], Model]] = {
    "get_task_history": lambda task_id: GetTaskHistoryRequest(task_id=task_id),
    "verify_task_history": lambda task_id: VerifyTaskHistoryRequest(task_id=task_id),
    "project_task_form": lambda task_id: ProjectTaskFormRequest(task_id=task_id, surface=Surface.CHAT),
    "list_comments": lambda task_id: ListCommentsRequest(task_id=task_id),
    "list_attachments": lambda task_id: ListAttachmentsRequest(task_id=task_id),
    "get_attachment": lambda task_id: GetAttachmentRequest(task_id=task_id, attachment_id="attachment_none"),
    "read_attachment": lambda task_id: ReadAttachmentRequest(task_id=task_id, attachment_id="attachment_none"),
}
"""Further ways to see a task."""
IN_TENANT: dict[str, list[tuple[str, Model]]] = {
    "check_escalation": [("check_escalation", CheckEscalationRequest(topic="x", confidence=0.5))],
    "view_escalation_checks": [
        ("list_escalation_checks", ListEscalationChecksRequest()),
        ("get_escalation_check", GetEscalationCheckRequest(check_id="check_none")),
    ],
    "view_escalation_policy": [("get_escalation_policy", GetEscalationPolicyRequest())],
    "put_escalation_policy": [("put_escalation_policy", PutEscalationPolicyRequest(rules=[], version=99))],
    "view_corrections": [
        ("list_corrections", ListCorrectionsRequest()),
        ("get_correction_statistics", GetCorrectionStatisticsRequest()),
    ],
    "view_figures": [("get_task_figures", GetTaskFiguresRequest(since=datetime(2026, 1, 1, tzinfo=UTC)))],
    "redeem_receipt": [("redeem_receipt", RedeemReceiptRequest(token="none", use_id="1"))],
    "view_task_settings": [("get_task_settings", GetTaskSettingsRequest())],
    "put_task_settings": [("put_task_settings", PutTaskSettingsRequest(undo_seconds=0, version=99))],
    "view_calendar": [("get_calendar", GetCalendarRequest(calendar_id="none"))],
    "create_calendar": [("create_calendar", CreateCalendarRequest(calendar_id="?", name="x", working_hours=HOURS))],
    "update_calendar": [("update_calendar", UpdateCalendarRequest(calendar_id="none", name="x", working_hours=HOURS))],
    "delete_calendar": [("delete_calendar", DeleteCalendarRequest(calendar_id="none"))],
    "create_view": [("create_view", CreateViewRequest(name="", filter=TaskFilter()))],
}
"""Requests that get past the permission and then name nothing that exists, or change nothing."""
WITH_VIEW = {"view": "get_view", "update": "update_view", "delete": "delete_view"}
BY_ITS_PARTS = {"create_task", "list_tasks", "count_tasks", "bulk_tasks", "list_views", "list_calendars"}
"""Everyone may call them: a creation has refusals of its own, lists show what is visible, bulk is of single ones."""
BY_OTHERS = {
    "get_receipt_keys",
    "await_ends",
    "confirm_wake_ups",
    "list_forgettable_tasks",
    "forget_tasks",
    "erase_words",
}
"""Open to all, and for the installation's own keys alone."""
BY_AUTHOR = {"add_attachment_part", "finish_attachment", "drop_attachment"}
"""Only for whoever began the file."""
ROLES = ("admin", "manager", "member", "auditor", "agent", "system", "worker")
ASKERS = {
    **dict.fromkeys(("system that asked", "named agent"), "system that asked"),
    "beneficiary": "agent not named",
}
"""Who asks where it is not the person."""
RELATIONS = (
    *("person who asked", "system that asked", "beneficiary", "mentioned", "named agent", "agent not named"),
    *("substitute", "delegator", "voter"),
)


def test_every_rpc_is_in_a_table() -> None:
    rpcs = {snake(method.name) for method in task_pb2.DESCRIPTOR.services_by_name["TaskService"].methods}
    in_tables = {method for method, _ in OPERATIONS.values()} | SEEING.keys() | set(WITH_VIEW.values())
    in_tables |= {method for calls in IN_TENANT.values() for method, _ in calls}
    assert in_tables | BY_ITS_PARTS | BY_OTHERS | BY_AUTHOR == rpcs
    assert OPERATIONS.keys() == GRANTS.keys()
    assert IN_TENANT.keys() == TENANT_GRANTS.keys()
    assert WITH_VIEW.keys() == VIEW_GRANTS.keys()


async def scene(tenant: Tenant, operation: str, who: str) -> tuple[Task, Caller]:
    """A task in the state that the operation needs, and a caller who stands to it as `who` says."""
    holder, candidate = (tenant.person(name, "support-l1") for name in ("holder", "candidate"))
    beneficiary = tenant.person("beneficiary")
    callers = {
        "person who asked": tenant.person("asker"),
        "system that asked": tenant.system(),
        "beneficiary": beneficiary,
        "mentioned": tenant.person("mentioned"),
        "named agent": tenant.agent(),
        "agent not named": tenant.agent(on_behalf_of=[beneficiary.id]),
        "substitute": tenant.person("substitute"),
        "delegator": holder,
        "voter": candidate,
    }
    asker = callers[ASKERS.get(who, "person who asked")]
    task = await asker.create_task(
        ask(
            candidate_groups=["support-l1"],
            candidate_users=[candidate.id],
            on_behalf_of=beneficiary.id if who == "beneficiary" else None,
            allow_agents=[callers["named agent"].id] if who == "named agent" else [],
            approval_policy=ApprovalPolicy(required=2) if operation == "vote" or who == "voter" else None,
            sla=SlaPolicy(complete="9h", escalate=[EscalationStep(after="8h", remind=True)]),
        )
    )
    if who == "mentioned":
        await holder.add_comment(AddCommentRequest(task_id=task.task_id, text=f"@{callers[who].id} look"))
    if who == "substitute":
        await tenant.away(candidate, callers[who])
    if who == "voter":
        await candidate.vote_task(
            VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1)
        )
    if operation == "remove_attachment":
        author = tenant.person("author", "support-l1")
        ATTACHED[task.task_id] = (await attach(author, task)).attachment_id
    if operation in HELD or who == "delegator":
        await holder.claimed(task)
    if who == "delegator":
        await holder.delegate_task(DelegateTaskRequest(task_id=task.task_id, assignee=candidate.id, reason="Ill."))
    elif operation == "answer":
        await holder.request_changes(RequestChangesRequest(task_id=task.task_id, message="Which?"))
    boss = tenant.person("boss", roles=("manager",))
    if operation == "undo":
        await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=3600))
        answered = CompleteTaskRequest(task_id=task.task_id, data=ANSWER)
        voted = VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1)
        giver = candidate if who == "delegator" else holder
        await (giver.vote_task(voted) if who == "voter" else giver.complete_task(answered))
    return await boss.get_task(GetTaskRequest(task_id=task.task_id)), callers[who]


async def refusal(caller: Caller, method: str, request: Model) -> Error | None:
    try:
        await getattr(caller, method)(request)
    except Error as error:
        return error
    return None


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_whoever_stands_otherwise_to_a_task_is_refused_as_the_table_says(world: World, operation: str) -> None:
    method, request = OPERATIONS[operation]
    for who in RELATIONS:
        task, caller = await scene(world.tenant(), operation, who)
        places = {(user, None) for user in task.candidate_users} if who == "substitute" else set()
        expected = may(operation, replace(caller.principal, stands_for=frozenset(places)), task)
        came = await refusal(caller, method, request(task.task_id))
        if expected is not None:
            assert came is not None, f"{who} may {operation}"
            assert (type(came), came.reason) == (type(expected), expected.reason), who
        else:
            assert not isinstance(came, PermissionDenied | NotFound), who


@pytest.mark.parametrize("operation", [*OPERATIONS, *SEEING])
async def test_another_tenants_task_is_not_there_for_any_kind_not_even_under_the_same_ids(
    world: World, operation: str
) -> None:
    here, there = world.tenant(), world.tenant()
    method, request = OPERATIONS[operation] if operation in OPERATIONS else (operation, SEEING[operation])
    task, _ = await scene(here, operation, "person who asked")
    there.person("candidate", "support-l1")
    named = [(task.requested_by, "user"), (task.candidate_users[0], "user"), (task.requested_by, "agent")]
    callers = [there._caller(str(subject), kind, ("member",), groups=["support-l1"]) for subject, kind in named]
    callers += [there.person(f"a-{role}", roles=(role,)) for role in ("admin", "manager", "auditor")]
    callers += [there.agent(on_behalf_of=["*"]), there.system(), there.worker(), there.service()]
    for caller in callers:
        hidden = await refusal(caller, method, request(task.task_id))
        unknown = await refusal(caller, method, request("task_" + "0" * 32))
        assert isinstance(hidden, NotFound), caller.principal
        assert unknown is not None
        assert str(hidden).replace(task.task_id, "task_" + "0" * 32) == str(unknown)
    boss = here.person("boss", roles=("manager",))
    assert await boss.get_task(GetTaskRequest(task_id=task.task_id)) == task


async def test_another_tenants_views_calendars_and_checks_are_not_there(world: World) -> None:
    here, there = world.tenant(), world.tenant()
    boss, theirs, bot = (here.person("boss", roles=("manager",)), there.person("eve", roles=("admin",)), here.agent())
    view = await boss.create_view(CreateViewRequest(name="Mine", filter=TaskFilter()))
    calendar = await boss.create_calendar(CreateCalendarRequest(calendar_id="office", name="O", working_hours=HOURS))
    check = await bot.check_escalation(CheckEscalationRequest(topic="x", confidence=0.5))
    task = await bot.create_task(ask())
    calls: list[tuple[str, Model]] = [
        ("get_view", GetViewRequest(view_id=view.view_id)),
        ("update_view", UpdateViewRequest(view_id=view.view_id, name="B", filter=TaskFilter())),
        ("delete_view", DeleteViewRequest(view_id=view.view_id)),
        ("get_calendar", GetCalendarRequest(calendar_id=calendar.calendar_id)),
        ("update_calendar", UpdateCalendarRequest(calendar_id="office", name="B", working_hours=HOURS)),
        ("delete_calendar", DeleteCalendarRequest(calendar_id="office")),
        ("get_escalation_check", GetEscalationCheckRequest(check_id=check.check_id)),
    ]
    for method, request in calls:
        came = await refusal(theirs, method, request)
        assert isinstance(came, NotFound), method
    assert (await theirs.list_views(ListViewsRequest())).views == []
    assert (await theirs.list_escalation_checks(ListEscalationChecksRequest())).checks == []
    assert (await theirs.list_tasks(ListTasksRequest())).tasks == []
    assert await boss.get_view(GetViewRequest(view_id=view.view_id)) == view
    assert (await boss.get_task(GetTaskRequest(task_id=task.task_id))).version == 1


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_about_no_task_is_refused_by_role_as_the_table_says(world: World, role: str) -> None:
    tenant = world.tenant()
    others: dict[str, Callable[[], Caller]] = {"agent": tenant.agent, "system": tenant.system, "worker": tenant.worker}
    caller = others[role]() if role in others else tenant.person(role, roles=(role,))
    for operation, calls in IN_TENANT.items():
        for method, request in calls:
            came = await refusal(caller, method, request)
            if role in TENANT_GRANTS[operation]:
                assert not isinstance(came, PermissionDenied), operation
            else:
                assert isinstance(came, PermissionDenied), operation
                assert came.reason == REASONS[operation][0]

"""The service refuses exactly what the grants of orkestra.rules refuse: every operation by every kind of caller."""

from collections.abc import Callable

import pytest
from orkestra.rules import GRANTS, may, visible
from orkestra.v1.task import (
    AddCommentRequest,
    AdvanceClockRequest,
    AnswerTaskRequest,
    ApprovalPolicy,
    AssignTaskRequest,
    BeginAttachmentRequest,
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    Priority,
    PutTaskSettingsRequest,
    ReleaseTaskRequest,
    RemoveAttachmentRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    SlaPolicy,
    Task,
    UndoTaskRequest,
    UpdateTaskRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, Model, NotFound
from task_files import attach
from task_world import ANSWER, Caller, Tenant, World, ask, world

__all__ = ["world"]

ATTACHED: dict[str, str] = {}
"""By task, a file that none of the callers has attached."""
OPERATIONS: dict[str, tuple[str, Callable[[str], Model]]] = {
    "view": ("get_task", lambda task_id: GetTaskRequest(task_id=task_id)),
    "claim": ("claim_task", lambda task_id: ClaimTaskRequest(task_id=task_id)),
    "release": ("release_task", lambda task_id: ReleaseTaskRequest(task_id=task_id)),
    "assign": (
        "assign_task",
        lambda task_id: AssignTaskRequest(task_id=task_id, candidate_groups=["support-l1"], reason="Ill."),
    ),
    "delegate": (
        "delegate_task",
        lambda task_id: DelegateTaskRequest(task_id=task_id, assignee="candidate@example.com", reason="Ill."),
    ),
    "escalate": ("escalate_task", lambda task_id: EscalateTaskRequest(task_id=task_id)),
    "update": ("update_task", lambda task_id: UpdateTaskRequest(task_id=task_id, priority=Priority.HIGH)),
    "complete": ("complete_task", lambda task_id: CompleteTaskRequest(task_id=task_id, data=ANSWER)),
    "vote": (
        "vote_task",
        lambda task_id: VoteTaskRequest(task_id=task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1),
    ),
    "comment": ("add_comment", lambda task_id: AddCommentRequest(task_id=task_id, text="Hello")),
    "save_draft": ("save_draft", lambda task_id: SaveDraftRequest(task_id=task_id, data=ANSWER)),
    "request_changes": ("request_changes", lambda task_id: RequestChangesRequest(task_id=task_id, message="Why?")),
    "answer": ("answer_task", lambda task_id: AnswerTaskRequest(task_id=task_id, message="Because.")),
    "undo": ("undo_task", lambda task_id: UndoTaskRequest(task_id=task_id)),
    "cancel": ("cancel_task", lambda task_id: CancelTaskRequest(task_id=task_id)),
    "attach": ("begin_attachment", lambda task_id: BeginAttachmentRequest(task_id=task_id, name="receipt.pdf")),
    "remove_attachment": (
        "remove_attachment",
        lambda task_id: RemoveAttachmentRequest(
            task_id=task_id, attachment_id=ATTACHED.get(task_id, "attachment_none")
        ),
    ),
    "advance": ("advance_clock", lambda task_id: AdvanceClockRequest(task_id=task_id)),
}
CALLERS = (
    "stranger",
    "candidate",
    "group member",
    "assignee",
    "excluded",
    "requester",
    "other agent",
    "manager",
    "admin",
    "auditor",
    "system key",
    "worker",
    "service",
)


def test_every_operation_of_the_table_is_driven() -> None:
    assert OPERATIONS.keys() == GRANTS.keys()


HELD = {"release", "delegate", "save_draft", "request_changes", "answer"}


async def scene(tenant: Tenant, operation: str) -> tuple[Task, dict[str, Caller]]:
    callers = {
        "stranger": tenant.person("stranger", "other"),
        "candidate": tenant.person("candidate"),
        "group member": tenant.person("member", "support-l1"),
        "assignee": tenant.person("assignee", "support-l1"),
        "excluded": tenant.person("excluded", "support-l1"),
        "requester": tenant.agent(),
        "other agent": tenant.agent(),
        "manager": tenant.person("manager", roles=("manager",)),
        "admin": tenant.person("admin", roles=("admin",)),
        "auditor": tenant.person("auditor", roles=("auditor",)),
        "system key": tenant.system(),
        "worker": tenant.worker(),
        "service": tenant.service(),
    }
    task = await callers["requester"].create_task(
        ask(
            candidate_users=[callers["candidate"].id],
            candidate_groups=["support-l1"],
            excluded_users=[callers["excluded"].id],
            sla=SlaPolicy(complete="9h", escalate=[EscalationStep(after="8h", remind=True)]),
            approval_policy=ApprovalPolicy(required=2) if operation == "vote" else None,
        )
    )
    if operation == "remove_attachment":
        ATTACHED[task.task_id] = (await attach(tenant.person("author", "support-l1"), task)).attachment_id
    if operation in HELD:
        task = await callers["assignee"].claimed(task)
    if operation == "answer":
        asked = RequestChangesRequest(task_id=task.task_id, message="For which order?")
        task = await callers["assignee"].request_changes(asked)
    if operation == "undo":
        await callers["manager"].put_task_settings(PutTaskSettingsRequest(undo_seconds=3600))
        await callers["assignee"].complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
        task = await callers["manager"].get_task(GetTaskRequest(task_id=task.task_id))
    return task, callers


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_call_is_refused_as_the_table_says(world: World, operation: str, who: str) -> None:
    tenant = world.tenant()
    task, callers = await scene(tenant, operation)
    caller = callers[who]
    expected = may(operation, caller.principal, task)
    method, request = OPERATIONS[operation]
    if expected is None:
        await getattr(caller, method)(request(task.task_id))
        return
    with pytest.raises(Error) as refusal:
        await getattr(caller, method)(request(task.task_id))
    assert (type(refusal.value), refusal.value.reason) == (type(expected), expected.reason)
    boss = callers["manager"]
    assert await boss.get_task(GetTaskRequest(task_id=task.task_id)) == task


@pytest.mark.parametrize("who", CALLERS)
async def test_get_list_and_history_agree_on_who_sees(world: World, who: str) -> None:
    tenant = world.tenant()
    task, callers = await scene(tenant, "view")
    caller = callers[who]
    listed = [one.task_id for one in (await caller.list_tasks(ListTasksRequest())).tasks]
    if visible(caller.principal, task):
        assert listed == [task.task_id]
        assert len((await caller.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries) == 1
        return
    assert listed == []
    with pytest.raises(NotFound):
        await caller.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))

"""Task-service for tests of dashboard: tasks in memory, decided by orkestra.rules, told on a real NATS server."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from dashboard_files import Files
from nats.aio.client import Client
from orkestra import rules
from orkestra.v1.events import TaskEvent
from orkestra.v1.identity import User
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    AssignTaskRequest,
    BulkOperation,
    BulkResult,
    BulkTasksRequest,
    BulkTasksResponse,
    CancelTaskRequest,
    ClaimTaskRequest,
    Comment,
    CompleteTaskRequest,
    CountTasksRequest,
    CreateTaskRequest,
    CreateViewRequest,
    DelegateTaskRequest,
    DeleteViewRequest,
    EscalateTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    GetTaskSettingsRequest,
    ListCommentsRequest,
    ListCommentsResponse,
    ListTasksRequest,
    ListTasksResponse,
    ListViewsRequest,
    ListViewsResponse,
    PutTaskSettingsRequest,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    TaskCounts,
    TaskHistory,
    TaskHistoryEntry,
    TaskScope,
    TaskSettings,
    UndoTaskRequest,
    UpdateTaskRequest,
    UpdateViewRequest,
    View,
    VoteTaskRequest,
)
from orkestra.wire import Context, Error, InvalidArgument, NotFound, Principal

LARGE = dict.fromkeys(("description", "input", "context", "draft", "saved", "form", "result"))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Tasks(Files):
    """Tasks as task-service decides them."""

    nats: Client
    tasks: dict[str, Task] = field(default_factory=dict)
    history: dict[str, list[TaskHistoryEntry]] = field(default_factory=dict)
    comments: dict[str, list[Comment]] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    settings: dict[str, TaskSettings] = field(default_factory=dict)

    async def open(self, tenant_id: str, **asked: Any) -> Task:
        """An agent asks."""
        agent = Principal(f"key_{'a' * 32}", "agent", tenant_id, frozenset({"agent"}))
        request = CreateTaskRequest(**{"title": "Customer needs help", **asked})
        decision = rules.decide_create(request, agent, now(), tenant_id=tenant_id, random_bits=secrets.randbits(74))
        await self._store(decision)
        return decision.task

    async def revise(self, user: User, request: UpdateTaskRequest) -> None:
        """Somebody changes what is asked, through another door."""
        who = Principal(
            user.user_id, "user", user.tenant_id, frozenset(role.value for role in user.roles), frozenset(user.groups)
        )
        await self._store(rules.decide_update(self.tasks[request.task_id], who, now(), request))

    async def create_task(self, ctx: Context, request: CreateTaskRequest) -> Task:
        decision = rules.decide_create(
            request, ctx.principal, now(), tenant_id=ctx.tenant_id, random_bits=secrets.randbits(74)
        )
        await self._store(decision)
        return decision.task

    async def get_task(self, ctx: Context, request: GetTaskRequest) -> Task:
        return self._found(ctx, request.task_id)

    async def list_tasks(self, ctx: Context, request: ListTasksRequest) -> ListTasksResponse:
        found = [task.model_copy(update=LARGE) for task in self._listed(ctx, request)]
        start, size = int(request.page_token or 0), request.page_size or 50
        more = str(start + size) if start + size < len(found) else None
        return ListTasksResponse(tasks=found[start : start + size], next_page_token=more)

    async def count_tasks(self, ctx: Context, request: CountTasksRequest) -> TaskCounts:
        return TaskCounts(**{scope.value: len(self._listed(ctx, ListTasksRequest(scope=scope))) for scope in TaskScope})

    async def update_task(self, ctx: Context, request: UpdateTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_update, request)

    async def delegate_task(self, ctx: Context, request: DelegateTaskRequest) -> Task:
        own = self._found(ctx, request.task_id).candidate_groups  # whoever is named here is in them
        return await self._decide(ctx, partial(rules.decide_delegate, groups=own), request)

    async def escalate_task(self, ctx: Context, request: EscalateTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_escalate, request)

    async def assign_task(self, ctx: Context, request: AssignTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_assign, request)

    async def cancel_task(self, ctx: Context, request: CancelTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_cancel, request)

    async def bulk_tasks(self, ctx: Context, request: BulkTasksRequest) -> BulkTasksResponse:
        results = []
        for one in request.tasks:
            try:
                results.append(BulkResult(task_id=one.task_id, task=await self._one(ctx, request, one.task_id)))
            except Error as refused:
                results.append(BulkResult(task_id=one.task_id, code=refused.reason, detail=str(refused)))
        return BulkTasksResponse(results=results)

    async def _one(self, ctx: Context, request: BulkTasksRequest, task_id: str) -> Task:
        match request.operation:
            case BulkOperation.CLAIM:
                return await self.claim_task(ctx, ClaimTaskRequest(task_id=task_id))
            case BulkOperation.COMPLETE:
                answer = CompleteTaskRequest(task_id=task_id, data=request.data or {}, outcome=request.outcome)
                return await self.complete_task(ctx, answer)
            case BulkOperation.CANCEL:
                return await self._decide(
                    ctx, rules.decide_cancel, CancelTaskRequest(task_id=task_id, reason=request.reason)
                )
        raise NotFound("NOTHING_HERE", "This is tried on the whole stack.")

    async def create_view(self, ctx: Context, request: CreateViewRequest) -> View:
        view = View(
            view_id=f"view_{uuid4().hex}", tenant_id=ctx.tenant_id, name=request.name, owner=ctx.subject,
            group_id=request.group_id, filter=request.filter, version=1, created_at=now(), updated_at=now(),
            updated_by=ctx.subject,
        )  # fmt: skip
        self.views[view.view_id] = view
        return view

    async def update_view(self, ctx: Context, request: UpdateViewRequest) -> View:
        seen = self.views[request.view_id]
        changed = {"name": request.name, "group_id": request.group_id, "filter": request.filter}
        self.views[seen.view_id] = seen.model_copy(update={**changed, "version": seen.version + 1})
        return self.views[seen.view_id]

    async def delete_view(self, ctx: Context, request: DeleteViewRequest) -> View:
        return self.views.pop(request.view_id)

    async def list_views(self, ctx: Context, request: ListViewsRequest) -> ListViewsResponse:
        found = [
            view
            for view in self.views.values()
            if view.tenant_id == ctx.tenant_id and (view.owner == ctx.subject or view.group_id in ctx.principal.groups)
        ]
        return ListViewsResponse(views=found)

    async def claim_task(self, ctx: Context, request: ClaimTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_claim, request)

    async def release_task(self, ctx: Context, request: ReleaseTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_release, request)

    async def complete_task(self, ctx: Context, request: CompleteTaskRequest) -> Task:
        request, strangers = self.named(self._found(ctx, request.task_id), request)
        return await self._decide(
            ctx, partial(rules.decide_complete, strangers=strangers, window=self._window(ctx)), request
        )

    async def vote_task(self, ctx: Context, request: VoteTaskRequest) -> Task:
        return await self._decide(ctx, partial(rules.decide_vote, window=self._window(ctx)), request)

    async def undo_task(self, ctx: Context, request: UndoTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_undo, request)

    async def get_task_settings(self, ctx: Context, request: GetTaskSettingsRequest) -> TaskSettings:
        return self.settings.get(ctx.tenant_id, TaskSettings(undo_seconds=0, version=0))

    async def put_task_settings(self, ctx: Context, request: PutTaskSettingsRequest) -> TaskSettings:
        errors = rules.check_settings(request)
        if errors:
            raise InvalidArgument("SETTINGS_INVALID", "They cannot be kept like this.", errors=errors)
        put = TaskSettings(undo_seconds=request.undo_seconds, version=(request.version or 0) + 1)
        return self.settings.setdefault(ctx.tenant_id, put)

    def _window(self, ctx: Context) -> timedelta:
        kept = self.settings.get(ctx.tenant_id)
        return timedelta(seconds=kept.undo_seconds if kept else 0)

    async def request_changes(self, ctx: Context, request: RequestChangesRequest) -> Task:
        return await self._decide(ctx, rules.decide_request_changes, request)

    async def answer_task(self, ctx: Context, request: AnswerTaskRequest) -> Task:
        return await self._decide(ctx, rules.decide_answer, request)

    async def save_draft(self, ctx: Context, request: SaveDraftRequest) -> Task:
        task = self._found(ctx, request.task_id)
        request, _ = self.named(task, request)
        saved = task.model_copy(update={"saved": request.data, "saved_at": now()})
        self.tasks[task.task_id] = saved
        return saved

    async def add_comment(self, ctx: Context, request: AddCommentRequest) -> Comment:
        task = self._found(ctx, request.task_id)
        comment = Comment(
            comment_id=f"comment_{uuid4().hex}",
            task_id=task.task_id,
            author=ctx.subject,
            author_name=ctx.principal.name,
            text=request.text,
            mentions=[],
            created_at=now(),
        )
        self.comments.setdefault(task.task_id, []).append(comment)
        await self._publish("commented", task, rules.audience(task), ctx.subject)
        return comment

    async def list_comments(self, ctx: Context, request: ListCommentsRequest) -> ListCommentsResponse:
        return ListCommentsResponse(comments=self.comments.get(self._found(ctx, request.task_id).task_id, []))

    async def get_task_history(self, ctx: Context, request: GetTaskHistoryRequest) -> TaskHistory:
        return TaskHistory(entries=self.history[self._found(ctx, request.task_id).task_id])

    def _found(self, ctx: Context, task_id: str) -> Task:
        task = self.tasks.get(task_id)
        if task is None or task.tenant_id != ctx.tenant_id or not rules.visible(ctx.principal, task):
            raise NotFound("TASK_NOT_FOUND", "There is no such task.")
        return task

    def _listed(self, ctx: Context, request: ListTasksRequest) -> list[Task]:
        groups, subject = ctx.principal.groups, ctx.subject
        wanted: dict[TaskScope, Callable[[Task], bool]] = {
            TaskScope.MINE: lambda task: subject in (task.assignee, *task.candidate_users),
            TaskScope.GROUPS: lambda task: not groups.isdisjoint(task.candidate_groups),
            TaskScope.ALL: lambda _: True,
        }
        status = request.status
        return [
            task
            for task in self.tasks.values()
            if task.tenant_id == ctx.tenant_id
            and rules.visible(ctx.principal, task)
            and (task.status == status if status else request.every_status or rules.is_live(task.status))
            and wanted[request.scope or TaskScope.ALL](task)
            and request.workflow_id in (None, task.workflow_id)
            and _fits(task, request)
        ]

    async def _decide(self, ctx: Context, decide: Any, request: Any) -> Task:
        decision = decide(self._found(ctx, request.task_id), ctx.principal, now(), request)
        await self._store(decision)
        if decision.refusal:
            raise decision.refusal
        stored: Task = decision.task
        return stored

    async def _store(self, decision: rules.Decision) -> None:
        self.tasks[decision.task.task_id] = decision.task
        for change in decision.changes:
            before, after = change.fields()
            entries = self.history.setdefault(change.task.task_id, [])
            entries.append(
                TaskHistoryEntry(
                    sequence=len(entries) + 1,
                    event=change.event,
                    at=change.at,
                    actor=change.actor,
                    reason=change.reason,
                    before=before,
                    after=after,
                )
            )
            if change.is_event:
                await self._publish(change.event, change.task, change.audience, change.actor)

    async def _publish(self, event: str, task: Task, audience: list[str], actor: str | None) -> None:
        told = TaskEvent(task=task.model_copy(update=LARGE), audience=audience, actor=actor)
        headers = {
            "ce-id": str(uuid4()),
            "ce-type": f"orkestra.v1.task.{event}",
            "ce-subject": task.task_id,
            "ce-tenant": task.tenant_id,
            "ce-version": str(task.version),
            "ce-time": now().isoformat(),
        }
        subject = f"orkestra.v1.{task.tenant_id}.task.{event}"
        await self.nats.publish(subject, told.model_dump_json(exclude_none=True).encode(), headers=headers)


def _fits(task: Task, request: ListTasksRequest) -> bool:
    words = f"{task.title} {task.description}".lower()
    due = task.sla.complete_by if task.sla else None
    return (
        all(word in words for word in (request.q or "").lower().split())
        and set(request.tags) <= set(task.tags)
        and request.type in (None, task.type)
        and request.priority in (None, task.priority)
        and (request.group is None or request.group in task.candidate_groups)
        and (request.due_before is None or (due is not None and due < request.due_before))
        and (request.created_after is None or task.created_at >= request.created_after)
        and (request.created_before is None or task.created_at < request.created_before)
        and (request.breached is None or bool(task.sla and task.sla.breached) == request.breached)
    )

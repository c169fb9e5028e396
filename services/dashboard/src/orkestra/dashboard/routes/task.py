"""One task: what is asked, by whom, the form, and what happened."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import Response
from orkestra.chassis.credentials import principal_of
from orkestra.dashboard.routes.faults import by_place, fault
from orkestra.dashboard.routes.fields import Given, fields_of, fields_of_kind, outcomes, start_values
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pickers import hints_in, pickable
from orkestra.dashboard.routes.reading import answer_facts, facts
from orkestra.dashboard.routes.revisions import Difference, differences, newest_revision
from orkestra.dashboard.routes.visit import Visit, coming_moment
from orkestra.forms import picked
from orkestra.rules import may
from orkestra.v1.task import (
    Attachment,
    Comment,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListAttachmentsRequest,
    ListCommentsRequest,
    Task,
    TaskHistoryEntry,
    TaskStatus,
)
from orkestra.v1.workflow import GetWorkflowRequest
from orkestra.wire import Error, FieldError, Unauthenticated

MOST_COMPARED = 100
LIVE = frozenset({TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING})
MANAGING = ("delegate", "assign", "update", "escalate", "cancel")


@dataclass(frozen=True)
class Seen:
    """A task as one person sees it now."""

    task: Task
    history: list[TaskHistoryEntry]
    comments: list[Comment]
    files: list[Attachment]
    names: Mapping[str, str]
    visit: Visit
    has_run: bool = False
    """Whether the caller may look at the run behind it."""

    @property
    def is_mine(self) -> bool:
        """Whether the caller holds it, to be answered."""
        return self.task.status == TaskStatus.CLAIMED and self._is_assigned and not self.is_answered

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer that can still be taken back; then nothing else can be done."""
        return self.task.submission is not None

    @property
    def may_undo(self) -> bool:
        return self.is_answered and self._may("undo")

    @property
    def _is_assigned(self) -> bool:
        return self.task.assignee == self.visit.me.subject

    @property
    def may_answer(self) -> bool:
        """Whether completing, or voting, is open to the caller now; the room has the last word."""
        if self.is_answered:
            return False
        if self.task.approval_policy is not None:
            return self.task.status in (TaskStatus.OPEN, TaskStatus.CLAIMED) and self._may("vote")
        return self.is_mine or (self.task.status == TaskStatus.OPEN and self._may("complete"))

    @property
    def may_claim(self) -> bool:
        return self.task.status == TaskStatus.OPEN and not self.is_answered and self._may("claim")

    @property
    def may_release(self) -> bool:
        return self.task.status == TaskStatus.CLAIMED and not self.is_answered and self._may("release")

    @property
    def may_reply(self) -> bool:
        """Whether the reviewer waits for the caller."""
        return self.task.status == TaskStatus.WAITING and self._may("answer")

    @property
    def may_attach(self) -> bool:
        return self.task.status in LIVE and self._may("attach")

    def may_remove(self, file: Attachment) -> bool:
        is_own = file.created_by == self.visit.me.subject
        return self.task.status in LIVE and (is_own or self._may("remove_attachment"))

    @property
    def managing(self) -> frozenset[str]:
        """What the caller may do with the task beside answering it."""
        is_live = self.task.status in LIVE and not self.is_answered
        return frozenset(name for name in MANAGING if is_live and self._may(name))

    @property
    def is_held_by_another(self) -> bool:
        return self.task.status == TaskStatus.CLAIMED and not self._is_assigned

    def name(self, subject: str | None) -> str:
        """Return what somebody is called."""
        if subject is None:
            return self.visit.words.text("The clock")
        if subject == self.visit.me.subject:
            return self.visit.words.text("You")
        if subject.startswith("key_"):
            return self.agent_name or self.visit.words.text("A program")
        if subject == "worker":
            return self.visit.words.text("The workflow")
        return self.names.get(subject, self.visit.words.text("Somebody"))

    @property
    def agent_name(self) -> str | None:
        context = self.task.context
        return context.agent.name if context and context.agent else None

    def _may(self, operation: str) -> bool:
        return may(operation, principal_of(self.visit.access), self.task) is None


async def task(visit: Visit) -> Response:
    """Shows the task."""
    return await show(visit, await look(visit))


async def task_state(visit: Visit) -> Response:
    """Renders what may have changed, for a page that is open; never the fields that somebody types into."""
    seen = await look(visit)
    return visit.fragment("_state.html", **_around(visit, seen))


async def look(visit: Visit) -> Seen:
    """Asks the room for the task and everything around it."""
    task_id = visit.request.path_params["task_id"]
    found, history, comments, files = await asyncio.gather(
        visit.tasks.get_task(GetTaskRequest(task_id=task_id)),
        visit.tasks.get_task_history(GetTaskHistoryRequest(task_id=task_id)),
        visit.tasks.list_comments(ListCommentsRequest(task_id=task_id, page_size=200)),
        visit.tasks.list_attachments(ListAttachmentsRequest(task_id=task_id)),
    )
    has_run = found.workflow_id is not None and await _sees_run(visit, found.workflow_id)
    people = {found.requested_by, found.on_behalf_of, found.assignee, found.completed_by, *found.candidate_users}
    people |= {entry.actor for entry in history.entries} | {comment.author for comment in comments.comments}
    people |= {file.created_by for file in files.attachments}
    people |= {request.asked_by for request in found.change_requests}
    people |= {vote.voter for vote in found.votes} | {found.submission.completed_by if found.submission else None}
    people |= picked(found.form or {}, found.result)[0]
    names = await visit.names(*people)
    attachments = list(files.attachments)
    return Seen(found, list(history.entries), list(comments.comments), attachments, names, visit, has_run)


async def _sees_run(visit: Visit, workflow_id: str) -> bool:
    try:
        await visit.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id), timeout=1.0)
    except Unauthenticated:
        raise
    except Error:
        return False
    return True


async def show(
    visit: Visit,
    seen: Seen,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    errors: tuple[FieldError, ...] = (),
    problem: str | None = None,
) -> Response:
    """Renders the page; `typed` are the values of a form that was not taken, shown again with what is wrong."""
    found = seen.task
    schema = found.form or {"properties": {}}
    values = start_values(schema, found.saved if seen.is_mine else None, found.draft) if typed is None else typed
    given = Given(
        values=values,
        errors=by_place(errors),
        proposals=found.draft or {},
        zone=visit.words.zone,
        language=visit.words.language,
        files=seen.files,
        pickable=await pickable(visit, schema) if found.status in LIVE else {},
    )
    fields = fields_of(schema, given)
    return await visit.page(
        "task.html",
        status=status,
        current="inbox",
        fields=fields,
        problem=problem,
        errors=[fault(error, fields) for error in errors],
        takes_files=bool(fields_of_kind(fields, "file")),
        depends=bool(hints_in(schema, "visible_when") or hints_in(schema, "required_when")),
        request_id=secrets.token_hex(16),
        done=visit.query("done"),
        until=coming_moment(visit.query("until")),
        **_around(visit, seen),
    )


def _around(visit: Visit, seen: Seen) -> dict[str, Any]:
    """Returns what surrounds the form: the same for the page and for its live parts."""
    found = seen.task
    context = found.context
    answer = found.result if found.submission is None else found.submission.result
    return {
        "task": found,
        "seen": seen,
        "asked_by": _asked_by(visit, seen),
        "changed": _changed(visit, seen),
        "data": facts(context.data if context else None),
        "input": facts(found.input),
        "about": _about(visit, seen),
        "answer": answer_facts(found.form or {}, answer, seen.names) if answer is not None else [],
        "outcome": _outcome(visit, found),
        "outcomes": _outcomes(visit, found),
        "missing": _missing(visit, found),
        "revision": _revision(visit, seen),
        "differences": {
            entry.sequence: differences(entry, visit.words, seen.names) for entry in seen.history[-MOST_COMPARED:]
        },
    }


def _revision(visit: Visit, seen: Seen) -> list[Difference]:
    """Returns what the newest revision changed, while somebody may have seen the one before."""
    entry = newest_revision(seen.history)
    return differences(entry, visit.words, seen.names) if entry and seen.task.status in LIVE else []


def _outcomes(visit: Visit, found: Task) -> list[dict[str, Any]]:
    """Returns the ways to answer; of a vote, approve and reject also where its form says nothing of them."""
    own = outcomes(found.form or {}, visit.words.language)
    if own or found.approval_policy is None:
        return own
    text = visit.words.text
    approve = {"key": "approve", "label": text(N_("Approve")), "style": "primary"}
    return [approve, {"key": "reject", "label": text(N_("Reject")), "style": "danger"}]


def _missing(visit: Visit, found: Task) -> str:
    """Returns what it still takes to approve a task that people vote on."""
    if found.tally is None:
        return ""
    words = visit.words.text("Approvals still needed: {n}").format(n=found.tally.missing)
    groups = [f"{group} {number}" for group, number in (found.tally.missing_from_groups or {}).items()]
    return f"{words} ({', '.join(groups)})" if groups else words


def _asked_by(visit: Visit, seen: Seen) -> str:
    found, text = seen.task, visit.words.text
    asker = seen.agent_name or seen.name(found.requested_by)
    if found.on_behalf_of:
        return text("Asked by {asker} for {person}").format(asker=asker, person=seen.name(found.on_behalf_of))
    return text("Asked by {asker}").format(asker=asker)


def _changed(visit: Visit, seen: Seen) -> dict[str, str] | None:
    """Returns what somebody who has the page open should know before going on."""
    found, text = seen.task, visit.words.text
    at = visit.words.moment(found.updated_at)
    if found.submission is not None or found.status == TaskStatus.COMPLETED:
        return {"tone": "good", "text": _answered(visit, seen, at)}
    if seen.is_held_by_another:
        words = text("{name} has claimed this task · {at}. What you typed stays on this page.")
        return {"tone": "warn", "text": words.format(name=seen.name(found.assignee), at=at)}
    if found.status in (TaskStatus.CANCELLED, TaskStatus.EXPIRED):
        words = N_("This task was cancelled") if found.status == TaskStatus.CANCELLED else N_("This task has expired")
        return {"tone": "bad", "text": f"{text(words)} · {at}." + (f" {found.reason}" if found.reason else "")}
    if found.status == TaskStatus.WAITING:
        return {"tone": "warn", "text": text("This task waits for an answer of whoever asked; its clocks stand still.")}
    last = seen.history[-1] if seen.history else None
    if seen.is_mine and last is not None and last.event == "answered":
        words = text("{name} has answered your question · {at}.")
        return {"tone": "good", "text": words.format(name=seen.name(last.actor), at=at), "form": text("Show the form")}
    return None


def _answered(visit: Visit, seen: Seen, at: str) -> str:
    found, text = seen.task, visit.words.text
    if found.submission is None:
        who = seen.name(found.completed_by) if found.completed_by else text("The policy")
        return text("{name} completed this task · {at}.").format(name=who, at=at)
    words = text("{name} has answered this task · {at}. It ends with that, unless the answer is taken back.")
    return words.format(name=seen.name(found.submission.completed_by), at=at)


def _about(visit: Visit, seen: Seen) -> list[tuple[str, str | datetime]]:
    found, text = seen.task, visit.words.text
    agent = found.context.agent if found.context else None
    sla = found.sla
    rows: list[tuple[str, str | datetime | None]] = [
        (text("Assignee"), seen.name(found.assignee) if found.assignee else None),
        (
            text("Offered to"),
            ", ".join([*found.candidate_groups, *(seen.name(user) for user in found.candidate_users)]),
        ),
        (text("Claim by"), sla.claim_by if sla and not found.claimed_at else None),
        (text("Due"), sla.complete_by if sla else None),
        (text("Escalations"), str(sla.escalation_level) if sla and sla.escalation_level else None),
        (text("Type"), found.type),
        (text("Tags"), ", ".join(found.tags)),
        (text("Case"), found.correlation),
        (text("Agent"), agent.name if agent else None),
        (text("Model"), agent.model if agent else None),
        (text("Prompt"), agent.prompt_version if agent else None),
        (text("Revision"), str(found.revision) if found.revision > 1 else None),
    ]
    return [(name, value) for name, value in rows if value]


def _outcome(visit: Visit, found: Task) -> str | None:
    labels = {each["key"]: str(each["label"]) for each in outcomes(found.form or {}, visit.words.language)}
    chosen = found.outcome if found.submission is None else found.submission.outcome
    return labels.get(chosen, chosen) if chosen else None

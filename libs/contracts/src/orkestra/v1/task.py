"""Generated from orkestra/v1/task.proto by tools/generate.py; do not edit."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import task_pb2 as pb
from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UtcDatetime, bind


class TaskStatus(StrEnum):
    """Where a task stands. open, claimed and waiting are live; the other three are final."""

    OPEN = "open"
    CLAIMED = "claimed"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Priority(StrEnum):
    """How urgent a task is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class DecidedBy(StrEnum):
    """Who gave the answer: a person, or the SLA policy at the end of its chain."""

    PERSON = "person"
    POLICY = "policy"


class SlaClock(StrEnum):
    """The clock an escalation step belongs to."""

    CLAIM = "claim"
    COMPLETE = "complete"


class SlaEnd(StrEnum):
    """What happens when the time to complete has run out."""

    EXPIRE = "expire"
    DEFAULT = "default"
    KEEP = "keep"


class TaskScope(StrEnum):
    """Which tasks a list shows."""

    MINE = "mine"
    """Assigned to the caller, or offered to the caller by name."""
    GROUPS = "groups"
    """Offered to a group of the caller."""
    ALL = "all"
    """Everything that the caller may see."""


class TaskSort(StrEnum):
    """The order of a list."""

    DUE = "due"
    """The earliest due first, what is never due last."""
    NEWEST = "newest"
    """The newest first."""


class VoteChoice(StrEnum):
    """What a voter says."""

    APPROVE = "approve"
    REJECT = "reject"


class Weekday(StrEnum):
    """The days of a week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Surface(StrEnum):
    """Where a form is shown."""

    WEB = "web"
    """A page."""
    ELICITATION = "elicitation"
    """Elicitation of the Model Context Protocol: flat, of primitive values."""
    CHAT = "chat"
    """A message in a chat: buttons for outcomes, or a link to the page."""
    EMAIL = "email"
    """A mail: as in a chat."""


class ProjectionKind(StrEnum):
    """How a surface shows a form: as a form, as a button for each outcome, or as a link to its page."""

    FORM = "form"
    BUTTONS = "buttons"
    LINK = "link"


class HistoryFaultKind(StrEnum):
    """What is wrong with an entry of a history."""

    MISSING = "missing"
    ALTERED = "altered"


class BulkOperation(StrEnum):
    """What is done to many tasks."""

    CLAIM = "claim"
    ASSIGN = "assign"
    COMPLETE = "complete"
    CANCEL = "cancel"
    TAG = "tag"


class EscalationDecision(StrEnum):
    """Whether an agent may go on alone."""

    PROCEED = "proceed"
    ESCALATE = "escalate"


class ApprovalPolicy(Model, pb=pb.ApprovalPolicy):
    """How many approvals a task takes, and from where."""

    required: Int32 | None = Field(
        default=None, description="How many people have to approve, 1..50; the sum of from_groups where absent, or 1."
    )
    from_groups: dict[str, Any] | None = Field(
        default=None, description="How many of them from which candidate group: group id to 1..50."
    )
    distinct: bool | None = Field(
        default=None, description="Whether an approval counts for one of its voter's groups only; true where absent."
    )
    veto: bool | None = Field(
        default=None,
        description="Whether one rejection decides; true where absent. Without it the task is rejected once it cannot be approved any more.",
    )
    finish_early: bool | None = Field(
        default=None,
        description="Whether it ends as soon as the outcome is certain; true where absent. Otherwise, but for a veto, when all have voted.",
    )


class ChangeRequest(Model, pb=pb.ChangeRequest):
    """What a waiting task waits for, and what was said so far."""

    round: Int32 = Field(description="From 1.")
    message: str
    asked_by: str
    asked_at: UtcDatetime
    answer: str | None = Field(default=None, description="The requester's answer; absent until there is one.")
    answered_at: UtcDatetime | None = Field(default=None)
    answered_by: str | None = Field(default=None)
    answer_by: UtcDatetime = Field(description="Until when the requester may answer.")
    closed_at: UtcDatetime | None = Field(
        default=None,
        description="When the task went back to its reviewer, answered or not. From asked_at until then the clocks stood still.",
    )


class Receipt(Model, pb=pb.Receipt):
    """A signed statement of who decided what about which action."""

    task_id: str
    revision: Int32
    outcome: str | None = Field(default=None)
    action_digest: str = Field(
        description="SHA-256 in hexadecimal over the canonical JSON (RFC 8785) of {action, args, form_digest, shown_digest}."
    )
    decided_by: str = Field(description="User id of the person who decided.")
    decided_at: UtcDatetime
    expires_at: UtcDatetime
    token: str = Field(description="Compact JWS (RFC 7515, EdDSA) over all of these; this is what is redeemed.")
    form_digest: str = Field(description="The same over the form's schema.")
    shown_digest: str = Field(
        description="The same over what was shown: {title, description, context without its action}."
    )


class Tally(Model, pb=pb.Tally):
    """What the votes come to so far."""

    approvals: Int32
    rejections: Int32
    missing: Int32 = Field(description="How many more approvals it takes at least.")
    missing_from_groups: dict[str, Any] | None = Field(
        default=None, description="How many of them from which group: group id to number."
    )


class ConversationMessage(Model, pb=pb.ConversationMessage):
    """One message of the conversation that led here."""

    role: str = Field(description="user, assistant, system or tool.")
    text: str
    at: UtcDatetime | None = Field(default=None)


class Link(Model, pb=pb.Link):
    """A link that is shown with a task."""

    label: str
    url: str = Field(description="http or https.")


class AgentInfo(Model, pb=pb.AgentInfo):
    """The agent that hands over."""

    name: str | None = Field(default=None)
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    confidence: float | None = Field(default=None, description="0..1, as stated by the agent.")
    trace_id: str | None = Field(default=None, description="The agent's own trace, for example a Langfuse trace id.")
    check_id: str | None = Field(
        default=None,
        description="The escalation check that led to this task, so that what becomes of the task is recorded with the check. One that the requester has not made is kept, but records nothing.",
    )


class Action(Model, pb=pb.Action):
    """What will be executed once it is approved."""

    name: str
    args: dict[str, Any] | None = Field(default=None)


class Holiday(Model, pb=pb.Holiday):
    """A day on which no clock runs."""

    date: str = Field(description="YYYY-MM-DD, or MM-DD for every year.")
    name: str | None = Field(default=None, description="What it is called.")


class GetCalendarRequest(Model, pb=pb.GetCalendarRequest):
    """Names a calendar."""

    calendar_id: str


class ListCalendarsRequest(Model, pb=pb.ListCalendarsRequest):
    """The page wanted."""

    group_id: str | None = Field(default=None, description="The calendar of this group alone.")
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)


class DeleteCalendarRequest(Model, pb=pb.DeleteCalendarRequest):
    """Names the calendar to remove."""

    calendar_id: str
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class Assignment(Model, pb=pb.Assignment):
    """People and groups that work is given to."""

    users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    groups: list[str] = Field(default_factory=list)


class GetTaskRequest(Model, pb=pb.GetTaskRequest):
    """Names a task."""

    task_id: str


class ClaimTaskRequest(Model, pb=pb.ClaimTaskRequest):
    """Names the task to claim."""

    task_id: str
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class ReleaseTaskRequest(Model, pb=pb.ReleaseTaskRequest):
    """Names the task to put back."""

    task_id: str
    version: Int64 | None = Field(default=None)


class CompleteTaskRequest(Model, pb=pb.CompleteTaskRequest):
    """An answer."""

    task_id: str
    data: dict[str, Any]
    outcome: str | None = Field(default=None, description="Required where the form has outcomes.")
    version: Int64 | None = Field(default=None)
    revision: Int32 | None = Field(
        default=None,
        description="The revision that the caller saw; REVISION_MISMATCH where what is decided on has changed since.",
    )


class UndoTaskRequest(Model, pb=pb.UndoTaskRequest):
    """Names the task whose answer is taken back."""

    task_id: str
    reason: str | None = Field(default=None)
    version: Int64 | None = Field(default=None)


class CancelTaskRequest(Model, pb=pb.CancelTaskRequest):
    """Names the task to end and says why."""

    task_id: str
    reason: str | None = Field(default=None)
    version: Int64 | None = Field(default=None)


class AssignTaskRequest(Model, pb=pb.AssignTaskRequest):
    """Whom the task is given to, and why. The assignee alone, new candidates, or both; candidates that are not named
    stay.
    """

    task_id: str
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    candidate_users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    candidate_groups: list[str] = Field(default_factory=list)
    reason: str
    version: Int64 | None = Field(default=None)


class DelegateTaskRequest(Model, pb=pb.DelegateTaskRequest):
    """Whom the assignee hands the task to, and why."""

    task_id: str
    assignee: str = Field(description="User id or e-mail address of a candidate.")
    reason: str
    version: Int64 | None = Field(default=None)


class EscalateTaskRequest(Model, pb=pb.EscalateTaskRequest):
    """Names the task whose next step is to be performed now."""

    task_id: str
    reason: str | None = Field(default=None)
    version: Int64 | None = Field(default=None)


class FormButton(Model, pb=pb.FormButton):
    """One outcome."""

    key: str
    label: str
    style: str = Field(description="primary, secondary or danger.")
    opens: bool = Field(description="Whether it leads to the page; else pressing it is the whole answer.")


class FormDowngrade(Model, pb=pb.FormDowngrade):
    """What a field or a rule loses on a surface."""

    path: str = Field(description="The field or the rule; empty for the whole form.")
    code: str = Field(description="needs_page, left_out, checked_later, always_shown, split, plain or unexplained.")
    message: str = Field(description="A sentence about it.")


class GetTaskHistoryRequest(Model, pb=pb.GetTaskHistoryRequest):
    """Names the task whose history is wanted."""

    task_id: str


class TaskHistoryEntry(Model, pb=pb.TaskHistoryEntry):
    """One change of a task."""

    sequence: Int64 = Field(description="From 1, without gaps.")
    event: str = Field(description="The event's name, such as claimed.")
    at: UtcDatetime
    actor: str | None = Field(default=None, description="The principal; absent where the clock did it.")
    acted_for: str | None = Field(default=None)
    door: str | None = Field(default=None, description="rest, mcp, dashboard, worker or clock.")
    reason: str | None = Field(default=None)
    before: dict[str, Any] | None = Field(default=None, description="The changed fields before and after.")
    after: dict[str, Any] | None = Field(default=None)
    content_digest: str | None = Field(
        default=None, description="SHA-256 in hexadecimal over reason, before and after as they were written."
    )
    digest: str | None = Field(
        default=None,
        description="SHA-256 in hexadecimal over everything else, content_digest and the digest of the entry before.",
    )


class VerifyTaskHistoryRequest(Model, pb=pb.VerifyTaskHistoryRequest):
    """Names the task whose history is to be verified."""

    task_id: str


class AdvanceClockRequest(Model, pb=pb.AdvanceClockRequest):
    """Names the task whose clock is asked for."""

    task_id: str


class WokenEnd(Model, pb=pb.WokenEnd):
    """The end of a task that its workflow was told of."""

    task_id: str
    version: Int64


class ConfirmWakeUpsResponse(Model, pb=pb.ConfirmWakeUpsResponse):
    """Nothing but the fact."""


class AwaitEndsRequest(Model, pb=pb.AwaitEndsRequest):
    """For how long to wait for an end."""

    wait: Int32 | None = Field(default=None, description="Seconds, 0..50; 0 where absent.")


class SaveDraftRequest(Model, pb=pb.SaveDraftRequest):
    """Partial values of the assignee."""

    task_id: str
    data: dict[str, Any]


class AddCommentRequest(Model, pb=pb.AddCommentRequest):
    """A comment to add."""

    task_id: str
    text: str = Field(description="Markdown, at most 16 KiB.")


class Comment(Model, pb=pb.Comment):
    """What somebody said about a task."""

    comment_id: str = Field(description="comment_ and 32 hexadecimal digits.")
    task_id: str
    author: str
    author_name: str | None = Field(default=None, description="What the author is called.")
    text: str = Field(description="Markdown.")
    mentions: list[str] = Field(default_factory=list, description="User ids of the people mentioned.")
    created_at: UtcDatetime


class ListCommentsRequest(Model, pb=pb.ListCommentsRequest):
    """Names a task and the page wanted."""

    task_id: str
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class RequestChangesRequest(Model, pb=pb.RequestChangesRequest):
    """What the reviewer wants changed or explained."""

    task_id: str
    message: str = Field(description="Markdown, at most 16 KiB.")
    answer_within: str | None = Field(
        default=None, description="How long the requester has, such as 4h; 24h where absent."
    )
    version: Int64 | None = Field(default=None)


class BulkTask(Model, pb=pb.BulkTask):
    """One of many tasks."""

    task_id: str
    version: Int64 | None = Field(default=None, description="The version that the caller saw.")


class BulkFault(Model, pb=pb.BulkFault):
    """One thing that is wrong."""

    path: str
    code: str
    message: str


class GetViewRequest(Model, pb=pb.GetViewRequest):
    """Names a view."""

    view_id: str


class ListViewsRequest(Model, pb=pb.ListViewsRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)


class DeleteViewRequest(Model, pb=pb.DeleteViewRequest):
    """Names the view to remove."""

    view_id: str
    version: Int64 | None = Field(default=None)


class TaskCounts(Model, pb=pb.TaskCounts):
    """Tasks by scope, counted up to 1000."""

    mine: Int32
    groups: Int32
    all: Int32


class CheckEscalationRequest(Model, pb=pb.CheckEscalationRequest):
    """What an agent is unsure about."""

    topic: str = Field(description="Such as refunds or returns/opened.")
    confidence: float = Field(description="0..1, as stated by the agent.")
    agent: str | None = Field(default=None)
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    threshold: float | None = Field(
        default=None,
        description="What the confidence is held against instead of the policy's threshold, 0..1; only a worker may say it.",
    )
    requested_by: str | None = Field(
        default=None, description="The principal that started the run; only a worker may say it."
    )


class GetEscalationCheckRequest(Model, pb=pb.GetEscalationCheckRequest):
    """Names a check."""

    check_id: str


class GetTaskSettingsRequest(Model, pb=pb.GetTaskSettingsRequest):
    """Asks for the caller's tenant's."""


class TaskSettings(Model, pb=pb.TaskSettings):
    """How a tenant wants tasks."""

    undo_seconds: Int32 = Field(
        description="For how long an answer can be taken back before its workflow resumes; 0 for not at all."
    )
    version: Int32 = Field(description="Grows by one with each change; 0 where none were put.")
    updated_at: UtcDatetime | None = Field(default=None)
    updated_by: str | None = Field(default=None)


class PutTaskSettingsRequest(Model, pb=pb.PutTaskSettingsRequest):
    """What replaces the settings."""

    undo_seconds: Int32 = Field(description="0..3600.")
    version: Int32 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class EscalationRule(Model, pb=pb.EscalationRule):
    """From which confidence on an agent may go on alone."""

    topic: str = Field(description="A topic, in which * stands for any text.")
    threshold: float = Field(description="0..1.")
    sample_rate: float | None = Field(
        default=None, description="Share of the confident cases that go to people as well, 0..1; none where absent."
    )


class GetEscalationPolicyRequest(Model, pb=pb.GetEscalationPolicyRequest):
    """Nothing to say."""


class ListCorrectionsRequest(Model, pb=pb.ListCorrectionsRequest):
    """Filters and the page wanted."""

    answered_after: UtcDatetime | None = Field(default=None, description="Answered at this time or later.")
    answered_before: UtcDatetime | None = Field(default=None, description="Answered before this time.")
    type: str | None = Field(default=None, description="Tasks of this type.")
    page_size: Int32 | None = Field(
        default=None, description="1..50; 20 where absent. A page of large contexts may hold fewer."
    )
    page_token: str | None = Field(default=None)


class CorrectedField(Model, pb=pb.CorrectedField):
    """One field of a draft and its answer."""

    field: str
    proposed: str | None = Field(default=None, description="JSON text; absent where the agent proposed nothing.")
    answered: str | None = Field(default=None, description="JSON text; absent where the person left it empty.")
    confidence: float | None = Field(default=None)
    changed: bool


class GetCorrectionStatisticsRequest(Model, pb=pb.GetCorrectionStatisticsRequest):
    """Of which corrections."""

    answered_after: UtcDatetime | None = Field(
        default=None, description="Answered at this time or later; 30 days before the end where absent."
    )
    answered_before: UtcDatetime | None = Field(
        default=None, description="Answered before this time; now where absent. At most 366 days after the beginning."
    )
    type: str | None = Field(default=None, description="Tasks of this type.")
    agent: str | None = Field(default=None, description="Drafted by the agent of this name: context.agent.name.")
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    target: float | None = Field(
        default=None,
        description="The share of drafts that people are to keep, 0..1; as the escalation policy says where absent.",
    )


class FieldStatistics(Model, pb=pb.FieldStatistics):
    """What became of one field of the drafts of one type of tasks."""

    type: str | None = Field(default=None, description="The type of the tasks.")
    field: str
    drafted: Int64
    kept: Int64
    emptied: Int64 = Field(description="Left empty by the person; changed is the rest.")
    change_rate: float = Field(description="What was not kept by drafted.")
    mean_confidence: float | None = Field(
        default=None, description="The mean of the field's own stated confidences; absent where none was stated."
    )


class ConfidenceBand(Model, pb=pb.ConfidenceBand):
    """Drafts of one tenth of confidence."""

    at_least: float = Field(description="0.0, 0.1 and so on to 0.9, which includes 1.")
    answered: Int64
    kept: Int64
    kept_rate: float = Field(description="kept by answered.")


class GetTaskFiguresRequest(Model, pb=pb.GetTaskFiguresRequest):
    """Which tasks the figures are of."""

    since: UtcDatetime | None = Field(
        default=None, description="Asked at this time or later; 30 days ago where absent."
    )
    until: UtcDatetime | None = Field(
        default=None, description="Asked before this time; now where absent. At most 366 days after since."
    )
    type: str | None = Field(default=None)
    group: str | None = Field(default=None, description="Offered to this group.")
    time_zone: str | None = Field(
        default=None, description="IANA name of the zone in which days begin; UTC where absent."
    )


class DayVolume(Model, pb=pb.DayVolume):
    """How many tasks of one day."""

    day: str = Field(description="YYYY-MM-DD.")
    asked: Int64 = Field(description="Asked on this day.")
    completed: Int64 = Field(description="Completed on this day, of those that were asked in the time.")


class Span(Model, pb=pb.Span):
    """How long something took."""

    count: Int64 = Field(description="How many tasks it is measured of.")
    median: timedelta | None = Field(
        default=None,
        description="Absent where there are none. Between two values it is interpolated, as SQL's percentile_cont does.",
    )
    p95: timedelta | None = Field(default=None)


class PersonLoad(Model, pb=pb.PersonLoad):
    """What one person has and did."""

    user_id: str
    claimed: Int64 = Field(description="Of the tasks asked in the time, those that the person holds now.")
    completed: Int64


class GroupLoad(Model, pb=pb.GroupLoad):
    """What one group has and did."""

    group_id: str
    open: Int64
    claimed: Int64
    completed: Int64


class DraftFigures(Model, pb=pb.DraftFigures):
    """What people made of the drafts of one agent, model and prompt version."""

    agent: str | None = Field(default=None)
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    answered: Int64 = Field(description="Answers of people where it had drafted.")
    edited: Int64 = Field(description="Of these, how many changed a drafted value at least.")
    overridden: Int64 = Field(description="Of these, how many left no drafted value as it was.")
    edit_rate: float = Field(description="edited by answered.")
    override_rate: float = Field(description="overridden by answered.")


class RedeemReceiptRequest(Model, pb=pb.RedeemReceiptRequest):
    """A receipt to use up."""

    token: str = Field(description="The receipt's token.")
    use_id: str = Field(description="The caller's id for this use; the same one is answered again.")


class Redemption(Model, pb=pb.Redemption):
    """That the receipt has been used, now or by the same use_id before."""

    task_id: str
    use_id: str
    action_digest: str
    outcome: str | None = Field(default=None)
    redeemed_at: UtcDatetime


class GetReceiptKeysRequest(Model, pb=pb.GetReceiptKeysRequest):
    """Nothing to say."""


class ReceiptKeys(Model, pb=pb.ReceiptKeys):
    """The public keys of receipts."""

    jwks: dict[str, Any] = Field(description="JWK set (RFC 7517).")


class Attachment(Model, pb=pb.Attachment):
    """A file that belongs to a task. Files raise no version of it."""

    attachment_id: str = Field(description="attachment_ and 32 hexadecimal digits.")
    task_id: str
    name: str = Field(description="Without a path and control characters, at most 255 characters.")
    media_type: str = Field(
        description="As it was told, or as the ending of the name says; what the content shows of itself does not contradict it."
    )
    size: Int64 = Field(description="In bytes.")
    sha256: str = Field(description="SHA-256 of the content, 64 hexadecimal digits.")
    created_by: str
    created_by_name: str | None = Field(default=None, description="What the person or key is called.")
    created_at: UtcDatetime
    field: str | None = Field(default=None, description="The field of the form that it was sent for.")


class BeginAttachmentRequest(Model, pb=pb.BeginAttachmentRequest):
    """A file to begin."""

    task_id: str
    name: str = Field(description="A path before it is dropped, and control characters are.")
    media_type: str | None = Field(default=None, description="Where absent, the ending of the name says it.")
    size: Int64 | None = Field(
        default=None, description="In bytes, where it is known: what is too large is refused before any of it is sent."
    )
    field: str | None = Field(
        default=None,
        description="A file field of the task's form, such as receipts or trip.tickets: its rules are held then.",
    )


class AttachmentUpload(Model, pb=pb.AttachmentUpload):
    """A file on its way."""

    attachment_id: str
    task_id: str
    part_size: Int64 = Field(description="Bytes of every part but the last, which may have fewer.")
    max_size: Int64 = Field(description="Most bytes that the file may have.")
    received: Int64 = Field(description="Bytes that are there.")


class AddAttachmentPartRequest(Model, pb=pb.AddAttachmentPartRequest):
    """One part of a file."""

    task_id: str
    attachment_id: str
    number: Int32 = Field(description="From 1 on.")
    content: str = Field(description="Base64 (RFC 4648, section 4).")


class FinishAttachmentRequest(Model, pb=pb.FinishAttachmentRequest):
    """That a file is whole."""

    task_id: str
    attachment_id: str
    sha256: str = Field(description="SHA-256 of what was meant to be sent, 64 hexadecimal digits.")


class DropAttachmentRequest(Model, pb=pb.DropAttachmentRequest):
    """Names a file that was begun."""

    task_id: str
    attachment_id: str


class ListAttachmentsRequest(Model, pb=pb.ListAttachmentsRequest):
    """Names a task."""

    task_id: str


class GetAttachmentRequest(Model, pb=pb.GetAttachmentRequest):
    """Names a file."""

    task_id: str
    attachment_id: str


class ReadAttachmentRequest(Model, pb=pb.ReadAttachmentRequest):
    """Names a file and a place in it."""

    task_id: str
    attachment_id: str
    offset: Int64 | None = Field(default=None, description="The first byte wanted, from 0 on.")
    size: Int32 | None = Field(default=None, description="Most bytes wanted.")


class AttachmentContent(Model, pb=pb.AttachmentContent):
    """What a file holds from a place on."""

    content: str = Field(description="Base64 (RFC 4648, section 4).")


class RemoveAttachmentRequest(Model, pb=pb.RemoveAttachmentRequest):
    """Names a file to remove."""

    task_id: str
    attachment_id: str


class ListForgettableTasksRequest(Model, pb=pb.ListForgettableTasksRequest):
    """Which tasks are asked for."""

    ended_before: UtcDatetime
    after: str | None = Field(default=None, description="The place that the page before ended with.")


class ForgettableTask(Model, pb=pb.ForgettableTask):
    """A task that may be forgotten."""

    task_id: str
    workflow_id: str | None = Field(default=None, description="Its run, which may still need it.")


class ForgetTasksRequest(Model, pb=pb.ForgetTasksRequest):
    """Which tasks are forgotten: at most 200. Those are passed over that are not forgettable."""

    task_ids: list[str] = Field(default_factory=list)
    ended_before: UtcDatetime


class ForgetTasksResponse(Model, pb=pb.ForgetTasksResponse):
    """How many were forgotten."""

    forgotten: Int32


class EraseWordsRequest(Model, pb=pb.EraseWordsRequest):
    """Names the person."""

    user_id: str


class EraseWordsResponse(Model, pb=pb.EraseWordsResponse):
    """How many records a step has changed, and whether there may be more."""

    erased: Int32
    more: bool


class CountTasksRequest(Model, pb=pb.CountTasksRequest):
    """Filters as of a list; live tasks where no status is given."""

    status: TaskStatus | None = Field(default=None)
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    group: str | None = Field(default=None)
    workflow_id: str | None = Field(default=None)
    q: str | None = Field(
        default=None, description="Words that the title, the description or the context has, all of them."
    )
    tags: list[str] = Field(default_factory=list, description="Tags that it has, all of them.")
    type: str | None = Field(default=None)
    priority: Priority | None = Field(default=None)
    correlation: str | None = Field(default=None)
    data: list[str] = Field(
        default_factory=list,
        description="Values in context.data, all of them, each as path=value, such as order.id=2041.",
    )
    due_after: UtcDatetime | None = Field(default=None, description="Due at this time or later.")
    due_before: UtcDatetime | None = Field(default=None, description="Due before this time.")


class ListTasksRequest(Model, pb=pb.ListTasksRequest):
    """Filters and the page wanted."""

    scope: TaskScope | None = Field(default=None, description="all where absent.")
    status: TaskStatus | None = Field(default=None, description="live tasks where absent.")
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    group: str | None = Field(default=None)
    workflow_id: str | None = Field(default=None)
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)
    q: str | None = Field(
        default=None, description="Words that the title, the description or the context has, all of them."
    )
    tags: list[str] = Field(default_factory=list, description="Tags that it has, all of them.")
    type: str | None = Field(default=None)
    priority: Priority | None = Field(default=None)
    correlation: str | None = Field(default=None)
    data: list[str] = Field(
        default_factory=list,
        description="Values in context.data, all of them, each as path=value, such as order.id=2041.",
    )
    due_after: UtcDatetime | None = Field(default=None, description="Due at this time or later.")
    due_before: UtcDatetime | None = Field(default=None, description="Due before this time.")
    sort: TaskSort | None = Field(default=None, description="due where absent.")
    every_status: bool | None = Field(default=None, description="Ended tasks as well, where no status is named.")
    created_after: UtcDatetime | None = Field(default=None, description="Asked at this time or later.")
    created_before: UtcDatetime | None = Field(default=None, description="Asked before this time.")
    completed_after: UtcDatetime | None = Field(default=None, description="Completed at this time or later.")
    completed_before: UtcDatetime | None = Field(default=None, description="Completed before this time.")
    breached: bool | None = Field(default=None, description="Whether it has missed a deadline, ever.")
    escalated: bool | None = Field(
        default=None, description="Whether a step of an escalation chain was performed for it."
    )


class TaskFilter(Model, pb=pb.TaskFilter):
    """Which tasks a view shows, as the filters of a list."""

    scope: TaskScope | None = Field(default=None)
    status: TaskStatus | None = Field(default=None)
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    group: str | None = Field(default=None)
    workflow_id: str | None = Field(default=None)
    q: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list)
    type: str | None = Field(default=None)
    priority: Priority | None = Field(default=None)
    correlation: str | None = Field(default=None)
    data: list[str] = Field(default_factory=list, description="Each as path=value.")
    due_after: UtcDatetime | None = Field(default=None)
    due_before: UtcDatetime | None = Field(default=None)
    sort: TaskSort | None = Field(default=None)
    every_status: bool | None = Field(default=None, description="Ended tasks as well, where no status is named.")


class Vote(Model, pb=pb.Vote):
    """One person's vote."""

    voter: str
    choice: VoteChoice
    data: dict[str, Any] | None = Field(default=None, description="The form as the voter filled it; absent in events.")
    groups: list[str] = Field(default_factory=list, description="The groups of the policy that the voter was in.")
    voted_at: UtcDatetime


class VoteTaskRequest(Model, pb=pb.VoteTaskRequest):
    """A vote."""

    task_id: str
    choice: VoteChoice
    data: dict[str, Any] = Field(
        description="The form, filled by the voter. Where it has outcomes, the choice is its outcome."
    )
    revision: Int32 = Field(
        description="The revision that the caller saw; REVISION_MISMATCH where what is decided on has changed since."
    )
    version: Int64 | None = Field(default=None)


class OpenHours(Model, pb=pb.OpenHours):
    """From when until when on a weekday."""

    weekday: Weekday
    opens: str = Field(description="HH:MM.")
    closes: str = Field(description="HH:MM, later than opens; 24:00 is the end of the day.")


class ProjectTaskFormRequest(Model, pb=pb.ProjectTaskFormRequest):
    """Names the task, and where its form is to be shown."""

    task_id: str
    surface: Surface
    locale: str | None = Field(default=None, description="BCP 47, such as de; the caller's language where absent.")


class HistoryFault(Model, pb=pb.HistoryFault):
    """One entry that is not as it was written."""

    sequence: Int64
    kind: HistoryFaultKind


class EscalationCheck(Model, pb=pb.EscalationCheck):
    """A recorded decision."""

    check_id: str = Field(description="check_ and 32 hexadecimal digits.")
    decision: EscalationDecision
    reason: str = Field(description="A sentence for the agent.")
    threshold: float = Field(description="What the confidence was held against.")
    sampled: bool = Field(description="True where a confident case was sent to people to learn from.")
    policy_version: Int32 = Field(description="The policy's version.")
    checked_at: UtcDatetime
    topic: str
    confidence: float
    agent: str | None = Field(default=None)
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    checked_by: str = Field(description="The principal that asked.")
    task_id: str | None = Field(
        default=None, description="What became of it: the first task that named the check, and how it ended."
    )
    task_status: TaskStatus | None = Field(default=None, description="One of the three ends.")
    outcome: str | None = Field(default=None)
    decided_by: DecidedBy | None = Field(default=None)
    kept_draft: bool | None = Field(
        default=None,
        description="Whether a person left every value that the agent had proposed; absent without a draft or an answer of a person.",
    )
    ended_at: UtcDatetime | None = Field(default=None)


class ListEscalationChecksRequest(Model, pb=pb.ListEscalationChecksRequest):
    """Filters and the page wanted."""

    topic: str | None = Field(default=None, description="This very topic.")
    decision: EscalationDecision | None = Field(default=None)
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)


class Submission(Model, pb=pb.Submission):
    """An answer in the tenant's undo window. What it says is shown to whoever gave it; all others wait for the end."""

    completed_by: str = Field(description="User id of the person whose answer it is.")
    submitted_by: str = Field(
        description="The principal whose act it was: the one that cast the last vote, where votes decided."
    )
    submitted_at: UtcDatetime
    undo_until: UtcDatetime = Field(
        description="Until when it can be taken back; then the task is completed and its workflow resumes."
    )
    acted_for: str | None = Field(default=None)
    outcome: str | None = Field(default=None)
    result: dict[str, Any] | None = Field(default=None)
    receipt: Receipt | None = Field(default=None, description="Shown to nobody before the end.")


class ClockState(Model, pb=pb.ClockState):
    """Where a task and its clock stand."""

    task_id: str
    status: TaskStatus
    version: Int64
    wake_in: timedelta | None = Field(
        default=None, description="How long to wait before asking again; absent where no step is due any more."
    )
    result: dict[str, Any] | None = Field(default=None)
    outcome: str | None = Field(default=None)
    completed_by: str | None = Field(default=None)
    decided_by: DecidedBy | None = Field(default=None)
    reason: str | None = Field(default=None)
    receipt: Receipt | None = Field(default=None)
    change_request: ChangeRequest | None = Field(
        default=None, description="The request for changes that is open while the task is waiting."
    )
    provenance: dict[str, Any] | None = Field(
        default=None,
        description="Whose each value of the result is: field name to agent, human_confirmed, human_changed, human or policy.",
    )


class TaskContext(Model, pb=pb.TaskContext):
    """What a person is shown, as it was."""

    conversation: list[ConversationMessage] = Field(default_factory=list)
    summary: str | None = Field(default=None, description="Markdown.")
    data: dict[str, Any] | None = Field(default=None, description="Any further JSON object.")
    links: list[Link] = Field(default_factory=list)
    agent: AgentInfo | None = Field(default=None)
    action: Action | None = Field(default=None)


class EscalationStep(Model, pb=pb.EscalationStep):
    """One step of an escalation chain. It does one or more of remind, priority, assign_to, add_group, notify."""

    clock: SlaClock | None = Field(default=None, description="complete where absent.")
    after: str = Field(description="From the start of that clock: a duration such as 30m, or a share such as 50%.")
    remind: bool | None = Field(default=None)
    priority: Priority | None = Field(default=None)
    assign_to: Assignment | None = Field(default=None)
    add_group: str | None = Field(default=None)
    notify: list[str] = Field(default_factory=list, description="user:<id> or group:<id>.")


class FormProjection(Model, pb=pb.FormProjection):
    """A form as one surface shows it."""

    task_id: str
    revision: Int32 = Field(description="The revision of the task whose form it is.")
    surface: Surface
    kind: ProjectionKind
    form: dict[str, Any] | None = Field(
        default=None, description="What is asked, as the surface takes it; where kind is form."
    )
    buttons: list[FormButton] = Field(default_factory=list, description="Where kind is buttons.")
    lines: list[str] = Field(
        default_factory=list, description="What the form only shows, as Markdown, to put before it."
    )
    downgrades: list[FormDowngrade] = Field(
        default_factory=list, description="Every field or rule that is not what it is on the page."
    )


class TaskHistory(Model, pb=pb.TaskHistory):
    """Every change of one task, oldest first, without gaps."""

    entries: list[TaskHistoryEntry] = Field(default_factory=list)


class ConfirmWakeUpsRequest(Model, pb=pb.ConfirmWakeUpsRequest):
    """The ends that workflows were told of, at most 500. What is no such end of the tenant is passed over."""

    ends: list[WokenEnd] = Field(default_factory=list)


class ListCommentsResponse(Model, pb=pb.ListCommentsResponse):
    """A page of comments."""

    comments: list[Comment] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class BulkTasksRequest(Model, pb=pb.BulkTasksRequest):
    """What is done to which tasks, with what the operation takes."""

    operation: BulkOperation
    tasks: list[BulkTask] = Field(default_factory=list, description="1..100 tasks, each once.")
    assignee: str | None = Field(default=None, description="assign: user id or e-mail address.")
    candidate_users: list[str] = Field(default_factory=list, description="assign: user ids or e-mail addresses.")
    candidate_groups: list[str] = Field(default_factory=list, description="assign.")
    reason: str | None = Field(default=None, description="assign, cancel.")
    data: dict[str, Any] | None = Field(default=None, description="complete: the answer to each of them.")
    outcome: str | None = Field(default=None, description="complete.")
    add_tags: list[str] = Field(default_factory=list, description="tag.")
    remove_tags: list[str] = Field(default_factory=list, description="tag.")


class EscalationPolicy(Model, pb=pb.EscalationPolicy):
    """Ordered rules; the first whose pattern fits the topic decides, and without one an agent escalates below 0.8."""

    rules: list[EscalationRule] = Field(default_factory=list)
    version: Int32 = Field(description="Grows by one with each change; 0 where none was put.")
    updated_at: UtcDatetime | None = Field(default=None)
    updated_by: str | None = Field(default=None)
    kept_target: float | None = Field(
        default=None,
        description="The share of drafts that people are to keep, 0..1, by which a threshold is suggested; 0.9 where absent.",
    )


class PutEscalationPolicyRequest(Model, pb=pb.PutEscalationPolicyRequest):
    """What replaces the policy."""

    rules: list[EscalationRule] = Field(default_factory=list)
    version: Int32 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )
    kept_target: float | None = Field(default=None, description="0..1; as it was where absent.")


class CorrectionStatistics(Model, pb=pb.CorrectionStatistics):
    """What people made of drafts, in numbers."""

    answered_after: UtcDatetime
    answered_before: UtcDatetime
    answered: Int64 = Field(description="Answers of people to drafts.")
    kept: Int64 = Field(description="Of these, those that left every value that was drafted.")
    fields: list[FieldStatistics] = Field(
        default_factory=list, description="Each field that was drafted; the 200 drafted most often."
    )
    calibration: list[ConfidenceBand] = Field(
        default_factory=list,
        description="By the stated confidence of the agent, in tenths, the lowest first; those without any drafts are left out.",
    )
    target: float = Field(description="What the suggestion is held against.")
    suggested_threshold: float | None = Field(
        default=None,
        description="The lowest confidence from which on the share of drafts that are kept reaches the target: the lower end of its 95 % Wilson interval does. Absent where none does, or the data is not enough.",
    )
    is_enough: bool = Field(description="Whether at least 50 answered drafts state a confidence.")


class TaskFigures(Model, pb=pb.TaskFigures):
    """Figures of the tasks that were asked in a time."""

    since: UtcDatetime
    until: UtcDatetime
    asked: Int64
    live: Int64 = Field(description="Of these, still live.")
    completed: Int64
    completed_by_policy: Int64 = Field(description="Of the completed, by a policy at the end of its chain.")
    cancelled: Int64
    expired: Int64
    days: list[DayVolume] = Field(default_factory=list, description="Of those asked, each day with any, oldest first.")
    time_to_claim: Span = Field(
        description="How long tasks were open until they were claimed, as their calendars count; of those that were claimed."
    )
    time_to_complete: Span = Field(
        description="How long tasks were open and claimed, as their calendars count and without the time that they waited; of those completed."
    )
    time_active: Span = Field(description="How long tasks were claimed; of those completed.")
    time_waiting: Span = Field(description="How long tasks waited for whoever asked; of those that did.")
    time_paused: Span = Field(
        description="How long tasks were open or claimed outside the hours of their calendars; of those that were."
    )
    with_sla: Int64 = Field(description="Tasks with a clock.")
    breached: Int64 = Field(description="Of these, how many missed a deadline, ever.")
    breach_rate: float | None = Field(
        default=None, description="breached by with_sla; absent where nothing has a clock."
    )
    escalated: Int64 = Field(description="Tasks for which a step of an escalation chain was performed.")
    escalation_rate: float | None = Field(
        default=None, description="escalated by asked; absent where nothing was asked."
    )
    people: list[PersonLoad] = Field(default_factory=list, description="The 200 people with the most.")
    groups: list[GroupLoad] = Field(default_factory=list, description="The 200 groups with the most.")
    drafts: list[DraftFigures] = Field(
        default_factory=list, description="What people made of drafts, by who drafted: the 200 with the most."
    )


class ListAttachmentsResponse(Model, pb=pb.ListAttachmentsResponse):
    """The files of a task: all of them, since their number is limited."""

    attachments: list[Attachment] = Field(default_factory=list)


class ListForgettableTasksResponse(Model, pb=pb.ListForgettableTasksResponse):
    """At most 200 of them."""

    tasks: list[ForgettableTask] = Field(default_factory=list)
    after: str | None = Field(default=None, description="Where the next page begins; absent on the last one.")


class View(Model, pb=pb.View):
    """A list of tasks that is kept under a name."""

    view_id: str = Field(description="view_ and 32 hexadecimal digits.")
    tenant_id: str
    name: str
    owner: str = Field(description="User id of the person whose it is.")
    group_id: str | None = Field(default=None, description="The group that it is shared with; private where absent.")
    filter: TaskFilter
    version: Int64 = Field(description="Grows by one with each change.")
    created_at: UtcDatetime
    updated_at: UtcDatetime
    updated_by: str = Field(description="The principal that changed it last.")


class CreateViewRequest(Model, pb=pb.CreateViewRequest):
    """A view to keep."""

    name: str = Field(description="1..200 characters.")
    group_id: str | None = Field(default=None, description="A group of the caller, or, for managers, any.")
    filter: TaskFilter


class UpdateViewRequest(Model, pb=pb.UpdateViewRequest):
    """What replaces a view."""

    view_id: str
    name: str
    group_id: str | None = Field(default=None)
    filter: TaskFilter
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class WorkingHours(Model, pb=pb.WorkingHours):
    """The hours in which clocks run, in a time zone; a day that the zone changes its clocks on has them as its
    clocks show.
    """

    time_zone: str = Field(description="IANA name such as Europe/Berlin.")
    hours: list[OpenHours] = Field(
        default_factory=list, description="Some time of some weekday at least; of one day the hours do not overlap."
    )
    holidays: list[Holiday] = Field(default_factory=list, description="Days without hours.")


class HistoryVerification(Model, pb=pb.HistoryVerification):
    """Whether a history is what was written."""

    task_id: str
    intact: bool = Field(description="Whether nothing is wrong with it.")
    entries: Int64 = Field(description="How many entries it should have.")
    signed_up_to: Int64 = Field(
        description="The newest entry that a signature covers, with all before it; 0 where none does yet."
    )
    faults: list[HistoryFault] = Field(default_factory=list, description="What is wrong, by entry.")
    erased: list[Int64] = Field(
        default_factory=list, description="Entries whose content was erased; the chain is whole without it."
    )


class ListEscalationChecksResponse(Model, pb=pb.ListEscalationChecksResponse):
    """A page of checks."""

    checks: list[EscalationCheck] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class EndedTask(Model, pb=pb.EndedTask):
    """A task that a person has just ended, as its run will be told by AdvanceClock."""

    tenant_id: str
    workflow_id: str
    state: ClockState
    traceparent: str | None = Field(default=None, description="The trace that the end belongs to (W3C Trace Context).")


class UpdateTaskRequest(Model, pb=pb.UpdateTaskRequest):
    """What of the task changes; what is left out stays."""

    task_id: str
    priority: Priority | None = Field(default=None)
    claim_by: UtcDatetime | None = Field(default=None, description="While the task is open.")
    complete_by: UtcDatetime | None = Field(
        default=None, description="Not while the task is waiting: its clocks stand still."
    )
    add_tags: list[str] = Field(default_factory=list)
    remove_tags: list[str] = Field(default_factory=list)
    title: str | None = Field(default=None, description="A new title, description, context or form is a new revision.")
    description: str | None = Field(default=None, description="Markdown; empty for none.")
    context: TaskContext | None = Field(default=None)
    form: dict[str, Any] | None = Field(default=None, description="In any of the ways of a creation.")
    reason: str | None = Field(default=None)
    version: Int64 | None = Field(default=None)


class AnswerTaskRequest(Model, pb=pb.AnswerTaskRequest):
    """The requester's answer."""

    task_id: str
    message: str = Field(description="Markdown, at most 16 KiB.")
    context: TaskContext | None = Field(default=None, description="What replaces the context; it stays where absent.")
    draft: dict[str, Any] | None = Field(
        default=None,
        description="What replaces the draft; it stays where absent, but for what a new form has no field for.",
    )
    form: dict[str, Any] | None = Field(
        default=None, description="What replaces the form, in any of the ways of a creation; it stays where absent."
    )
    version: Int64 | None = Field(default=None)


class Correction(Model, pb=pb.Correction):
    """What a person made of an agent's draft; the values of sensitive fields are redacted."""

    task_id: str
    type: str | None = Field(default=None)
    title: str
    agent: AgentInfo | None = Field(default=None, description="Who is known to have drafted it: context.agent.")
    context: TaskContext | None = Field(default=None, description="What the person was shown.")
    input: dict[str, Any] | None = Field(default=None)
    draft: dict[str, Any] = Field(description='The agent\'s values: field name to {"value": …, "confidence"?: 0..1}.')
    answer: dict[str, Any] = Field(description="The person's answer.")
    outcome: str | None = Field(default=None)
    kept: bool = Field(description="Whether the person left every value that was drafted.")
    diff: list[CorrectedField] = Field(default_factory=list, description="Each field that was drafted or answered.")
    answered_by: str
    answered_at: UtcDatetime
    revision: Int32


class SlaPolicy(Model, pb=pb.SlaPolicy):
    """Two clocks, a chain of steps and an end."""

    claim: str | None = Field(default=None, description="Time to claim, such as 15m.")
    complete: str | None = Field(default=None, description="Time to complete, such as 2h.")
    calendar: str | None = Field(
        default=None, description="The calendar both are measured on: its id, or group:<group_id>; always where absent."
    )
    escalate: list[EscalationStep] = Field(default_factory=list)
    at_end: SlaEnd | None = Field(default=None, description="expire where absent.")
    default_result: dict[str, Any] | None = Field(default=None, description="The result where at_end is default.")
    default_outcome: str | None = Field(
        default=None, description="The outcome that goes with default_result, where the form has outcomes."
    )


class ListViewsResponse(Model, pb=pb.ListViewsResponse):
    """A page of views."""

    views: list[View] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class Calendar(Model, pb=pb.Calendar):
    """Working hours that SLAs of the tenant name."""

    calendar_id: str = Field(description="Lower-case letters, digits and dashes; the name that an SLA gives.")
    tenant_id: str
    name: str = Field(description="What people call it.")
    group_id: str | None = Field(
        default=None,
        description="The group whose calendar it is; an SLA may name it group:<group_id> as well. A group has at most one.",
    )
    working_hours: WorkingHours
    version: Int64 = Field(description="Grows by one with each change.")
    created_at: UtcDatetime
    updated_at: UtcDatetime
    updated_by: str | None = Field(default=None, description="The principal that changed it last.")


class CreateCalendarRequest(Model, pb=pb.CreateCalendarRequest):
    """A calendar to keep."""

    calendar_id: str
    name: str
    group_id: str | None = Field(default=None)
    working_hours: WorkingHours


class UpdateCalendarRequest(Model, pb=pb.UpdateCalendarRequest):
    """What replaces a calendar."""

    calendar_id: str
    name: str
    group_id: str | None = Field(default=None)
    working_hours: WorkingHours
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class AwaitEndsResponse(Model, pb=pb.AwaitEndsResponse):
    """What has ended, of any tenant; nothing where nothing has in that time."""

    ends: list[EndedTask] = Field(default_factory=list)


class ListCorrectionsResponse(Model, pb=pb.ListCorrectionsResponse):
    """A page of corrections; one of them is a line of JSON."""

    corrections: list[Correction] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class Sla(Model, pb=pb.Sla):
    """The clocks of a task: the policy and what follows from it."""

    policy: SlaPolicy
    claim_by: UtcDatetime | None = Field(default=None)
    complete_by: UtcDatetime | None = Field(default=None)
    answer_by: UtcDatetime | None = Field(
        default=None, description="Until when the requester has to answer while the task is waiting."
    )
    breached: bool = Field(description="Whether a deadline was missed, ever.")
    escalation_level: Int32 = Field(description="How many steps of the chain have been performed.")
    next_step_at: UtcDatetime | None = Field(
        default=None, description="When the next step or the end of the chain is due; absent when nothing is."
    )
    claim_started_at: UtcDatetime | None = Field(
        default=None,
        description="From when the time to claim is measured; a step that reassigns and a release start it again, and a pause moves it on.",
    )
    complete_started_at: UtcDatetime | None = Field(
        default=None, description="From when the time to complete is measured; a pause moves it on."
    )
    performed_steps: list[Int32] = Field(
        default_factory=list,
        description="Positions in the chain, from 0, of the steps that have been performed, in the order of their performance.",
    )
    claim_missed_at: UtcDatetime | None = Field(
        default=None, description="When the time to claim, as it runs now, was missed."
    )
    complete_missed_at: UtcDatetime | None = Field(
        default=None, description="When the time to complete, as it is now, was missed."
    )
    hours: WorkingHours | None = Field(
        default=None,
        description="The hours of the policy's calendar as they were at creation; absent where the clocks always run, and in lists.",
    )
    calendar_version: Int64 | None = Field(
        default=None, description="The version of the calendar that the hours were taken from."
    )


class CreateTaskRequest(Model, pb=pb.CreateTaskRequest):
    """A task to open."""

    task_id: str | None = Field(
        default=None, description="Minted by the SDK inside a workflow; by task-service where absent."
    )
    workflow_id: str | None = Field(default=None)
    first_run_id: str | None = Field(default=None)
    key: str | None = Field(default=None)
    on_behalf_of: str | None = Field(default=None)
    title: str
    description: str | None = Field(default=None)
    type: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list)
    correlation: str | None = Field(default=None)
    form: dict[str, Any] | None = Field(
        default=None,
        description="A form in its short form, its long form, or as a JSON Schema; a single free-text answer where absent.",
    )
    context: TaskContext | None = Field(default=None)
    input: dict[str, Any] | None = Field(default=None)
    draft: dict[str, Any] | None = Field(default=None)
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    candidate_users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    candidate_groups: list[str] = Field(default_factory=list)
    excluded_users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    allow_agents: list[str] = Field(default_factory=list)
    priority: Priority | None = Field(default=None, description="normal where absent.")
    sla: SlaPolicy | None = Field(default=None)
    requested_by: str | None = Field(
        default=None, description="The principal that started the run; only a worker may say it."
    )
    max_revisions: Int32 | None = Field(
        default=None, description="How often changes may be asked for, 1..50; 5 where absent."
    )
    approval_policy: ApprovalPolicy | None = Field(
        default=None, description="Whose approvals it takes; votes decide then."
    )
    four_eyes: bool | None = Field(
        default=None,
        description="Whether whoever asks, and on whose behalf, cannot decide; so it is anyway with an action or an approval policy.",
    )


class ListCalendarsResponse(Model, pb=pb.ListCalendarsResponse):
    """A page of calendars, by their ids."""

    calendars: list[Calendar] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class Task(Model, pb=pb.Task):
    """One piece of work handed to people, with a form to fill and a clock running."""

    task_id: str = Field(description="task_ and 32 hexadecimal digits of a UUIDv7.")
    tenant_id: str
    workflow_id: str | None = Field(default=None, description="The run that asked; absent for a task of its own.")
    first_run_id: str | None = Field(
        default=None, description="The first execution's run id in Temporal; stays the same across resets."
    )
    key: str | None = Field(
        default=None, description="The author's name for this task, unique within tenant, workflow and first run."
    )
    requested_by: str | None = Field(default=None, description="The principal that asked.")
    on_behalf_of: str | None = Field(default=None, description="The person for whom an agent asked.")
    title: str
    description: str | None = Field(default=None, description="Markdown.")
    type: str | None = Field(default=None, description="A free label such as refund-approval.")
    tags: list[str] = Field(default_factory=list)
    correlation: str | None = Field(
        default=None, description="The case, customer or conversation that this belongs to."
    )
    form: dict[str, Any] | None = Field(default=None, description="The form's JSON Schema, pinned at creation.")
    context: TaskContext | None = Field(
        default=None, description="What the person needs so that nothing is lost on the way."
    )
    input: dict[str, Any] | None = Field(default=None, description="The workflow's input.")
    draft: dict[str, Any] | None = Field(
        default=None, description='Values that an agent proposes: field name to {"value": …, "confidence"?: 0..1}.'
    )
    saved: dict[str, Any] | None = Field(default=None, description="The assignee's partial values.")
    assignee: str | None = Field(
        default=None, description="User id of the person who holds the task, or to whom alone it is offered."
    )
    candidate_users: list[str] = Field(default_factory=list, description="User ids.")
    candidate_groups: list[str] = Field(default_factory=list)
    excluded_users: list[str] = Field(default_factory=list, description="User ids of people who may not decide.")
    allow_agents: list[str] = Field(
        default_factory=list, description="Names of agents that may decide; empty for people only."
    )
    approval_policy: ApprovalPolicy | None = Field(
        default=None, description="Whose approvals it takes; then votes decide, and nobody completes it alone."
    )
    action_digest: str | None = Field(
        default=None, description="What is decided on, where context.action is set; see Receipt."
    )
    priority: Priority
    status: TaskStatus
    outcome: str | None = Field(default=None, description="The key of the chosen outcome, where the form has outcomes.")
    result: dict[str, Any] | None = Field(default=None, description="The checked answer.")
    completed_by: str | None = Field(default=None, description="User id of the person who answered.")
    decided_by: DecidedBy | None = Field(default=None)
    acted_for: str | None = Field(default=None, description="User id of the person whose place completed_by took.")
    sla: Sla | None = Field(default=None)
    reason: str | None = Field(default=None, description="Why it was cancelled.")
    version: Int64 = Field(description="Grows by one with each write to the row.")
    revision: Int32 = Field(description="Grows when title, description, context or form change.")
    created_at: UtcDatetime
    updated_at: UtcDatetime
    claimed_at: UtcDatetime | None = Field(default=None)
    completed_at: UtcDatetime | None = Field(default=None)
    woken_at: UtcDatetime | None = Field(
        default=None, description="When the workflow behind it was woken after its end."
    )
    change_requests: list[ChangeRequest] = Field(
        default_factory=list, description="Requests for changes and their answers, oldest first."
    )
    receipt: Receipt | None = Field(
        default=None,
        description="Who decided what about the action; absent until a person has decided, and where there is no action. Shown to whoever asked, in whose hands it can be redeemed.",
    )
    saved_at: UtcDatetime | None = Field(
        default=None, description="When the assignee's partial values were kept; shown to the assignee, as they are."
    )
    mentioned_users: list[str] = Field(
        default_factory=list, description="User ids of the people whom its comments name."
    )
    delegated_by: str | None = Field(
        default=None, description="Who handed it to the assignee; a release by the assignee gives it back to them."
    )
    max_revisions: Int32 | None = Field(default=None, description="How often changes may be asked for; 5 where absent.")
    status_since: UtcDatetime | None = Field(default=None, description="Since when it has its status.")
    time_to_claim: timedelta | None = Field(
        default=None, description="How long it was open up to the last change of its status, as its calendar counts."
    )
    time_active: timedelta | None = Field(default=None, description="How long it was claimed, likewise.")
    time_waiting: timedelta | None = Field(default=None, description="How long it waited for whoever asked.")
    time_paused: timedelta | None = Field(
        default=None, description="How long it was open or claimed outside the hours of its calendar."
    )
    votes: list[Vote] = Field(
        default_factory=list, description="The votes on this revision, oldest first, one of each person."
    )
    tally: Tally | None = Field(
        default=None, description="What the votes come to; present where there is an approval policy."
    )
    four_eyes: bool | None = Field(
        default=None,
        description="Whether whoever asked cannot decide even where neither an action nor an approval policy hangs on it.",
    )
    submission: Submission | None = Field(
        default=None, description="An answer that can still be taken back; the task ends with it when its time is over."
    )


class ListTasksResponse(Model, pb=pb.ListTasksResponse):
    """A page of tasks."""

    tasks: list[Task] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class BulkResult(Model, pb=pb.BulkResult):
    """What came of one task: the task as it is now, without its large fields, or why it was refused."""

    task_id: str
    task: Task | None = Field(default=None)
    code: str | None = Field(default=None, description="The refusal's stable code.")
    detail: str | None = Field(default=None, description="A sentence about the refusal.")
    errors: list[BulkFault] = Field(default_factory=list, description="What is wrong, field by field.")


class BulkTasksResponse(Model, pb=pb.BulkTasksResponse):
    """What came of each task, in the order of the request."""

    results: list[BulkResult] = Field(default_factory=list)


class TaskServiceServer(Protocol):
    """Work that waits for a person."""

    async def create_task(self, ctx: Context, request: CreateTaskRequest) -> Task:
        """Opens a task and starts its clocks. Creating with the same task_id, or the same key within one run,
        returns the first.
        """
        ...

    async def get_task(self, ctx: Context, request: GetTaskRequest) -> Task:
        """Returns one task that the caller may see."""
        ...

    async def list_tasks(self, ctx: Context, request: ListTasksRequest) -> ListTasksResponse:
        """Returns a page of the tasks that the caller may see and that fit the filters, without their large fields."""
        ...

    async def claim_task(self, ctx: Context, request: ClaimTaskRequest) -> Task:
        """Gives an open task to the caller. One caller wins; the others get TASK_NOT_OPEN with the task as it is."""
        ...

    async def release_task(self, ctx: Context, request: ReleaseTaskRequest) -> Task:
        """Puts a claimed task back for its candidates."""
        ...

    async def assign_task(self, ctx: Context, request: AssignTaskRequest) -> Task:
        """Gives a task to a person or to new candidates. For managers; its time to claim begins again."""
        ...

    async def delegate_task(self, ctx: Context, request: DelegateTaskRequest) -> Task:
        """Hands the caller's task to one of its candidates, for whom alone it is open then; a release gives it back."""
        ...

    async def update_task(self, ctx: Context, request: UpdateTaskRequest) -> Task:
        """Changes a live task: priority, due times, tags, or what is asked, as a new revision. For whoever asked,
        and managers.
        """
        ...

    async def escalate_task(self, ctx: Context, request: EscalateTaskRequest) -> Task:
        """Performs the next step of the escalation chain now. For managers."""
        ...

    async def complete_task(self, ctx: Context, request: CompleteTaskRequest) -> Task:
        """Records the answer. It must fit the form; the waiting workflow then resumes."""
        ...

    async def undo_task(self, ctx: Context, request: UndoTaskRequest) -> Task:
        """Takes back an answer while the tenant's undo window lasts; whoever gave it holds the task again, with what
        they had filled in. For whoever answered, and managers.
        """
        ...

    async def vote_task(self, ctx: Context, request: VoteTaskRequest) -> Task:
        """Votes on a task with an approval policy, or changes the caller's vote. It ends when its outcome can no
        longer change.
        """
        ...

    async def cancel_task(self, ctx: Context, request: CancelTaskRequest) -> Task:
        """Ends a live task without an answer."""
        ...

    async def get_task_history(self, ctx: Context, request: GetTaskHistoryRequest) -> TaskHistory:
        """Returns every change of a task, oldest first."""
        ...

    async def project_task_form(self, ctx: Context, request: ProjectTaskFormRequest) -> FormProjection:
        """Returns a task's form as a surface that shows less than a page does shows it, and what that takes from it."""
        ...

    async def verify_task_history(self, ctx: Context, request: VerifyTaskHistoryRequest) -> HistoryVerification:
        """Recomputes the chain of a task's history and names what was altered or is missing."""
        ...

    async def advance_clock(self, ctx: Context, request: AdvanceClockRequest) -> ClockState:
        """Performs the steps of the escalation chain that are due, each once, and says what to wait for next. For
        workers.
        """
        ...

    async def save_draft(self, ctx: Context, request: SaveDraftRequest) -> Task:
        """Keeps the assignee's partial values; they are checked for their types only and raise no version."""
        ...

    async def add_comment(self, ctx: Context, request: AddCommentRequest) -> Comment:
        """Adds a comment. @ and a person's e-mail address or user id mention that person, who sees the task from
        then on.
        """
        ...

    async def list_comments(self, ctx: Context, request: ListCommentsRequest) -> ListCommentsResponse:
        """Returns the comments of a task, oldest first."""
        ...

    async def begin_attachment(self, ctx: Context, request: BeginAttachmentRequest) -> AttachmentUpload:
        """Begins a file of a live task: its parts follow, and nothing of it is seen before it is finished. What is
        not finished in time is dropped. For whoever may work on the task, asked for it, or manages it.
        """
        ...

    async def add_attachment_part(self, ctx: Context, request: AddAttachmentPartRequest) -> AttachmentUpload:
        """Keeps one part of a file that was begun; the same part may be sent again. For whoever began it."""
        ...

    async def finish_attachment(self, ctx: Context, request: FinishAttachmentRequest) -> Attachment:
        """Attaches the file, where all of it is there and is what was meant. For whoever began it."""
        ...

    async def drop_attachment(self, ctx: Context, request: DropAttachmentRequest) -> AttachmentUpload:
        """Drops a file that was begun and not finished. For whoever began it."""
        ...

    async def list_attachments(self, ctx: Context, request: ListAttachmentsRequest) -> ListAttachmentsResponse:
        """Returns the files of a task, oldest first."""
        ...

    async def get_attachment(self, ctx: Context, request: GetAttachmentRequest) -> Attachment:
        """Says what a file is: its name, kind, size and digest."""
        ...

    async def read_attachment(self, ctx: Context, request: ReadAttachmentRequest) -> AttachmentContent:
        """Returns what a file holds from a place on: at most one part, and nothing at its end."""
        ...

    async def remove_attachment(self, ctx: Context, request: RemoveAttachmentRequest) -> Attachment:
        """Removes a file of a live task and returns what it was. For whoever attached it, and managers."""
        ...

    async def request_changes(self, ctx: Context, request: RequestChangesRequest) -> Task:
        """Asks the requester for changes or information. The clocks stand still until it is answered or answer_by is
        over.
        """
        ...

    async def answer_task(self, ctx: Context, request: AnswerTaskRequest) -> Task:
        """Answers a request for changes; the task goes back to its reviewer. For whoever asked for the task."""
        ...

    async def count_tasks(self, ctx: Context, request: CountTasksRequest) -> TaskCounts:
        """Says how many tasks that fit the filters the caller has in each scope."""
        ...

    async def bulk_tasks(self, ctx: Context, request: BulkTasksRequest) -> BulkTasksResponse:
        """Does one thing to many tasks, each by itself: a task for which it is refused does not undo the others."""
        ...

    async def create_view(self, ctx: Context, request: CreateViewRequest) -> View:
        """Keeps a view of the task list, for the caller alone or shared with a group."""
        ...

    async def get_view(self, ctx: Context, request: GetViewRequest) -> View:
        """Returns a view that is the caller's, or shared with a group of theirs."""
        ...

    async def list_views(self, ctx: Context, request: ListViewsRequest) -> ListViewsResponse:
        """Returns a page of the views that the caller may use, the oldest first."""
        ...

    async def update_view(self, ctx: Context, request: UpdateViewRequest) -> View:
        """Replaces a view. For its owner, and for managers where it is shared."""
        ...

    async def delete_view(self, ctx: Context, request: DeleteViewRequest) -> View:
        """Removes a view and returns it as it was. For its owner, and for managers where it is shared."""
        ...

    async def check_escalation(self, ctx: Context, request: CheckEscalationRequest) -> EscalationCheck:
        """Says by the tenant's policy whether an agent may go on alone, and records it."""
        ...

    async def get_escalation_check(self, ctx: Context, request: GetEscalationCheckRequest) -> EscalationCheck:
        """Returns a recorded check and what became of it. An agent sees its own."""
        ...

    async def list_escalation_checks(
        self, ctx: Context, request: ListEscalationChecksRequest
    ) -> ListEscalationChecksResponse:
        """Returns a page of the recorded checks, newest first. An agent sees its own."""
        ...

    async def get_escalation_policy(self, ctx: Context, request: GetEscalationPolicyRequest) -> EscalationPolicy:
        """Returns the tenant's escalation policy; one without rules where none was put."""
        ...

    async def put_escalation_policy(self, ctx: Context, request: PutEscalationPolicyRequest) -> EscalationPolicy:
        """Replaces the tenant's escalation policy. For managers and admins."""
        ...

    async def list_corrections(self, ctx: Context, request: ListCorrectionsRequest) -> ListCorrectionsResponse:
        """Returns a page of what people made of the drafts of agents, the oldest answer first. For managers, admins,
        auditors.
        """
        ...

    async def get_correction_statistics(
        self, ctx: Context, request: GetCorrectionStatisticsRequest
    ) -> CorrectionStatistics:
        """Says which fields of drafts people change, how far the confidence of agents holds, and from which on one
        may be trusted. For managers, admins, auditors.
        """
        ...

    async def get_task_figures(self, ctx: Context, request: GetTaskFiguresRequest) -> TaskFigures:
        """Returns figures of the tasks that were asked in a time: how many, how long, how late, who, and what became
        of the drafts of agents. For managers, admins and auditors.
        """
        ...

    async def get_task_settings(self, ctx: Context, request: GetTaskSettingsRequest) -> TaskSettings:
        """Returns the tenant's settings of tasks."""
        ...

    async def put_task_settings(self, ctx: Context, request: PutTaskSettingsRequest) -> TaskSettings:
        """Replaces the tenant's settings of tasks. For managers and admins."""
        ...

    async def create_calendar(self, ctx: Context, request: CreateCalendarRequest) -> Calendar:
        """Keeps a calendar, which SLAs name from then on. For managers and admins."""
        ...

    async def get_calendar(self, ctx: Context, request: GetCalendarRequest) -> Calendar:
        """Returns a calendar."""
        ...

    async def list_calendars(self, ctx: Context, request: ListCalendarsRequest) -> ListCalendarsResponse:
        """Returns a page of the tenant's calendars, by their ids."""
        ...

    async def update_calendar(self, ctx: Context, request: UpdateCalendarRequest) -> Calendar:
        """Replaces a calendar. Tasks that are live keep the hours that they began with. For managers and admins."""
        ...

    async def delete_calendar(self, ctx: Context, request: DeleteCalendarRequest) -> Calendar:
        """Removes a calendar. Tasks that are live keep the hours that they began with. For managers and admins."""
        ...

    async def redeem_receipt(self, ctx: Context, request: RedeemReceiptRequest) -> Redemption:
        """Uses up a receipt, once; the same use_id gets the same answer again."""
        ...

    async def get_receipt_keys(self, ctx: Context, request: GetReceiptKeysRequest) -> ReceiptKeys:
        """Returns the public keys that receipts are signed with, as a JWK set (RFC 7517)."""
        ...

    async def list_forgettable_tasks(
        self, ctx: Context, request: ListForgettableTasksRequest
    ) -> ListForgettableTasksResponse:
        """Returns tasks that ended before a time and that nothing waits for, oldest first. For workflow-worker."""
        ...

    async def forget_tasks(self, ctx: Context, request: ForgetTasksRequest) -> ForgetTasksResponse:
        """Deletes such tasks with everything of theirs. For workflow-worker."""
        ...

    async def erase_words(self, ctx: Context, request: EraseWordsRequest) -> EraseWordsResponse:
        """Erases the next of what a person has written and is called in tasks; decisions stay. For workflow-worker."""
        ...

    async def confirm_wake_ups(self, ctx: Context, request: ConfirmWakeUpsRequest) -> ConfirmWakeUpsResponse:
        """Records that the workflows behind ended tasks have been woken. For workflow-worker."""
        ...

    async def await_ends(self, ctx: Context, request: AwaitEndsRequest) -> AwaitEndsResponse:
        """Waits for people to end tasks of runs, and hands each end over at once, to one caller and without a
        promise: the event of it says the same a moment later. For workflow-worker.
        """
        ...


def add_task_service(server: Server, operations: TaskServiceServer, authenticate: Authenticate) -> None:
    """Serve the rpcs of TaskService with `operations`."""
    bind(server, pb.DESCRIPTOR.services_by_name["TaskService"], operations, authenticate)


class TaskServiceClient(RpcClient, service="orkestra.v1.TaskService"):
    """Work that waits for a person."""

    async def create_task(
        self, request: CreateTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Opens a task and starts its clocks. Creating with the same task_id, or the same key within one run,
        returns the first.
        """
        return await self._call("CreateTask", request, Task, request_id=request_id, timeout=timeout, idempotent=True)

    async def get_task(
        self, request: GetTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Returns one task that the caller may see."""
        return await self._call("GetTask", request, Task, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_tasks(
        self, request: ListTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListTasksResponse:
        """Returns a page of the tasks that the caller may see and that fit the filters, without their large fields."""
        return await self._call(
            "ListTasks", request, ListTasksResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def claim_task(
        self, request: ClaimTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Gives an open task to the caller. One caller wins; the others get TASK_NOT_OPEN with the task as it is."""
        return await self._call("ClaimTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def release_task(
        self, request: ReleaseTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Puts a claimed task back for its candidates."""
        return await self._call("ReleaseTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def assign_task(
        self, request: AssignTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Gives a task to a person or to new candidates. For managers; its time to claim begins again."""
        return await self._call("AssignTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def delegate_task(
        self, request: DelegateTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Hands the caller's task to one of its candidates, for whom alone it is open then; a release gives it back."""
        return await self._call("DelegateTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def update_task(
        self, request: UpdateTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Changes a live task: priority, due times, tags, or what is asked, as a new revision. For whoever asked,
        and managers.
        """
        return await self._call("UpdateTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def escalate_task(
        self, request: EscalateTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Performs the next step of the escalation chain now. For managers."""
        return await self._call("EscalateTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def complete_task(
        self, request: CompleteTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Records the answer. It must fit the form; the waiting workflow then resumes."""
        return await self._call("CompleteTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def undo_task(
        self, request: UndoTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Takes back an answer while the tenant's undo window lasts; whoever gave it holds the task again, with what
        they had filled in. For whoever answered, and managers.
        """
        return await self._call("UndoTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def vote_task(
        self, request: VoteTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Votes on a task with an approval policy, or changes the caller's vote. It ends when its outcome can no
        longer change.
        """
        return await self._call("VoteTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def cancel_task(
        self, request: CancelTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Ends a live task without an answer."""
        return await self._call("CancelTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def get_task_history(
        self, request: GetTaskHistoryRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskHistory:
        """Returns every change of a task, oldest first."""
        return await self._call(
            "GetTaskHistory", request, TaskHistory, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def project_task_form(
        self, request: ProjectTaskFormRequest, request_id: str | None = None, timeout: float | None = None
    ) -> FormProjection:
        """Returns a task's form as a surface that shows less than a page does shows it, and what that takes from it."""
        return await self._call(
            "ProjectTaskForm", request, FormProjection, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def verify_task_history(
        self, request: VerifyTaskHistoryRequest, request_id: str | None = None, timeout: float | None = None
    ) -> HistoryVerification:
        """Recomputes the chain of a task's history and names what was altered or is missing."""
        return await self._call(
            "VerifyTaskHistory", request, HistoryVerification, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def advance_clock(
        self, request: AdvanceClockRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ClockState:
        """Performs the steps of the escalation chain that are due, each once, and says what to wait for next. For
        workers.
        """
        return await self._call(
            "AdvanceClock", request, ClockState, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def save_draft(
        self, request: SaveDraftRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Keeps the assignee's partial values; they are checked for their types only and raise no version."""
        return await self._call("SaveDraft", request, Task, request_id=request_id, timeout=timeout, idempotent=True)

    async def add_comment(
        self, request: AddCommentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Comment:
        """Adds a comment. @ and a person's e-mail address or user id mention that person, who sees the task from
        then on.
        """
        return await self._call(
            "AddComment", request, Comment, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_comments(
        self, request: ListCommentsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListCommentsResponse:
        """Returns the comments of a task, oldest first."""
        return await self._call(
            "ListComments", request, ListCommentsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def begin_attachment(
        self, request: BeginAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AttachmentUpload:
        """Begins a file of a live task: its parts follow, and nothing of it is seen before it is finished. What is
        not finished in time is dropped. For whoever may work on the task, asked for it, or manages it.
        """
        return await self._call(
            "BeginAttachment", request, AttachmentUpload, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def add_attachment_part(
        self, request: AddAttachmentPartRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AttachmentUpload:
        """Keeps one part of a file that was begun; the same part may be sent again. For whoever began it."""
        return await self._call(
            "AddAttachmentPart", request, AttachmentUpload, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def finish_attachment(
        self, request: FinishAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Attachment:
        """Attaches the file, where all of it is there and is what was meant. For whoever began it."""
        return await self._call(
            "FinishAttachment", request, Attachment, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def drop_attachment(
        self, request: DropAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AttachmentUpload:
        """Drops a file that was begun and not finished. For whoever began it."""
        return await self._call(
            "DropAttachment", request, AttachmentUpload, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_attachments(
        self, request: ListAttachmentsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListAttachmentsResponse:
        """Returns the files of a task, oldest first."""
        return await self._call(
            "ListAttachments", request, ListAttachmentsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_attachment(
        self, request: GetAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Attachment:
        """Says what a file is: its name, kind, size and digest."""
        return await self._call(
            "GetAttachment", request, Attachment, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def read_attachment(
        self, request: ReadAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AttachmentContent:
        """Returns what a file holds from a place on: at most one part, and nothing at its end."""
        return await self._call(
            "ReadAttachment", request, AttachmentContent, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def remove_attachment(
        self, request: RemoveAttachmentRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Attachment:
        """Removes a file of a live task and returns what it was. For whoever attached it, and managers."""
        return await self._call(
            "RemoveAttachment", request, Attachment, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def request_changes(
        self, request: RequestChangesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Asks the requester for changes or information. The clocks stand still until it is answered or answer_by is
        over.
        """
        return await self._call(
            "RequestChanges", request, Task, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def answer_task(
        self, request: AnswerTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Answers a request for changes; the task goes back to its reviewer. For whoever asked for the task."""
        return await self._call("AnswerTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def count_tasks(
        self, request: CountTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskCounts:
        """Says how many tasks that fit the filters the caller has in each scope."""
        return await self._call(
            "CountTasks", request, TaskCounts, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def bulk_tasks(
        self, request: BulkTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> BulkTasksResponse:
        """Does one thing to many tasks, each by itself: a task for which it is refused does not undo the others."""
        return await self._call(
            "BulkTasks", request, BulkTasksResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def create_view(
        self, request: CreateViewRequest, request_id: str | None = None, timeout: float | None = None
    ) -> View:
        """Keeps a view of the task list, for the caller alone or shared with a group."""
        return await self._call("CreateView", request, View, request_id=request_id, timeout=timeout, idempotent=False)

    async def get_view(
        self, request: GetViewRequest, request_id: str | None = None, timeout: float | None = None
    ) -> View:
        """Returns a view that is the caller's, or shared with a group of theirs."""
        return await self._call("GetView", request, View, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_views(
        self, request: ListViewsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListViewsResponse:
        """Returns a page of the views that the caller may use, the oldest first."""
        return await self._call(
            "ListViews", request, ListViewsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_view(
        self, request: UpdateViewRequest, request_id: str | None = None, timeout: float | None = None
    ) -> View:
        """Replaces a view. For its owner, and for managers where it is shared."""
        return await self._call("UpdateView", request, View, request_id=request_id, timeout=timeout, idempotent=False)

    async def delete_view(
        self, request: DeleteViewRequest, request_id: str | None = None, timeout: float | None = None
    ) -> View:
        """Removes a view and returns it as it was. For its owner, and for managers where it is shared."""
        return await self._call("DeleteView", request, View, request_id=request_id, timeout=timeout, idempotent=False)

    async def check_escalation(
        self, request: CheckEscalationRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EscalationCheck:
        """Says by the tenant's policy whether an agent may go on alone, and records it."""
        return await self._call(
            "CheckEscalation", request, EscalationCheck, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_escalation_check(
        self, request: GetEscalationCheckRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EscalationCheck:
        """Returns a recorded check and what became of it. An agent sees its own."""
        return await self._call(
            "GetEscalationCheck", request, EscalationCheck, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_escalation_checks(
        self, request: ListEscalationChecksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListEscalationChecksResponse:
        """Returns a page of the recorded checks, newest first. An agent sees its own."""
        return await self._call(
            "ListEscalationChecks",
            request,
            ListEscalationChecksResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def get_escalation_policy(
        self, request: GetEscalationPolicyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EscalationPolicy:
        """Returns the tenant's escalation policy; one without rules where none was put."""
        return await self._call(
            "GetEscalationPolicy", request, EscalationPolicy, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def put_escalation_policy(
        self, request: PutEscalationPolicyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EscalationPolicy:
        """Replaces the tenant's escalation policy. For managers and admins."""
        return await self._call(
            "PutEscalationPolicy", request, EscalationPolicy, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_corrections(
        self, request: ListCorrectionsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListCorrectionsResponse:
        """Returns a page of what people made of the drafts of agents, the oldest answer first. For managers, admins,
        auditors.
        """
        return await self._call(
            "ListCorrections", request, ListCorrectionsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_correction_statistics(
        self, request: GetCorrectionStatisticsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CorrectionStatistics:
        """Says which fields of drafts people change, how far the confidence of agents holds, and from which on one
        may be trusted. For managers, admins, auditors.
        """
        return await self._call(
            "GetCorrectionStatistics",
            request,
            CorrectionStatistics,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def get_task_figures(
        self, request: GetTaskFiguresRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskFigures:
        """Returns figures of the tasks that were asked in a time: how many, how long, how late, who, and what became
        of the drafts of agents. For managers, admins and auditors.
        """
        return await self._call(
            "GetTaskFigures", request, TaskFigures, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_task_settings(
        self, request: GetTaskSettingsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskSettings:
        """Returns the tenant's settings of tasks."""
        return await self._call(
            "GetTaskSettings", request, TaskSettings, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def put_task_settings(
        self, request: PutTaskSettingsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskSettings:
        """Replaces the tenant's settings of tasks. For managers and admins."""
        return await self._call(
            "PutTaskSettings", request, TaskSettings, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def create_calendar(
        self, request: CreateCalendarRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Calendar:
        """Keeps a calendar, which SLAs name from then on. For managers and admins."""
        return await self._call(
            "CreateCalendar", request, Calendar, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_calendar(
        self, request: GetCalendarRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Calendar:
        """Returns a calendar."""
        return await self._call(
            "GetCalendar", request, Calendar, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_calendars(
        self, request: ListCalendarsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListCalendarsResponse:
        """Returns a page of the tenant's calendars, by their ids."""
        return await self._call(
            "ListCalendars", request, ListCalendarsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_calendar(
        self, request: UpdateCalendarRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Calendar:
        """Replaces a calendar. Tasks that are live keep the hours that they began with. For managers and admins."""
        return await self._call(
            "UpdateCalendar", request, Calendar, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def delete_calendar(
        self, request: DeleteCalendarRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Calendar:
        """Removes a calendar. Tasks that are live keep the hours that they began with. For managers and admins."""
        return await self._call(
            "DeleteCalendar", request, Calendar, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def redeem_receipt(
        self, request: RedeemReceiptRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Redemption:
        """Uses up a receipt, once; the same use_id gets the same answer again."""
        return await self._call(
            "RedeemReceipt", request, Redemption, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_receipt_keys(
        self, request: GetReceiptKeysRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ReceiptKeys:
        """Returns the public keys that receipts are signed with, as a JWK set (RFC 7517)."""
        return await self._call(
            "GetReceiptKeys", request, ReceiptKeys, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_forgettable_tasks(
        self, request: ListForgettableTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListForgettableTasksResponse:
        """Returns tasks that ended before a time and that nothing waits for, oldest first. For workflow-worker."""
        return await self._call(
            "ListForgettableTasks",
            request,
            ListForgettableTasksResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def forget_tasks(
        self, request: ForgetTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ForgetTasksResponse:
        """Deletes such tasks with everything of theirs. For workflow-worker."""
        return await self._call(
            "ForgetTasks", request, ForgetTasksResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def erase_words(
        self, request: EraseWordsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EraseWordsResponse:
        """Erases the next of what a person has written and is called in tasks; decisions stay. For workflow-worker."""
        return await self._call(
            "EraseWords", request, EraseWordsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def confirm_wake_ups(
        self, request: ConfirmWakeUpsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ConfirmWakeUpsResponse:
        """Records that the workflows behind ended tasks have been woken. For workflow-worker."""
        return await self._call(
            "ConfirmWakeUps", request, ConfirmWakeUpsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def await_ends(
        self, request: AwaitEndsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AwaitEndsResponse:
        """Waits for people to end tasks of runs, and hands each end over at once, to one caller and without a
        promise: the event of it says the same a moment later. For workflow-worker.
        """
        return await self._call(
            "AwaitEnds", request, AwaitEndsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

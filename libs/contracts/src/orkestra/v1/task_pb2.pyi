# mypy: disable-error-code=type-arg
import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from orkestra.v1 import json_pb2 as _json_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATUS_UNSPECIFIED: _ClassVar[TaskStatus]
    TASK_STATUS_OPEN: _ClassVar[TaskStatus]
    TASK_STATUS_CLAIMED: _ClassVar[TaskStatus]
    TASK_STATUS_WAITING: _ClassVar[TaskStatus]
    TASK_STATUS_COMPLETED: _ClassVar[TaskStatus]
    TASK_STATUS_CANCELLED: _ClassVar[TaskStatus]
    TASK_STATUS_EXPIRED: _ClassVar[TaskStatus]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_LOW: _ClassVar[Priority]
    PRIORITY_NORMAL: _ClassVar[Priority]
    PRIORITY_HIGH: _ClassVar[Priority]
    PRIORITY_URGENT: _ClassVar[Priority]

class DecidedBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECIDED_BY_UNSPECIFIED: _ClassVar[DecidedBy]
    DECIDED_BY_PERSON: _ClassVar[DecidedBy]
    DECIDED_BY_POLICY: _ClassVar[DecidedBy]

class SlaClock(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SLA_CLOCK_UNSPECIFIED: _ClassVar[SlaClock]
    SLA_CLOCK_CLAIM: _ClassVar[SlaClock]
    SLA_CLOCK_COMPLETE: _ClassVar[SlaClock]

class SlaEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SLA_END_UNSPECIFIED: _ClassVar[SlaEnd]
    SLA_END_EXPIRE: _ClassVar[SlaEnd]
    SLA_END_DEFAULT: _ClassVar[SlaEnd]
    SLA_END_KEEP: _ClassVar[SlaEnd]

class TaskScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_SCOPE_UNSPECIFIED: _ClassVar[TaskScope]
    TASK_SCOPE_MINE: _ClassVar[TaskScope]
    TASK_SCOPE_GROUPS: _ClassVar[TaskScope]
    TASK_SCOPE_ALL: _ClassVar[TaskScope]

class TaskSort(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_SORT_UNSPECIFIED: _ClassVar[TaskSort]
    TASK_SORT_DUE: _ClassVar[TaskSort]
    TASK_SORT_NEWEST: _ClassVar[TaskSort]

class VoteChoice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VOTE_CHOICE_UNSPECIFIED: _ClassVar[VoteChoice]
    VOTE_CHOICE_APPROVE: _ClassVar[VoteChoice]
    VOTE_CHOICE_REJECT: _ClassVar[VoteChoice]

class Weekday(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEEKDAY_UNSPECIFIED: _ClassVar[Weekday]
    WEEKDAY_MONDAY: _ClassVar[Weekday]
    WEEKDAY_TUESDAY: _ClassVar[Weekday]
    WEEKDAY_WEDNESDAY: _ClassVar[Weekday]
    WEEKDAY_THURSDAY: _ClassVar[Weekday]
    WEEKDAY_FRIDAY: _ClassVar[Weekday]
    WEEKDAY_SATURDAY: _ClassVar[Weekday]
    WEEKDAY_SUNDAY: _ClassVar[Weekday]

class Surface(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SURFACE_UNSPECIFIED: _ClassVar[Surface]
    SURFACE_WEB: _ClassVar[Surface]
    SURFACE_ELICITATION: _ClassVar[Surface]
    SURFACE_CHAT: _ClassVar[Surface]
    SURFACE_EMAIL: _ClassVar[Surface]

class ProjectionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROJECTION_KIND_UNSPECIFIED: _ClassVar[ProjectionKind]
    PROJECTION_KIND_FORM: _ClassVar[ProjectionKind]
    PROJECTION_KIND_BUTTONS: _ClassVar[ProjectionKind]
    PROJECTION_KIND_LINK: _ClassVar[ProjectionKind]

class HistoryFaultKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HISTORY_FAULT_KIND_UNSPECIFIED: _ClassVar[HistoryFaultKind]
    HISTORY_FAULT_KIND_MISSING: _ClassVar[HistoryFaultKind]
    HISTORY_FAULT_KIND_ALTERED: _ClassVar[HistoryFaultKind]

class BulkOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BULK_OPERATION_UNSPECIFIED: _ClassVar[BulkOperation]
    BULK_OPERATION_CLAIM: _ClassVar[BulkOperation]
    BULK_OPERATION_ASSIGN: _ClassVar[BulkOperation]
    BULK_OPERATION_COMPLETE: _ClassVar[BulkOperation]
    BULK_OPERATION_CANCEL: _ClassVar[BulkOperation]
    BULK_OPERATION_TAG: _ClassVar[BulkOperation]

class EscalationDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ESCALATION_DECISION_UNSPECIFIED: _ClassVar[EscalationDecision]
    ESCALATION_DECISION_PROCEED: _ClassVar[EscalationDecision]
    ESCALATION_DECISION_ESCALATE: _ClassVar[EscalationDecision]
TASK_STATUS_UNSPECIFIED: TaskStatus
TASK_STATUS_OPEN: TaskStatus
TASK_STATUS_CLAIMED: TaskStatus
TASK_STATUS_WAITING: TaskStatus
TASK_STATUS_COMPLETED: TaskStatus
TASK_STATUS_CANCELLED: TaskStatus
TASK_STATUS_EXPIRED: TaskStatus
PRIORITY_UNSPECIFIED: Priority
PRIORITY_LOW: Priority
PRIORITY_NORMAL: Priority
PRIORITY_HIGH: Priority
PRIORITY_URGENT: Priority
DECIDED_BY_UNSPECIFIED: DecidedBy
DECIDED_BY_PERSON: DecidedBy
DECIDED_BY_POLICY: DecidedBy
SLA_CLOCK_UNSPECIFIED: SlaClock
SLA_CLOCK_CLAIM: SlaClock
SLA_CLOCK_COMPLETE: SlaClock
SLA_END_UNSPECIFIED: SlaEnd
SLA_END_EXPIRE: SlaEnd
SLA_END_DEFAULT: SlaEnd
SLA_END_KEEP: SlaEnd
TASK_SCOPE_UNSPECIFIED: TaskScope
TASK_SCOPE_MINE: TaskScope
TASK_SCOPE_GROUPS: TaskScope
TASK_SCOPE_ALL: TaskScope
TASK_SORT_UNSPECIFIED: TaskSort
TASK_SORT_DUE: TaskSort
TASK_SORT_NEWEST: TaskSort
VOTE_CHOICE_UNSPECIFIED: VoteChoice
VOTE_CHOICE_APPROVE: VoteChoice
VOTE_CHOICE_REJECT: VoteChoice
WEEKDAY_UNSPECIFIED: Weekday
WEEKDAY_MONDAY: Weekday
WEEKDAY_TUESDAY: Weekday
WEEKDAY_WEDNESDAY: Weekday
WEEKDAY_THURSDAY: Weekday
WEEKDAY_FRIDAY: Weekday
WEEKDAY_SATURDAY: Weekday
WEEKDAY_SUNDAY: Weekday
SURFACE_UNSPECIFIED: Surface
SURFACE_WEB: Surface
SURFACE_ELICITATION: Surface
SURFACE_CHAT: Surface
SURFACE_EMAIL: Surface
PROJECTION_KIND_UNSPECIFIED: ProjectionKind
PROJECTION_KIND_FORM: ProjectionKind
PROJECTION_KIND_BUTTONS: ProjectionKind
PROJECTION_KIND_LINK: ProjectionKind
HISTORY_FAULT_KIND_UNSPECIFIED: HistoryFaultKind
HISTORY_FAULT_KIND_MISSING: HistoryFaultKind
HISTORY_FAULT_KIND_ALTERED: HistoryFaultKind
BULK_OPERATION_UNSPECIFIED: BulkOperation
BULK_OPERATION_CLAIM: BulkOperation
BULK_OPERATION_ASSIGN: BulkOperation
BULK_OPERATION_COMPLETE: BulkOperation
BULK_OPERATION_CANCEL: BulkOperation
BULK_OPERATION_TAG: BulkOperation
ESCALATION_DECISION_UNSPECIFIED: EscalationDecision
ESCALATION_DECISION_PROCEED: EscalationDecision
ESCALATION_DECISION_ESCALATE: EscalationDecision

class Task(_message.Message):
    __slots__ = ("task_id", "tenant_id", "workflow_id", "first_run_id", "key", "requested_by", "on_behalf_of", "title", "description", "type", "tags", "correlation", "form", "context", "input", "draft", "saved", "assignee", "candidate_users", "candidate_groups", "excluded_users", "allow_agents", "approval_policy", "action_digest", "priority", "status", "outcome", "result", "completed_by", "decided_by", "acted_for", "sla", "reason", "version", "revision", "created_at", "updated_at", "claimed_at", "completed_at", "woken_at", "change_requests", "receipt", "saved_at", "mentioned_users", "delegated_by", "max_revisions", "status_since", "time_to_claim", "time_active", "time_waiting", "time_paused", "votes", "tally", "four_eyes", "submission")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_USERS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_USERS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_AGENTS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_POLICY_FIELD_NUMBER: _ClassVar[int]
    ACTION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    ACTED_FOR_FIELD_NUMBER: _ClassVar[int]
    SLA_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    WOKEN_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SAVED_AT_FIELD_NUMBER: _ClassVar[int]
    MENTIONED_USERS_FIELD_NUMBER: _ClassVar[int]
    DELEGATED_BY_FIELD_NUMBER: _ClassVar[int]
    MAX_REVISIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_SINCE_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_CLAIM_FIELD_NUMBER: _ClassVar[int]
    TIME_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    TIME_WAITING_FIELD_NUMBER: _ClassVar[int]
    TIME_PAUSED_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    TALLY_FIELD_NUMBER: _ClassVar[int]
    FOUR_EYES_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    tenant_id: str
    workflow_id: str
    first_run_id: str
    key: str
    requested_by: str
    on_behalf_of: str
    title: str
    description: str
    type: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    correlation: str
    form: _json_pb2.Json
    context: TaskContext
    input: _json_pb2.Json
    draft: _json_pb2.Json
    saved: _json_pb2.Json
    assignee: str
    candidate_users: _containers.RepeatedScalarFieldContainer[str]
    candidate_groups: _containers.RepeatedScalarFieldContainer[str]
    excluded_users: _containers.RepeatedScalarFieldContainer[str]
    allow_agents: _containers.RepeatedScalarFieldContainer[str]
    approval_policy: ApprovalPolicy
    action_digest: str
    priority: Priority
    status: TaskStatus
    outcome: str
    result: _json_pb2.Json
    completed_by: str
    decided_by: DecidedBy
    acted_for: str
    sla: Sla
    reason: str
    version: int
    revision: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    claimed_at: _timestamp_pb2.Timestamp
    completed_at: _timestamp_pb2.Timestamp
    woken_at: _timestamp_pb2.Timestamp
    change_requests: _containers.RepeatedCompositeFieldContainer[ChangeRequest]
    receipt: Receipt
    saved_at: _timestamp_pb2.Timestamp
    mentioned_users: _containers.RepeatedScalarFieldContainer[str]
    delegated_by: str
    max_revisions: int
    status_since: _timestamp_pb2.Timestamp
    time_to_claim: _duration_pb2.Duration
    time_active: _duration_pb2.Duration
    time_waiting: _duration_pb2.Duration
    time_paused: _duration_pb2.Duration
    votes: _containers.RepeatedCompositeFieldContainer[Vote]
    tally: Tally
    four_eyes: bool
    submission: Submission
    def __init__(self, task_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., first_run_id: _Optional[str] = ..., key: _Optional[str] = ..., requested_by: _Optional[str] = ..., on_behalf_of: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., type: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., correlation: _Optional[str] = ..., form: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., context: _Optional[_Union[TaskContext, _Mapping]] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., draft: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., saved: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., assignee: _Optional[str] = ..., candidate_users: _Optional[_Iterable[str]] = ..., candidate_groups: _Optional[_Iterable[str]] = ..., excluded_users: _Optional[_Iterable[str]] = ..., allow_agents: _Optional[_Iterable[str]] = ..., approval_policy: _Optional[_Union[ApprovalPolicy, _Mapping]] = ..., action_digest: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., outcome: _Optional[str] = ..., result: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., completed_by: _Optional[str] = ..., decided_by: _Optional[_Union[DecidedBy, str]] = ..., acted_for: _Optional[str] = ..., sla: _Optional[_Union[Sla, _Mapping]] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ..., revision: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., claimed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., woken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_requests: _Optional[_Iterable[_Union[ChangeRequest, _Mapping]]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., saved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mentioned_users: _Optional[_Iterable[str]] = ..., delegated_by: _Optional[str] = ..., max_revisions: _Optional[int] = ..., status_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_to_claim: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time_active: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time_waiting: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time_paused: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., votes: _Optional[_Iterable[_Union[Vote, _Mapping]]] = ..., tally: _Optional[_Union[Tally, _Mapping]] = ..., four_eyes: _Optional[bool] = ..., submission: _Optional[_Union[Submission, _Mapping]] = ...) -> None: ...

class Submission(_message.Message):
    __slots__ = ("completed_by", "submitted_by", "submitted_at", "undo_until", "acted_for", "outcome", "result", "receipt")
    COMPLETED_BY_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_BY_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    UNDO_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ACTED_FOR_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    completed_by: str
    submitted_by: str
    submitted_at: _timestamp_pb2.Timestamp
    undo_until: _timestamp_pb2.Timestamp
    acted_for: str
    outcome: str
    result: _json_pb2.Json
    receipt: Receipt
    def __init__(self, completed_by: _Optional[str] = ..., submitted_by: _Optional[str] = ..., submitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., undo_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acted_for: _Optional[str] = ..., outcome: _Optional[str] = ..., result: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class ApprovalPolicy(_message.Message):
    __slots__ = ("required", "from_groups", "distinct", "veto", "finish_early")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    FROM_GROUPS_FIELD_NUMBER: _ClassVar[int]
    DISTINCT_FIELD_NUMBER: _ClassVar[int]
    VETO_FIELD_NUMBER: _ClassVar[int]
    FINISH_EARLY_FIELD_NUMBER: _ClassVar[int]
    required: int
    from_groups: _json_pb2.Json
    distinct: bool
    veto: bool
    finish_early: bool
    def __init__(self, required: _Optional[int] = ..., from_groups: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., distinct: _Optional[bool] = ..., veto: _Optional[bool] = ..., finish_early: _Optional[bool] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("voter", "choice", "data", "groups", "voted_at")
    VOTER_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    VOTED_AT_FIELD_NUMBER: _ClassVar[int]
    voter: str
    choice: VoteChoice
    data: _json_pb2.Json
    groups: _containers.RepeatedScalarFieldContainer[str]
    voted_at: _timestamp_pb2.Timestamp
    def __init__(self, voter: _Optional[str] = ..., choice: _Optional[_Union[VoteChoice, str]] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., voted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Tally(_message.Message):
    __slots__ = ("approvals", "rejections", "missing", "missing_from_groups")
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    MISSING_FROM_GROUPS_FIELD_NUMBER: _ClassVar[int]
    approvals: int
    rejections: int
    missing: int
    missing_from_groups: _json_pb2.Json
    def __init__(self, approvals: _Optional[int] = ..., rejections: _Optional[int] = ..., missing: _Optional[int] = ..., missing_from_groups: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class TaskContext(_message.Message):
    __slots__ = ("conversation", "summary", "data", "links", "agent", "action")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    conversation: _containers.RepeatedCompositeFieldContainer[ConversationMessage]
    summary: str
    data: _json_pb2.Json
    links: _containers.RepeatedCompositeFieldContainer[Link]
    agent: AgentInfo
    action: Action
    def __init__(self, conversation: _Optional[_Iterable[_Union[ConversationMessage, _Mapping]]] = ..., summary: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., agent: _Optional[_Union[AgentInfo, _Mapping]] = ..., action: _Optional[_Union[Action, _Mapping]] = ...) -> None: ...

class ConversationMessage(_message.Message):
    __slots__ = ("role", "text", "at")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    role: str
    text: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, role: _Optional[str] = ..., text: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("label", "url")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    label: str
    url: str
    def __init__(self, label: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class AgentInfo(_message.Message):
    __slots__ = ("name", "model", "prompt_version", "confidence", "trace_id", "check_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    model: str
    prompt_version: str
    confidence: float
    trace_id: str
    check_id: str
    def __init__(self, name: _Optional[str] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., confidence: _Optional[float] = ..., trace_id: _Optional[str] = ..., check_id: _Optional[str] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("name", "args")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    args: _json_pb2.Json
    def __init__(self, name: _Optional[str] = ..., args: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class Sla(_message.Message):
    __slots__ = ("policy", "claim_by", "complete_by", "answer_by", "breached", "escalation_level", "next_step_at", "claim_started_at", "complete_started_at", "performed_steps", "claim_missed_at", "complete_missed_at", "hours", "calendar_version")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    CLAIM_BY_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_BY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_FIELD_NUMBER: _ClassVar[int]
    BREACHED_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_LEVEL_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_AT_FIELD_NUMBER: _ClassVar[int]
    CLAIM_STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    PERFORMED_STEPS_FIELD_NUMBER: _ClassVar[int]
    CLAIM_MISSED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_MISSED_AT_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_VERSION_FIELD_NUMBER: _ClassVar[int]
    policy: SlaPolicy
    claim_by: _timestamp_pb2.Timestamp
    complete_by: _timestamp_pb2.Timestamp
    answer_by: _timestamp_pb2.Timestamp
    breached: bool
    escalation_level: int
    next_step_at: _timestamp_pb2.Timestamp
    claim_started_at: _timestamp_pb2.Timestamp
    complete_started_at: _timestamp_pb2.Timestamp
    performed_steps: _containers.RepeatedScalarFieldContainer[int]
    claim_missed_at: _timestamp_pb2.Timestamp
    complete_missed_at: _timestamp_pb2.Timestamp
    hours: WorkingHours
    calendar_version: int
    def __init__(self, policy: _Optional[_Union[SlaPolicy, _Mapping]] = ..., claim_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., breached: _Optional[bool] = ..., escalation_level: _Optional[int] = ..., next_step_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., claim_started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., performed_steps: _Optional[_Iterable[int]] = ..., claim_missed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_missed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hours: _Optional[_Union[WorkingHours, _Mapping]] = ..., calendar_version: _Optional[int] = ...) -> None: ...

class WorkingHours(_message.Message):
    __slots__ = ("time_zone", "hours", "holidays")
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    HOLIDAYS_FIELD_NUMBER: _ClassVar[int]
    time_zone: str
    hours: _containers.RepeatedCompositeFieldContainer[OpenHours]
    holidays: _containers.RepeatedCompositeFieldContainer[Holiday]
    def __init__(self, time_zone: _Optional[str] = ..., hours: _Optional[_Iterable[_Union[OpenHours, _Mapping]]] = ..., holidays: _Optional[_Iterable[_Union[Holiday, _Mapping]]] = ...) -> None: ...

class OpenHours(_message.Message):
    __slots__ = ("weekday", "opens", "closes")
    WEEKDAY_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    CLOSES_FIELD_NUMBER: _ClassVar[int]
    weekday: Weekday
    opens: str
    closes: str
    def __init__(self, weekday: _Optional[_Union[Weekday, str]] = ..., opens: _Optional[str] = ..., closes: _Optional[str] = ...) -> None: ...

class Holiday(_message.Message):
    __slots__ = ("date", "name")
    DATE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    date: str
    name: str
    def __init__(self, date: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Calendar(_message.Message):
    __slots__ = ("calendar_id", "tenant_id", "name", "group_id", "working_hours", "version", "created_at", "updated_at", "updated_by")
    CALENDAR_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    WORKING_HOURS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    calendar_id: str
    tenant_id: str
    name: str
    group_id: str
    working_hours: WorkingHours
    version: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    updated_by: str
    def __init__(self, calendar_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., name: _Optional[str] = ..., group_id: _Optional[str] = ..., working_hours: _Optional[_Union[WorkingHours, _Mapping]] = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ...) -> None: ...

class CreateCalendarRequest(_message.Message):
    __slots__ = ("calendar_id", "name", "group_id", "working_hours")
    CALENDAR_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    WORKING_HOURS_FIELD_NUMBER: _ClassVar[int]
    calendar_id: str
    name: str
    group_id: str
    working_hours: WorkingHours
    def __init__(self, calendar_id: _Optional[str] = ..., name: _Optional[str] = ..., group_id: _Optional[str] = ..., working_hours: _Optional[_Union[WorkingHours, _Mapping]] = ...) -> None: ...

class UpdateCalendarRequest(_message.Message):
    __slots__ = ("calendar_id", "name", "group_id", "working_hours", "version")
    CALENDAR_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    WORKING_HOURS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    calendar_id: str
    name: str
    group_id: str
    working_hours: WorkingHours
    version: int
    def __init__(self, calendar_id: _Optional[str] = ..., name: _Optional[str] = ..., group_id: _Optional[str] = ..., working_hours: _Optional[_Union[WorkingHours, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class GetCalendarRequest(_message.Message):
    __slots__ = ("calendar_id",)
    CALENDAR_ID_FIELD_NUMBER: _ClassVar[int]
    calendar_id: str
    def __init__(self, calendar_id: _Optional[str] = ...) -> None: ...

class ListCalendarsRequest(_message.Message):
    __slots__ = ("group_id", "page_size", "page_token")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    page_size: int
    page_token: str
    def __init__(self, group_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCalendarsResponse(_message.Message):
    __slots__ = ("calendars", "next_page_token")
    CALENDARS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    calendars: _containers.RepeatedCompositeFieldContainer[Calendar]
    next_page_token: str
    def __init__(self, calendars: _Optional[_Iterable[_Union[Calendar, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteCalendarRequest(_message.Message):
    __slots__ = ("calendar_id", "version")
    CALENDAR_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    calendar_id: str
    version: int
    def __init__(self, calendar_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class SlaPolicy(_message.Message):
    __slots__ = ("claim", "complete", "calendar", "escalate", "at_end", "default_result", "default_outcome")
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    ESCALATE_FIELD_NUMBER: _ClassVar[int]
    AT_END_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    claim: str
    complete: str
    calendar: str
    escalate: _containers.RepeatedCompositeFieldContainer[EscalationStep]
    at_end: SlaEnd
    default_result: _json_pb2.Json
    default_outcome: str
    def __init__(self, claim: _Optional[str] = ..., complete: _Optional[str] = ..., calendar: _Optional[str] = ..., escalate: _Optional[_Iterable[_Union[EscalationStep, _Mapping]]] = ..., at_end: _Optional[_Union[SlaEnd, str]] = ..., default_result: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., default_outcome: _Optional[str] = ...) -> None: ...

class EscalationStep(_message.Message):
    __slots__ = ("clock", "after", "remind", "priority", "assign_to", "add_group", "notify")
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    REMIND_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_TO_FIELD_NUMBER: _ClassVar[int]
    ADD_GROUP_FIELD_NUMBER: _ClassVar[int]
    NOTIFY_FIELD_NUMBER: _ClassVar[int]
    clock: SlaClock
    after: str
    remind: bool
    priority: Priority
    assign_to: Assignment
    add_group: str
    notify: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, clock: _Optional[_Union[SlaClock, str]] = ..., after: _Optional[str] = ..., remind: _Optional[bool] = ..., priority: _Optional[_Union[Priority, str]] = ..., assign_to: _Optional[_Union[Assignment, _Mapping]] = ..., add_group: _Optional[str] = ..., notify: _Optional[_Iterable[str]] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("users", "groups")
    USERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, users: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateTaskRequest(_message.Message):
    __slots__ = ("task_id", "workflow_id", "first_run_id", "key", "on_behalf_of", "title", "description", "type", "tags", "correlation", "form", "context", "input", "draft", "assignee", "candidate_users", "candidate_groups", "excluded_users", "allow_agents", "priority", "sla", "requested_by", "max_revisions", "approval_policy", "four_eyes")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_USERS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_USERS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_AGENTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SLA_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    MAX_REVISIONS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_POLICY_FIELD_NUMBER: _ClassVar[int]
    FOUR_EYES_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    workflow_id: str
    first_run_id: str
    key: str
    on_behalf_of: str
    title: str
    description: str
    type: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    correlation: str
    form: _json_pb2.Json
    context: TaskContext
    input: _json_pb2.Json
    draft: _json_pb2.Json
    assignee: str
    candidate_users: _containers.RepeatedScalarFieldContainer[str]
    candidate_groups: _containers.RepeatedScalarFieldContainer[str]
    excluded_users: _containers.RepeatedScalarFieldContainer[str]
    allow_agents: _containers.RepeatedScalarFieldContainer[str]
    priority: Priority
    sla: SlaPolicy
    requested_by: str
    max_revisions: int
    approval_policy: ApprovalPolicy
    four_eyes: bool
    def __init__(self, task_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., first_run_id: _Optional[str] = ..., key: _Optional[str] = ..., on_behalf_of: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., type: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., correlation: _Optional[str] = ..., form: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., context: _Optional[_Union[TaskContext, _Mapping]] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., draft: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., assignee: _Optional[str] = ..., candidate_users: _Optional[_Iterable[str]] = ..., candidate_groups: _Optional[_Iterable[str]] = ..., excluded_users: _Optional[_Iterable[str]] = ..., allow_agents: _Optional[_Iterable[str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., sla: _Optional[_Union[SlaPolicy, _Mapping]] = ..., requested_by: _Optional[str] = ..., max_revisions: _Optional[int] = ..., approval_policy: _Optional[_Union[ApprovalPolicy, _Mapping]] = ..., four_eyes: _Optional[bool] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ("scope", "status", "assignee", "group", "workflow_id", "page_size", "page_token", "q", "tags", "type", "priority", "correlation", "data", "due_after", "due_before", "sort", "every_status", "created_after", "created_before", "completed_after", "completed_before", "breached", "escalated")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DUE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DUE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    EVERY_STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AFTER_FIELD_NUMBER: _ClassVar[int]
    CREATED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AFTER_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    BREACHED_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_FIELD_NUMBER: _ClassVar[int]
    scope: TaskScope
    status: TaskStatus
    assignee: str
    group: str
    workflow_id: str
    page_size: int
    page_token: str
    q: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    type: str
    priority: Priority
    correlation: str
    data: _containers.RepeatedScalarFieldContainer[str]
    due_after: _timestamp_pb2.Timestamp
    due_before: _timestamp_pb2.Timestamp
    sort: TaskSort
    every_status: bool
    created_after: _timestamp_pb2.Timestamp
    created_before: _timestamp_pb2.Timestamp
    completed_after: _timestamp_pb2.Timestamp
    completed_before: _timestamp_pb2.Timestamp
    breached: bool
    escalated: bool
    def __init__(self, scope: _Optional[_Union[TaskScope, str]] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., assignee: _Optional[str] = ..., group: _Optional[str] = ..., workflow_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., q: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., type: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., correlation: _Optional[str] = ..., data: _Optional[_Iterable[str]] = ..., due_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sort: _Optional[_Union[TaskSort, str]] = ..., every_status: _Optional[bool] = ..., created_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., breached: _Optional[bool] = ..., escalated: _Optional[bool] = ...) -> None: ...

class ListTasksResponse(_message.Message):
    __slots__ = ("tasks", "next_page_token")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    next_page_token: str
    def __init__(self, tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ClaimTaskRequest(_message.Message):
    __slots__ = ("task_id", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ReleaseTaskRequest(_message.Message):
    __slots__ = ("task_id", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class CompleteTaskRequest(_message.Message):
    __slots__ = ("task_id", "data", "outcome", "version", "revision")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    data: _json_pb2.Json
    outcome: str
    version: int
    revision: int
    def __init__(self, task_id: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., outcome: _Optional[str] = ..., version: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class UndoTaskRequest(_message.Message):
    __slots__ = ("task_id", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class VoteTaskRequest(_message.Message):
    __slots__ = ("task_id", "choice", "data", "revision", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    choice: VoteChoice
    data: _json_pb2.Json
    revision: int
    version: int
    def __init__(self, task_id: _Optional[str] = ..., choice: _Optional[_Union[VoteChoice, str]] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., revision: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("task_id", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class AssignTaskRequest(_message.Message):
    __slots__ = ("task_id", "assignee", "candidate_users", "candidate_groups", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_USERS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    assignee: str
    candidate_users: _containers.RepeatedScalarFieldContainer[str]
    candidate_groups: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., assignee: _Optional[str] = ..., candidate_users: _Optional[_Iterable[str]] = ..., candidate_groups: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class DelegateTaskRequest(_message.Message):
    __slots__ = ("task_id", "assignee", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    assignee: str
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., assignee: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class UpdateTaskRequest(_message.Message):
    __slots__ = ("task_id", "priority", "claim_by", "complete_by", "add_tags", "remove_tags", "title", "description", "context", "form", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CLAIM_BY_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_BY_FIELD_NUMBER: _ClassVar[int]
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    priority: Priority
    claim_by: _timestamp_pb2.Timestamp
    complete_by: _timestamp_pb2.Timestamp
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    title: str
    description: str
    context: TaskContext
    form: _json_pb2.Json
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., claim_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., context: _Optional[_Union[TaskContext, _Mapping]] = ..., form: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class EscalateTaskRequest(_message.Message):
    __slots__ = ("task_id", "reason", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    reason: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ProjectTaskFormRequest(_message.Message):
    __slots__ = ("task_id", "surface", "locale")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    surface: Surface
    locale: str
    def __init__(self, task_id: _Optional[str] = ..., surface: _Optional[_Union[Surface, str]] = ..., locale: _Optional[str] = ...) -> None: ...

class FormProjection(_message.Message):
    __slots__ = ("task_id", "revision", "surface", "kind", "form", "buttons", "lines", "downgrades")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    BUTTONS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    DOWNGRADES_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    revision: int
    surface: Surface
    kind: ProjectionKind
    form: _json_pb2.Json
    buttons: _containers.RepeatedCompositeFieldContainer[FormButton]
    lines: _containers.RepeatedScalarFieldContainer[str]
    downgrades: _containers.RepeatedCompositeFieldContainer[FormDowngrade]
    def __init__(self, task_id: _Optional[str] = ..., revision: _Optional[int] = ..., surface: _Optional[_Union[Surface, str]] = ..., kind: _Optional[_Union[ProjectionKind, str]] = ..., form: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., buttons: _Optional[_Iterable[_Union[FormButton, _Mapping]]] = ..., lines: _Optional[_Iterable[str]] = ..., downgrades: _Optional[_Iterable[_Union[FormDowngrade, _Mapping]]] = ...) -> None: ...

class FormButton(_message.Message):
    __slots__ = ("key", "label", "style", "opens")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    key: str
    label: str
    style: str
    opens: bool
    def __init__(self, key: _Optional[str] = ..., label: _Optional[str] = ..., style: _Optional[str] = ..., opens: _Optional[bool] = ...) -> None: ...

class FormDowngrade(_message.Message):
    __slots__ = ("path", "code", "message")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    path: str
    code: str
    message: str
    def __init__(self, path: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetTaskHistoryRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class TaskHistory(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[TaskHistoryEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[TaskHistoryEntry, _Mapping]]] = ...) -> None: ...

class TaskHistoryEntry(_message.Message):
    __slots__ = ("sequence", "event", "at", "actor", "acted_for", "door", "reason", "before", "after", "content_digest", "digest")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTED_FOR_FIELD_NUMBER: _ClassVar[int]
    DOOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    event: str
    at: _timestamp_pb2.Timestamp
    actor: str
    acted_for: str
    door: str
    reason: str
    before: _json_pb2.Json
    after: _json_pb2.Json
    content_digest: str
    digest: str
    def __init__(self, sequence: _Optional[int] = ..., event: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., acted_for: _Optional[str] = ..., door: _Optional[str] = ..., reason: _Optional[str] = ..., before: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., after: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., content_digest: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class VerifyTaskHistoryRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class HistoryVerification(_message.Message):
    __slots__ = ("task_id", "intact", "entries", "signed_up_to", "faults", "erased")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    INTACT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    SIGNED_UP_TO_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    intact: bool
    entries: int
    signed_up_to: int
    faults: _containers.RepeatedCompositeFieldContainer[HistoryFault]
    erased: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, task_id: _Optional[str] = ..., intact: _Optional[bool] = ..., entries: _Optional[int] = ..., signed_up_to: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[HistoryFault, _Mapping]]] = ..., erased: _Optional[_Iterable[int]] = ...) -> None: ...

class HistoryFault(_message.Message):
    __slots__ = ("sequence", "kind")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    kind: HistoryFaultKind
    def __init__(self, sequence: _Optional[int] = ..., kind: _Optional[_Union[HistoryFaultKind, str]] = ...) -> None: ...

class AdvanceClockRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class ClockState(_message.Message):
    __slots__ = ("task_id", "status", "version", "wake_in", "result", "outcome", "completed_by", "decided_by", "reason", "receipt", "change_request", "provenance")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WAKE_IN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    status: TaskStatus
    version: int
    wake_in: _duration_pb2.Duration
    result: _json_pb2.Json
    outcome: str
    completed_by: str
    decided_by: DecidedBy
    reason: str
    receipt: Receipt
    change_request: ChangeRequest
    provenance: _json_pb2.Json
    def __init__(self, task_id: _Optional[str] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., version: _Optional[int] = ..., wake_in: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., result: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., outcome: _Optional[str] = ..., completed_by: _Optional[str] = ..., decided_by: _Optional[_Union[DecidedBy, str]] = ..., reason: _Optional[str] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., change_request: _Optional[_Union[ChangeRequest, _Mapping]] = ..., provenance: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class WokenEnd(_message.Message):
    __slots__ = ("task_id", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ConfirmWakeUpsRequest(_message.Message):
    __slots__ = ("ends",)
    ENDS_FIELD_NUMBER: _ClassVar[int]
    ends: _containers.RepeatedCompositeFieldContainer[WokenEnd]
    def __init__(self, ends: _Optional[_Iterable[_Union[WokenEnd, _Mapping]]] = ...) -> None: ...

class ConfirmWakeUpsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AwaitEndsRequest(_message.Message):
    __slots__ = ("wait",)
    WAIT_FIELD_NUMBER: _ClassVar[int]
    wait: int
    def __init__(self, wait: _Optional[int] = ...) -> None: ...

class EndedTask(_message.Message):
    __slots__ = ("tenant_id", "workflow_id", "state", "traceparent")
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    tenant_id: str
    workflow_id: str
    state: ClockState
    traceparent: str
    def __init__(self, tenant_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., state: _Optional[_Union[ClockState, _Mapping]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class AwaitEndsResponse(_message.Message):
    __slots__ = ("ends",)
    ENDS_FIELD_NUMBER: _ClassVar[int]
    ends: _containers.RepeatedCompositeFieldContainer[EndedTask]
    def __init__(self, ends: _Optional[_Iterable[_Union[EndedTask, _Mapping]]] = ...) -> None: ...

class SaveDraftRequest(_message.Message):
    __slots__ = ("task_id", "data")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    data: _json_pb2.Json
    def __init__(self, task_id: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class AddCommentRequest(_message.Message):
    __slots__ = ("task_id", "text")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    text: str
    def __init__(self, task_id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Comment(_message.Message):
    __slots__ = ("comment_id", "task_id", "author", "author_name", "text", "mentions", "created_at")
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MENTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    comment_id: str
    task_id: str
    author: str
    author_name: str
    text: str
    mentions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, comment_id: _Optional[str] = ..., task_id: _Optional[str] = ..., author: _Optional[str] = ..., author_name: _Optional[str] = ..., text: _Optional[str] = ..., mentions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListCommentsRequest(_message.Message):
    __slots__ = ("task_id", "page_size", "page_token")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    page_size: int
    page_token: str
    def __init__(self, task_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCommentsResponse(_message.Message):
    __slots__ = ("comments", "next_page_token")
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    next_page_token: str
    def __init__(self, comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RequestChangesRequest(_message.Message):
    __slots__ = ("task_id", "message", "answer_within", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_WITHIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    message: str
    answer_within: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., message: _Optional[str] = ..., answer_within: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class AnswerTaskRequest(_message.Message):
    __slots__ = ("task_id", "message", "context", "draft", "form", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    message: str
    context: TaskContext
    draft: _json_pb2.Json
    form: _json_pb2.Json
    version: int
    def __init__(self, task_id: _Optional[str] = ..., message: _Optional[str] = ..., context: _Optional[_Union[TaskContext, _Mapping]] = ..., draft: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., form: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class ChangeRequest(_message.Message):
    __slots__ = ("round", "message", "asked_by", "asked_at", "answer", "answered_at", "answered_by", "answer_by", "closed_at")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ASKED_BY_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    round: int
    message: str
    asked_by: str
    asked_at: _timestamp_pb2.Timestamp
    answer: str
    answered_at: _timestamp_pb2.Timestamp
    answered_by: str
    answer_by: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    def __init__(self, round: _Optional[int] = ..., message: _Optional[str] = ..., asked_by: _Optional[str] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer: _Optional[str] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_by: _Optional[str] = ..., answer_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BulkTask(_message.Message):
    __slots__ = ("task_id", "version")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class BulkTasksRequest(_message.Message):
    __slots__ = ("operation", "tasks", "assignee", "candidate_users", "candidate_groups", "reason", "data", "outcome", "add_tags", "remove_tags")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_USERS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    operation: BulkOperation
    tasks: _containers.RepeatedCompositeFieldContainer[BulkTask]
    assignee: str
    candidate_users: _containers.RepeatedScalarFieldContainer[str]
    candidate_groups: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    data: _json_pb2.Json
    outcome: str
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, operation: _Optional[_Union[BulkOperation, str]] = ..., tasks: _Optional[_Iterable[_Union[BulkTask, _Mapping]]] = ..., assignee: _Optional[str] = ..., candidate_users: _Optional[_Iterable[str]] = ..., candidate_groups: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., outcome: _Optional[str] = ..., add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ...) -> None: ...

class BulkTasksResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BulkResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BulkResult, _Mapping]]] = ...) -> None: ...

class BulkResult(_message.Message):
    __slots__ = ("task_id", "task", "code", "detail", "errors")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    task: Task
    code: str
    detail: str
    errors: _containers.RepeatedCompositeFieldContainer[BulkFault]
    def __init__(self, task_id: _Optional[str] = ..., task: _Optional[_Union[Task, _Mapping]] = ..., code: _Optional[str] = ..., detail: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[BulkFault, _Mapping]]] = ...) -> None: ...

class BulkFault(_message.Message):
    __slots__ = ("path", "code", "message")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    path: str
    code: str
    message: str
    def __init__(self, path: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class TaskFilter(_message.Message):
    __slots__ = ("scope", "status", "assignee", "group", "workflow_id", "q", "tags", "type", "priority", "correlation", "data", "due_after", "due_before", "sort", "every_status")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DUE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DUE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    EVERY_STATUS_FIELD_NUMBER: _ClassVar[int]
    scope: TaskScope
    status: TaskStatus
    assignee: str
    group: str
    workflow_id: str
    q: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    type: str
    priority: Priority
    correlation: str
    data: _containers.RepeatedScalarFieldContainer[str]
    due_after: _timestamp_pb2.Timestamp
    due_before: _timestamp_pb2.Timestamp
    sort: TaskSort
    every_status: bool
    def __init__(self, scope: _Optional[_Union[TaskScope, str]] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., assignee: _Optional[str] = ..., group: _Optional[str] = ..., workflow_id: _Optional[str] = ..., q: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., type: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., correlation: _Optional[str] = ..., data: _Optional[_Iterable[str]] = ..., due_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sort: _Optional[_Union[TaskSort, str]] = ..., every_status: _Optional[bool] = ...) -> None: ...

class View(_message.Message):
    __slots__ = ("view_id", "tenant_id", "name", "owner", "group_id", "filter", "version", "created_at", "updated_at", "updated_by")
    VIEW_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    view_id: str
    tenant_id: str
    name: str
    owner: str
    group_id: str
    filter: TaskFilter
    version: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    updated_by: str
    def __init__(self, view_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., name: _Optional[str] = ..., owner: _Optional[str] = ..., group_id: _Optional[str] = ..., filter: _Optional[_Union[TaskFilter, _Mapping]] = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ...) -> None: ...

class CreateViewRequest(_message.Message):
    __slots__ = ("name", "group_id", "filter")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    group_id: str
    filter: TaskFilter
    def __init__(self, name: _Optional[str] = ..., group_id: _Optional[str] = ..., filter: _Optional[_Union[TaskFilter, _Mapping]] = ...) -> None: ...

class GetViewRequest(_message.Message):
    __slots__ = ("view_id",)
    VIEW_ID_FIELD_NUMBER: _ClassVar[int]
    view_id: str
    def __init__(self, view_id: _Optional[str] = ...) -> None: ...

class ListViewsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListViewsResponse(_message.Message):
    __slots__ = ("views", "next_page_token")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[View]
    next_page_token: str
    def __init__(self, views: _Optional[_Iterable[_Union[View, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateViewRequest(_message.Message):
    __slots__ = ("view_id", "name", "group_id", "filter", "version")
    VIEW_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    view_id: str
    name: str
    group_id: str
    filter: TaskFilter
    version: int
    def __init__(self, view_id: _Optional[str] = ..., name: _Optional[str] = ..., group_id: _Optional[str] = ..., filter: _Optional[_Union[TaskFilter, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteViewRequest(_message.Message):
    __slots__ = ("view_id", "version")
    VIEW_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    view_id: str
    version: int
    def __init__(self, view_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class CountTasksRequest(_message.Message):
    __slots__ = ("status", "assignee", "group", "workflow_id", "q", "tags", "type", "priority", "correlation", "data", "due_after", "due_before")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DUE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DUE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    status: TaskStatus
    assignee: str
    group: str
    workflow_id: str
    q: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    type: str
    priority: Priority
    correlation: str
    data: _containers.RepeatedScalarFieldContainer[str]
    due_after: _timestamp_pb2.Timestamp
    due_before: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[TaskStatus, str]] = ..., assignee: _Optional[str] = ..., group: _Optional[str] = ..., workflow_id: _Optional[str] = ..., q: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., type: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., correlation: _Optional[str] = ..., data: _Optional[_Iterable[str]] = ..., due_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TaskCounts(_message.Message):
    __slots__ = ("mine", "groups", "all")
    MINE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    mine: int
    groups: int
    all: int
    def __init__(self, mine: _Optional[int] = ..., groups: _Optional[int] = ..., all: _Optional[int] = ...) -> None: ...

class CheckEscalationRequest(_message.Message):
    __slots__ = ("topic", "confidence", "agent", "model", "prompt_version", "threshold", "requested_by")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    topic: str
    confidence: float
    agent: str
    model: str
    prompt_version: str
    threshold: float
    requested_by: str
    def __init__(self, topic: _Optional[str] = ..., confidence: _Optional[float] = ..., agent: _Optional[str] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., threshold: _Optional[float] = ..., requested_by: _Optional[str] = ...) -> None: ...

class EscalationCheck(_message.Message):
    __slots__ = ("check_id", "decision", "reason", "threshold", "sampled", "policy_version", "checked_at", "topic", "confidence", "agent", "model", "prompt_version", "checked_by", "task_id", "task_status", "outcome", "decided_by", "kept_draft", "ended_at")
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECKED_BY_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    KEPT_DRAFT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    check_id: str
    decision: EscalationDecision
    reason: str
    threshold: float
    sampled: bool
    policy_version: int
    checked_at: _timestamp_pb2.Timestamp
    topic: str
    confidence: float
    agent: str
    model: str
    prompt_version: str
    checked_by: str
    task_id: str
    task_status: TaskStatus
    outcome: str
    decided_by: DecidedBy
    kept_draft: bool
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, check_id: _Optional[str] = ..., decision: _Optional[_Union[EscalationDecision, str]] = ..., reason: _Optional[str] = ..., threshold: _Optional[float] = ..., sampled: _Optional[bool] = ..., policy_version: _Optional[int] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., topic: _Optional[str] = ..., confidence: _Optional[float] = ..., agent: _Optional[str] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., checked_by: _Optional[str] = ..., task_id: _Optional[str] = ..., task_status: _Optional[_Union[TaskStatus, str]] = ..., outcome: _Optional[str] = ..., decided_by: _Optional[_Union[DecidedBy, str]] = ..., kept_draft: _Optional[bool] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetEscalationCheckRequest(_message.Message):
    __slots__ = ("check_id",)
    CHECK_ID_FIELD_NUMBER: _ClassVar[int]
    check_id: str
    def __init__(self, check_id: _Optional[str] = ...) -> None: ...

class ListEscalationChecksRequest(_message.Message):
    __slots__ = ("topic", "decision", "page_size", "page_token")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    topic: str
    decision: EscalationDecision
    page_size: int
    page_token: str
    def __init__(self, topic: _Optional[str] = ..., decision: _Optional[_Union[EscalationDecision, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEscalationChecksResponse(_message.Message):
    __slots__ = ("checks", "next_page_token")
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    checks: _containers.RepeatedCompositeFieldContainer[EscalationCheck]
    next_page_token: str
    def __init__(self, checks: _Optional[_Iterable[_Union[EscalationCheck, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetTaskSettingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TaskSettings(_message.Message):
    __slots__ = ("undo_seconds", "version", "updated_at", "updated_by")
    UNDO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    undo_seconds: int
    version: int
    updated_at: _timestamp_pb2.Timestamp
    updated_by: str
    def __init__(self, undo_seconds: _Optional[int] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ...) -> None: ...

class PutTaskSettingsRequest(_message.Message):
    __slots__ = ("undo_seconds", "version")
    UNDO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    undo_seconds: int
    version: int
    def __init__(self, undo_seconds: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class EscalationPolicy(_message.Message):
    __slots__ = ("rules", "version", "updated_at", "updated_by", "kept_target")
    RULES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    KEPT_TARGET_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[EscalationRule]
    version: int
    updated_at: _timestamp_pb2.Timestamp
    updated_by: str
    kept_target: float
    def __init__(self, rules: _Optional[_Iterable[_Union[EscalationRule, _Mapping]]] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ..., kept_target: _Optional[float] = ...) -> None: ...

class EscalationRule(_message.Message):
    __slots__ = ("topic", "threshold", "sample_rate")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    topic: str
    threshold: float
    sample_rate: float
    def __init__(self, topic: _Optional[str] = ..., threshold: _Optional[float] = ..., sample_rate: _Optional[float] = ...) -> None: ...

class GetEscalationPolicyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PutEscalationPolicyRequest(_message.Message):
    __slots__ = ("rules", "version", "kept_target")
    RULES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KEPT_TARGET_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[EscalationRule]
    version: int
    kept_target: float
    def __init__(self, rules: _Optional[_Iterable[_Union[EscalationRule, _Mapping]]] = ..., version: _Optional[int] = ..., kept_target: _Optional[float] = ...) -> None: ...

class ListCorrectionsRequest(_message.Message):
    __slots__ = ("answered_after", "answered_before", "type", "page_size", "page_token")
    ANSWERED_AFTER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    answered_after: _timestamp_pb2.Timestamp
    answered_before: _timestamp_pb2.Timestamp
    type: str
    page_size: int
    page_token: str
    def __init__(self, answered_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCorrectionsResponse(_message.Message):
    __slots__ = ("corrections", "next_page_token")
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[Correction]
    next_page_token: str
    def __init__(self, corrections: _Optional[_Iterable[_Union[Correction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("task_id", "type", "title", "agent", "context", "input", "draft", "answer", "outcome", "kept", "diff", "answered_by", "answered_at", "revision")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    type: str
    title: str
    agent: AgentInfo
    context: TaskContext
    input: _json_pb2.Json
    draft: _json_pb2.Json
    answer: _json_pb2.Json
    outcome: str
    kept: bool
    diff: _containers.RepeatedCompositeFieldContainer[CorrectedField]
    answered_by: str
    answered_at: _timestamp_pb2.Timestamp
    revision: int
    def __init__(self, task_id: _Optional[str] = ..., type: _Optional[str] = ..., title: _Optional[str] = ..., agent: _Optional[_Union[AgentInfo, _Mapping]] = ..., context: _Optional[_Union[TaskContext, _Mapping]] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., draft: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., answer: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., outcome: _Optional[str] = ..., kept: _Optional[bool] = ..., diff: _Optional[_Iterable[_Union[CorrectedField, _Mapping]]] = ..., answered_by: _Optional[str] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetCorrectionStatisticsRequest(_message.Message):
    __slots__ = ("answered_after", "answered_before", "type", "agent", "model", "prompt_version", "target")
    ANSWERED_AFTER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    answered_after: _timestamp_pb2.Timestamp
    answered_before: _timestamp_pb2.Timestamp
    type: str
    agent: str
    model: str
    prompt_version: str
    target: float
    def __init__(self, answered_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., agent: _Optional[str] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., target: _Optional[float] = ...) -> None: ...

class CorrectionStatistics(_message.Message):
    __slots__ = ("answered_after", "answered_before", "answered", "kept", "fields", "calibration", "target", "suggested_threshold", "is_enough")
    ANSWERED_AFTER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IS_ENOUGH_FIELD_NUMBER: _ClassVar[int]
    answered_after: _timestamp_pb2.Timestamp
    answered_before: _timestamp_pb2.Timestamp
    answered: int
    kept: int
    fields: _containers.RepeatedCompositeFieldContainer[FieldStatistics]
    calibration: _containers.RepeatedCompositeFieldContainer[ConfidenceBand]
    target: float
    suggested_threshold: float
    is_enough: bool
    def __init__(self, answered_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered: _Optional[int] = ..., kept: _Optional[int] = ..., fields: _Optional[_Iterable[_Union[FieldStatistics, _Mapping]]] = ..., calibration: _Optional[_Iterable[_Union[ConfidenceBand, _Mapping]]] = ..., target: _Optional[float] = ..., suggested_threshold: _Optional[float] = ..., is_enough: _Optional[bool] = ...) -> None: ...

class FieldStatistics(_message.Message):
    __slots__ = ("type", "field", "drafted", "kept", "emptied", "change_rate", "mean_confidence")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DRAFTED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    EMPTIED_FIELD_NUMBER: _ClassVar[int]
    CHANGE_RATE_FIELD_NUMBER: _ClassVar[int]
    MEAN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    type: str
    field: str
    drafted: int
    kept: int
    emptied: int
    change_rate: float
    mean_confidence: float
    def __init__(self, type: _Optional[str] = ..., field: _Optional[str] = ..., drafted: _Optional[int] = ..., kept: _Optional[int] = ..., emptied: _Optional[int] = ..., change_rate: _Optional[float] = ..., mean_confidence: _Optional[float] = ...) -> None: ...

class ConfidenceBand(_message.Message):
    __slots__ = ("at_least", "answered", "kept", "kept_rate")
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    KEPT_RATE_FIELD_NUMBER: _ClassVar[int]
    at_least: float
    answered: int
    kept: int
    kept_rate: float
    def __init__(self, at_least: _Optional[float] = ..., answered: _Optional[int] = ..., kept: _Optional[int] = ..., kept_rate: _Optional[float] = ...) -> None: ...

class CorrectedField(_message.Message):
    __slots__ = ("field", "proposed", "answered", "confidence", "changed")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    field: str
    proposed: str
    answered: str
    confidence: float
    changed: bool
    def __init__(self, field: _Optional[str] = ..., proposed: _Optional[str] = ..., answered: _Optional[str] = ..., confidence: _Optional[float] = ..., changed: _Optional[bool] = ...) -> None: ...

class GetTaskFiguresRequest(_message.Message):
    __slots__ = ("since", "until", "type", "group", "time_zone")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    type: str
    group: str
    time_zone: str
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., group: _Optional[str] = ..., time_zone: _Optional[str] = ...) -> None: ...

class TaskFigures(_message.Message):
    __slots__ = ("since", "until", "asked", "live", "completed", "completed_by_policy", "cancelled", "expired", "days", "time_to_claim", "time_to_complete", "time_active", "time_waiting", "time_paused", "with_sla", "breached", "breach_rate", "escalated", "escalation_rate", "people", "groups", "drafts")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_BY_POLICY_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_CLAIM_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    TIME_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    TIME_WAITING_FIELD_NUMBER: _ClassVar[int]
    TIME_PAUSED_FIELD_NUMBER: _ClassVar[int]
    WITH_SLA_FIELD_NUMBER: _ClassVar[int]
    BREACHED_FIELD_NUMBER: _ClassVar[int]
    BREACH_RATE_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_RATE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    asked: int
    live: int
    completed: int
    completed_by_policy: int
    cancelled: int
    expired: int
    days: _containers.RepeatedCompositeFieldContainer[DayVolume]
    time_to_claim: Span
    time_to_complete: Span
    time_active: Span
    time_waiting: Span
    time_paused: Span
    with_sla: int
    breached: int
    breach_rate: float
    escalated: int
    escalation_rate: float
    people: _containers.RepeatedCompositeFieldContainer[PersonLoad]
    groups: _containers.RepeatedCompositeFieldContainer[GroupLoad]
    drafts: _containers.RepeatedCompositeFieldContainer[DraftFigures]
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., asked: _Optional[int] = ..., live: _Optional[int] = ..., completed: _Optional[int] = ..., completed_by_policy: _Optional[int] = ..., cancelled: _Optional[int] = ..., expired: _Optional[int] = ..., days: _Optional[_Iterable[_Union[DayVolume, _Mapping]]] = ..., time_to_claim: _Optional[_Union[Span, _Mapping]] = ..., time_to_complete: _Optional[_Union[Span, _Mapping]] = ..., time_active: _Optional[_Union[Span, _Mapping]] = ..., time_waiting: _Optional[_Union[Span, _Mapping]] = ..., time_paused: _Optional[_Union[Span, _Mapping]] = ..., with_sla: _Optional[int] = ..., breached: _Optional[int] = ..., breach_rate: _Optional[float] = ..., escalated: _Optional[int] = ..., escalation_rate: _Optional[float] = ..., people: _Optional[_Iterable[_Union[PersonLoad, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[GroupLoad, _Mapping]]] = ..., drafts: _Optional[_Iterable[_Union[DraftFigures, _Mapping]]] = ...) -> None: ...

class DayVolume(_message.Message):
    __slots__ = ("day", "asked", "completed")
    DAY_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    day: str
    asked: int
    completed: int
    def __init__(self, day: _Optional[str] = ..., asked: _Optional[int] = ..., completed: _Optional[int] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("count", "median", "p95")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    count: int
    median: _duration_pb2.Duration
    p95: _duration_pb2.Duration
    def __init__(self, count: _Optional[int] = ..., median: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., p95: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PersonLoad(_message.Message):
    __slots__ = ("user_id", "claimed", "completed")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    claimed: int
    completed: int
    def __init__(self, user_id: _Optional[str] = ..., claimed: _Optional[int] = ..., completed: _Optional[int] = ...) -> None: ...

class GroupLoad(_message.Message):
    __slots__ = ("group_id", "open", "claimed", "completed")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    open: int
    claimed: int
    completed: int
    def __init__(self, group_id: _Optional[str] = ..., open: _Optional[int] = ..., claimed: _Optional[int] = ..., completed: _Optional[int] = ...) -> None: ...

class DraftFigures(_message.Message):
    __slots__ = ("agent", "model", "prompt_version", "answered", "edited", "overridden", "edit_rate", "override_rate")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    OVERRIDDEN_FIELD_NUMBER: _ClassVar[int]
    EDIT_RATE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_RATE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    model: str
    prompt_version: str
    answered: int
    edited: int
    overridden: int
    edit_rate: float
    override_rate: float
    def __init__(self, agent: _Optional[str] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., answered: _Optional[int] = ..., edited: _Optional[int] = ..., overridden: _Optional[int] = ..., edit_rate: _Optional[float] = ..., override_rate: _Optional[float] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("task_id", "revision", "outcome", "action_digest", "decided_by", "decided_at", "expires_at", "token", "form_digest", "shown_digest")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACTION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    FORM_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SHOWN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    revision: int
    outcome: str
    action_digest: str
    decided_by: str
    decided_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    token: str
    form_digest: str
    shown_digest: str
    def __init__(self, task_id: _Optional[str] = ..., revision: _Optional[int] = ..., outcome: _Optional[str] = ..., action_digest: _Optional[str] = ..., decided_by: _Optional[str] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., token: _Optional[str] = ..., form_digest: _Optional[str] = ..., shown_digest: _Optional[str] = ...) -> None: ...

class RedeemReceiptRequest(_message.Message):
    __slots__ = ("token", "use_id")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USE_ID_FIELD_NUMBER: _ClassVar[int]
    token: str
    use_id: str
    def __init__(self, token: _Optional[str] = ..., use_id: _Optional[str] = ...) -> None: ...

class Redemption(_message.Message):
    __slots__ = ("task_id", "use_id", "action_digest", "outcome", "redeemed_at")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REDEEMED_AT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    use_id: str
    action_digest: str
    outcome: str
    redeemed_at: _timestamp_pb2.Timestamp
    def __init__(self, task_id: _Optional[str] = ..., use_id: _Optional[str] = ..., action_digest: _Optional[str] = ..., outcome: _Optional[str] = ..., redeemed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetReceiptKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReceiptKeys(_message.Message):
    __slots__ = ("jwks",)
    JWKS_FIELD_NUMBER: _ClassVar[int]
    jwks: _json_pb2.Json
    def __init__(self, jwks: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ("attachment_id", "task_id", "name", "media_type", "size", "sha256", "created_by", "created_by_name", "created_at", "field")
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    attachment_id: str
    task_id: str
    name: str
    media_type: str
    size: int
    sha256: str
    created_by: str
    created_by_name: str
    created_at: _timestamp_pb2.Timestamp
    field: str
    def __init__(self, attachment_id: _Optional[str] = ..., task_id: _Optional[str] = ..., name: _Optional[str] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ..., created_by: _Optional[str] = ..., created_by_name: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., field: _Optional[str] = ...) -> None: ...

class BeginAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "name", "media_type", "size", "field")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    name: str
    media_type: str
    size: int
    field: str
    def __init__(self, task_id: _Optional[str] = ..., name: _Optional[str] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., field: _Optional[str] = ...) -> None: ...

class AttachmentUpload(_message.Message):
    __slots__ = ("attachment_id", "task_id", "part_size", "max_size", "received")
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    PART_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    attachment_id: str
    task_id: str
    part_size: int
    max_size: int
    received: int
    def __init__(self, attachment_id: _Optional[str] = ..., task_id: _Optional[str] = ..., part_size: _Optional[int] = ..., max_size: _Optional[int] = ..., received: _Optional[int] = ...) -> None: ...

class AddAttachmentPartRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id", "number", "content")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    number: int
    content: str
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ..., number: _Optional[int] = ..., content: _Optional[str] = ...) -> None: ...

class FinishAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id", "sha256")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    sha256: str
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class DropAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ...) -> None: ...

class ListAttachmentsRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class ListAttachmentsResponse(_message.Message):
    __slots__ = ("attachments",)
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    def __init__(self, attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ...) -> None: ...

class GetAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ...) -> None: ...

class ReadAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id", "offset", "size")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    offset: int
    size: int
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ..., offset: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class AttachmentContent(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: str
    def __init__(self, content: _Optional[str] = ...) -> None: ...

class RemoveAttachmentRequest(_message.Message):
    __slots__ = ("task_id", "attachment_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attachment_id: str
    def __init__(self, task_id: _Optional[str] = ..., attachment_id: _Optional[str] = ...) -> None: ...

class ListForgettableTasksRequest(_message.Message):
    __slots__ = ("ended_before", "after")
    ENDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ended_before: _timestamp_pb2.Timestamp
    after: str
    def __init__(self, ended_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., after: _Optional[str] = ...) -> None: ...

class ForgettableTask(_message.Message):
    __slots__ = ("task_id", "workflow_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    workflow_id: str
    def __init__(self, task_id: _Optional[str] = ..., workflow_id: _Optional[str] = ...) -> None: ...

class ListForgettableTasksResponse(_message.Message):
    __slots__ = ("tasks", "after")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[ForgettableTask]
    after: str
    def __init__(self, tasks: _Optional[_Iterable[_Union[ForgettableTask, _Mapping]]] = ..., after: _Optional[str] = ...) -> None: ...

class ForgetTasksRequest(_message.Message):
    __slots__ = ("task_ids", "ended_before")
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    ENDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    ended_before: _timestamp_pb2.Timestamp
    def __init__(self, task_ids: _Optional[_Iterable[str]] = ..., ended_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ForgetTasksResponse(_message.Message):
    __slots__ = ("forgotten",)
    FORGOTTEN_FIELD_NUMBER: _ClassVar[int]
    forgotten: int
    def __init__(self, forgotten: _Optional[int] = ...) -> None: ...

class EraseWordsRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class EraseWordsResponse(_message.Message):
    __slots__ = ("erased", "more")
    ERASED_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    erased: int
    more: bool
    def __init__(self, erased: _Optional[int] = ..., more: _Optional[bool] = ...) -> None: ...

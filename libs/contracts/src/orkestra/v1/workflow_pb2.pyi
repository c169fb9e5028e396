# mypy: disable-error-code=type-arg
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from orkestra.v1 import json_pb2 as _json_pb2
from orkestra.v1 import task_pb2 as _task_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkflowStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKFLOW_STATUS_UNSPECIFIED: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_RUNNING: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_COMPLETED: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_FAILED: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_CANCELLED: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_TERMINATED: _ClassVar[WorkflowStatus]
    WORKFLOW_STATUS_TIMED_OUT: _ClassVar[WorkflowStatus]

class BusinessIdPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUSINESS_ID_POLICY_UNSPECIFIED: _ClassVar[BusinessIdPolicy]
    BUSINESS_ID_POLICY_REJECT_RUNNING: _ClassVar[BusinessIdPolicy]
    BUSINESS_ID_POLICY_REJECT_ALWAYS: _ClassVar[BusinessIdPolicy]
    BUSINESS_ID_POLICY_USE_RUNNING: _ClassVar[BusinessIdPolicy]
    BUSINESS_ID_POLICY_TERMINATE_RUNNING: _ClassVar[BusinessIdPolicy]

class ResetPoint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESET_POINT_UNSPECIFIED: _ClassVar[ResetPoint]
    RESET_POINT_LAST_STEP: _ClassVar[ResetPoint]
    RESET_POINT_FIRST_STEP: _ClassVar[ResetPoint]

class ScheduleOverlap(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEDULE_OVERLAP_UNSPECIFIED: _ClassVar[ScheduleOverlap]
    SCHEDULE_OVERLAP_SKIP: _ClassVar[ScheduleOverlap]
    SCHEDULE_OVERLAP_START: _ClassVar[ScheduleOverlap]
    SCHEDULE_OVERLAP_CANCEL_RUNNING: _ClassVar[ScheduleOverlap]
    SCHEDULE_OVERLAP_TERMINATE_RUNNING: _ClassVar[ScheduleOverlap]

class ErasureStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_STATUS_UNSPECIFIED: _ClassVar[ErasureStatus]
    ERASURE_STATUS_RUNNING: _ClassVar[ErasureStatus]
    ERASURE_STATUS_DONE: _ClassVar[ErasureStatus]
WORKFLOW_STATUS_UNSPECIFIED: WorkflowStatus
WORKFLOW_STATUS_RUNNING: WorkflowStatus
WORKFLOW_STATUS_COMPLETED: WorkflowStatus
WORKFLOW_STATUS_FAILED: WorkflowStatus
WORKFLOW_STATUS_CANCELLED: WorkflowStatus
WORKFLOW_STATUS_TERMINATED: WorkflowStatus
WORKFLOW_STATUS_TIMED_OUT: WorkflowStatus
BUSINESS_ID_POLICY_UNSPECIFIED: BusinessIdPolicy
BUSINESS_ID_POLICY_REJECT_RUNNING: BusinessIdPolicy
BUSINESS_ID_POLICY_REJECT_ALWAYS: BusinessIdPolicy
BUSINESS_ID_POLICY_USE_RUNNING: BusinessIdPolicy
BUSINESS_ID_POLICY_TERMINATE_RUNNING: BusinessIdPolicy
RESET_POINT_UNSPECIFIED: ResetPoint
RESET_POINT_LAST_STEP: ResetPoint
RESET_POINT_FIRST_STEP: ResetPoint
SCHEDULE_OVERLAP_UNSPECIFIED: ScheduleOverlap
SCHEDULE_OVERLAP_SKIP: ScheduleOverlap
SCHEDULE_OVERLAP_START: ScheduleOverlap
SCHEDULE_OVERLAP_CANCEL_RUNNING: ScheduleOverlap
SCHEDULE_OVERLAP_TERMINATE_RUNNING: ScheduleOverlap
ERASURE_STATUS_UNSPECIFIED: ErasureStatus
ERASURE_STATUS_RUNNING: ErasureStatus
ERASURE_STATUS_DONE: ErasureStatus

class Workflow(_message.Message):
    __slots__ = ("workflow_id", "run_id", "definition", "version", "status", "input", "result", "failure", "started_at", "closed_at", "business_id", "tenant_id", "tags", "search_attributes", "handoff", "requested_by", "on_behalf_of", "notice", "cancel_requested_at", "resource_version", "updated_at", "answer_needed", "progress", "schedule_id")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    HANDOFF_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_NEEDED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    run_id: str
    definition: str
    version: int
    status: WorkflowStatus
    input: _json_pb2.Json
    result: _json_pb2.JsonValue
    failure: Failure
    started_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    business_id: str
    tenant_id: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    search_attributes: _json_pb2.Json
    handoff: Handoff
    requested_by: str
    on_behalf_of: str
    notice: str
    cancel_requested_at: _timestamp_pb2.Timestamp
    resource_version: int
    updated_at: _timestamp_pb2.Timestamp
    answer_needed: AnswerNeeded
    progress: str
    schedule_id: str
    def __init__(self, workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., definition: _Optional[str] = ..., version: _Optional[int] = ..., status: _Optional[_Union[WorkflowStatus, str]] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., result: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., search_attributes: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., handoff: _Optional[_Union[Handoff, _Mapping]] = ..., requested_by: _Optional[str] = ..., on_behalf_of: _Optional[str] = ..., notice: _Optional[str] = ..., cancel_requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resource_version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_needed: _Optional[_Union[AnswerNeeded, _Mapping]] = ..., progress: _Optional[str] = ..., schedule_id: _Optional[str] = ...) -> None: ...

class AnswerNeeded(_message.Message):
    __slots__ = ("task_id", "message")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    message: str
    def __init__(self, task_id: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("type", "message")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Handoff(_message.Message):
    __slots__ = ("conversation", "summary", "agent", "links")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    conversation: _containers.RepeatedCompositeFieldContainer[_task_pb2.ConversationMessage]
    summary: str
    agent: _task_pb2.AgentInfo
    links: _containers.RepeatedCompositeFieldContainer[_task_pb2.Link]
    def __init__(self, conversation: _Optional[_Iterable[_Union[_task_pb2.ConversationMessage, _Mapping]]] = ..., summary: _Optional[str] = ..., agent: _Optional[_Union[_task_pb2.AgentInfo, _Mapping]] = ..., links: _Optional[_Iterable[_Union[_task_pb2.Link, _Mapping]]] = ...) -> None: ...

class StartWorkflowRequest(_message.Message):
    __slots__ = ("definition", "version", "input", "business_id", "business_id_policy", "start_delay", "tags", "search_attributes", "handoff", "on_behalf_of")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_POLICY_FIELD_NUMBER: _ClassVar[int]
    START_DELAY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    HANDOFF_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    definition: str
    version: int
    input: _json_pb2.Json
    business_id: str
    business_id_policy: BusinessIdPolicy
    start_delay: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    search_attributes: _json_pb2.Json
    handoff: Handoff
    on_behalf_of: str
    def __init__(self, definition: _Optional[str] = ..., version: _Optional[int] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., business_id: _Optional[str] = ..., business_id_policy: _Optional[_Union[BusinessIdPolicy, str]] = ..., start_delay: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., search_attributes: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., handoff: _Optional[_Union[Handoff, _Mapping]] = ..., on_behalf_of: _Optional[str] = ...) -> None: ...

class GetWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id",)
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    def __init__(self, workflow_id: _Optional[str] = ...) -> None: ...

class ListWorkflowsRequest(_message.Message):
    __slots__ = ("status", "definition", "business_id", "page_size", "page_token", "tags", "attributes", "started_after", "started_before", "schedule_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    STARTED_AFTER_FIELD_NUMBER: _ClassVar[int]
    STARTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    status: WorkflowStatus
    definition: str
    business_id: str
    page_size: int
    page_token: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    started_after: _timestamp_pb2.Timestamp
    started_before: _timestamp_pb2.Timestamp
    schedule_id: str
    def __init__(self, status: _Optional[_Union[WorkflowStatus, str]] = ..., definition: _Optional[str] = ..., business_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Iterable[str]] = ..., started_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., schedule_id: _Optional[str] = ...) -> None: ...

class ListWorkflowsResponse(_message.Message):
    __slots__ = ("workflows", "next_page_token")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    next_page_token: str
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetWorkflowResultRequest(_message.Message):
    __slots__ = ("workflow_id", "wait")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    wait: int
    def __init__(self, workflow_id: _Optional[str] = ..., wait: _Optional[int] = ...) -> None: ...

class CancelWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "reason")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    reason: str
    def __init__(self, workflow_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Definition(_message.Message):
    __slots__ = ("name", "version", "description", "task_queue", "input_schema", "output_schema", "forms", "start_roles", "registered_at", "history_format")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TASK_QUEUE_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    START_ROLES_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FORMAT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    description: str
    task_queue: str
    input_schema: _json_pb2.Json
    output_schema: _json_pb2.Json
    forms: _json_pb2.Json
    start_roles: _containers.RepeatedScalarFieldContainer[str]
    registered_at: _timestamp_pb2.Timestamp
    history_format: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., description: _Optional[str] = ..., task_queue: _Optional[str] = ..., input_schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., output_schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., forms: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., start_roles: _Optional[_Iterable[str]] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., history_format: _Optional[int] = ...) -> None: ...

class GetDefinitionRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ListDefinitionsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListDefinitionsResponse(_message.Message):
    __slots__ = ("definitions",)
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    definitions: _containers.RepeatedCompositeFieldContainer[Definition]
    def __init__(self, definitions: _Optional[_Iterable[_Union[Definition, _Mapping]]] = ...) -> None: ...

class RegisterDefinitionsRequest(_message.Message):
    __slots__ = ("definitions",)
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    definitions: _containers.RepeatedCompositeFieldContainer[Definition]
    def __init__(self, definitions: _Optional[_Iterable[_Union[Definition, _Mapping]]] = ...) -> None: ...

class ReportProgressRequest(_message.Message):
    __slots__ = ("workflow_id", "progress", "emitted")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    EMITTED_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    progress: str
    emitted: Emitted
    def __init__(self, workflow_id: _Optional[str] = ..., progress: _Optional[str] = ..., emitted: _Optional[_Union[Emitted, _Mapping]] = ...) -> None: ...

class Emitted(_message.Message):
    __slots__ = ("name", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    data: _json_pb2.Json
    def __init__(self, name: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class ReportProgressResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReportEndRequest(_message.Message):
    __slots__ = ("workflow_id", "run_id", "status", "result", "failure")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    run_id: str
    status: WorkflowStatus
    result: _json_pb2.JsonValue
    failure: Failure
    def __init__(self, workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., status: _Optional[_Union[WorkflowStatus, str]] = ..., result: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class ReportEndResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SignalWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "signal", "payload")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    signal: str
    payload: _json_pb2.JsonValue
    def __init__(self, workflow_id: _Optional[str] = ..., signal: _Optional[str] = ..., payload: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ...) -> None: ...

class QueryWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "query", "payload")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    query: str
    payload: _json_pb2.JsonValue
    def __init__(self, workflow_id: _Optional[str] = ..., query: _Optional[str] = ..., payload: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ...) -> None: ...

class QueryWorkflowResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _json_pb2.JsonValue
    def __init__(self, result: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ...) -> None: ...

class UpdateWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "update", "payload")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    update: str
    payload: _json_pb2.JsonValue
    def __init__(self, workflow_id: _Optional[str] = ..., update: _Optional[str] = ..., payload: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ...) -> None: ...

class UpdateWorkflowResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _json_pb2.JsonValue
    def __init__(self, result: _Optional[_Union[_json_pb2.JsonValue, _Mapping]] = ...) -> None: ...

class TerminateWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "reason")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    reason: str
    def __init__(self, workflow_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResetWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "point", "reason")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    point: ResetPoint
    reason: str
    def __init__(self, workflow_id: _Optional[str] = ..., point: _Optional[_Union[ResetPoint, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class GetTimelineRequest(_message.Message):
    __slots__ = ("workflow_id",)
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    def __init__(self, workflow_id: _Optional[str] = ...) -> None: ...

class Timeline(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[TimelineEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[TimelineEntry, _Mapping]]] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("at", "kind", "event", "text", "task_id", "actor", "code", "details")
    AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    kind: str
    event: str
    text: str
    task_id: str
    actor: str
    code: str
    details: _containers.RepeatedCompositeFieldContainer[TimelineDetail]
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., event: _Optional[str] = ..., text: _Optional[str] = ..., task_id: _Optional[str] = ..., actor: _Optional[str] = ..., code: _Optional[str] = ..., details: _Optional[_Iterable[_Union[TimelineDetail, _Mapping]]] = ...) -> None: ...

class TimelineDetail(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("schedule_id", "tenant_id", "definition", "definition_version", "input", "cron", "every", "time_zone", "overlap", "paused", "note", "tags", "search_attributes", "requested_by", "on_behalf_of", "created_at", "updated_at", "version", "last_fired_at", "last_workflow_id", "last_failure", "next_at", "notice")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LAST_FIRED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    tenant_id: str
    definition: str
    definition_version: int
    input: _json_pb2.Json
    cron: str
    every: str
    time_zone: str
    overlap: ScheduleOverlap
    paused: bool
    note: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    search_attributes: _json_pb2.Json
    requested_by: str
    on_behalf_of: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    version: int
    last_fired_at: _timestamp_pb2.Timestamp
    last_workflow_id: str
    last_failure: Failure
    next_at: _timestamp_pb2.Timestamp
    notice: str
    def __init__(self, schedule_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., cron: _Optional[str] = ..., every: _Optional[str] = ..., time_zone: _Optional[str] = ..., overlap: _Optional[_Union[ScheduleOverlap, str]] = ..., paused: _Optional[bool] = ..., note: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., search_attributes: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., requested_by: _Optional[str] = ..., on_behalf_of: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., last_fired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_workflow_id: _Optional[str] = ..., last_failure: _Optional[_Union[Failure, _Mapping]] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notice: _Optional[str] = ...) -> None: ...

class CreateScheduleRequest(_message.Message):
    __slots__ = ("definition", "definition_version", "input", "cron", "every", "time_zone", "overlap", "paused", "note", "tags", "search_attributes", "on_behalf_of")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    definition: str
    definition_version: int
    input: _json_pb2.Json
    cron: str
    every: str
    time_zone: str
    overlap: ScheduleOverlap
    paused: bool
    note: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    search_attributes: _json_pb2.Json
    on_behalf_of: str
    def __init__(self, definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., cron: _Optional[str] = ..., every: _Optional[str] = ..., time_zone: _Optional[str] = ..., overlap: _Optional[_Union[ScheduleOverlap, str]] = ..., paused: _Optional[bool] = ..., note: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., search_attributes: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., on_behalf_of: _Optional[str] = ...) -> None: ...

class GetScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class ListSchedulesRequest(_message.Message):
    __slots__ = ("definition", "paused", "page_size", "page_token")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    definition: str
    paused: bool
    page_size: int
    page_token: str
    def __init__(self, definition: _Optional[str] = ..., paused: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSchedulesResponse(_message.Message):
    __slots__ = ("schedules", "next_page_token")
    SCHEDULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    schedules: _containers.RepeatedCompositeFieldContainer[Schedule]
    next_page_token: str
    def __init__(self, schedules: _Optional[_Iterable[_Union[Schedule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "paused", "note", "cron", "every", "time_zone", "overlap", "input", "version")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    paused: bool
    note: str
    cron: str
    every: str
    time_zone: str
    overlap: ScheduleOverlap
    input: _json_pb2.Json
    version: int
    def __init__(self, schedule_id: _Optional[str] = ..., paused: _Optional[bool] = ..., note: _Optional[str] = ..., cron: _Optional[str] = ..., every: _Optional[str] = ..., time_zone: _Optional[str] = ..., overlap: _Optional[_Union[ScheduleOverlap, str]] = ..., input: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class DeleteScheduleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TriggerScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class FireScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class FireScheduleResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class GetRetentionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Retention(_message.Message):
    __slots__ = ("task_days", "run_days", "delivery_days", "event_days", "version", "updated_at", "updated_by", "applied_at")
    TASK_DAYS_FIELD_NUMBER: _ClassVar[int]
    RUN_DAYS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_DAYS_FIELD_NUMBER: _ClassVar[int]
    EVENT_DAYS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    APPLIED_AT_FIELD_NUMBER: _ClassVar[int]
    task_days: int
    run_days: int
    delivery_days: int
    event_days: int
    version: int
    updated_at: _timestamp_pb2.Timestamp
    updated_by: str
    applied_at: _timestamp_pb2.Timestamp
    def __init__(self, task_days: _Optional[int] = ..., run_days: _Optional[int] = ..., delivery_days: _Optional[int] = ..., event_days: _Optional[int] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_by: _Optional[str] = ..., applied_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PutRetentionRequest(_message.Message):
    __slots__ = ("task_days", "run_days", "delivery_days", "event_days", "version")
    TASK_DAYS_FIELD_NUMBER: _ClassVar[int]
    RUN_DAYS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_DAYS_FIELD_NUMBER: _ClassVar[int]
    EVENT_DAYS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    task_days: int
    run_days: int
    delivery_days: int
    event_days: int
    version: int
    def __init__(self, task_days: _Optional[int] = ..., run_days: _Optional[int] = ..., delivery_days: _Optional[int] = ..., event_days: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class ApplyRetentionRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: str
    def __init__(self, after: _Optional[str] = ...) -> None: ...

class RetentionStep(_message.Message):
    __slots__ = ("tasks", "runs", "deliveries", "events", "more", "after")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    tasks: int
    runs: int
    deliveries: int
    events: int
    more: bool
    after: str
    def __init__(self, tasks: _Optional[int] = ..., runs: _Optional[int] = ..., deliveries: _Optional[int] = ..., events: _Optional[int] = ..., more: _Optional[bool] = ..., after: _Optional[str] = ...) -> None: ...

class ErasePersonRequest(_message.Message):
    __slots__ = ("user_id", "reason")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    reason: str
    def __init__(self, user_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class GetErasureRequest(_message.Message):
    __slots__ = ("erasure_id",)
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    def __init__(self, erasure_id: _Optional[str] = ...) -> None: ...

class ListErasuresRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListErasuresResponse(_message.Message):
    __slots__ = ("erasures", "next_page_token")
    ERASURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    erasures: _containers.RepeatedCompositeFieldContainer[Erasure]
    next_page_token: str
    def __init__(self, erasures: _Optional[_Iterable[_Union[Erasure, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("erasure_id", "tenant_id", "user_id", "status", "requested_by", "requested_at", "done_at", "reason", "parts")
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    DONE_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    tenant_id: str
    user_id: str
    status: ErasureStatus
    requested_by: str
    requested_at: _timestamp_pb2.Timestamp
    done_at: _timestamp_pb2.Timestamp
    reason: str
    parts: _containers.RepeatedCompositeFieldContainer[ErasedPart]
    def __init__(self, erasure_id: _Optional[str] = ..., tenant_id: _Optional[str] = ..., user_id: _Optional[str] = ..., status: _Optional[_Union[ErasureStatus, str]] = ..., requested_by: _Optional[str] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., done_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[ErasedPart, _Mapping]]] = ...) -> None: ...

class ErasedPart(_message.Message):
    __slots__ = ("part", "erased")
    PART_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    part: str
    erased: int
    def __init__(self, part: _Optional[str] = ..., erased: _Optional[int] = ...) -> None: ...

class ErasePartRequest(_message.Message):
    __slots__ = ("erasure_id", "part")
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    part: str
    def __init__(self, erasure_id: _Optional[str] = ..., part: _Optional[str] = ...) -> None: ...

class ErasureStep(_message.Message):
    __slots__ = ("erased", "more")
    ERASED_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    erased: int
    more: bool
    def __init__(self, erased: _Optional[int] = ..., more: _Optional[bool] = ...) -> None: ...

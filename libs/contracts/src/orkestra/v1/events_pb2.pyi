# mypy: disable-error-code=type-arg
from orkestra.v1 import identity_pb2 as _identity_pb2
from orkestra.v1 import notification_pb2 as _notification_pb2
from orkestra.v1 import task_pb2 as _task_pb2
from orkestra.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskEvent(_message.Message):
    __slots__ = ("task", "audience", "actor", "mentioned")
    TASK_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    MENTIONED_FIELD_NUMBER: _ClassVar[int]
    task: _task_pb2.Task
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    mentioned: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task: _Optional[_Union[_task_pb2.Task, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ..., mentioned: _Optional[_Iterable[str]] = ...) -> None: ...

class CalendarEvent(_message.Message):
    __slots__ = ("calendar", "audience", "actor")
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    calendar: _task_pb2.Calendar
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    def __init__(self, calendar: _Optional[_Union[_task_pb2.Calendar, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ...) -> None: ...

class ViewEvent(_message.Message):
    __slots__ = ("view", "audience", "actor")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    view: _task_pb2.View
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    def __init__(self, view: _Optional[_Union[_task_pb2.View, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ...) -> None: ...

class WorkflowEvent(_message.Message):
    __slots__ = ("workflow", "audience", "actor", "emitted")
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    EMITTED_FIELD_NUMBER: _ClassVar[int]
    workflow: _workflow_pb2.Workflow
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    emitted: _workflow_pb2.Emitted
    def __init__(self, workflow: _Optional[_Union[_workflow_pb2.Workflow, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ..., emitted: _Optional[_Union[_workflow_pb2.Emitted, _Mapping]] = ...) -> None: ...

class ScheduleEvent(_message.Message):
    __slots__ = ("schedule", "audience", "actor")
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    schedule: _workflow_pb2.Schedule
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    def __init__(self, schedule: _Optional[_Union[_workflow_pb2.Schedule, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ...) -> None: ...

class TenantEvent(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: _identity_pb2.Tenant
    def __init__(self, tenant: _Optional[_Union[_identity_pb2.Tenant, _Mapping]] = ...) -> None: ...

class TenantDeletionEvent(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: _identity_pb2.DeletedTenant
    def __init__(self, deleted: _Optional[_Union[_identity_pb2.DeletedTenant, _Mapping]] = ...) -> None: ...

class UserEvent(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: _identity_pb2.User
    def __init__(self, user: _Optional[_Union[_identity_pb2.User, _Mapping]] = ...) -> None: ...

class SubstitutionEvent(_message.Message):
    __slots__ = ("substitution", "audience", "actor", "formerly")
    SUBSTITUTION_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    FORMERLY_FIELD_NUMBER: _ClassVar[int]
    substitution: _identity_pb2.Substitution
    audience: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    formerly: str
    def __init__(self, substitution: _Optional[_Union[_identity_pb2.Substitution, _Mapping]] = ..., audience: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ..., formerly: _Optional[str] = ...) -> None: ...

class GroupEvent(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: _identity_pb2.Group
    def __init__(self, group: _Optional[_Union[_identity_pb2.Group, _Mapping]] = ...) -> None: ...

class MembershipEvent(_message.Message):
    __slots__ = ("group", "user_id", "member")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    group: _identity_pb2.Group
    user_id: str
    member: bool
    def __init__(self, group: _Optional[_Union[_identity_pb2.Group, _Mapping]] = ..., user_id: _Optional[str] = ..., member: _Optional[bool] = ...) -> None: ...

class ApiKeyEvent(_message.Message):
    __slots__ = ("api_key",)
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    api_key: _identity_pb2.ApiKey
    def __init__(self, api_key: _Optional[_Union[_identity_pb2.ApiKey, _Mapping]] = ...) -> None: ...

class MailLinkEvent(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: _identity_pb2.MailLink
    def __init__(self, link: _Optional[_Union[_identity_pb2.MailLink, _Mapping]] = ...) -> None: ...

class NotificationEvent(_message.Message):
    __slots__ = ("notification", "user_id")
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    notification: _notification_pb2.Notification
    user_id: str
    def __init__(self, notification: _Optional[_Union[_notification_pb2.Notification, _Mapping]] = ..., user_id: _Optional[str] = ...) -> None: ...

"""Generated from orkestra/v1/events.proto by tools/generate.py; do not edit."""

from pydantic import Field

from orkestra.v1 import events_pb2 as pb
from orkestra.v1.identity import ApiKey, DeletedTenant, Group, MailLink, Substitution, Tenant, User
from orkestra.v1.notification import Notification
from orkestra.v1.task import Calendar, Task, View
from orkestra.v1.workflow import Emitted, Schedule, Workflow
from orkestra.wire import Model


class TaskEvent(Model, pb=pb.TaskEvent):
    """What happened to a task: the task without its large and private fields."""

    task: Task
    audience: list[str] = Field(
        default_factory=list, description="Who may see it, those just removed included: user:<id>, group:<id> or all."
    )
    actor: str | None = Field(default=None, description="The principal; absent where the clock did it.")
    mentioned: list[str] = Field(
        default_factory=list, description="User ids of the people whom a comment names; only with mentioned."
    )


class CalendarEvent(Model, pb=pb.CalendarEvent):
    """What happened to a calendar."""

    calendar: Calendar
    audience: list[str] = Field(default_factory=list, description="Who may see it: all.")
    actor: str | None = Field(default=None, description="The principal.")


class ViewEvent(Model, pb=pb.ViewEvent):
    """What happened to a view: the view without its filter."""

    view: View
    audience: list[str] = Field(
        default_factory=list, description="Who may see it: user:<id> of its owner, and group:<id> where it is shared."
    )
    actor: str | None = Field(default=None, description="The principal.")


class WorkflowEvent(Model, pb=pb.WorkflowEvent):
    """What happened to a run: the run without input, result and handoff."""

    workflow: Workflow
    audience: list[str] = Field(default_factory=list, description="Who may see it: user:<id> or all.")
    actor: str | None = Field(default=None)
    emitted: Emitted | None = Field(default=None, description="What the run's code tells; only with emitted.")


class ScheduleEvent(Model, pb=pb.ScheduleEvent):
    """What happened to a schedule: the schedule without its input."""

    schedule: Schedule
    audience: list[str] = Field(default_factory=list, description="Who may see it: user:<id> or all.")
    actor: str | None = Field(default=None, description="The principal; absent where the clock did it.")


class TenantEvent(Model, pb=pb.TenantEvent):
    """What happened to a tenant."""

    tenant: Tenant


class TenantDeletionEvent(Model, pb=pb.TenantDeletionEvent):
    """That a tenant was deleted; told above tenants, for it is there no more."""

    deleted: DeletedTenant


class UserEvent(Model, pb=pb.UserEvent):
    """What happened to a person."""

    user: User


class SubstitutionEvent(Model, pb=pb.SubstitutionEvent):
    """Who takes a person's place has changed."""

    substitution: Substitution
    audience: list[str] = Field(
        default_factory=list, description="Whom it concerns, whoever was the substitute before included: user:<id>."
    )
    actor: str | None = Field(default=None, description="The principal that said it.")
    formerly: str | None = Field(
        default=None, description="User id of whoever was the substitute before, where that was somebody else."
    )


class GroupEvent(Model, pb=pb.GroupEvent):
    """What happened to a group."""

    group: Group


class MembershipEvent(Model, pb=pb.MembershipEvent):
    """Who came into or left a group."""

    group: Group
    user_id: str
    member: bool = Field(description="True where the person came in, false where the person left.")


class ApiKeyEvent(Model, pb=pb.ApiKeyEvent):
    """What happened to an API key."""

    api_key: ApiKey


class MailLinkEvent(Model, pb=pb.MailLinkEvent):
    """That somebody is to be mailed a link; what makes it work is not told."""

    link: MailLink


class NotificationEvent(Model, pb=pb.NotificationEvent):
    """What happened to an entry of a person's feed."""

    notification: Notification
    user_id: str = Field(description="Whose feed it is in.")

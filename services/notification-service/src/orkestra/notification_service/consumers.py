"""What other services tell: what happened to tasks, and who people and groups are."""

from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.notification_service.operations import Feeds, remember_group, remember_person
from orkestra.notification_service.rules import TASK_EVENTS
from orkestra.v1.events import GroupEvent, MembershipEvent, TaskEvent, UserEvent

TASKS = "notification-service"
PEOPLE = "notification-service-people"
TASK_SUBJECTS = tuple(f"orkestra.v1.*.task.{event}" for event in TASK_EVENTS)
PEOPLE_SUBJECTS = tuple(
    f"orkestra.v1.*.identity.{event}" for event in ("user_changed", "group_changed", "membership_changed")
)


class TaskNews:
    """Turns what happened to tasks into entries of feeds; heard twice or in another order, they are the same."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    async def hear(self, event: Event) -> None:
        """Tell those whom the event concerns."""
        payload = event.payload(TaskEvent)
        await self._feeds.tell(event.tenant_id, event_id=event.id, name=event.event, event=payload)


class PeopleCopies:
    """Keeps the copies of people and groups; an older version never replaces a newer one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hear(self, event: Event) -> None:
        """Copy the person or the group of the event."""
        tenant_id = event.tenant_id
        async with self._database.transaction(tenant_id) as conn:
            match event.event:
                case "user_changed":
                    await remember_person(conn, event.payload(UserEvent).user, tenant_id=tenant_id)
                case "group_changed":
                    await remember_group(conn, event.payload(GroupEvent).group, tenant_id=tenant_id)
                case "membership_changed":
                    await remember_group(conn, event.payload(MembershipEvent).group, tenant_id=tenant_id)

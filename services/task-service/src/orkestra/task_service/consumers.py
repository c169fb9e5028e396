"""What other services tell: that a run has ended, and who people and groups are."""

from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.task_service.operations import Ends, group_columns, person_columns, sql, substitution_columns
from orkestra.v1.events import GroupEvent, MembershipEvent, SubstitutionEvent, UserEvent, WorkflowEvent

RUN_ENDS = "task-service-run-ends"
PEOPLE = "task-service-people"
RUN_END_SUBJECTS = tuple(
    f"orkestra.v1.*.workflow.{end}" for end in ("completed", "failed", "cancelled", "terminated", "timed_out")
)
PEOPLE_SUBJECTS = tuple(
    f"orkestra.v1.*.identity.{event}"
    for event in ("user_changed", "group_changed", "group_deleted", "membership_changed", "substitution_changed")
)


class RunEnds:
    """The end of a run cancels its live tasks; heard twice, or late, it finds none."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def hear(self, event: Event) -> None:
        """Cancel the live tasks of the run that has ended."""
        run = event.payload(WorkflowEvent).workflow
        words = event.event.replace("_", " ")
        await self._ends.end_with_run(event.tenant_id, run.workflow_id, reason=f"Its workflow ended: {words}.")


class PeopleCopies:
    """Keeps the copies of people and groups; an older version never replaces a newer one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hear(self, event: Event) -> None:
        """Copy the person or the group of the event."""
        tenant_id = event.tenant_id
        async with self._database.transaction(tenant_id) as conn:
            await sql.note_heard.execute(conn, consumer=PEOPLE, handed_over=event.place)
            match event.event:
                case "user_changed":
                    user = event.payload(UserEvent).user
                    await sql.remember_person.execute(conn, **person_columns(user, tenant_id=tenant_id))
                case "group_changed" | "group_deleted" as told:
                    group = event.payload(GroupEvent).group
                    is_deleted = told == "group_deleted"
                    columns = group_columns(group, tenant_id=tenant_id, is_deleted=is_deleted)
                    await sql.remember_group.execute(conn, **columns)
                case "membership_changed":
                    group = event.payload(MembershipEvent).group
                    await sql.remember_group.execute(conn, **group_columns(group, tenant_id=tenant_id))
                case "substitution_changed":
                    away = event.payload(SubstitutionEvent).substitution
                    await sql.remember_substitution.execute(conn, **substitution_columns(away, tenant_id=tenant_id))

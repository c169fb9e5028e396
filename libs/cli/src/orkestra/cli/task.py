"""`orkestra task`: find work, take it, answer it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from orkestra.cli.connection import Session, asks, object_of
from orkestra.cli.filling import Answer, Dialog, fill
from orkestra.cli.options import QuietOption
from orkestra.cli.output import cell, fields, json_text, printable
from orkestra.cli.people import People
from orkestra.cli.refusals import UsageError
from orkestra.v1.task import AssignTaskRequest, Task, TaskScope, TaskStatus

app = typer.Typer(help="Find tasks, take them, answer them.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Task id, such as task_….")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept in its history.")]
COLUMNS = ("TASK", "TITLE", "STATUS", "WITH", "DUE", "PRIORITY")
LIVE = (TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING)


@asks(app, "list")
async def list_(
    session: Session,
    *,
    scope: Annotated[TaskScope | None, typer.Option("--scope", help="Whose; all that you may see if absent.")] = None,
    status: Annotated[TaskStatus | None, typer.Option("--status", help="Live tasks if absent.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only tasks offered to this group.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="Only this person's; e-mail or id.")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", help="Only tasks of this run.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    quiet: QuietOption = False,
) -> None:
    """List tasks, by due date."""
    asked = {"scope": scope, "status": status, "group": group, "assignee": assignee, "workflow_id": workflow}
    found = await _found(session, asked, limit)
    if quiet:
        session.output.ids(task.task_id for task in found)
        return
    await _meet(session, found)
    rows = [_row(task, session.people) for task in found]
    session.output.table({"tasks": found}, COLUMNS, rows, empty="There are no such tasks.")


@asks(app, "show")
async def show(session: Session, task_id: IdArgument) -> None:
    """Show what is asked, by whom, until when, and the answer."""
    task = await session.client.task(task_id)
    await _meet(session, [task])
    session.output.give(task, *described(task, session.people))


@asks(app, "claim", acts_as="person")
async def claim(session: Session, task_id: IdArgument) -> None:
    """Take an open task; one person gets it."""
    task = await session.client.claim(task_id)
    told = f"{task_id} is yours. `orkestra task complete {task_id}` asks for the answer."
    session.output.give(task, session.output.hints.told(told))


@asks(app, "complete", acts_as="person")
async def complete(
    session: Session,
    task_id: IdArgument,
    *,
    data: Annotated[
        str | None, typer.Option("--data", "-d", help="JSON, @FILE or -; asked field by field if absent.")
    ] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="The outcome, where the form has them.")] = None,
) -> None:
    """Answer a task: at the prompt, or with --data."""
    task = await session.client.task(task_id)
    if data is not None:
        answer = Answer(object_of(data, option="--data"), outcome)
    else:
        await _meet(session, [task])
        answer = await asyncio.to_thread(_fill, session, task, outcome)
    done = await session.client.complete(task_id, answer.data, outcome=answer.outcome, revision=task.revision)
    if done.submission is not None:
        until = f"{done.submission.undo_until.astimezone():%H:%M:%S}"
        told = f"{task_id} is answered; `orkestra task undo {task_id}` takes it back until {until}."
        session.output.give(done, session.output.hints.told(told))
        return
    session.output.give(done, f"{task_id} is {done.status}.")


@asks(app, "assign")
async def assign(
    session: Session,
    task_id: IdArgument,
    *,
    to: Annotated[str | None, typer.Option("--to", help="Person who gets it; e-mail or id.")] = None,
    user: Annotated[list[str] | None, typer.Option("--user", help="Offer it to this person; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="Offer it to this group; may be repeated.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in its history.")],
) -> None:
    """Give a task to a person, or offer it to others. For managers."""
    if not (to or user or group):
        raise UsageError("Say to whom: --to EMAIL, or --user and --group to offer it.")
    request = AssignTaskRequest(
        task_id=task_id, assignee=to, candidate_users=user or [], candidate_groups=group or [], reason=reason
    )
    task = await session.client.assign(request)
    await _meet(session, [task])
    session.output.give(task, f"{task_id} is with {_holder(task, session.people)}.")


@asks(app, "undo")
async def undo(session: Session, task_id: IdArgument, *, reason: ReasonOption = None) -> None:
    """Take an answer back, while that is possible."""
    task = await session.client.undo(task_id, reason=reason)
    await _meet(session, [task])
    session.output.give(task, f"{task_id} is with {_holder(task, session.people)} again.")


@asks(app, "cancel")
async def cancel(session: Session, task_id: IdArgument, *, reason: ReasonOption = None) -> None:
    """End a live task without an answer."""
    task = await session.client.cancel_task(task_id, reason=reason)
    session.output.give(task, f"{task_id} is {task.status}.")


@asks(app, "watch")
async def watch(
    session: Session,
    task_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Until it ends; all live tasks if absent.")
    ] = None,
    *,
    group: Annotated[str | None, typer.Option("--group", help="Only tasks offered to this group.")] = None,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between looks.")] = 1.0,
) -> None:
    """Print a line whenever a task appears, changes or ends, till Ctrl-C; with --json one task on each line."""
    known: dict[str, Task] = {}
    while True:
        seen = {task_id: await session.client.task(task_id)} if task_id else await _live(session, group)
        news = [one for name, one in seen.items() if _is_news(known.get(name), one)]
        news += [await session.client.task(name) for name in known.keys() - seen.keys()]
        await _meet(session, news)
        for task in news:
            _tell(session, task)
        known = seen
        if task_id and seen[task_id].status not in LIVE:
            return
        await asyncio.sleep(every)


async def _live(session: Session, group: str | None) -> dict[str, Task]:
    return {task.task_id: task async for task in session.client.tasks(group=group, page_size=200)}


def _is_news(before: Task | None, now: Task) -> bool:
    return before is None or before.version != now.version


def _tell(session: Session, task: Task) -> None:
    if session.output.as_json:
        typer.echo(task.model_dump_json())
        return
    told = (
        f"{task.updated_at:%H:%M:%S}  {task.task_id}  {task.status:<9}  {_holder(task, session.people)}  {task.title}"
    )
    session.output.say(told)


async def _meet(session: Session, tasks: Sequence[Task]) -> None:
    if not session.output.as_json:
        met = [(task.assignee, task.completed_by, *task.candidate_users) for task in tasks]
        await session.people.meet(one for several in met for one in several)


async def _found(session: Session, asked: Mapping[str, Any], limit: int) -> list[Task]:
    found: list[Task] = []
    async for task in session.client.tasks(**asked, page_size=min(limit, 200)):
        found.append(task)
        if len(found) == limit:
            break
    return found


def _fill(session: Session, task: Task, outcome: str | None) -> Answer:
    """Ask for the answer on standard error, so that standard output has the result alone."""
    for line in described(task, session.people, with_form=False):
        session.output.warn(line)
    draft = {name: one.get("value") for name, one in (task.draft or {}).items() if isinstance(one, dict)}

    def ask(question: str, default: str | None) -> str:
        given: str = typer.prompt(
            printable(question).plain, default=default or "", show_default=bool(default), err=True
        )
        return given

    try:
        return fill(
            task.form or {"properties": {}},
            {**draft, **(task.saved or {})},
            Dialog(ask, session.output.warn),
            outcome=outcome,
        )
    except typer.Abort:
        raise UsageError("Nothing was answered. --data gives the whole answer at once.") from None


def _row(task: Task, people: People) -> tuple[object, ...]:
    due = task.sla.complete_by if task.sla else None
    return (task.task_id, task.title, task.status, _holder(task, people), due, task.priority)


def _holder(task: Task, people: People) -> str:
    if task.assignee:
        return people.named(task.assignee)
    return ", ".join([*map(people.named, task.candidate_users), *task.candidate_groups]) or "nobody"


def described(task: Task, people: People, *, with_form: bool = True) -> list[str]:
    """Return a task in lines, with those of its people who were met by their e-mail addresses."""
    lines = fields(
        task=task.task_id,
        title=task.title,
        status=task.status,
        asked=task.description,
        **{"with": _holder(task, people)},
        priority=task.priority,
        due=task.sla.complete_by if task.sla else None,
        workflow=task.workflow_id,
        outcome=task.outcome,
        answer=task.result,
        answered_by=people.named(task.completed_by or ""),
        reason=task.reason,
    )
    if task.context is not None:
        lines += fields(summary=task.context.summary, data=task.context.data)
        lines += [f"  {one.role}: {cell(one.text)}" for one in task.context.conversation]
        if task.context.action is not None:
            lines += fields(action=task.context.action.name, arguments=task.context.action.args)
    if with_form and task.form and task.status in LIVE:
        lines += ["form", json_text(task.form)]
    return lines

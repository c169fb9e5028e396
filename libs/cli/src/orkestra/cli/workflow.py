"""`orkestra workflow`: start runs and follow them."""

from typing import Annotated

import pydantic
import typer
from orkestra.cli.connection import Session, asks, json_of, object_of
from orkestra.cli.options import QuietOption
from orkestra.cli.output import fields
from orkestra.cli.refusals import FAILED, NOT_YET, UsageError
from orkestra.cli.scaffold import new_workflow
from orkestra.v1.workflow import BusinessIdPolicy, Handoff, ResetPoint, Workflow, WorkflowStatus

app = typer.Typer(help="Start workflows, follow them, end them.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Workflow id, such as wf_….")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept with the run.")]
PolicyOption = Annotated[
    BusinessIdPolicy | None,
    typer.Option("--business-id-policy", help="What happens where the case has a run; reject_running if absent."),
]
DelayOption = Annotated[str | None, typer.Option("--start-delay", help="Begin later, such as in 10m.")]
HandoffOption = Annotated[
    str | None, typer.Option("--handoff", help="What people shall see of the talk so far: JSON, @FILE or -.")
]
RequestIdOption = Annotated[
    str | None, typer.Option("--request-id", help="The same id starts the same run once, for a day.")
]
app.command("new")(new_workflow)
COLUMNS = ("WORKFLOW", "DEFINITION", "STATUS", "STARTED", "BUSINESS ID")


@asks(app, "start")
async def start(  # noqa: PLR0913 - an option each
    session: Session,
    definition: Annotated[str, typer.Argument(help="Name of the workflow.")],
    *,
    data: Annotated[str, typer.Option("--input", "-i", help="JSON, @FILE with JSON, or - for standard input.")] = "{}",
    business_id: Annotated[str | None, typer.Option("--business-id", help="Your own id for the case.")] = None,
    business_id_policy: PolicyOption = None,
    start_delay: DelayOption = None,
    handoff: HandoffOption = None,
    version: Annotated[int | None, typer.Option("--version", help="The newest if absent.")] = None,
    on_behalf_of: Annotated[str | None, typer.Option("--on-behalf-of", help="Person for whom it is asked.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.")] = None,
    request_id: RequestIdOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end and print the result.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Start a workflow and print its id."""
    run = await session.client.start(
        definition,
        object_of(data, option="--input"),
        business_id=business_id,
        business_id_policy=business_id_policy,
        start_delay=start_delay,
        handoff=None if handoff is None else _handed_over(handoff),
        on_behalf_of=on_behalf_of,
        request_id=request_id,
        version=version,
        tags=tag or [],
    )
    if wait:
        await _result(session, run.workflow_id, None)
        return
    if quiet:
        session.output.ids([run.workflow_id])
        return
    notice = [run.notice] if run.notice else []
    lines = [*notice, session.output.hints.told(f"`orkestra workflow result {run.workflow_id}` waits for its end.")]
    session.output.give(run, f"Started {run.workflow_id}.", *lines)


def _handed_over(text: str) -> Handoff:
    value = object_of(text, option="--handoff")
    unknown = sorted(value.keys() - Handoff.model_fields.keys())
    if unknown:
        takes = ", ".join(Handoff.model_fields)
        raise UsageError(f"--handoff has no {', '.join(unknown)}.", step=f"It takes {takes}.")
    try:
        return Handoff.model_validate(value)
    except pydantic.ValidationError as wrong:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors())
        raise UsageError(f"--handoff does not fit: {told}") from None


@asks(app, "list")
async def list_(
    session: Session,
    *,
    status: Annotated[WorkflowStatus | None, typer.Option("--status", help="Only runs in this status.")] = None,
    definition: Annotated[str | None, typer.Option("--definition", help="Only runs of this workflow.")] = None,
    business_id: Annotated[str | None, typer.Option("--business-id", help="Only the runs of this case.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    quiet: QuietOption = False,
) -> None:
    """List runs, newest first."""
    found: list[Workflow] = []
    runs = session.client.workflows(
        status=status, definition=definition, business_id=business_id, page_size=min(limit, 200)
    )
    async for run in runs:
        found.append(run)
        if len(found) == limit:
            break
    if quiet:
        session.output.ids(run.workflow_id for run in found)
        return
    rows = [(run.workflow_id, run.definition, run.status, run.started_at, run.business_id) for run in found]
    session.output.table({"workflows": found}, COLUMNS, rows, empty="There are no such runs.")


@asks(app, "definitions")
async def definitions(session: Session) -> None:
    """List the workflows that can be started; with --json, what their input looks like."""
    found = await session.client.definitions()
    rows = [(one.name, one.version, one.task_queue, (one.description or "").partition("\n")[0]) for one in found]
    empty = "No worker has registered a workflow yet: `orkestra worker run MODULE` does."
    session.output.table({"definitions": found}, ("NAME", "VERSION", "TASK QUEUE", "WHAT IT DOES"), rows, empty=empty)


@asks(app, "show")
async def show(session: Session, workflow_id: IdArgument) -> None:
    """Show a run and what happened in it; with --json the run with its `timeline`."""
    run = await session.client.workflow(workflow_id)
    timeline = (await session.client.timeline(workflow_id)).entries
    if not session.output.as_json:
        await session.people.meet(entry.text for entry in timeline)
    lines = [f"  {entry.at:%Y-%m-%d %H:%M:%SZ}  {session.people.named(entry.text)}" for entry in timeline]
    value = {**run.model_dump(mode="json"), "timeline": timeline}
    session.output.give(value, *described(run), *(["", *lines] if lines else []))


@asks(app, "result")
async def result(
    session: Session,
    workflow_id: IdArgument,
    *,
    wait: Annotated[
        float | None, typer.Option("--wait", min=0, help="Seconds to wait at most; till its end if absent.")
    ] = None,
) -> None:
    """Wait for the end of a run and print its result.

    Exit code 1 where it ended without one, 5 where it still runs when the time is over or waits for your answer.
    """
    await _result(session, workflow_id, wait)


@asks(app, "signal")
async def signal(
    session: Session,
    workflow_id: IdArgument,
    name: Annotated[str, typer.Argument(help="The signal's name.")],
    *,
    payload: Annotated[str | None, typer.Option("--payload", help="JSON, @FILE with JSON, or -.")] = None,
) -> None:
    """Send a signal to a running run."""
    run = await session.client.signal(workflow_id, name, json_of(payload, option="--payload"))
    session.output.give(run, f"Sent {name} to {workflow_id}.")


@asks(app, "cancel")
async def cancel(session: Session, workflow_id: IdArgument, *, reason: ReasonOption = None) -> None:
    """Ask a run to stop; it may still clean up."""
    run = await session.client.cancel(workflow_id, reason=reason)
    told = f"Asked {workflow_id} to stop; `orkestra workflow result {workflow_id}` waits for it."
    session.output.give(run, session.output.hints.told(told))


@asks(app, "terminate")
async def terminate(session: Session, workflow_id: IdArgument, *, reason: ReasonOption = None) -> None:
    """End a run at once; its code gets no chance to clean up."""
    run = await session.client.terminate(workflow_id, reason=reason)
    session.output.give(run, f"{workflow_id} is {run.status}.")


@asks(app, "reset")
async def reset(
    session: Session,
    workflow_id: IdArgument,
    *,
    point: Annotated[ResetPoint, typer.Option("--point", help="Before which step the run goes on.")] = (
        ResetPoint.LAST_STEP
    ),
    reason: ReasonOption = None,
) -> None:
    """Take a run back to an earlier step; one that has ended runs again."""
    run = await session.client.reset(workflow_id, point=point, reason=reason)
    session.output.give(run, f"{workflow_id} is {run.status} again, from before its {point.replace('_', ' ')}.")


async def _result(session: Session, workflow_id: str, wait: float | None) -> None:
    with session.output.waiting(f"Waiting for {workflow_id}; Ctrl-C stops waiting, and the run goes on"):
        run = await session.client.wait(workflow_id, timeout=wait)
    session.output.give(run, *described(run))
    if run.status is WorkflowStatus.RUNNING:
        raise typer.Exit(NOT_YET)
    if run.status is not WorkflowStatus.COMPLETED:
        raise typer.Exit(FAILED)


def described(run: Workflow) -> list[str]:
    """Return a run in lines."""
    failure = f"{run.failure.type}: {run.failure.message}" if run.failure else None
    asked = f"{run.answer_needed.message} (task {run.answer_needed.task_id})" if run.answer_needed else None
    return fields(
        workflow=run.workflow_id,
        definition=f"{run.definition} version {run.version}",
        status=run.status,
        business_id=run.business_id,
        started=run.started_at,
        ended=run.closed_at,
        input=run.input,
        result=run.result,
        failure=failure,
        answer_needed=asked,
        notice=run.notice,
        tags=run.tags,
    )

"""One thing done to many tasks: chosen in the inbox, asked for what it takes, told what came of each."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.answers import Reader
from orkestra.dashboard.routes.faults import by_place, fault
from orkestra.dashboard.routes.fields import Given, fields_of, outcomes
from orkestra.dashboard.routes.guards import local_path
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.pickers import groups_of, people_of, pickable
from orkestra.dashboard.routes.visit import Visit, whole_number
from orkestra.v1.task import BulkOperation, BulkTask, BulkTasksRequest, BulkTasksResponse, GetTaskRequest, Task
from orkestra.wire import FieldError, InvalidArgument

MOST_TASKS = 100
TITLES = {
    BulkOperation.CLAIM: N_("Claim"),
    BulkOperation.ASSIGN: N_("Assign"),
    BulkOperation.COMPLETE: N_("Complete"),
    BulkOperation.CANCEL: N_("Cancel"),
    BulkOperation.TAG: N_("Tag"),
}
SECONDS = 30.0
"""How long many tasks may take."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be done to which tasks, as far as it is known."""

    operation: BulkOperation
    chosen: list[BulkTask]
    tasks: list[Task]
    form: Mapping[str, Any] | None = None
    typed: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()


async def bulk(visit: Visit) -> Response:
    """Does it at once where nothing more is needed, else asks for it."""
    operation, chosen = _operation(visit), _chosen(visit)
    if not chosen:
        return go(_back(visit))
    if operation == BulkOperation.CLAIM:
        return await _do(visit, BulkTasksRequest(operation=operation, tasks=chosen))
    seen = (visit.tasks.get_task(GetTaskRequest(task_id=one.task_id), timeout=SECONDS) for one in chosen)
    asked = Asked(operation=operation, chosen=chosen, tasks=await asyncio.gather(*seen))
    if operation == BulkOperation.COMPLETE:
        return await _complete(visit, asked)
    if visit.value("confirmed") is None:
        return await _ask(visit, asked)
    request = BulkTasksRequest(operation=operation, tasks=chosen, **_given(visit, operation))
    problem = _lacking(operation, request)
    if problem:
        return await _ask(visit, asked, status=422, problem=visit.words.text(problem))
    return await _do(visit, request)


async def _complete(visit: Visit, asked: Asked) -> Response:
    """Takes one answer for all of them, which is possible where they have one form."""
    form = asked.tasks[0].form or {"properties": {}}
    if any((task.form or {"properties": {}}) != form or task.approval_policy for task in asked.tasks):
        words = visit.words.text(N_("These tasks do not all have the same form, or people vote on them: answer each."))
        return await _ask(visit, asked, status=409, problem=words)
    asked = replace(asked, form=form)
    if visit.value("confirmed") is None:
        return await _ask(visit, asked)
    reader = Reader(visit.posted, visit.words.zone, language=visit.words.language)
    data = reader.read(form)
    errors = reader.all_problems(form, data)
    if errors:
        return await _ask(visit, replace(asked, typed=data, errors=errors), status=422)
    answer = {"data": data, "outcome": visit.value("outcome")}
    return await _do(visit, BulkTasksRequest(operation=asked.operation, tasks=asked.chosen, **answer))


async def _ask(visit: Visit, asked: Asked, *, status: int = 200, problem: str | None = None) -> Response:
    schema = asked.form or {"properties": {}}
    given = Given(
        values=asked.typed,
        errors=by_place(asked.errors),
        proposals={},
        zone=visit.words.zone,
        language=visit.words.language,
        pickable=await pickable(visit, schema),
    )
    fields = fields_of(schema, given)
    is_assigning = asked.operation == BulkOperation.ASSIGN
    return await visit.page(
        "bulk.html",
        status=status,
        current="inbox",
        title=visit.words.text(TITLES[asked.operation]),
        asked=asked,
        back=_back(visit),
        problem=problem,
        errors=[fault(error, fields) for error in asked.errors],
        fields=fields,
        outcomes=outcomes(schema, visit.words.language),
        people=await people_of(visit) if is_assigning else None,
        groups=await groups_of(visit) if is_assigning else None,
        typed={name: visit.value(name) or "" for name in ("reason", "add_tags", "remove_tags", "assignee")},
        request_id=secrets.token_hex(16),
    )


async def _do(visit: Visit, request: BulkTasksRequest) -> Response:
    done = await visit.tasks.bulk_tasks(request, request_id=visit.request_id, timeout=SECONDS)
    refused = [one for one in done.results if one.task is None]
    if not refused:
        back = _back(visit)
        return go(f"{back}{'&' if '?' in back else '?'}did={request.operation.value}&n={len(done.results)}")
    return await visit.page(
        "bulk_done.html",
        status=409 if len(refused) == len(done.results) else 200,
        current="inbox",
        title=visit.words.text(TITLES[request.operation]),
        results=_told(done),
        refused=len(refused),
        back=_back(visit),
    )


def _told(done: BulkTasksResponse) -> list[dict[str, Any]]:
    return [
        {
            "task_id": one.task_id,
            "title": one.task.title if one.task else one.task_id,
            "is_done": one.task is not None,
            "detail": " ".join([one.detail or "", *(fault.message for fault in one.errors)]).strip(),
        }
        for one in done.results
    ]


def _operation(visit: Visit) -> BulkOperation:
    wanted = visit.value("operation") or ""
    if wanted not in list(BulkOperation):
        raise InvalidArgument("REQUEST_INVALID", visit.words.text(N_("There is no such operation.")))
    return BulkOperation(wanted)


def _chosen(visit: Visit) -> list[BulkTask]:
    """Returns the tasks that were ticked, each as task_id or task_id:version."""
    found: dict[str, BulkTask] = {}
    for each in visit.values("task")[:MOST_TASKS]:
        task_id, _, version = each.partition(":")
        found[task_id] = BulkTask(task_id=task_id, version=whole_number(version))
    return list(found.values())


def _given(visit: Visit, operation: BulkOperation) -> dict[str, Any]:
    if operation == BulkOperation.TAG:
        return {name: (visit.value(name) or "").split() for name in ("add_tags", "remove_tags")}
    reason = {"reason": visit.value("reason")}
    if operation == BulkOperation.CANCEL:
        return reason
    return reason | {"assignee": visit.value("assignee"), "candidate_groups": visit.values("candidate_groups")}


def _lacking(operation: BulkOperation, request: BulkTasksRequest) -> str | None:
    if operation == BulkOperation.TAG and not request.add_tags and not request.remove_tags:
        return N_("Say which tags to add or to take away.")
    if operation == BulkOperation.ASSIGN and not request.assignee and not request.candidate_groups:
        return N_("Say who is to do it: a person or groups.")
    if operation == BulkOperation.ASSIGN and not request.reason:
        return N_("Say why.")
    return None


def _back(visit: Visit) -> str:
    return local_path(visit.value("back"))

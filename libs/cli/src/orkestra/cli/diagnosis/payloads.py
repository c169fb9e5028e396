"""What Temporal stores: whether it is encrypted, and whether each key that it was encrypted with is there."""

import asyncio
from collections.abc import Iterable
from itertools import chain

from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, unchecked
from orkestra.cli.places import payload_keys
from orkestra.cli.refusals import UsageError
from orkestra.sdk.payloads import KEY_ID, KEY_MISSING, Encryption, PayloadKeys, is_encrypted
from orkestra.wire import Error
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, ListWorkflowExecutionsRequest
from temporalio.service import RPCError, ServiceClient

NAME = "Temporal: payloads"
LOOKED_AT = 100
"""Of the newest executions, and as many of the oldest, which old keys are needed for."""
PAGE, PAGES = 1000, 20
AT_ONCE = 20
GIVE = (
    "Set ORKESTRA_PAYLOAD_KEYS, or ORKESTRA_PAYLOAD_KEYS_FILE, and ORKESTRA_PAYLOAD_KEY_ID as the services have them."
)
KEEP = "Put it back into ORKESTRA_PAYLOAD_KEYS everywhere; docs/guides/operations.md says when a key may go."
NEW_ID = "Give the key that was there before back its id, and the new key another."


async def look(service: ServiceClient, namespace: str, patient: Patient) -> list[Finding]:
    """Say whether new payloads are encrypted, and which key is missing or another."""
    try:
        keys = payload_keys(patient.environ)
    except UsageError as wrong:
        return [broken(NAME, str(wrong), GIVE)]
    stored = await _stored(service, namespace)
    used = {payload.metadata[KEY_ID].decode("ascii", "replace"): payload for payload in stored}
    if used and not keys.keys:
        return [unchecked(NAME, f"are encrypted with {_named(used)}; the keys are not given here", GIVE)]
    faults = [fault for key_id, payload in sorted(used.items()) if (fault := await _fault(key_id, payload, keys))]
    return faults or [ok(NAME, _state(keys, used))]


def _state(keys: PayloadKeys, used: Iterable[str]) -> str:
    if keys.encrypts_with is None:
        return "new ones are not encrypted" + (f"; {_named(used)} can be read" if used else "")
    waiting = f"; what was looked at is encrypted with {_named(used)}" if used else ""
    return f"new ones are encrypted with {keys.encrypts_with}{waiting}"


def _named(key_ids: Iterable[str]) -> str:
    return "the key " + ", ".join(sorted(key_ids))


async def _fault(key_id: str, payload: Payload, keys: PayloadKeys) -> Finding | None:
    try:
        await Encryption(keys).decode([payload])
    except Error as refused:
        if refused.reason == KEY_MISSING:
            return broken(NAME, f"runs are encrypted with the key {key_id}, which is missing", KEEP)
        return broken(NAME, f"the key {key_id} is not the one that runs are encrypted with", NEW_ID)
    return None


async def _stored(service: ServiceClient, namespace: str) -> list[Payload]:
    """Return what is encrypted of what the newest and the oldest executions were started with."""
    executions = await _executions(service, namespace)
    looked_at = {one.run_id: one for one in chain(executions[:LOOKED_AT], executions[-LOOKED_AT:])}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def start_of(execution: WorkflowExecution) -> list[Payload]:
        request = GetWorkflowExecutionHistoryRequest(namespace=namespace, execution=execution, maximum_page_size=1)
        try:
            async with at_once:
                events = (await service.workflow_service.get_workflow_execution_history(request)).history.events
        except RPCError:  # it has gone meanwhile
            return []
        began = events[0].workflow_execution_started_event_attributes
        return [one for one in chain(began.input.payloads, began.header.fields.values()) if is_encrypted(one)]

    return list(chain.from_iterable(await asyncio.gather(*map(start_of, looked_at.values()))))


async def _executions(service: ServiceClient, namespace: str) -> list[WorkflowExecution]:
    """Return the executions that Temporal has, newest first."""
    request = ListWorkflowExecutionsRequest(namespace=namespace, page_size=PAGE)
    found: list[WorkflowExecution] = []
    for _ in range(PAGES):
        page = await service.workflow_service.list_workflow_executions(request)
        found += [one.execution for one in page.executions]
        if not page.next_page_token:
            break
        request.next_page_token = page.next_page_token
    return found

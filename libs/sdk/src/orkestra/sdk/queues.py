"""Whose a task queue is: any worker of it is given any of its runs, so all of them must have the same workflows."""

import logging
import os
import socket
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from orkestra.v1.workflow import Definition
from orkestra.wire import FailedPrecondition
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

log = logging.getLogger("orkestra.worker")
ALIVE = timedelta(seconds=90)
"""A worker asks again after 60 seconds at the latest."""
LONGEST_CALL = timedelta(seconds=5)
MOST_NAMED = 5


async def check_own(client: Client, known: Sequence[Definition], *, ours: Collection[str], queue: str) -> None:
    """Refuse (FailedPrecondition) a queue on which running workers serve known workflows, but none of ours.

    Where some are the same it is another version of the same worker, as while one replaces the other.
    """
    others = sorted({one.name for one in known if one.task_queue == queue})
    if not others or set(others) & set(ours) or not await _is_polled(client, queue):
        return
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    raise FailedPrecondition(
        "TASK_QUEUE_TAKEN",
        f"The task queue {queue} is served by running workers of {', '.join(others[:MOST_NAMED])}{more}: each would be "
        "given runs that only the other has the code of.",
    )


async def _is_polled(client: Client, queue: str) -> bool:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        described = await client.workflow_service.describe_task_queue(request, timeout=LONGEST_CALL)
    except RPCError as away:
        log.warning("Temporal does not say who serves %s: %s", queue, away.message)
        return False
    return any(_is_alive(one) for one in described.pollers)


def _is_alive(poller: PollerInfo) -> bool:
    """Say whether a poller still asks; of one of this machine by its process, for Temporal remembers the dead."""
    if datetime.now(UTC) - poller.last_access_time.ToDatetime(UTC) > ALIVE:
        return False
    pid, _, host = poller.identity.partition("@")
    if host != socket.gethostname() or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return int(pid) != os.getpid()

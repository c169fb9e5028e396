"""WorkflowService: start, read, wait for, steer and end runs, schedule them; register what can be run."""

from orkestra.workflow_worker.operations.base import RUN_NEWS, Engine, FindPerson, TasksOf, history_format, workflow_of
from orkestra.workflow_worker.operations.ending import Ending, end_run
from orkestra.workflow_worker.operations.erasing import ERASED_PARTS, Erasing, start_erasure
from orkestra.workflow_worker.operations.forgetting import TenantRuns
from orkestra.workflow_worker.operations.progress import Progressing
from orkestra.workflow_worker.operations.reading import Reading
from orkestra.workflow_worker.operations.retaining import Retaining, sync_retention
from orkestra.workflow_worker.operations.scheduling import Scheduling, sync_schedule
from orkestra.workflow_worker.operations.starting import note_start, start_of
from orkestra.workflow_worker.operations.steering import Steering
from orkestra.workflow_worker.operations.timeline import Telling
from orkestra.workflow_worker.operations.waiting import no_longer_waits, note_waiting

__all__ = [
    "ERASED_PARTS",
    "RUN_NEWS",
    "Engine",
    "FindPerson",
    "TasksOf",
    "TenantRuns",
    "WorkflowOperations",
    "end_run",
    "history_format",
    "no_longer_waits",
    "note_start",
    "note_waiting",
    "start_erasure",
    "start_of",
    "sync_retention",
    "sync_schedule",
    "workflow_of",
]


class WorkflowOperations(Scheduling, Reading, Telling, Steering, Progressing, Ending, Retaining, Erasing):
    """Serves WorkflowService on one schema and one Temporal namespace."""

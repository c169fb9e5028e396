"""Temporal, as far as the service needs it; Unavailable where it does not answer in time."""

from orkestra.workflow_worker.channels.asking import Asking
from orkestra.workflow_worker.channels.clearing import Clearing
from orkestra.workflow_worker.channels.keeping import ERASE_PERSON, KEEP_RETENTION, Keeping
from orkestra.workflow_worker.channels.running import Running

__all__ = ["ERASE_PERSON", "KEEP_RETENTION", "Engine"]


class Engine(Running, Asking, Keeping, Clearing):
    """One namespace of Temporal."""

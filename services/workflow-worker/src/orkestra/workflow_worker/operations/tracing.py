"""The span of a run: known from the start, so that what the run does lies below it, and recorded at the end."""

import hashlib
from datetime import UTC, datetime

from orkestra.chassis.telemetry import record
from orkestra.v1.workflow import Workflow


def trace_of_run(workflow_id: str, traceparent: str) -> str:
    """Return the trace that `traceparent` names, with the span of the run as the one that goes on (W3C)."""
    version, trace_id, _, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{_span_id(workflow_id):016x}-{flags}"


def record_run(run: Workflow, traceparent: str) -> None:
    """Record the span of a run that has ended, below the request that `traceparent` names."""
    record(
        f"workflow {run.definition}@{run.version}",
        traceparent,
        span_id=_span_id(run.workflow_id),
        began=run.started_at,
        ended=run.closed_at or datetime.now(UTC),
        attributes={
            "orkestra.tenant_id": run.tenant_id,
            "orkestra.workflow_id": run.workflow_id,
            "orkestra.workflow_status": run.status.value,
        },
    )


def _span_id(workflow_id: str) -> int:
    return int.from_bytes(hashlib.sha256(workflow_id.encode()).digest()[:8]) or 1

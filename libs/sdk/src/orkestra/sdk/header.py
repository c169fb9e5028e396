"""What travels with every run in the Temporal header `orkestra`."""

from collections.abc import Mapping
from typing import Any

from orkestra.v1.workflow import Handoff
from pydantic import BaseModel, ConfigDict, ValidationError
from temporalio.api.common.v1 import Payload

HEADER = "orkestra"
TENANT = "orkestra-tenant"
"""Names in a payload's metadata whose it is, so that it is encrypted for that tenant."""
MAX_BYTES = 128 * 1024
HISTORY_FORMAT = 3
"""What runs of a definition may write that was first registered by this SDK; see Definition.history_format."""


class RunHeader(BaseModel):
    """Whose run it is, what was handed over and what it was started with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant_id: str
    workflow_id: str
    handoff: Handoff | None = None
    input: dict[str, Any] | None = None
    requested_by: str | None = None
    on_behalf_of: str | None = None
    traceparent: str | None = None
    history_format: int = 1

    @property
    def takes_told_ends(self) -> bool:
        """Whether the run takes an end that came with its signal without asking for it again."""
        return self.history_format >= 2

    @property
    def ends_with_its_alarms(self) -> bool:
        """Whether the run, where it ends in the step that no longer needs an alarm, leaves it to Temporal."""
        return self.history_format >= 3

    def to_payload(self) -> Payload:
        """Return the header as Temporal carries it where payloads are not encrypted."""
        data = self.model_dump_json(exclude_none=True).encode()
        return Payload(metadata={"encoding": b"json/plain", TENANT: self.tenant_id.encode()}, data=data)

    def without_content(self) -> "RunHeader":
        """Return the header for an activity: the same without handoff and input, so that histories stay small."""
        return self.model_copy(update={"handoff": None, "input": None})


def read_header(headers: Mapping[str, Payload]) -> RunHeader | None:
    """Return the run's header; None where there is none or it cannot be read."""
    payload = headers.get(HEADER)
    if payload is None:
        return None
    try:
        return RunHeader.model_validate_json(payload.data)
    except ValidationError:
        return None

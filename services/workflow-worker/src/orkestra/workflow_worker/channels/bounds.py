"""Temporal, bounded: what every call to it has in common."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from orkestra.chassis.telemetry import step
from orkestra.sdk.converter import encode_for, encode_header, is_encrypting
from orkestra.sdk.header import RunHeader
from orkestra.wire import Unavailable
from temporalio.api.common.v1 import Memo, Payload, Payloads
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

BOUND_SECONDS = 1.5
NOT_CONNECTED = "Failed client connect"
TENANT_MEMO = "orkestra_tenant"
"""Whose an execution is, readable in lists also where its payloads are encrypted."""


class Bounded:
    """A namespace of Temporal; Unavailable where it does not answer in time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._service = client.workflow_service

    async def check(self) -> None:
        """Raise Unavailable where Temporal does not answer within a second."""
        async with bounded(1.0):
            await self._service.get_system_info(GetSystemInfoRequest())

    async def _encoded(self, tenant_id: str, *values: Any) -> Payloads:
        """Return values as Temporal is given them for a run of the tenant."""
        return Payloads(payloads=await encode_for(self._client.data_converter, tenant_id, values))

    async def _header(self, header: RunHeader) -> Payload:
        return await encode_header(self._client.data_converter, header)

    def _memo(self, tenant_id: str) -> Memo:
        said = Payload(metadata={"encoding": b"json/plain"}, data=f'"{tenant_id}"'.encode())
        return Memo(fields={TENANT_MEMO: said})

    def _said(self, reason: str, otherwise: str) -> str:
        """Return a reason as Temporal may store it: it has no place for one that is encrypted."""
        return otherwise if is_encrypting(self._client) else reason

    async def _reachable(self) -> None:
        """Tell a Temporal that is away from a worker that is, before waiting for the worker."""
        try:
            await self.check()
        except RPCError as error:
            raise unavailable() from error

    async def _unless_gone(self, rpc: str, call: Awaitable[object]) -> bool:
        try:
            with step(f"temporal {rpc}"):
                async with bounded():
                    await call
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS):
                return False
            raise unavailable() from error
        return True


def unavailable() -> Unavailable:
    """Return what is raised while Temporal does not answer."""
    return Unavailable("TEMPORAL_UNAVAILABLE", "Temporal cannot be reached.", retry_after=1.0)


@asynccontextmanager
async def bounded(seconds: float = BOUND_SECONDS) -> AsyncIterator[None]:
    """Raise Unavailable after `seconds`: a call to a dead Temporal fails by itself only after about ten.

    Where there was no connection yet, Temporal's client says so by a RuntimeError.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise unavailable() from None
    except RuntimeError as error:
        if NOT_CONNECTED not in str(error):
            raise
        raise unavailable() from error

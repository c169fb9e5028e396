"""Temporal, bounded: what every call to it has in common."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from orkestra.chassis.telemetry import step
from orkestra.wire import Unavailable
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

BOUND_SECONDS = 1.5
NOT_CONNECTED = "Failed client connect"


class Bounded:
    """A namespace of Temporal; Unavailable where it does not answer in time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._service = client.workflow_service

    async def check(self) -> None:
        """Raise Unavailable where Temporal does not answer within a second."""
        async with bounded(1.0):
            await self._service.get_system_info(GetSystemInfoRequest())

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

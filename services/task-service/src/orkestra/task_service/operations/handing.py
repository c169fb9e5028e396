"""The ends of tasks, handed over at once to whoever wakes the runs behind them."""

from orkestra.rules import may_as_service
from orkestra.task_service.operations.base import Base
from orkestra.v1.task import AwaitEndsRequest, AwaitEndsResponse
from orkestra.wire import Context, FieldError, InvalidArgument

LONGEST_WAIT = 50


class Handing(Base):
    """The rpc by which workflow-worker hears of ends before their events come by."""

    async def await_ends(self, ctx: Context, request: AwaitEndsRequest) -> AwaitEndsResponse:
        """Wait for ends of any tenant; only for the installation's services, not for its workers."""
        refusal = may_as_service("await_ends", ctx.principal)
        if refusal is not None:
            raise refusal
        wait = request.wait or 0
        if not 0 <= wait <= LONGEST_WAIT:
            fault = FieldError("wait", "out_of_range", f"Between 0 and {LONGEST_WAIT} seconds.")
            raise InvalidArgument("REQUEST_INVALID", f"wait: {fault.message}", errors=[fault])
        return AwaitEndsResponse(ends=await self.fresh_ends.take(wait))

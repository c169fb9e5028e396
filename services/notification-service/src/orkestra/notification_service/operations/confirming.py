"""Links in messages: what they are about, for whom, and whether they were used. They decide nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.v1.notification import Confirmation, GetConfirmationRequest, UseConfirmationRequest
from orkestra.wire import FailedPrecondition, NotFound

OpenToken = Callable[[str, str], str | None]
"""The delivery that a token was made of in a tenant, None where it was not."""


class Confirming:
    """The rpcs of links."""

    database: Database
    open_token: OpenToken
    link_lifetime: timedelta

    @read
    async def get_confirmation(self, tx: Tx, request: GetConfirmationRequest) -> Confirmation:
        """Return what a link is about; reading changes nothing, however often a program does it."""
        return (await self._look(tx, request.token))[1]

    @operation
    async def use_confirmation(self, tx: Tx, request: UseConfirmationRequest) -> Confirmation:
        """Use a link up; of two who try at once one is refused."""
        delivery_id, seen = await self._look(tx, request.token)
        used_at: datetime | None = await sql.use_confirmation.value(tx.conn, delivery_id=delivery_id)
        if used_at is None:
            raise _used()
        return seen.model_copy(update={"used_at": used_at})

    async def _look(self, tx: Tx, token: str) -> tuple[str, Confirmation]:
        delivery_id = self.open_token(tx.tenant_id, token)
        row = None if delivery_id is None else await sql.get_confirmation.row(tx.conn, delivery_id=delivery_id)
        if delivery_id is None or row is None or not rules.is_addressed(_recipient(row), tx.ctx.principal):
            raise NotFound("CONFIRMATION_NOT_FOUND", "This link is not one of yours. Open the task from your inbox.")
        content: dict[str, Any] = row["content"]
        if content.get("task_id") is None or content.get("version") is None:
            raise NotFound("CONFIRMATION_NOT_FOUND", "This link leads to no decision.")
        expires_at = row["created_at"] + self.link_lifetime
        if row["used_at"] is not None:
            raise _used()
        if await tx.now() > expires_at:
            raise FailedPrecondition("CONFIRMATION_EXPIRED", "This link is too old. Open the task from your inbox.")
        return delivery_id, Confirmation(
            task_id=content["task_id"], version=content["version"], expires_at=expires_at, used_at=None
        )


def _recipient(row: Any) -> str:
    """Return whom a message was for: what follows the channel in its lane."""
    recipient: str = row["lane"].partition(":")[2]
    return recipient


def _used() -> FailedPrecondition:
    return FailedPrecondition("CONFIRMATION_USED", "This link was used already. Open the task from your inbox.")

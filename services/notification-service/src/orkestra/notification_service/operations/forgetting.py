"""Deliveries that are kept no longer, and what is erased of a person; each call a bounded step."""

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.v1.notification import (
    Channel,
    EraseMessagesRequest,
    EraseMessagesResponse,
    ForgetDeliveriesRequest,
    ForgetDeliveriesResponse,
)

AT_ONCE = 500


class Forgetting:
    """The rpcs by which workflow-worker applies a tenant's retention and erases a person."""

    database: Database

    @operation
    async def forget_deliveries(self, tx: Tx, request: ForgetDeliveriesRequest) -> ForgetDeliveriesResponse:
        """Delete deliveries that ended and are older than a time; what is still tried stays."""
        rules.check_installation(tx.ctx.principal)
        count = await sql.forget_deliveries.execute(
            tx.conn, tenant_id=tx.tenant_id, created_before=request.created_before, limit=AT_ONCE
        )
        return ForgetDeliveriesResponse(forgotten=count, more=count == AT_ONCE)

    @operation
    async def erase_messages(self, tx: Tx, request: EraseMessagesRequest) -> EraseMessagesResponse:
        """Erase a person's feed, messages, wishes and addresses, and what webhooks were sent of who they are.

        Whoever has some of it still in hand has written it before this begins, or sees the mark and leaves it out.
        """
        rules.check_installation(tx.ctx.principal)
        owner = f"user:{request.user_id}"
        lanes = {"lanes": [f"{channel}:{owner}" for channel in Channel]}
        tenant, person = {"tenant_id": tx.tenant_id}, {"tenant_id": tx.tenant_id, "user_id": request.user_id}
        tx.send_ahead(sql.begin_erasure.text)
        await sql.mark_erased.execute(tx.conn, **person, version=request.version)
        counts = [
            await sql.erase_deliveries.execute(tx.conn, **person, **lanes, limit=AT_ONCE),
            await sql.erase_feed.execute(tx.conn, **person, limit=AT_ONCE),
        ]
        once = [
            await sql.erase_lanes.execute(tx.conn, **tenant, **lanes),
            await sql.erase_preferences.execute(tx.conn, **tenant, owner=owner),
            await sql.erase_copy_of_person.execute(tx.conn, **person),
            await sql.forget_answers.value(tx.conn, **tenant, principal=request.user_id),
        ]
        return EraseMessagesResponse(erased=sum(counts) + sum(once), more=max(counts) == AT_ONCE)

"""Webhooks: who registers which address, its secrets, and the log of what was sent there."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.v1.notification import (
    CreatedWebhook,
    CreateWebhookRequest,
    DeleteWebhookRequest,
    Delivery,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListDeliveriesResponse,
    ListWebhooksRequest,
    ListWebhooksResponse,
    RedeliverRequest,
    RedeliverResponse,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
    Webhook,
    WebhookEvent,
    WebhookStatus,
)
from orkestra.wire import Context, FailedPrecondition, NotFound, VersionMismatch

Reach = Callable[[str], Awaitable[None]]
"""Refuses an address that nothing may be sent to."""
SecretOf = Callable[[str, int], str]
"""The secret of a webhook's id and generation."""


def lane_of(webhook_id: str) -> str:
    """Return the lane in which a webhook's deliveries wait."""
    return f"webhook:{webhook_id}"


class Webhooks:
    """The rpcs of webhooks, for admins."""

    database: Database
    reach: Reach
    secret_of: SecretOf

    async def create_webhook(self, ctx: Context, request: CreateWebhookRequest) -> CreatedWebhook:
        """Register an address; its name is looked up before the transaction begins."""
        rules.check_role("CreateWebhook", ctx.principal)
        await self.reach(request.url)
        return await self._create(ctx, request)

    @operation
    async def _create(self, tx: Tx, request: CreateWebhookRequest) -> CreatedWebhook:
        events = rules.check_filters(request.events)
        rules.check_description(request.description)
        if await sql.count_webhooks.value(tx.conn) >= rules.MOST_WEBHOOKS:
            message = f"A tenant has at most {rules.MOST_WEBHOOKS} webhooks; remove one that is no longer used."
            raise FailedPrecondition("TOO_MANY_WEBHOOKS", message)
        webhook = await sql.create_webhook.one(
            tx.conn,
            Webhook,
            tenant_id=tx.tenant_id,
            url=request.url,
            events=events,
            description=request.description,
        )
        return self._with_secret(tx, await _told(tx, "created", webhook), generation=1)

    @read
    async def get_webhook(self, tx: Tx, request: GetWebhookRequest) -> Webhook:
        """Return a webhook."""
        rules.check_role("GetWebhook", tx.ctx.principal)
        return _found(await sql.get_webhook.one(tx.conn, Webhook, webhook_id=request.webhook_id))

    @read
    async def list_webhooks(self, tx: Tx, request: ListWebhooksRequest) -> ListWebhooksResponse:  # noqa: ARG002 - an rpc's
        """Return every webhook of the tenant."""
        rules.check_role("ListWebhooks", tx.ctx.principal)
        return ListWebhooksResponse(webhooks=await sql.list_webhooks.all(tx.conn, Webhook))

    async def update_webhook(self, ctx: Context, request: UpdateWebhookRequest) -> Webhook:
        """Change a webhook; a new address is looked up before the transaction begins."""
        rules.check_role("UpdateWebhook", ctx.principal)
        if request.url is not None:
            await self.reach(request.url)
        return await self._update(ctx, request)

    @operation
    async def _update(self, tx: Tx, request: UpdateWebhookRequest) -> Webhook:
        seen = await _locked(tx, request.webhook_id, request.version)
        rules.check_description(request.description)
        status = request.status or seen.status
        is_off = status == WebhookStatus.DISABLED
        reason = seen.disabled_reason if seen.status == WebhookStatus.DISABLED else "by_admin"
        changed = await sql.update_webhook.one(
            tx.conn,
            Webhook,
            webhook_id=seen.webhook_id,
            url=request.url or seen.url,
            events=rules.check_filters(request.events) if request.events else seen.events,
            description=seen.description if request.description is None else request.description,
            status=status.value,
            disabled_reason=reason if is_off else None,
        )
        if request.status == WebhookStatus.ACTIVE:
            await sql.start_lane.execute(tx.conn, tenant_id=tx.tenant_id, lane=lane_of(seen.webhook_id))
        return await _told(tx, "updated", changed)

    @operation
    async def delete_webhook(self, tx: Tx, request: DeleteWebhookRequest) -> Webhook:
        """Remove a webhook and its log."""
        rules.check_role("DeleteWebhook", tx.ctx.principal)
        seen = await _locked(tx, request.webhook_id, request.version)
        await sql.delete_webhook.execute(tx.conn, webhook_id=seen.webhook_id)
        await sql.delete_lane_deliveries.execute(tx.conn, lane=lane_of(seen.webhook_id))
        await sql.delete_lane.execute(tx.conn, lane=lane_of(seen.webhook_id))
        return await _told(tx, "deleted", seen)

    @operation
    async def rotate_webhook_secret(self, tx: Tx, request: RotateWebhookSecretRequest) -> CreatedWebhook:
        """Give a webhook its next secret; for 24 hours the one before signs as well."""
        rules.check_role("RotateWebhookSecret", tx.ctx.principal)
        row = await sql.rotate_webhook_secret.row(tx.conn, webhook_id=request.webhook_id)
        if row is None:
            raise _not_found()
        webhook = Webhook.model_validate({name: row[name] for name in Webhook.model_fields if name in row})
        return self._with_secret(tx, await _told(tx, "secret_rotated", webhook), generation=row["generation"])

    @read
    async def list_deliveries(self, tx: Tx, request: ListDeliveriesRequest) -> ListDeliveriesResponse:
        """Return a page of the log."""
        rules.check_role("ListDeliveries", tx.ctx.principal)
        size = rules.page_size_of(request.page_size)
        before_time, before_id = rules.place_of(request.page_token)
        _found(await sql.get_webhook.one(tx.conn, Webhook, webhook_id=request.webhook_id))
        rows = await sql.list_deliveries.rows(
            tx.conn,
            lane=lane_of(request.webhook_id),
            status=request.status,
            before_time=before_time,
            before_id=before_id,
            limit=size + 1,
        )
        found = [Delivery.model_validate({**row, "webhook_id": request.webhook_id}) for row in rows]
        last = found[size - 1] if len(found) > size else None
        token = None if last is None else rules.page_token(last.created_at, last.delivery_id)
        return ListDeliveriesResponse(deliveries=found[:size], next_page_token=token)

    @operation
    async def redeliver(self, tx: Tx, request: RedeliverRequest) -> RedeliverResponse:
        """Send again what was sent or given up; what still waits is not sent twice."""
        rules.check_role("Redeliver", tx.ctx.principal)
        rules.check_redelivered(request.delivery_ids)
        seen = await _locked(tx, request.webhook_id, None)
        if seen.status != WebhookStatus.ACTIVE:
            raise FailedPrecondition("WEBHOOK_DISABLED", "The webhook is disabled; switch it on first.", current=seen)
        lane = lane_of(seen.webhook_id)
        if request.delivery_ids:
            count = await sql.redeliver.execute(tx.conn, lane=lane, delivery_ids=request.delivery_ids)
        else:
            count = await sql.redeliver_failed.execute(tx.conn, lane=lane)
        if count:
            await sql.wake_lane.execute(tx.conn, tenant_id=tx.tenant_id, lane=lane, at=None)
        return RedeliverResponse(deliveries=count)

    def _with_secret(self, tx: Tx, webhook: Webhook, *, generation: int) -> CreatedWebhook:
        """Return what is shown once; a repeated request is answered without the secret."""
        created = CreatedWebhook(webhook=webhook, secret=self.secret_of(webhook.webhook_id, generation))
        tx.keep(created.model_copy(update={"secret": ""}))
        return created


async def _locked(tx: Tx, webhook_id: str, version: int | None) -> Webhook:
    webhook = _found(await sql.lock_webhook.one(tx.conn, Webhook, webhook_id=webhook_id))
    if version not in (None, webhook.version):
        message = f"The webhook has changed; it is now at version {webhook.version}."
        raise VersionMismatch("VERSION_MISMATCH", message, current=webhook)
    return webhook


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise _not_found()
    return webhook


def _not_found() -> NotFound:
    return NotFound("WEBHOOK_NOT_FOUND", "There is no such webhook in your tenant.")


async def _told(tx: Tx, event: str, webhook: Webhook | None) -> Webhook:
    webhook = _found(webhook)
    await tell(tx, event, webhook, actor=tx.ctx.subject)
    return webhook


async def tell(tx: Tx, event: str, webhook: Webhook, *, actor: str | None) -> None:
    """Tell what happened to a webhook; of its address the host alone, for what follows it may be a credential."""
    place = urlsplit(webhook.url)
    told = webhook.model_copy(update={"url": f"{place.scheme}://{place.netloc}/"})
    payload = WebhookEvent(webhook=told, audience=[], actor=actor)
    await tx.emit(aggregate="webhook", event=event, payload=payload, key=webhook.webhook_id, version=webhook.version)

"""Lists that people keep under a name: for themselves, or for a group."""

import secrets

from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import check_view, may_in_tenant, may_share, may_with_view, mint_task_id, view_not_found
from orkestra.rules.permissions import MANAGERS
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import Named, calendar_place, calendar_token, page_size_of
from orkestra.v1.events import ViewEvent
from orkestra.v1.task import (
    CreateViewRequest,
    DeleteViewRequest,
    GetViewRequest,
    ListViewsRequest,
    ListViewsResponse,
    TaskFilter,
    UpdateViewRequest,
    View,
)
from orkestra.wire import Error, InvalidArgument, VersionMismatch


class Views(Base):
    """The rpcs of views."""

    @operation
    async def create_view(self, tx: Tx, request: CreateViewRequest) -> View:
        """Keep a view for the caller, who may share it with a group."""
        _refuse(may_in_tenant("create_view", tx.ctx.principal))
        await self._check_view(tx, request)
        view_id = mint_task_id(await tx.now(), secrets.randbits(74)).replace("task_", "view_")
        view = await sql.create_view.one(
            tx.conn, View, tenant_id=tx.tenant_id, view_id=view_id, owner=tx.ctx.subject, **_columns(request)
        )
        return await _told(tx, "created", view, view_id)

    @read
    async def get_view(self, tx: Tx, request: GetViewRequest) -> View:
        """Return a view that the caller may use."""
        view = await sql.get_view.one(tx.conn, View, view_id=request.view_id)
        if view is None:
            raise view_not_found(request.view_id)
        _refuse(may_with_view("view", tx.ctx.principal, view))
        return view

    @read
    async def list_views(self, tx: Tx, request: ListViewsRequest) -> ListViewsResponse:
        """Return a page of the views that the caller may use, the oldest first."""
        size, after = page_size_of(request.page_size), calendar_place(request.page_token)
        principal = tx.ctx.principal
        found = await sql.list_views.all(
            tx.conn,
            View,
            after=after,
            subject=principal.subject,
            groups=sorted(principal.groups),
            manages=not MANAGERS.isdisjoint(principal.roles),
            limit=size + 1,
        )
        token = calendar_token(found[size - 1].view_id) if len(found) > size else None
        return ListViewsResponse(views=found[:size], next_page_token=token)

    @operation
    async def update_view(self, tx: Tx, request: UpdateViewRequest) -> View:
        """Replace the view by its next version."""
        seen = await _locked(tx, "update", request)
        await self._check_view(tx, request, kept=seen.group_id)
        view = await sql.update_view.one(
            tx.conn, View, view_id=seen.view_id, updated_by=tx.ctx.subject, **_columns(request)
        )
        return await _told(tx, "updated", view, seen.view_id, was=seen)

    @operation
    async def delete_view(self, tx: Tx, request: DeleteViewRequest) -> View:
        """Remove the view and return it as it was."""
        seen = await _locked(tx, "delete", request)
        await sql.delete_view.execute(tx.conn, view_id=seen.view_id)
        return await _told(tx, "deleted", seen, seen.view_id)

    async def _check_view(
        self, tx: Tx, request: CreateViewRequest | UpdateViewRequest, *, kept: str | None = None
    ) -> None:
        errors = check_view(request)
        if errors:
            raise InvalidArgument("VIEW_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
        if request.group_id is not None and request.group_id != kept:
            _refuse(may_share(tx.ctx.principal, request.group_id))
            await self.people.known(tx, [], [Named("group_id", request.group_id)], before_asking=lambda: None)


def _refuse(refusal: Error | None) -> None:
    if refusal is not None:
        raise refusal


async def _locked(tx: Tx, operation: str, request: UpdateViewRequest | DeleteViewRequest) -> View:
    """Return the view that the caller may change, at the version that they saw, under its lock."""
    view = await sql.lock_view.one(tx.conn, View, view_id=request.view_id)
    if view is None:
        raise view_not_found(request.view_id)
    _refuse(may_with_view(operation, tx.ctx.principal, view))
    if request.version not in (None, view.version):
        message = f"The view has changed; it is now at version {view.version}."
        raise VersionMismatch("VERSION_MISMATCH", message, current=view)
    return view


def _columns(request: CreateViewRequest | UpdateViewRequest) -> dict[str, object]:
    return {
        "name": request.name,
        "group_id": request.group_id,
        "filter": request.filter.model_dump(mode="json", exclude_none=True),
    }


async def _told(tx: Tx, event: str, view: View | None, view_id: str, *, was: View | None = None) -> View:
    """Tell those who see the view, or saw it, and return it."""
    if view is None:
        raise view_not_found(view_id)
    groups = {one.group_id for one in (view, was) if one is not None and one.group_id is not None}
    audience = [f"user:{view.owner}", *(f"group:{group}" for group in sorted(groups))]
    slim = view.model_copy(update={"filter": TaskFilter()})
    payload = ViewEvent(view=slim, audience=audience, actor=tx.ctx.subject)
    await tx.emit(aggregate="view", event=event, payload=payload, key=view.view_id, version=view.version)
    return view

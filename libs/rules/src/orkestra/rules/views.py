"""Who may do what with a saved view, and what a view must be."""

from collections.abc import Mapping
from typing import Final

from orkestra.rules.finding import filter_faults
from orkestra.rules.permissions import MANAGERS
from orkestra.v1.task import CreateViewRequest, UpdateViewRequest, View
from orkestra.wire import Error, FieldError, NotFound, PermissionDenied, Principal

MAX_NAME: Final = 200
VIEW_GRANTS: Final[Mapping[str, frozenset[str]]] = {  # relations to the view
    "view": frozenset({"owner", "member", "manager"}),
    "update": frozenset({"owner", "manager"}),
    "delete": frozenset({"owner", "manager"}),
}


def view_relations(principal: Principal, view: View) -> frozenset[str]:
    """Returns what the principal is to the view; a private one has an owner and nobody else."""
    held = {
        "owner": view.owner == principal.subject,
        "member": view.group_id is not None and view.group_id in principal.groups,
        "manager": view.group_id is not None and not MANAGERS.isdisjoint(principal.roles),
    }
    return frozenset(name for name, is_held in held.items() if is_held)


def may_with_view(operation: str, principal: Principal, view: View) -> Error | None:
    """Returns why the principal may not, None where it may. A view that it may not use is NotFound."""
    held = view_relations(principal, view)
    if held.isdisjoint(VIEW_GRANTS["view"]):
        return view_not_found(view.view_id)
    if held.isdisjoint(VIEW_GRANTS[operation]):
        return PermissionDenied("NOT_THE_OWNER", "Only whoever keeps the view, or a manager, can change it.")
    return None


def may_share(principal: Principal, group_id: str | None) -> Error | None:
    """Returns why the principal may not share a view with the group: managers may with any, others with their own."""
    if group_id is None or group_id in principal.groups or not MANAGERS.isdisjoint(principal.roles):
        return None
    return PermissionDenied("NOT_A_MEMBER", "A view is shared with a group that one is in; managers share with any.")


def check_view(request: CreateViewRequest | UpdateViewRequest) -> list[FieldError]:
    """Returns what is wrong with a view: its name, and filters that no list takes."""
    errors = []
    if not request.name.strip() or len(request.name) > MAX_NAME:
        errors.append(FieldError("name", "wrong_length", f"1 to {MAX_NAME} characters."))
    errors += [FieldError(f"filter.{fault.path}", fault.code, fault.message) for fault in filter_faults(request.filter)]
    return errors


def view_not_found(view_id: str) -> NotFound:
    """Returns what is said of a view that is unknown, another's or another tenant's."""
    return NotFound("VIEW_NOT_FOUND", f"There is no view {view_id[:100]}.")

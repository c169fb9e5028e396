"""Who may do what with a task: grants as data, and the relations that they speak of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orkestra.rules.substitutes import acting_for, stood_for
from orkestra.v1.task import Task, TaskStatus
from orkestra.wire import Error, NotFound, PermissionDenied, Principal

OVERSEERS: Final = frozenset({"admin", "manager", "auditor"})
MANAGERS: Final = frozenset({"admin", "manager"})
SERVICE: Final = "service"  # subject of the key of the installation's services
INSTALLATION: Final = frozenset({"worker", SERVICE})  # subjects of the installation's own keys


@dataclass(frozen=True, slots=True)
class Grant:
    """One way to be allowed: through a relation to the task, or through a role."""

    relation: str | None = None
    roles: frozenset[str] = frozenset()


_MANAGER: Final = Grant(roles=MANAGERS)
_INSTALLATION: Final = Grant(relation="installation")

_VIEW: Final = (
    Grant(roles=OVERSEERS),
    *(
        Grant(relation=name)
        for name in (
            "assignee",
            "delegator",
            "candidate",
            "requester",
            "beneficiary",
            "answerer",
            "voter",
            "mentioned",
            "installation",
        )
    ),
)

GRANTS: Final[Mapping[str, tuple[Grant, ...]]] = {
    "view": _VIEW,
    "comment": _VIEW,
    "claim": (Grant(relation="candidate"), Grant(relation="assignee")),
    "release": (Grant(relation="assignee"), _MANAGER),
    "assign": (_MANAGER,),
    "delegate": (Grant(relation="assignee"), _MANAGER),
    "escalate": (_MANAGER,),
    "update": (Grant(relation="requester"), _MANAGER, Grant(relation="run")),
    "complete": (Grant(relation="candidate"), Grant(relation="assignee")),
    "vote": (Grant(relation="candidate"), Grant(relation="assignee")),
    "undo": (*(Grant(relation=name) for name in ("assignee", "answerer", "submitter")), _MANAGER),
    "cancel": (Grant(relation="requester"), _MANAGER, Grant(relation="run")),
    "save_draft": (Grant(relation="assignee"),),
    "request_changes": (Grant(relation="assignee"),),
    "answer": (Grant(relation="requester"), Grant(relation="beneficiary"), Grant(relation="run")),
    "attach": (
        *(Grant(relation=name) for name in ("candidate", "assignee", "requester", "beneficiary", "run")),
        _MANAGER,
    ),
    "remove_attachment": (_MANAGER,),  # and whoever attached it
    "advance": (_INSTALLATION,),
}
TENANT_GRANTS: Final[Mapping[str, frozenset[str]]] = {  # roles, for what is about no single task
    "check_escalation": frozenset({"agent", "system", "worker", "manager", "admin"}),
    "view_escalation_checks": frozenset({"agent", "system", "worker", "manager", "admin", "auditor"}),
    "view_escalation_policy": frozenset({"agent", "system", "worker", "member", "manager", "admin", "auditor"}),
    "put_escalation_policy": MANAGERS,
    "view_corrections": OVERSEERS,
    "view_figures": OVERSEERS,
    "redeem_receipt": frozenset({"agent", "system", "worker", "admin"}),
    "view_task_settings": frozenset({"agent", "system", "worker", "member", "manager", "admin", "auditor"}),
    "put_task_settings": MANAGERS,
    "view_calendar": frozenset({"agent", "system", "worker", "member", "manager", "admin", "auditor"}),
    "create_calendar": MANAGERS,
    "update_calendar": MANAGERS,
    "delete_calendar": MANAGERS,
    "create_view": frozenset({"system", "member", "manager", "admin", "auditor"}),
}
DECIDING: Final = frozenset({"claim", "complete", "vote"})  # for people, and for agents that the task names

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "claim": ("NOT_A_CANDIDATE", "The task is not offered to you."),
    "complete": ("NOT_A_CANDIDATE", "The task is not offered to you."),
    "vote": ("NOT_A_CANDIDATE", "The task is not offered to you."),
    "release": ("NOT_THE_ASSIGNEE", "Only the person who holds the task, or a manager, can put it back."),
    "assign": ("NOT_A_MANAGER", "Only managers and admins assign tasks to others."),
    "delegate": ("NOT_THE_ASSIGNEE", "Only the person to whom the task is given, or a manager, can delegate it."),
    "escalate": ("NOT_A_MANAGER", "Only managers and admins escalate by hand."),
    "update": ("NOT_THE_REQUESTER", "Only whoever asked for the task, or a manager, can change it."),
    "cancel": ("NOT_THE_REQUESTER", "Only whoever asked for the task, or a manager, can cancel it."),
    "undo": ("NOT_THE_ANSWERER", "Only whoever answered, or a manager, can take the answer back."),
    "view_task_settings": ("TASK_SETTINGS_NOT_VISIBLE", "Your role does not show the settings of tasks."),
    "put_task_settings": ("NOT_A_MANAGER", "Only managers and admins change the settings of tasks."),
    "save_draft": ("NOT_THE_ASSIGNEE", "Only the person who holds the task keeps a draft of its answer."),
    "request_changes": ("NOT_THE_ASSIGNEE", "Only the person who holds the task can ask for changes."),
    "answer": ("NOT_THE_REQUESTER", "Only whoever asked for the task can answer the reviewer."),
    "attach": ("ATTACHING_NOT_ALLOWED", "Only whoever may work on the task, asked for it or manages it attaches."),
    "remove_attachment": ("NOT_THE_AUTHOR", "Only whoever attached the file, or a manager, can remove it."),
    "advance": ("NOT_A_WORKER", "Only a worker moves the clock of a task."),
    "await_ends": ("NOT_A_WORKER", "Only the installation's services hear of ends at once."),
    "confirm_wake_ups": ("NOT_A_WORKER", "Only a worker confirms wake-ups."),
    "forget": ("NOT_A_WORKER", "Only the installation itself forgets tasks and erases words."),
    "check_escalation": ("CHECK_NOT_ALLOWED", "Only agents ask whether they may go on alone."),
    "view_escalation_checks": ("CHECKS_NOT_VISIBLE", "Your role does not show what agents asked."),
    "view_escalation_policy": ("POLICY_NOT_VISIBLE", "Your role does not show the escalation policy."),
    "put_escalation_policy": ("NOT_A_MANAGER", "Only managers and admins change the escalation policy."),
    "view_corrections": ("CORRECTIONS_NOT_VISIBLE", "Only managers, admins and auditors see what people corrected."),
    "view_figures": ("FIGURES_NOT_VISIBLE", "Only managers, admins and auditors see figures."),
    "redeem_receipt": ("REDEEM_NOT_ALLOWED", "Only agents, systems and workers use receipts up."),
    "view_calendar": ("CALENDAR_NOT_VISIBLE", "Your role does not show calendars."),
    "create_calendar": ("NOT_A_MANAGER", "Only managers and admins keep calendars."),
    "update_calendar": ("NOT_A_MANAGER", "Only managers and admins keep calendars."),
    "delete_calendar": ("NOT_A_MANAGER", "Only managers and admins keep calendars."),
    "create_view": ("VIEWS_NOT_ALLOWED", "Your role keeps no views."),
}


def may(operation: str, principal: Principal, task: Task) -> Error | None:
    """Returns why the principal may not, None where it may. A task that it may not see is NotFound."""
    if not visible(principal, task):
        return NotFound("TASK_NOT_FOUND", f"There is no task {task.task_id[:100]}.")
    if operation in DECIDING:
        refusal = _may_not_decide(operation, principal, task)
        if refusal:
            return refusal
    if _is_granted(operation, principal, task):
        return None
    return PermissionDenied(*REASONS[operation])


def may_in_tenant(operation: str, principal: Principal) -> Error | None:
    """Returns why the principal may not do what is about no single task, None where it may."""
    if not TENANT_GRANTS[operation].isdisjoint(principal.roles):
        return None
    return PermissionDenied(*REASONS[operation])


def may_as_installation(operation: str, principal: Principal) -> Error | None:
    """Returns why the principal may not do what is left to the installation's own keys, None where it may."""
    return None if is_installation(principal) else PermissionDenied(*REASONS[operation])


def may_as_service(operation: str, principal: Principal) -> Error | None:
    """Returns why the principal may not do what is left to the installation's services, None where it may."""
    if is_installation(principal) and principal.subject == SERVICE:
        return None
    return PermissionDenied(*REASONS[operation])


def visible(principal: Principal, task: Task) -> bool:
    """Whether the principal may see the task."""
    return _is_granted("view", principal, task)


def relations(principal: Principal, task: Task) -> frozenset[str]:
    """Returns what the principal is to the task."""
    subject = principal.subject
    held = {
        "assignee": task.assignee == subject or task.assignee in stood_for(principal, task),
        "delegator": task.delegated_by == subject,
        "candidate": _is_candidate(principal, task),
        "requester": task.requested_by == subject,
        "beneficiary": task.on_behalf_of == subject,
        "answerer": task.completed_by == subject,
        "submitter": _has_submitted(subject, task),
        "voter": any(vote.voter == subject for vote in task.votes),
        "mentioned": subject in task.mentioned_users,
        "installation": is_installation(principal),
        "run": is_installation(principal) and task.workflow_id is not None,
    }
    return frozenset(name for name, is_held in held.items() if is_held)


def is_installation(principal: Principal) -> bool:
    """Whether it is a worker or service of the installation, not a key of the tenant."""
    return principal.kind == "service" and principal.subject in INSTALLATION


def is_named_agent(principal: Principal, task: Task) -> bool:
    """Whether the task allows this agent to decide."""
    return principal.kind == "agent" and not {principal.subject, principal.name}.isdisjoint(task.allow_agents)


def audience(task: Task) -> list[str]:
    """Returns who may see the task, sorted: user:<subject>, agent:<name>, group:<id>, and all for overseers."""
    people = {task.requested_by, task.on_behalf_of, task.assignee, task.delegated_by, task.completed_by}
    people |= {*task.candidate_users, *(vote.voter for vote in task.votes)}
    people = (people | set(task.mentioned_users)) - {None}
    return sorted(
        {f"user:{subject}" for subject in people}
        | {f"agent:{name}" for name in task.allow_agents}
        | {f"group:{group}" for group in task.candidate_groups}
        | {"all"}
    )


def shown_to(principal: Principal, task: Task) -> Task:
    """Returns the task as this principal is shown it.

    Partial values are the assignee's alone, and an answer is its person's while it can be taken back; a receipt's
    token, with which it is used up, is for whoever asked.
    """
    held = relations(principal, task)
    hidden: dict[str, object] = {}
    if "assignee" not in held:
        hidden = {"saved": None, "saved_at": None}
    if task.submission is not None:
        said = {} if "submitter" in held else {"outcome": None, "result": None}
        hidden["submission"] = task.submission.model_copy(update={"receipt": None, **said})
    if task.receipt is not None and held.isdisjoint({"requester", "beneficiary", "installation"}):
        hidden["receipt"] = task.receipt.model_copy(update={"token": ""})
    return task.model_copy(update=hidden) if hidden else task


def audiences_of(principal: Principal) -> list[str]:
    """Returns the audiences that the principal belongs to; it sees a task where they meet the task's audience."""
    found = {f"user:{principal.subject}"}
    if principal.kind == "user":
        found |= {f"group:{group}" for group in principal.groups}
    if principal.kind == "agent":
        found |= {f"agent:{name}" for name in (principal.subject, principal.name) if name}
    if is_installation(principal) or not OVERSEERS.isdisjoint(principal.roles):
        found.add("all")
    return sorted(found)


def _has_submitted(subject: str, task: Task) -> bool:
    return task.submission is not None and subject in (task.submission.submitted_by, task.submission.completed_by)


def _is_granted(operation: str, principal: Principal, task: Task) -> bool:
    held = relations(principal, task)
    return any(grant.relation in held or not grant.roles.isdisjoint(principal.roles) for grant in GRANTS[operation])


def _is_candidate(principal: Principal, task: Task) -> bool:
    if is_named_agent(principal, task):
        return True
    if not {principal.subject, *stood_for(principal, task)}.isdisjoint(task.candidate_users):
        return True
    if principal.kind != "user":
        return False
    if not task.candidate_users and not task.candidate_groups and task.assignee is None:
        return not MANAGERS.isdisjoint(principal.roles)  # offered to nobody: a manager takes it
    return not principal.groups.isdisjoint(task.candidate_groups)


def _may_not_decide(operation: str, principal: Principal, task: Task) -> Error | None:
    if principal.kind != "user" and not is_named_agent(principal, task):
        return PermissionDenied("ONLY_PEOPLE_DECIDE", "Only a person can do this; this task names no agent for it.")
    if principal.subject in task.excluded_users:
        return PermissionDenied("EXCLUDED_FROM_TASK", "You are excluded from deciding on this task.")
    if principal.subject in (task.requested_by, task.on_behalf_of) and needs_four_eyes(task):
        return PermissionDenied("FOUR_EYES_REQUIRED", "Whoever asked for it cannot decide on it as well.")
    meant = acting_for(principal, task)
    if meant is not None and is_barred(meant, task):
        return PermissionDenied(
            "EXCLUDED_FROM_TASK", "The person whose place you take is excluded from deciding on it."
        )
    is_given = task.status == TaskStatus.OPEN and operation != "vote"  # whoever has it does not vote for the others
    if is_given and task.assignee not in {None, principal.subject, *stood_for(principal, task)}:
        return PermissionDenied("ASSIGNED_TO_ANOTHER", "The task is offered to one person, and that is not you.")
    return None


def is_barred(subject: str, task: Task) -> bool:
    """Whether somebody cannot decide on the task although it is offered to them."""
    return subject in task.excluded_users or (
        subject in (task.requested_by, task.on_behalf_of) and needs_four_eyes(task)
    )


def needs_four_eyes(task: Task) -> bool:
    """Whether the person who asked must not decide: where it was asked for, with an action, with an approval policy."""
    has_action = task.context is not None and task.context.action is not None
    return bool(task.four_eyes) or has_action or task.approval_policy is not None

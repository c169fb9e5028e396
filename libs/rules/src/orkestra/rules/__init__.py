"""Pure decisions about tasks: state machine, permissions, clocks; used by task-service and by the SDK's test world."""

from orkestra.rules.actions import action_digest, digest_of, digests_of
from orkestra.rules.approvals import Voters
from orkestra.rules.asking import decide_answer, decide_request_changes
from orkestra.rules.assigning import decide_assign, decide_delegate, decide_release
from orkestra.rules.attaching import (
    DEFAULT_TYPES,
    HEAD_BYTES,
    PART_BYTES,
    AttachmentLimits,
    answer_with_files,
    attachment_not_found,
    begun,
    clean_name,
    decide_attaching,
    part_content,
    refusal_of_content,
    refusal_of_parts,
    refusal_of_removal,
    too_large,
)
from orkestra.rules.calendars import check_calendar, group_of, is_always
from orkestra.rules.changes import Change, Decision
from orkestra.rules.clocks import due, next_at, start, wake_in
from orkestra.rules.commenting import decide_comment, mentions_in
from orkestra.rules.creation import check_create, check_size, check_text
from orkestra.rules.decisions import (
    clock_state,
    decide_advance,
    decide_cancel,
    decide_claim,
    decide_complete,
    decide_create,
    end_with_run,
)
from orkestra.rules.drafts import decide_save_draft
from orkestra.rules.durations import parse_duration, parse_share
from orkestra.rules.escalation import asker_of, check_escalation, check_of, check_rules, decide_escalation, kept_draft
from orkestra.rules.ids import is_task_id, mint_task_id
from orkestra.rules.permissions import (
    GRANTS,
    OVERSEERS,
    TENANT_GRANTS,
    audience,
    audiences_of,
    is_installation,
    may,
    may_as_installation,
    may_as_service,
    may_in_tenant,
    relations,
    shown_to,
    visible,
)
from orkestra.rules.policies import check_policy
from orkestra.rules.provenance import provenance_of
from orkestra.rules.routing import Member, Pick, Roster, groups_offered, pick, routed
from orkestra.rules.states import FINAL, LIVE, TRANSITIONS, is_live
from orkestra.rules.substitutes import Absence, acting_for, offered_by_name, places_of, stood_for, substitutes_of
from orkestra.rules.terms import Term, terms_of, words_of
from orkestra.rules.undoing import check_settings, decide_undo
from orkestra.rules.updating import decide_escalate, decide_update
from orkestra.rules.views import VIEW_GRANTS, check_view, may_share, may_with_view, view_not_found
from orkestra.rules.voting import decide_vote
from orkestra.rules.working_time import WorkingTime, working_time

__all__ = [
    "DEFAULT_TYPES",
    "FINAL",
    "GRANTS",
    "HEAD_BYTES",
    "LIVE",
    "OVERSEERS",
    "PART_BYTES",
    "TENANT_GRANTS",
    "TRANSITIONS",
    "VIEW_GRANTS",
    "Absence",
    "AttachmentLimits",
    "Change",
    "Decision",
    "Member",
    "Pick",
    "Roster",
    "Term",
    "Voters",
    "WorkingTime",
    "acting_for",
    "action_digest",
    "answer_with_files",
    "asker_of",
    "attachment_not_found",
    "audience",
    "audiences_of",
    "begun",
    "check_calendar",
    "check_create",
    "check_escalation",
    "check_of",
    "check_policy",
    "check_rules",
    "check_settings",
    "check_size",
    "check_text",
    "check_view",
    "clean_name",
    "clock_state",
    "decide_advance",
    "decide_answer",
    "decide_assign",
    "decide_attaching",
    "decide_cancel",
    "decide_claim",
    "decide_comment",
    "decide_complete",
    "decide_create",
    "decide_delegate",
    "decide_escalate",
    "decide_escalation",
    "decide_release",
    "decide_request_changes",
    "decide_save_draft",
    "decide_undo",
    "decide_update",
    "decide_vote",
    "digest_of",
    "digests_of",
    "due",
    "end_with_run",
    "group_of",
    "groups_offered",
    "is_always",
    "is_installation",
    "is_live",
    "is_task_id",
    "kept_draft",
    "may",
    "may_as_installation",
    "may_as_service",
    "may_in_tenant",
    "may_share",
    "may_with_view",
    "mentions_in",
    "mint_task_id",
    "next_at",
    "offered_by_name",
    "parse_duration",
    "parse_share",
    "part_content",
    "pick",
    "places_of",
    "provenance_of",
    "refusal_of_content",
    "refusal_of_parts",
    "refusal_of_removal",
    "relations",
    "routed",
    "shown_to",
    "start",
    "stood_for",
    "substitutes_of",
    "terms_of",
    "too_large",
    "view_not_found",
    "visible",
    "wake_in",
    "words_of",
    "working_time",
]

"""What the rooms of the dashboard's tests answer where the settings and the figures ask: one office, as it stands."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from dashboard_tasks import now
from orkestra.rules import is_task_id
from orkestra.rules.calibrating import Kept, bands, is_enough, suggested_threshold
from orkestra.v1.identity import (
    ApiKey,
    AuditEntry,
    GetGroupRequest,
    GetSubstitutionRequest,
    Group,
    ListApiKeysRequest,
    ListApiKeysResponse,
    ListAuditRequest,
    ListAuditResponse,
    ListGroupsRequest,
    ListSignInMethodsRequest,
    ListUsersRequest,
    PrincipalKind,
    RedeemMailLinkRequest,
    RedeemMailLinkResponse,
    RequestPasswordResetRequest,
    RequestPasswordResetResponse,
    Role,
    SetSubstitutionRequest,
    SignInMethods,
    SignInProvider,
    Substitution,
)
from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    Confirmation,
    Delivery,
    DeliveryStatus,
    GetConfirmationRequest,
    GetPreferencesRequest,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListDeliveriesResponse,
    ListWebhooksRequest,
    ListWebhooksResponse,
    NotificationKind,
    Preferences,
    PutPreferencesRequest,
    Webhook,
    WebhookStatus,
)
from orkestra.v1.task import (
    Calendar,
    CorrectionStatistics,
    DayVolume,
    DraftFigures,
    EscalationPolicy,
    EscalationRule,
    GetCalendarRequest,
    GetCorrectionStatisticsRequest,
    GetEscalationPolicyRequest,
    GetTaskFiguresRequest,
    GroupLoad,
    Holiday,
    ListCalendarsRequest,
    ListCalendarsResponse,
    OpenHours,
    PersonLoad,
    Span,
    TaskFigures,
    Weekday,
    WorkingHours,
)
from orkestra.wire import Context, FailedPrecondition, FieldError, InvalidArgument, NotFound

WEBHOOK_ID = f"webhook_{'b' * 32}"
MARKED = "<img src=x onerror=window.ran=1>"
"""What names hold where somebody is nasty."""


KEPT = [Kept(95, 120, 118), Kept(85, 60, 54), Kept(65, 40, 28), Kept(35, 20, 6)]
"""By hand: from 85 on 172 of 180 were kept, and that interval begins at 0.915; with those of 65 it does at 0.864."""


class OfficeIdentity:
    """Keys, the audit and who is away."""

    away: dict[str, Substitution]

    async def list_api_keys(self, ctx: Context, request: ListApiKeysRequest) -> ListApiKeysResponse:
        names = ("Shop assistant", "Billing", f"Old {MARKED}")
        return ListApiKeysResponse(api_keys=[_key(ctx.tenant_id, place, name) for place, name in enumerate(names)])

    async def list_audit(self, ctx: Context, request: ListAuditRequest) -> ListAuditResponse:
        entry = AuditEntry(
            entry_id=f"audit_{'c' * 32}", tenant_id=ctx.tenant_id, at=now() - timedelta(hours=1), actor=ctx.subject,
            actor_kind=PrincipalKind.USER, action="update_user", resource="user", resource_id=ctx.subject,
            before={"name": "Ada"}, after={"name": f"Ada Lovelace {MARKED}"}, door="dashboard",
        )  # fmt: skip
        return ListAuditResponse(entries=[entry])

    async def get_substitution(self, ctx: Context, request: GetSubstitutionRequest) -> Substitution:
        return self.away.get(request.user_id) or Substitution(user_id=request.user_id, version=0)

    async def set_substitution(self, ctx: Context, request: SetSubstitutionRequest) -> Substitution:
        kept = Substitution.model_validate({**request.model_dump(), "version": 1})
        self.away[request.user_id] = kept
        return kept

    async def list_sign_in_methods(self, ctx: Context, request: ListSignInMethodsRequest) -> SignInMethods:
        providers = [] if request.tenant is None else [SignInProvider(provider_id="corp", name=f"Corp {MARKED}")]
        return SignInMethods(password=True, providers=providers, by_tenant=request.tenant is not None)

    async def request_password_reset(
        self, ctx: Context, request: RequestPasswordResetRequest
    ) -> RequestPasswordResetResponse:
        if not request.email:
            raise InvalidArgument("REQUEST_INVALID", "email: Say which.")
        return RequestPasswordResetResponse()

    async def redeem_mail_link(self, ctx: Context, request: RedeemMailLinkRequest) -> RedeemMailLinkResponse:
        if request.token == "orl_known":
            return RedeemMailLinkResponse(email="ada@example.com", tenant="acme")
        raise NotFound("MAIL_LINK_NOT_FOUND", "This link was used, replaced, has expired or never was.")

    async def get_group(self: Any, ctx: Context, request: GetGroupRequest) -> Group:
        found: list[Group] = (await self.list_groups(ctx, ListGroupsRequest())).groups
        for group in found:
            if group.group_id == request.group_id:
                return group
        raise NotFound("GROUP_NOT_FOUND", "There is no such group.")


class OfficeTasks:
    """Calendars, the policy and the figures."""

    async def list_calendars(self, ctx: Context, request: ListCalendarsRequest) -> ListCalendarsResponse:
        return ListCalendarsResponse(calendars=[_calendar(ctx.tenant_id)])

    async def get_calendar(self, ctx: Context, request: GetCalendarRequest) -> Calendar:
        return _calendar(ctx.tenant_id)

    async def get_escalation_policy(self, ctx: Context, request: GetEscalationPolicyRequest) -> EscalationPolicy:
        rules = [
            EscalationRule(topic="refunds/*", threshold=0.9, sample_rate=0.05),
            EscalationRule(topic=MARKED, threshold=0.6),
        ]
        return EscalationPolicy(rules=rules, version=3, updated_at=now(), updated_by=ctx.subject)

    async def get_correction_statistics(
        self, ctx: Context, request: GetCorrectionStatisticsRequest
    ) -> CorrectionStatistics:
        counts = {"none": [], "few": [Kept(95, 12, 11)], "wrong": [Kept(95, 60, 30)]}.get(request.type or "", KEPT)
        return CorrectionStatistics(
            answered_after=request.answered_after or now(), answered_before=request.answered_before or now(),
            answered=sum(one.answered for one in counts), kept=sum(one.kept for one in counts),
            calibration=bands(counts), target=0.9, is_enough=is_enough(counts),
            suggested_threshold=suggested_threshold(counts, 0.9),
        )  # fmt: skip

    async def get_task_figures(self: Any, ctx: Context, request: GetTaskFiguresRequest) -> TaskFigures:
        if request.type == "none":
            return _nothing(request)
        people = (await self.identity.list_users(ctx, ListUsersRequest())).users
        today = now().date()
        days = [
            DayVolume(
                day=(today - timedelta(days=back)).isoformat(),
                asked=12 + (back * 7) % 11,
                completed=10 + (back * 5) % 9,
            )
            for back in range(28)
        ]
        return TaskFigures(
            since=request.since or now() - timedelta(days=30), until=request.until or now(), asked=442, live=17,
            completed=398, completed_by_policy=4, cancelled=9, expired=18, days=days,
            time_to_claim=_span(402, 6, 41), time_to_complete=_span(394, 38, 210), time_active=_span(394, 29, 150),
            time_waiting=_span(31, 75, 300), time_paused=_span(120, 840, 960), with_sla=440, breached=35,
            breach_rate=35 / 440, escalated=61, escalation_rate=61 / 442,
            people=[PersonLoad(user_id=one.user_id, claimed=3 + n, completed=90 - n) for n, one in enumerate(people)],
            groups=[GroupLoad(group_id="support-l1", open=9, claimed=5, completed=301),
                    GroupLoad(group_id="refunds", open=2, claimed=1, completed=97)],
            drafts=[_drafts(MARKED, "faq-1", "12", 301, 78, 12), _drafts("Shop assistant", "faq-2", None, 60, 6, 1)],
        )  # fmt: skip


class OfficeFeeds:
    """Webhooks with their log, and where news go."""

    wishes: dict[tuple[str, str], Preferences]

    async def list_webhooks(self, ctx: Context, request: ListWebhooksRequest) -> ListWebhooksResponse:
        return ListWebhooksResponse(webhooks=[_webhook(ctx.tenant_id)])

    async def get_webhook(self, ctx: Context, request: GetWebhookRequest) -> Webhook:
        return _webhook(ctx.tenant_id)

    async def list_deliveries(self, ctx: Context, request: ListDeliveriesRequest) -> ListDeliveriesResponse:
        states = (DeliveryStatus.PENDING, DeliveryStatus.FAILED, DeliveryStatus.DELIVERED)
        log = [
            Delivery(
                delivery_id=f"delivery_{uuid4().hex}", webhook_id=WEBHOOK_ID, event_id=str(uuid4()), attempts=place + 1,
                event_type="task.completed", status=status, created_at=now(), response_status=503,
                error=f"unreachable: {MARKED}" if status == DeliveryStatus.FAILED else None,
            )
            for place, status in enumerate(states)
        ]  # fmt: skip
        return ListDeliveriesResponse(deliveries=log)

    async def get_confirmation(self, ctx: Context, request: GetConfirmationRequest) -> Confirmation:
        task_id, _, state = request.token.partition(".")
        if state == "used":
            raise FailedPrecondition("CONFIRMATION_USED", "This link was used already. Open the task from your inbox.")
        if not is_task_id(task_id):
            raise NotFound("CONFIRMATION_NOT_FOUND", "This link leads to no decision.")
        return Confirmation(task_id=task_id, version=99 if state == "old" else 1, expires_at=now() + timedelta(hours=1))

    async def get_preferences(self, ctx: Context, request: GetPreferencesRequest) -> Preferences:
        rules = [ChannelRule(kind=NotificationKind.ASSIGNED, channels=[Channel.IN_APP, Channel.EMAIL])]
        if request.group_id is None:
            return Preferences(owner=f"user:{ctx.subject}", rules=rules, slack_host="hooks.slack.com", version=1)
        owner = f"group:{request.group_id}"
        rules = [ChannelRule(kind=NotificationKind.GROUP_TASK, channels=[Channel.SLACK])]
        rules += [ChannelRule(kind=NotificationKind.RESULT, channels=[])]
        usual = Preferences(owner=owner, rules=rules, slack_host="hooks.slack.com", locale="de", version=1)
        return self.wishes.get((ctx.tenant_id, owner), usual)

    async def put_preferences(self, ctx: Context, request: PutPreferencesRequest) -> Preferences:
        if request.time_zone == "Europe/Nowhere":
            error = FieldError("time_zone", "unknown", "Give an IANA name such as Europe/Berlin.")
            raise InvalidArgument("PREFERENCES_INVALID", error.message, errors=[error])
        owner = f"group:{request.group_id}" if request.group_id else f"user:{ctx.subject}"
        given = request.model_dump(exclude={"group_id", "slack_url", "teams_url", "version"})
        kept = Preferences.model_validate({**given, "owner": owner, "version": (request.version or 0) + 1})
        self.wishes[ctx.tenant_id, owner] = kept
        return kept


def _key(tenant_id: str, place: int, name: str) -> ApiKey:
    return ApiKey(
        key_id=f"key_{place:032x}", tenant_id=tenant_id, prefix=f"ork_abcdefg{place}", name=name,
        kind=PrincipalKind.AGENT, roles=[Role.AGENT], created_at=now(), last_used_at=now() if place == 0 else None,
        revoked_at=now() if place == 2 else None, version=1,
    )  # fmt: skip


def _calendar(tenant_id: str) -> Calendar:
    days = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)
    hours = WorkingHours(
        time_zone="Europe/Berlin",
        hours=[OpenHours(weekday=day, opens="09:00", closes="17:00") for day in days],
        holidays=[Holiday(date="12-25", name="Christmas")],
    )
    return Calendar(
        calendar_id="support-hours", tenant_id=tenant_id, name=f"Support {MARKED}", group_id="support-l1",
        working_hours=hours, version=2, created_at=now(), updated_at=now(),
    )  # fmt: skip


def _webhook(tenant_id: str) -> Webhook:
    return Webhook(
        webhook_id=WEBHOOK_ID, tenant_id=tenant_id, url="https://billing.example.com/orkestra", events=["task.*"],
        description=f"Billing {MARKED}", status=WebhookStatus.ACTIVE, failing_since=now(), created_at=now(),
        updated_at=now(), version=1,
    )  # fmt: skip


def _nothing(request: GetTaskFiguresRequest) -> TaskFigures:
    counts = ("asked", "live", "completed", "completed_by_policy", "cancelled", "expired", "with_sla", "breached")
    spans = ("time_to_claim", "time_to_complete", "time_active", "time_waiting", "time_paused")
    none = {**dict.fromkeys((*counts, "escalated"), 0), **dict.fromkeys(spans, Span(count=0))}
    return TaskFigures.model_validate({"since": request.since or now(), "until": request.until or now(), **none})


def _span(count: int, median: float, p95: float) -> Span:
    return Span(count=count, median=timedelta(minutes=median), p95=timedelta(minutes=p95))


def _drafts(agent: str, model: str, prompt: str | None, answered: int, edited: int, overridden: int) -> DraftFigures:
    return DraftFigures(
        agent=agent, model=model, prompt_version=prompt, answered=answered, edited=edited, overridden=overridden,
        edit_rate=edited / answered, override_rate=overridden / answered,
    )  # fmt: skip

"""The people's door: every page and what is posted to it."""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from orkestra.chassis.door import Envelope
from orkestra.dashboard.routes import (
    bulk,
    calendars,
    confirming,
    deciding,
    feed,
    figures,
    files,
    inbox,
    keys,
    managing,
    passwords,
    people,
    provider_sign_in,
    session,
    settings,
    sheets,
    task,
    telling,
    undoing,
    views,
    workflows,
)
from orkestra.dashboard.routes.door import Door
from orkestra.dashboard.routes.guards import Guarded
from orkestra.dashboard.routes.live import Live
from orkestra.dashboard.routes.pages import STATIC, error_page
from orkestra.dashboard.routes.visit import Serve, signed_in
from orkestra.dashboard.routes.words import words_for
from orkestra.wire import Error, Internal, NotFound
from starlette.exceptions import HTTPException

__all__ = ["Door", "Live", "build_app"]

PAGES: tuple[tuple[str, Serve], ...] = (
    ("/", inbox.home),
    ("/inbox", inbox.inbox),
    ("/inbox/list", inbox.inbox_list),
    ("/inbox.csv", inbox.inbox_csv),
    ("/counts", inbox.counts),
    ("/tasks/{task_id}", task.task),
    ("/tasks/{task_id}/state", task.task_state),
    ("/tasks/{task_id}/attachments/{attachment_id}", files.download),
    ("/tasks/{task_id}/manage", managing.manage),
    ("/tasks/{task_id}/history.csv", sheets.history_csv),
    ("/workflows", workflows.workflows),
    ("/workflows.csv", workflows.workflows_csv),
    ("/workflows/{workflow_id}", workflows.workflow),
    ("/workflows/{workflow_id}/timeline.csv", sheets.timeline_csv),
    ("/figures", figures.figures),
    ("/figures.csv", figures.figures_csv),
    ("/notifications", feed.notifications),
    ("/settings", settings.profile),
    ("/settings/notifications", telling.preferences),
    ("/settings/people", people.people),
    ("/settings/people/{user_id}", people.person),
    ("/settings/groups", people.groups),
    ("/settings/groups/{group_id}", people.group),
    ("/settings/groups/{group_id}/notifications", telling.group_preferences),
    ("/settings/calendars", calendars.calendars),
    ("/settings/calendars/{calendar_id}", calendars.calendar),
    ("/settings/policy", calendars.policy),
    ("/settings/answers", undoing.answers),
    ("/settings/keys", keys.keys),
    ("/settings/webhooks", telling.webhooks),
    ("/settings/webhooks/{webhook_id}", telling.webhook),
    ("/settings/audit", keys.audit),
    ("/settings/audit.csv", keys.audit_csv),
    ("/settings/people.csv", sheets.people_csv),
    ("/settings/groups.csv", sheets.groups_csv),
    ("/settings/groups/{group_id}/members.csv", sheets.members_csv),
    ("/settings/calendars.csv", sheets.calendars_csv),
    ("/settings/policy.csv", sheets.policy_csv),
    ("/settings/keys.csv", sheets.keys_csv),
    ("/settings/webhooks.csv", sheets.webhooks_csv),
    ("/settings/webhooks/{webhook_id}/deliveries.csv", sheets.deliveries_csv),
    ("/notifications.csv", sheets.news_csv),
    ("/confirm/{token}", confirming.confirm),
    ("/live", feed.live),
)
FORMS: tuple[tuple[str, Serve], ...] = (
    ("/sign-out", session.sign_out),
    ("/confirm/{token}", confirming.decide),
    ("/inbox/bulk", bulk.bulk),
    ("/views", views.create_view),
    ("/views/{view_id}", views.update_view),
    ("/views/{view_id}/delete", views.delete_view),
    ("/tasks/{task_id}/claim", deciding.claim),
    ("/tasks/{task_id}/release", deciding.release),
    ("/tasks/{task_id}/complete", deciding.complete),
    ("/tasks/{task_id}/undo", undoing.undo),
    ("/tasks/{task_id}/draft", deciding.save_draft),
    ("/tasks/{task_id}/comments", deciding.comment),
    ("/tasks/{task_id}/attachments", files.attach_files),
    ("/tasks/{task_id}/attachments/{attachment_id}/remove", files.remove_file),
    ("/tasks/{task_id}/request-changes", deciding.request_changes),
    ("/tasks/{task_id}/answer", deciding.answer),
    ("/tasks/{task_id}/assign", managing.assign),
    ("/tasks/{task_id}/delegate", managing.delegate),
    ("/tasks/{task_id}/escalate", managing.escalate),
    ("/tasks/{task_id}/change", managing.change),
    ("/tasks/{task_id}/cancel", managing.cancel_task),
    ("/workflows/{workflow_id}/signal", workflows.signal),
    ("/workflows/{workflow_id}/cancel", workflows.cancel),
    ("/notifications/read", feed.mark_read),
    ("/settings/profile", settings.change_profile),
    ("/settings/password", settings.change_password),
    ("/settings/absence", settings.set_absence),
    ("/settings/notifications", telling.put_preferences),
    ("/settings/people", people.create_person),
    ("/settings/people/{user_id}", people.change_person),
    ("/settings/people/{user_id}/invite", people.invite),
    ("/settings/people/{user_id}/disable", people.disable),
    ("/settings/people/{user_id}/enable", people.enable),
    ("/settings/groups", people.create_group),
    ("/settings/groups/{group_id}", people.change_group),
    ("/settings/groups/{group_id}/notifications", telling.put_group_preferences),
    ("/settings/groups/{group_id}/add", people.add_member),
    ("/settings/groups/{group_id}/remove", people.remove_member),
    ("/settings/calendars", calendars.create_calendar),
    ("/settings/calendars/{calendar_id}", calendars.change_calendar),
    ("/settings/calendars/{calendar_id}/delete", calendars.delete_calendar),
    ("/settings/policy", calendars.put_policy),
    ("/settings/answers", undoing.put_answers),
    ("/settings/keys", keys.create_key),
    ("/settings/keys/{key_id}/rotate", keys.rotate_key),
    ("/settings/keys/{key_id}/revoke", keys.revoke_key),
    ("/settings/webhooks", telling.create_webhook),
    ("/settings/webhooks/{webhook_id}", telling.change_webhook),
    ("/settings/webhooks/{webhook_id}/rotate", telling.rotate_webhook),
    ("/settings/webhooks/{webhook_id}/delete", telling.delete_webhook),
    ("/settings/webhooks/{webhook_id}/redeliver", telling.redeliver),
)


def build_app(door: Door) -> Envelope:
    """Returns the application that serves every page."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the envelope does it, as at every door
    )
    app.state.door = door
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(Exception, _failed)
    app.add_api_route("/sign-in", session.sign_in_form, methods=["GET"], response_model=None)
    app.add_api_route("/sign-in", session.sign_in, methods=["POST"], response_model=None)
    app.add_api_route("/password", passwords.reset_form, methods=["GET"], response_model=None)
    app.add_api_route("/password", passwords.ask_reset, methods=["POST"], response_model=None)
    app.add_api_route("/password/{token}", passwords.password_form, methods=["GET"], response_model=None)
    app.add_api_route("/password/{token}", passwords.set_password, methods=["POST"], response_model=None)
    app.add_api_route("/sign-in/with/{provider_id}", provider_sign_in.leave, methods=["GET"], response_model=None)
    app.add_api_route(provider_sign_in.BACK, provider_sign_in.come_back, methods=["GET"], response_model=None)
    for path, serve in PAGES:
        app.add_api_route(path, signed_in(serve), methods=["GET"], response_model=None)
    for path, serve in FORMS:
        app.add_api_route(path, signed_in(serve), methods=["POST"], response_model=None)
    app.mount("/static", _Lasting(directory=STATIC, check_dir=False))
    return Envelope(Guarded(app))


class _Lasting(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


async def _not_served(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    problem: Error = NotFound("PAGE_NOT_FOUND", "There is no such page.")
    answer = error_page(request, problem, words_for(request, None))
    answer.status_code = status
    return answer


async def _failed(request: Request, _: Exception) -> Response:
    detail = f"Something went wrong on our side; request id {request.state.request_id}."
    return error_page(request, Internal("INTERNAL", detail), words_for(request, None))

"""What was decided, as the REST door shows it: histories that are verified, and what people corrected."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.v1.task import (
    Correction,
    CorrectionStatistics,
    FormProjection,
    GetCorrectionStatisticsRequest,
    GetTaskFiguresRequest,
    HistoryVerification,
    ListCorrectionsRequest,
    ListCorrectionsResponse,
    ProjectTaskFormRequest,
    Span,
    TaskFigures,
    TaskHistory,
    VerifyTaskHistoryRequest,
)
from orkestra.wire import NotFound, PermissionDenied
from rest_world import Migrated, RestWorld, rest_door, task

TASK_ID = task().task_id
CORRECTION = Correction.model_validate(
    {
        "task_id": TASK_ID,
        "type": "refund",
        "title": "Refund?",
        "agent": {"name": "bot", "model": "m-1", "confidence": 0.4},
        "draft": {"answer": {"value": "No.", "confidence": 0.4}},
        "answer": {"answer": "Yes.", "amount": 12345678901234567890},
        "kept": False,
        "diff": [{"field": "answer", "proposed": '"No."', "answered": '"Yes."', "confidence": 0.4, "changed": True}],
        "answered_by": "user_1",
        "answered_at": "2030-01-31T12:00:00Z",
        "revision": 1,
    }
)


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _reset(door: RestWorld) -> None:
    door.rooms.reset()


async def test_a_verification_names_what_was_altered_or_is_missing(door: RestWorld) -> None:
    faults = [{"sequence": 2, "kind": "altered"}, {"sequence": 4, "kind": "missing"}]
    found = {"task_id": TASK_ID, "intact": False, "entries": 5, "signed_up_to": 3, "faults": faults, "erased": [1]}
    door.rooms.answer("verify_task_history", HistoryVerification.model_validate(found))
    answer = await door.http.get(f"/v1/tasks/{TASK_ID}/history/verify")
    assert (answer.status_code, answer.json()) == (200, found)
    assert door.rooms.asked[0].request == VerifyTaskHistoryRequest(task_id=TASK_ID)


async def test_the_history_itself_is_beside_it(door: RestWorld) -> None:
    door.rooms.answer("get_task_history", TaskHistory(entries=[]))
    answer = await door.http.get(f"/v1/tasks/{TASK_ID}/history")
    assert (answer.status_code, answer.json()) == (200, {"entries": []})


async def test_a_history_that_the_caller_may_not_see_is_not_there(door: RestWorld) -> None:
    door.rooms.answer("verify_task_history", NotFound("TASK_NOT_FOUND", "There is no task."))
    refused = await door.http.get(f"/v1/tasks/{TASK_ID}/history/verify")
    assert (refused.status_code, refused.json()["code"]) == (404, "TASK_NOT_FOUND")
    assert (await door.http.get(f"/v1/tasks/{TASK_ID}/history/verify", params={"deep": "1"})).status_code == 422


async def test_a_form_is_shown_as_a_surface_takes_it(door: RestWorld) -> None:
    lost = [{"path": "proof", "code": "left_out", "message": "Is not asked for here; its page does."}]
    shown = {
        "task_id": TASK_ID,
        "revision": 1,
        "surface": "chat",
        "kind": "buttons",
        "form": None,
        "lines": [],
        "downgrades": lost,
        "buttons": [{"key": "approve", "label": "Genehmigen", "style": "primary", "opens": False}],
    }
    door.rooms.answer("project_task_form", FormProjection.model_validate(shown))
    answer = await door.http.get(f"/v1/tasks/{TASK_ID}/form", params={"surface": "chat", "locale": "de"})
    assert (answer.status_code, answer.json()) == (200, shown)
    wanted = {"task_id": TASK_ID, "surface": "chat", "locale": "de"}
    assert door.rooms.asked[0].request == ProjectTaskFormRequest.model_validate(wanted)
    for wrong in ({}, {"surface": "pager"}):
        refused = await door.http.get(f"/v1/tasks/{TASK_ID}/form", params=wrong)
        assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, ["surface"])


async def test_corrections_come_by_pages_with_numbers_as_they_are(door: RestWorld) -> None:
    page = ListCorrectionsResponse(corrections=[CORRECTION], next_page_token="on")
    door.rooms.answer("list_corrections", page)
    filters = {
        "answered_after": "2030-01-01T00:00:00Z",
        "answered_before": "2030-02-01T00:00:00Z",
        "type": "refund",
        "page_size": "1",
        "page_token": "before",
    }
    answer = await door.http.get("/v1/corrections", params=filters)
    assert (answer.status_code, answer.json()["next_page_token"]) == (200, "on")
    [correction] = answer.json()["corrections"]
    assert Correction.model_validate(correction) == CORRECTION
    assert "12345678901234567890" in answer.text
    assert door.rooms.asked[0].request == ListCorrectionsRequest.model_validate({**filters, "page_size": 1})


async def test_figures_are_asked_by_time_type_and_group(door: RestWorld) -> None:
    zero = dict.fromkeys(("asked", "live", "completed", "completed_by_policy", "cancelled", "expired"), 0)
    since, until = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)
    span = Span(count=2, median=timedelta(minutes=3.5), p95=timedelta(minutes=8.75))
    none = dict.fromkeys(("time_to_complete", "time_active", "time_waiting", "time_paused"), Span(count=0))
    figures = TaskFigures(
        since=since, until=until, **zero, time_to_claim=span, **none, with_sla=0, breached=0, escalated=0
    )
    door.rooms.answer("get_task_figures", figures)
    filters = {"since": "2030-01-01T00:00:00Z", "until": "2030-02-01T00:00:00Z", "type": "refund", "group": "l1"}
    answer = await door.http.get("/v1/metrics/tasks", params=filters)
    assert answer.status_code == 200
    assert answer.json()["time_to_claim"] == {"count": 2, "median": "PT3M30S", "p95": "PT8M45S"}
    assert answer.json()["breach_rate"] is None
    assert door.rooms.asked[0].request == GetTaskFiguresRequest.model_validate(filters)


@pytest.mark.parametrize("wrong", [{"answered_after": "yesterday"}, {"page_size": "many"}, {"agent": "bot"}])
async def test_filters_that_are_none_go_nowhere(door: RestWorld, wrong: dict[str, str]) -> None:
    refused = await door.http.get("/v1/corrections", params=wrong)
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [next(iter(wrong))]
    assert "Input should" not in refused.text  # a sentence of ours, not of what reads it
    assert door.rooms.asked == []


async def test_statistics_of_corrections_are_asked_by_time_type_and_agent(door: RestWorld) -> None:
    shown = CorrectionStatistics.model_validate(
        {
            "answered_after": "2030-01-01T00:00:00Z",
            "answered_before": "2030-02-01T00:00:00Z",
            "answered": 60,
            "kept": 45,
            "calibration": [{"at_least": 0.9, "answered": 60, "kept": 45, "kept_rate": 0.75}],
            "target": 0.6,
            "suggested_threshold": 0.9,
            "is_enough": True,
        }
    )
    door.rooms.answer("get_correction_statistics", shown)
    asked = {"answered_after": "2030-01-01T00:00:00Z", "type": "refund", "agent": "bot", "target": "0.6"}
    answer = await door.http.get("/v1/corrections/statistics", params=asked)
    assert (answer.status_code, CorrectionStatistics.model_validate(answer.json())) == (200, shown)
    assert door.rooms.asked[0].request == GetCorrectionStatisticsRequest.model_validate({**asked, "target": 0.6})
    for wrong in ({"target": "most"}, {"colour": "red"}):
        refused = await door.http.get("/v1/corrections/statistics", params=wrong)
        assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, list(wrong))


async def test_whoever_may_not_see_corrections_is_told_so(door: RestWorld) -> None:
    refusal = PermissionDenied("CORRECTIONS_NOT_VISIBLE", "Only managers, admins and auditors see them.")
    door.rooms.answer("list_corrections", refusal)
    refused = await door.http.get("/v1/corrections")
    assert (refused.status_code, refused.json()["code"]) == (403, "CORRECTIONS_NOT_VISIBLE")
    assert (await door.http.get("/v1/corrections", headers={"authorization": ""})).status_code == 401

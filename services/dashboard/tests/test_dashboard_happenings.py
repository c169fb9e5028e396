"""What rooms tell in English is said in the reader's language where it is known, and as the room says it where not."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request
from orkestra.dashboard.routes import happenings
from orkestra.dashboard.routes.happenings import Said
from orkestra.dashboard.routes.words import Words, words_for
from orkestra.v1.workflow import TimelineDetail, TimelineEntry


def words(language: str) -> Words:
    return words_for(cast(Request, SimpleNamespace(headers={"accept-language": language})), None)


def entry(code: str | None, **details: str) -> TimelineEntry:
    given: list[Any] = [TimelineDetail(name=name, value=value) for name, value in details.items()]
    return TimelineEntry(
        at=datetime.now(UTC), kind="task", event="x", text="As the room says.", code=code, details=given
    )


@pytest.mark.parametrize(
    ("language", "told", "said"),
    [
        ("en", entry("activity_completed", name="look_up"), Said("The step look_up was done")),
        ("de", entry("activity_failed", name="pay", why="E: no"), Said("Der Schritt pay ist gescheitert", "E: no")),
        ("fr", entry("timer_started", seconds="5400"), Said("Le workflow attend 1 h 30 min")),
        (
            "de",
            entry("task_assigned", title="Refund", people="user_1, support-l1", reason="round robin"),
            Said("„Refund“ wurde zugewiesen für Ada, support-l1", "round robin"),
        ),
        (
            "fr",
            entry("task_completed", title="Refund", outcome="approve", by_policy="yes"),
            Said("« Refund » a été terminée avec l'issue approve par sa règle"),
        ),
        ("de", entry("task_moved", title="Refund"), Said(None, "As the room says.")),
        ("de", entry(None), Said(None, "As the room says.")),
        ("de", entry("activity_completed"), Said(None, "As the room says.")),
        ("de", entry("task_claimed", title="{0.__class__} {name}"), Said("„{0.__class__} {name}“ wurde übernommen")),
    ],
)
def test_a_timeline_speaks_the_readers_language(language: str, told: TimelineEntry, said: Said) -> None:
    assert happenings.happened(words(language), told, {"user_1": "Ada"}) == said


def test_failures_notices_and_deliveries_do_too_and_fall_back_to_what_was_said() -> None:
    german = words("de")
    assert happenings.failed(german, "TASK_EXPIRED", "x") == Said("Niemand hat rechtzeitig geantwortet.")
    assert happenings.failed(german, "CARD_REFUSED", "The bank said no.") == Said(None, "The bank said no.")
    assert happenings.noticed(german, "no worker polls task queue q").text == (
        "Kein Arbeiter nimmt diesen Lauf im Moment auf."
    )
    assert happenings.noticed(german, "It snows.") == Said(None, "It snows.")
    assert happenings.undelivered(german, "answered 503") == Said(
        "Der Empfänger hat geantwortet, dass er es nicht annimmt.", "answered 503"
    )
    assert happenings.undelivered(german, "unreachable: OSError: gone").own == "OSError: gone"
    assert happenings.undelivered(german, "Odd.") == Said(None, "Odd.")

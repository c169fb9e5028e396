"""What the rules call a change is what webhooks and the documentation call it."""

import re
from pathlib import Path

from orkestra.notification_service.rules.receiving import TOLD_OUTSIDE

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "libs" / "rules" / "src" / "orkestra" / "rules"
OF_THE_INSTALLATION = {"late_answer", "submitted", "undone"}  # of answers that do not count, or not yet


def test_every_change_of_a_task_can_be_asked_for_by_a_webhook() -> None:
    named = {name for path in RULES.glob("*.py") for name in re.findall(r'\bchange\(\s*"(\w+)"', path.read_text())}
    assert {"claimed", "vote_cast", "completed"} <= named
    assert {f"task.{name}" for name in named - OF_THE_INSTALLATION} <= TOLD_OUTSIDE


def test_every_event_that_a_webhook_may_ask_for_is_documented() -> None:
    page = (REPOSITORY / "docs" / "guides" / "notifications.md").read_text()
    missing = {told for told in TOLD_OUTSIDE if f"`{told.partition('.')[2]}`" not in page and f"`{told}`" not in page}
    assert not {told for told in missing if told.partition(".")[0] in ("task", "workflow")}

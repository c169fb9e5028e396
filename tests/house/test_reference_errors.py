"""The page of errors and the code name the same reasons, and the tool that holds them together would notice."""

from pathlib import Path

import pytest

from tools.reference import errors
from tools.reference.markdown import Gap
from tools.reference.reasons import Raised, failures_in, raised_in

ROOT = Path(__file__).parents[2]
TASKS = "services/task-service/src/orkestra/task_service"
REASONS = 'REASONS = {"claim": ("NOT_A_CANDIDATE", "…"), "cancel": ("NOT_THE_REQUESTER", "…")}\n'


def written(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return root


def test_every_reason_that_code_can_raise_says_what_to_do_about_it() -> None:
    said = {name: text for name, meaning in errors.table_of(ROOT).items() for text in (meaning.wrong, meaning.remedy)}
    errors.compare({one.reason for one in raised_in(ROOT)}, failures_in(ROOT), errors.table_of(ROOT))
    assert [name for name, text in said.items() if not text.endswith(".")] == []


@pytest.mark.parametrize(
    ("source", "reasons"),
    [
        ('raise NotFound("TASK_NOT_FOUND", "…")', {"TASK_NOT_FOUND"}),
        ('raise Conflict("A_B" if x else "C_D", "…")', {"A_B", "C_D"}),
        ('GONE = "TASK_GONE"\nraise wire.NotFound(GONE, "…")', {"TASK_GONE"}),
        (f"{REASONS}raise PermissionDenied(*REASONS[operation])", {"NOT_A_CANDIDATE", "NOT_THE_REQUESTER"}),
        ("raise NotFound()", set()),
        ('raise ValueError("TASK_NOT_FOUND")', set()),
    ],
)
def test_a_reason_is_found_where_it_is_raised(tmp_path: Path, source: str, reasons: set[str]) -> None:
    written(tmp_path, f"{TASKS}/rules.py", source)
    assert {one.reason for one in raised_in(tmp_path)} == reasons


def test_a_table_of_reasons_may_stand_in_another_module(tmp_path: Path) -> None:
    written(tmp_path, f"{TASKS}/states.py", REASONS)
    source = "from orkestra.task_service.states import REASONS\nPermissionDenied(*REASONS[one])"
    written(tmp_path, f"{TASKS}/rules.py", source)
    assert Raised("NOT_A_CANDIDATE", "permission_denied", "task-service") in raised_in(tmp_path)


def test_a_reason_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path) -> None:
    written(tmp_path, f"{TASKS}/rules.py", '\nraise NotFound(reason, "…")')
    with pytest.raises(Gap, match=r"task_service/rules\.py:2"):
        raised_in(tmp_path)


def test_a_failure_is_found_by_its_type_and_through_a_function_that_raises_it(tmp_path: Path) -> None:
    source = (
        'def no(type): raise ApplicationError("…", type=type)\nno("TOO_LATE")\nApplicationError("", type="TOO_SOON")'
    )
    written(tmp_path, "libs/sdk/src/orkestra/sdk/tasks.py", source)
    assert failures_in(tmp_path) == {"TOO_LATE", "TOO_SOON"}


def test_a_reason_without_an_entry_and_an_entry_without_a_reason_are_named() -> None:
    known = {"TASK_GONE": errors.Meaning(wrong="It is gone.", remedy="Look elsewhere.")}
    with pytest.raises(Gap, match=r"says nothing of TASK_LOST: .* describes TASK_GONE, which nothing raises"):
        errors.compare({"TASK_LOST"}, set(), known)
    errors.compare({"TASK_GONE"}, set(), known)

"""Every claim of the security model is held by a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/security.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/.-]+\.py)(?:::(\w+))?`", GUIDE)


def test_every_test_that_the_guide_names_exists() -> None:
    assert len(NAMED) > 40
    missing = []
    for path, test in NAMED:
        file = ROOT / path
        if not file.is_file() or (
            test and not re.search(rf"^(async )?def {test}\(", file.read_text("utf-8"), re.MULTILINE)
        ):
            missing.append(f"{path}::{test}")
    assert missing == []


def test_every_file_of_the_security_tests_is_named_there() -> None:
    tests = {f"tests/security/{path.name}" for path in (ROOT / "tests/security").glob("test_*.py")}
    assert tests <= {path for path, _ in NAMED}

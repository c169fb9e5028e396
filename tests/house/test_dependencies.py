"""What others wrote: its licences are taken, its flaws are told, and each direct dependency has its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import audit
from tools.reference import dependencies
from tools.reference.markdown import Gap

ROOT = Path(__file__).parents[2]


def test_every_licence_in_the_product_is_one_that_we_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["audit", "--offline"])
    assert audit.main() == 0
    listed = json.loads((ROOT / "build" / "sbom.cdx.json").read_text("utf-8"))
    names = {one["name"].lower() for one in listed["components"]}
    assert names > {"asyncpg", "grpcio", "mcp", "pydantic", "pydantic_core", "temporalio"}
    assert "testcontainers" not in names


@pytest.mark.parametrize(
    ("terms", "taken"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-2.0-or-later", False),
        ("AGPL-3.0", False),
        ("not named", False),
    ],
)
def test_a_licence_is_judged_by_its_name(terms: str, taken: bool) -> None:
    assert audit.is_taken(terms) is taken


def test_known_flaws_are_told_with_what_mends_them(capsys: pytest.CaptureFixture[str]) -> None:
    flaw: dict[str, Any] = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    asked: list[dict[str, Any]] = [
        {"name": "leaky", "version": "1.0", "vulns": [flaw]},
        {"name": "tight", "version": "1.0", "vulns": []},
    ]
    assert audit.told(asked, {"leaky"}) == 1
    assert "leaky 1.0 (in the product): PYSEC-1; mended in 2.0" in capsys.readouterr().err
    assert audit.told(asked[1:], set()) == 0


def test_an_index_that_knows_nothing_is_no_audit() -> None:
    assert audit.told([{"name": "one", "skip_reason": "not found"}], set()) == 3


def test_a_dependency_without_a_reason_stops_the_page(tmp_path: Path) -> None:
    sentences = (ROOT / dependencies.SENTENCES).read_text("utf-8")
    for name, changed in {
        "asyncpg": sentences.replace("asyncpg = ", "asyncpq = "),
        "zope": sentences.replace("[servers]", 'zope = "Because."\n[servers]'),
    }.items():
        (tmp_path / dependencies.SENTENCES).parent.mkdir(exist_ok=True)
        (tmp_path / dependencies.SENTENCES).write_text(changed, "utf-8")
        with pytest.raises(Gap, match=name):
            dependencies.page(tmp_path)

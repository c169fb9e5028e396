"""The guide to forms does what it says: its code runs, its forms check, its tables are whole, its pictures exist."""

import json
import re
from pathlib import Path

import pytest
from orkestra.forms import check
from orkestra.forms.field_types import FIELD_TYPES
from orkestra.forms.messages import TEXTS

GUIDE = Path(__file__).parents[3] / "docs/guides/form-schemas.md"
TEXT = GUIDE.read_text("utf-8")
MOST_BYTES = 30 * 1024


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_the_programs_of_the_guide_run_from_top_to_bottom() -> None:
    assert len(blocks("python")) > 8
    exec(compile("\n".join(blocks("python")), str(GUIDE), "exec"), {"__name__": "guide"})


@pytest.mark.parametrize("block", blocks("json"))
def test_every_form_of_the_guide_is_one(block: str) -> None:
    check(json.loads(block))


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_every_field_type_is_shown_with_a_form_and_how_it_looks(kind: str) -> None:
    section = re.search(rf"^### `{kind}`\n(.*?)(?=^##)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert section
    form = re.search(r"```json\n(.*?)```", section[1], flags=re.DOTALL)
    assert form
    kinds = {field["x-orkestra"]["type"] for field in check(json.loads(form[1]))["properties"].values()}
    assert kind in kinds
    assert ("type_not_available" in section[1]) or f"/{kind}-light.png" in section[1]


def test_every_picture_is_there_light_and_dark_and_small() -> None:
    pictures = re.findall(r"\]\((\.\./assets/forms/[a-z_]+-(?:light|dark)\.png)#", TEXT)
    assert len(pictures) == 2 * len({re.sub(r"-(light|dark)\.png", "", each) for each in pictures})
    for picture in pictures:
        assert 0 < (GUIDE.parent / picture).stat().st_size <= MOST_BYTES, picture


def test_the_table_of_codes_is_the_catalogue() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, flags=re.MULTILINE))
    assert {code: rows.get(code) for code in TEXTS} == {code: texts["en"] for code, texts in TEXTS.items()}

"""Code of the release before runs on the new schema: no migration takes away, renames or narrows what it uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATIONS = sorted(
    path for folder in ("libs/chassis", "services/*") for path in ROOT.glob(f"{folder}/src/orkestra/*/migrations/*.sql")
)
BEFORE_THE_FIRST_RELEASE = {"1022_generate_figures"}
"""Migrations that no installation with many rows has ever to run."""
COMMENT, BODY = re.compile(r"--[^\n]*"), re.compile(r"\$\$.*?\$\$", re.DOTALL)
TAKES_AWAY = (
    re.compile(r"\bdrop (table|column|view|function|type|schema|sequence|trigger|policy|role|owned)\b[^;]*"),
    re.compile(r"\brename\b[^;]*"),
    re.compile(r"\balter (column )?\w+ (set data )?type\b[^;]*"),
    re.compile(r"\balter (column )?\w+ (set not null|drop default)\b[^;]*"),
    re.compile(r"\brevoke [\w, ]+ on (?:table )?(?P<table>\w+) from (?!public\b)[^;]*"),
)
ADDED = re.compile(r"\badd column (?:if not exists )?(?P<column>\w+)(?P<rest>(?:[^,(;]|\([^)]*\))*)")
HAS_VALUE = re.compile(r"\b(default|generated)\b")


def taken(sql: str) -> list[str]:
    """What of a migration the code before it could stumble over."""
    text = BODY.sub("$$ $$", COMMENT.sub("", sql.lower()))
    new = set(re.findall(r"\bcreate (?:unlogged )?table (?:if not exists )?(\w+)", text))
    found = [one for pattern in TAKES_AWAY for one in pattern.finditer(text)]
    needed = [one for one in ADDED.finditer(text) if "not null" in one["rest"] and not HAS_VALUE.search(one["rest"])]
    return [one.group(0).strip() for one in (*found, *needed) if one.groupdict().get("table") not in new]


def rewritten(sql: str) -> list[str]:
    """Tables that a migration writes anew, row by row, while nobody may read them."""
    text = BODY.sub("$$ $$", COMMENT.sub("", sql.lower()))
    volatile = r"default (?:clock_timestamp|gen_random_uuid|uuidv7|random|nextval)\b"
    return re.findall(rf"\balter table (\w+)[^;]*(?:\bstored\b|{volatile})", text)


def test_there_are_migrations() -> None:
    assert len(MIGRATIONS) > 50


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_a_migration_leaves_what_older_code_uses(path: Path) -> None:
    assert taken(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_a_migration_writes_no_table_anew(path: Path) -> None:
    """A million rows take longer than the 5 seconds that a statement of a migration may."""
    assert path.stem in BEFORE_THE_FIRST_RELEASE or rewritten(path.read_text("utf-8")) == []


def test_a_table_that_is_written_anew_is_found() -> None:
    assert rewritten("alter table tasks\n  add column a integer generated always as (length(b)) stored;") == ["tasks"]
    assert rewritten("create table tasks (a integer generated always as (1) stored); alter table x add b text;") == []


@pytest.mark.parametrize(
    "sql",
    [
        "alter table tasks drop column title;",
        "alter table tasks\n    add column kind text not null,\n    add column more integer;",
        "alter table tasks rename column title to name;",
        "alter table tasks alter column title type varchar(20);",
        "alter table tasks alter column type set not null;",
        "drop function follow_claim;",
        "revoke insert on tasks from task_app;",
    ],
)
def test_what_takes_away_is_found(sql: str) -> None:
    assert taken(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "alter table tasks add column kind text not null default 'a', add constraint kind_known check (kind <> '');",
        "create table votes (tenant_id uuid not null, primary key (tenant_id));",
        "create function forget() returns void language plpgsql as $$ begin delete from tasks; end $$;",
        "drop index task_audience_newest; -- a comment may say rename",
        "alter table deliveries drop constraint deliveries_status_known;",
        "create table kept (tenant_id uuid); revoke update, delete on kept from task_app;",
    ],
)
def test_what_only_adds_or_widens_passes(sql: str) -> None:
    assert taken(sql) == []

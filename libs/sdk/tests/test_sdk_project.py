"""A project of an author's own: its types are known end to end, and its tests have the fixture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOWS = '''
"""Ask which plan."""
from typing import Literal

from orkestra.sdk import Context, Form, boolean, group, radio, task, textarea, workflow
from pydantic import BaseModel
from temporalio import activity


class Question(BaseModel):
    question: str


class Reply(Form):
    answer: str = textarea(required=True)
    plan: Literal["basic", "whole"] | None = radio()


class Sure(Form):
    sure: bool = boolean(required=True)


@activity.defn
async def shout(words: str) -> str:
    return words.upper()


@workflow("which-plan")
async def which_plan(ctx: Context, input: Question) -> dict[str, str]:
    result = await task(ctx, title=input.question, form=Reply, assign_to=group("sales"))
    return {"answer": await ctx.activity(shout, result.data.answer)}
'''
TYPES = """
from orkestra.sdk import Context, all_of, approve, ask, escalate_below, first_of, quorum, task
from temporalio.workflow import execute_child_workflow
from workflows import Question, Reply, Sure, shout, which_plan


async def typed(ctx: Context) -> None:
    result = await task(ctx, title="Which?", form=Reply)
    reveal_type(result.data.answer)
    reveal_type(result.data.plan)
    plain = await task(ctx, title="Which?", form={"answer": {"type": "text"}})
    reveal_type(plain.data)
    reveal_type(await ask(ctx, "Which?"))
    reveal_type((await approve(ctx, "sell", {})).is_approved)
    both = await all_of(task(ctx, title="a", form=Reply), task(ctx, title="b", form=Sure))
    reveal_type(both[1].data.sure)
    reveal_type(await first_of(ask(ctx, "a"), ask(ctx, "b")))
    reveal_type((await quorum(1, task(ctx, title="a", form=Sure))).answers[0].data.sure)
    unsure = await escalate_below(ctx, 0.1, 0.8, topic="plans", title="Which?", form=Reply)
    reveal_type(unsure if unsure is None else unsure.data.answer)
    reveal_type(await ctx.activity(shout, "a"))
    reveal_type(await ctx.activity("shout", "a"))
    reveal_type(await execute_child_workflow(which_plan.run, Question(question="Which?")))
"""
REVEALED = [
    *("str", "Literal['basic'] | Literal['whole'] | None", "dict[str, Any]", "str", "bool", "bool", "str", "bool"),
    *("None | str", "str", "Any", "dict[str, str]"),
]
WRONG = """
from orkestra.sdk import Context, task
from workflows import Reply


async def wrong(ctx: Context) -> int:
    result = await task(ctx, title="Which?", form=Reply)
    return result.data.answer
"""
TEST = """
from orkestra.sdk.testing import OrkestraTest
from workflows import Question, shout, which_plan
import pytest


@pytest.fixture
def orkestra_options():
    return {"activities": [shout]}


async def test_the_answer_is_shouted(orkestra_test: OrkestraTest) -> None:
    run = await orkestra_test.start(which_plan, Question(question="Which plan?"))
    task = await orkestra_test.next_task()
    await task.complete(answer="Basic.", by="ana")
    assert await run.result() == {"answer": "BASIC."}
    assert orkestra_test.events[-1].name == "workflow.completed"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "workflows.py").write_text(WORKFLOWS, "utf-8")
    (tmp_path / "types_of_mine.py").write_text(TYPES, "utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, "utf-8")
    (tmp_path / "test_workflows.py").write_text(TEST, "utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nasyncio_mode = "auto"\n', "utf-8")
    return tmp_path


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=project, env=kept, capture_output=True, text=True, check=False
    )


def test_mypy_strict_knows_the_answers_of_an_authors_form(project: Path) -> None:
    checked = run(project, "mypy", "--strict", "types_of_mine.py", "workflows.py", "wrong.py")
    revealed = [line.split('"')[1] for line in checked.stdout.splitlines() if "Revealed type is" in line]
    assert revealed == REVEALED, checked.stdout + checked.stderr
    errors = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, checked.stdout
    assert errors[0].startswith('wrong.py:8: error: Incompatible return value type (got "str", expected "int")')


def test_every_name_that_is_offered_is_there_whatever_was_imported_before(project: Path) -> None:
    """A module that is called as one of them would hide it."""
    code = (
        "import importlib, inspect, pkgutil, orkestra.sdk as sdk\n"
        "for one in pkgutil.iter_modules(sdk.__path__): importlib.import_module(f'orkestra.sdk.{one.name}')\n"
        "print([name for name in sdk.__all__ if inspect.ismodule(getattr(sdk, name))], hasattr(sdk, 'nonsense'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False)
    assert ran.stdout == "[] False\n", ran.stderr


def test_a_projects_tests_have_the_fixture_without_a_word_of_configuration(project: Path) -> None:
    tested = run(project, "pytest", "-q", "-p", "no:cacheprovider")
    assert (tested.returncode, "1 passed" in tested.stdout) == (0, True), tested.stdout + tested.stderr

"""What @workflow registers, and what it refuses."""

import pytest
import sdk_workflows as author
from jsonschema import Draft202012Validator
from orkestra.sdk import Context, workflow
from orkestra.sdk.header import RunHeader, read_header
from orkestra.sdk.worker import find_contents
from pydantic import BaseModel


class Nothing(BaseModel):
    """No fields."""


class Address(BaseModel):
    """Where somebody lives."""

    city: str


class Customer(BaseModel):
    """Who asks."""

    home: Address
    others: list[Address]
    notes: dict[str, str]


class Anything(BaseModel, extra="allow"):
    """Known and unknown fields."""

    known: str


@workflow("customer")
async def of_customer(ctx: Context, input: Customer) -> None:
    """Take known fields only."""


@workflow("anything")
async def of_anything(ctx: Context, input: Anything) -> None:
    """Take any field."""


async def ask(ctx: Context, input: Nothing) -> None:
    """For the refusals."""


async def ask_without_input(ctx: Context) -> None:
    """For the refusals."""


def test_a_definition_is_made_of_name_types_and_docstring() -> None:
    given = author.everything.definition.to_contract()
    assert (given.name, given.version, given.task_queue, given.start_roles) == ("everything", 3, "special", ["manager"])
    assert given.description == "Use what a task can be given."
    assert given.input_schema["required"] == ["topic"]
    assert given.output_schema["type"] == "object"
    assert given.forms is not None
    assert list(given.forms) == ["Verdict"]


def test_an_input_takes_no_fields_but_those_of_its_models() -> None:
    schema = of_customer.definition.to_contract("q").input_schema
    good = {"home": {"city": "a"}, "others": [{"city": "b"}], "notes": {"any": "key"}}
    validator = Draft202012Validator(schema)
    assert validator.is_valid(good)
    assert not validator.is_valid(good | {"surprise": 1})
    assert not validator.is_valid(good | {"home": {"city": "a", "surprise": 1}})
    assert not validator.is_valid(good | {"others": [{"city": "b", "surprise": 1}]})
    open_schema = of_anything.definition.to_contract("q").input_schema
    assert Draft202012Validator(open_schema).is_valid({"known": "a", "surprise": 1})


def test_a_definition_without_a_queue_is_served_by_the_workers_own() -> None:
    assert author.patient.definition.to_contract("mine").task_queue == "mine"


def test_a_module_is_searched_for_workflows_and_activities() -> None:
    found = find_contents(["sdk_workflows"])
    assert author.Plain in found.workflows
    assert author.shout in found.activities
    assert "everything@3" in [one.temporal_type for one in found.definitions]


def test_a_module_without_workflows_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"orkestra\.sdk\.sla"):
        find_contents(["orkestra.sdk.sla"])


@pytest.mark.parametrize("name", ["", "Upper", "two words", "end-", "under_score"])
def test_a_name_is_lower_case_words_with_hyphens(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words"):
        workflow(name)


def test_what_temporal_could_not_run_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        workflow("zero", version=0)
    with pytest.raises(ValueError, match="one input"):
        workflow("one-argument")(ask_without_input)  # type: ignore[arg-type]  # what is refused

    async def local(ctx: Context, input: Nothing) -> None:
        """Stands in a function."""

    with pytest.raises(ValueError, match="top of its module"):
        workflow("local")(local)


def test_a_header_survives_its_payload_and_loses_its_content_for_activities() -> None:
    header = RunHeader(tenant_id="t", workflow_id="w", input={"big": 2**60 + 1}, requested_by="r")
    assert read_header({"orkestra": header.to_payload()}) == header
    slim = header.without_content()
    assert (slim.input, slim.requested_by) == (None, "r")
    assert read_header({}) is None

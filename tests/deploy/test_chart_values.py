"""The chart's values: each is described, wrong ones are refused by name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from chart_readme import readme
from deploy_chart import CHART, HELMS, NEEDS_TOOLS, HelmError, run_helm

MINIMAL = ("--values", str(CHART / "ci" / "minimal-values.yaml"))


def schema() -> Any:
    return json.loads((CHART / "values.schema.json").read_text("utf-8"))


def objects(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place in the schema that has named keys."""
    if isinstance(part, dict):
        if "properties" in part and part.get("type") == "object":
            yield path, part
        for key, inner in part.items():
            yield from objects(inner, f"{path}/{key}")


def test_no_object_takes_a_key_that_it_does_not_name() -> None:
    assert [path for path, part in objects(schema()) if part.get("additionalProperties") is not False] == []


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))


def test_every_value_is_in_the_schema_and_every_key_of_the_schema_is_a_value() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    known = schema()["properties"]
    for path in leaves(values):
        part: Any = {"properties": known}
        for key in path:
            if "properties" not in part:
                break
            assert key in part["properties"], ".".join(path)
            part = part["properties"][key]
    assert set(known) == set(values)


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("postgresql.hots=x", "hots"),
        ("services.task-servic.replicas=2", "task-servic"),
        ("services.task-service.replica=2", "replica"),
        ("defaults.resources.limit.cpu=1", "limit"),
        ("evaluation.enable=true", "enable"),
        ("workers[0].name=x,workers[0].image=i,workers[0].modules[0]=m,workers[0].queue=q", "queue"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(helm: str, wrong: str, named: str) -> None:
    with pytest.raises(HelmError, match=f"'?{named}'? (is )?not allowed"):
        run_helm("template", "orkestra", CHART, *MINIMAL, "--set", wrong, helm=helm)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("config.logLevel=loud", "logLevel"),
        ("nats.url=nats://user:secret@host:4222", "url"),
        ("postgresql.tls.mode=maybe", "mode"),
        ("nats.replicas=2", "replicas"),
        ("services.task-service.env.POOL_SIZE=3", "POOL_SIZE"),
        ("temporal.address=somewhere", "address"),
        ("oauth.issuers[0]=idp", "issuers"),
        ("oauth.scope=two words", "scope"),
        ("worker.versioning=maybe", "versioning"),
        ("attachments.maxSize=25MiB", "maxSize"),
        ("attachments.maxCount=501", "maxCount"),
        ("attachments.types[0]=pdf", "types"),
        ("worker.versioning=pinned,worker.build=a b", "build"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(wrong: str, named: str) -> None:
    with pytest.raises(HelmError, match=named):
        run_helm("template", "orkestra", CHART, *MINIMAL, "--set", wrong)


def test_the_readme_says_what_the_values_say() -> None:
    assert (CHART / "README.md").read_text("utf-8") == readme(), "make golden writes it anew"


def test_every_value_is_described() -> None:
    undescribed = [line for line in readme().splitlines() if line.startswith("|") and line.rstrip().endswith("|  |")]
    assert undescribed == []


pytestmark = NEEDS_TOOLS

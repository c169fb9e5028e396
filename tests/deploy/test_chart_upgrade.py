"""`helm upgrade` from the last release: its values are still taken, and nothing is asked for that a cluster refuses."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_upgrade import changes, is_hook, kept
from deploy_chart import CHART, HELMS, NEEDS_TOOLS, rendered, run_helm

pytestmark = NEEDS_TOOLS

RELEASED = Path(__file__).parent / "released"
"""Written from the release's tag by tools/release_chart.py."""
SETS = sorted(path.stem.removesuffix("-values") for path in RELEASED.glob("*-values.yaml"))


def before(values: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((RELEASED / f"{values}.yaml").read_text("utf-8"))
    return found


def after(values: str, *sets: str, helm: str = "4.3") -> dict[str, dict[str, Any]]:
    options = [word for one in sets for word in ("--set-json", one)]
    file = RELEASED / f"{values}-values.yaml"
    text = run_helm("template", "orkestra", CHART, "--namespace", "orkestra", "--values", file, *options, helm=helm)
    return kept(one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one)


def test_there_is_a_release_to_hold_the_chart_against() -> None:
    assert {"minimal", "production", "evaluation"} <= set(SETS)


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("values", SETS)
def test_an_upgrade_with_the_values_of_the_release_is_taken_by_the_cluster(values: str, helm: str) -> None:
    sets = ('global.image.tag="9.9.9"',)
    assert changes(before(values), after(values, *sets, helm=helm)) == []


@pytest.mark.parametrize("values", SETS)
def test_back_from_the_upgrade_is_taken_too(values: str) -> None:
    added = {name: fields for name, fields in after(values).items() if name in before(values)}
    assert changes(added, before(values)) == []


def test_without_hooks_the_next_versions_migrations_are_jobs_of_their_own() -> None:
    now = kept(rendered("minimal", "migrations.hooks=false"))
    later = kept(rendered("minimal", "migrations.hooks=false", 'global.image.tag="9.9.9"'))
    jobs = {name for name in now if name.startswith("Job ")}
    assert len(jobs) == 7
    assert jobs.isdisjoint(later)
    assert changes(now, later) == []


def test_hooks_are_made_anew_each_time() -> None:
    hooks = [one for one in rendered("production") if is_hook(one)]
    assert hooks
    for hook in hooks:
        policy = hook["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        assert "before-hook-creation" in policy, hook["metadata"]["name"]


def test_what_a_cluster_refuses_is_found() -> None:
    released = before("evaluation")
    changed = copy.deepcopy(released)
    changed["Deployment orkestra-task-service"]["spec.selector"]["matchLabels"]["app"] = "other"
    del changed["StatefulSet orkestra-postgresql"]
    changed["Service orkestra-api-gateway"]["spec.clusterIP"] = "None"
    assert changes(released, changed) == [
        "Deployment orkestra-task-service: spec.selector cannot be changed",
        "Service orkestra-api-gateway: spec.clusterIP cannot be set",
        "StatefulSet orkestra-postgresql would be deleted",
    ]

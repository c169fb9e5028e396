"""docs/guides/deployment.md does what it says, as far as that needs no cluster."""

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_chart import CHART, NEEDS_TOOLS, ROOT, TOOLS, run_helm

pytestmark = NEEDS_TOOLS
GUIDE = (ROOT / "docs" / "guides" / "deployment.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)


def values(name: str) -> Any:
    return yaml.safe_load(next(block for block in blocks("yaml") if block.startswith(f"# {name}\n")))


@pytest.fixture(scope="module")
def values_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("guide") / "values.yaml"
    file.write_text(yaml.safe_dump(values("values") | values("workers")), "utf-8")
    return file


def commands() -> list[str]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip()]


def test_the_secrets_that_the_page_makes_have_every_key_that_the_chart_mounts(values_file: Path) -> None:
    made = dict[str, set[str]]()
    for command in (one for one in commands() if one.startswith("kubectl create secret")):
        shown = subprocess.run(
            ["bash", "-euc", command.replace("kubectl", str(TOOLS / "helm-4.3" / "kubectl"), 1)],
            capture_output=True,
            text=True,
            check=True,
        )
        secret = yaml.safe_load(shown.stdout)
        made[secret["metadata"]["name"]] = set(secret["data"])
        if "token-signing-key" in secret["data"]:
            assert len(base64.b64decode(base64.b64decode(secret["data"]["token-signing-key"]))) == 32
    rendered = run_helm("template", "orkestra", CHART, "--values", values_file)
    mounted = re.findall(r"secret: \{name: (\S+), items: \[\{key: ([a-z-]+)", rendered)
    assert mounted
    assert [(name, key) for name, key in mounted if key not in made[name]] == []


def test_what_the_page_installs_is_accepted(values_file: Path) -> None:
    installs = [one for one in commands() if one.startswith("helm install")]
    assert len(installs) == 2
    for command in installs:
        words = command.replace("values.yaml", str(values_file)).split()[1:]
        assert "STATUS: pending-install" in run_helm(*words, "--dry-run=client")


def test_the_pages_worker_is_deployed(values_file: Path) -> None:
    rendered = run_helm("template", "orkestra", CHART, "--values", values_file)
    assert "name: orkestra-refunds\n" in rendered
    assert 'value: "refunds.workflows"' in rendered


def test_every_value_that_the_page_names_is_one() -> None:
    known = (CHART / "README.md").read_text("utf-8")
    sections = {
        line.split(":")[0] for line in (CHART / "values.yaml").read_text("utf-8").splitlines() if line[:1].isalpha()
    }
    named = {one for one in re.findall(r"`([a-z][A-Za-z]+(?:\.[A-Za-z0-9]+)+)", GUIDE) if one.split(".")[0] in sections}
    assert len(named) > 15
    assert {one for one in named if f"`{one}`" not in known and f"`{one}." not in known} - {"values.yaml"} == set()


def test_every_image_variable_that_the_page_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    table = GUIDE[GUIDE.index("| variable |") : GUIDE.index("Everything is installed")]
    assert [one for one in re.findall(r"^\| `([A-Z]+)`", table, re.MULTILINE) if f"$({one})" not in makefile] == []


def test_files_that_the_page_names_exist() -> None:
    named = re.findall(r"`((?:deploy|tools)/[a-z/_.]+)`", GUIDE)
    assert len(named) >= 4
    assert [one for one in named if not (ROOT / one).exists()] == []

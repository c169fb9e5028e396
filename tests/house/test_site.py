"""The documentation is a site that stands by itself: every page is reached, and nothing comes from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|link|img|iframe|source)[^>]+(?:src|href)=\"?(https?://[^\"\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, without its checks of links."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--no-strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    loaded = [
        f"{path.relative_to(site)}: {address}"
        for path in site.rglob("*.html")
        for address in LOADED.findall(path.read_text("utf-8"))
    ]
    assert loaded == []
    assert [path.name for path in site.rglob("*.css") if "url(http" in path.read_text("utf-8")] == []


def test_every_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")]
    addresses = [f"{page.parent}/" if page.name == "index" else f"{page}/" for page in pages if str(page) != "index"]
    assert [address for address in addresses if f'href="{address}"' not in home] == []


def test_pictures_take_the_colours_of_the_page(site: Path) -> None:
    architecture = (site / "concepts/architecture/index.html").read_text("utf-8")
    assert '<div class="picture" role="img" aria-label="Three doors' in architecture
    assert "<svg" in architecture


def test_the_site_speaks_in_the_font_of_the_dashboard(site: Path) -> None:
    used = re.findall(r'url\("(inter-[^"]+)"\)', (site / "assets/site.css").read_text("utf-8"))
    built = ROOT / "services/dashboard/src/orkestra/dashboard/static"
    assert [name for name in used if (built / name).exists() and not (site / "assets" / name).exists()] == []
    assert used

"""What the documentation site needs beyond MkDocs: stars in its navigation, our font, pictures in its colours."""

import fnmatch
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "services/dashboard/src/orkestra/dashboard/static"
PICTURE = re.compile(r'<img alt="([^"]*)" src="([^"]*\.svg)" ?/?>')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Spells the navigation out, and adds the font that the dashboard is built with."""
    pages = sorted(file.src_uri for file in files.documentation_pages())
    config.nav = _spelled_out(config.nav or [], pages, _named(config.nav or []))
    for font in sorted(FONTS.glob("inter-*.woff2")):
        files.append(File.generated(config, f"assets/{font.name}", abs_src_path=str(font)))
    return files


def on_page_content(html: str, config: MkDocsConfig, **_: Any) -> str:
    """Puts pictures of ours into the page itself, where they take its colours."""

    def inlined(found: re.Match[str]) -> str:
        name = Path(found[2]).name
        picture = Path(config.docs_dir) / "assets" / name
        if not picture.exists():
            return found[0]
        drawn = re.sub(r"<\?xml.*?\?>\s*", "", picture.read_text("utf-8"))
        return f'<div class="picture" role="img" aria-label="{found[1]}" tabindex="0">{drawn}</div>'

    return PICTURE.sub(inlined, html)


def _named(nav: Any) -> set[str]:
    """The pages that the navigation names without a star."""
    if isinstance(nav, str):
        return set() if "*" in nav else {nav}
    below = nav.values() if isinstance(nav, dict) else nav
    return {name for one in below for name in _named(one)}


def _spelled_out(entries: list[Any], pages: list[str], named: set[str]) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
        if isinstance(value, list):
            found.append({title: _spelled_out(value, pages, named)})
        elif "*" in value:
            fitting = [page for page in fnmatch.filter(pages, value) if page not in named]
            found += [{title: page} if title else page for page in fitting]
        else:
            found.append(entry)
    return found

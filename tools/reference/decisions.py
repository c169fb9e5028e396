"""docs/adr/index.md: the decision records, in the order in which they were taken."""

import re
from pathlib import Path

from tools.reference import markdown
from tools.reference.markdown import Gap

ABOUT = """
A decision that binds others is written down on one page: what made it necessary, what was decided, what follows. A
record is not changed when the decision changes; a new one takes its place and says so.
"""
TITLE = re.compile(r"^# 0*(\d+)[.:]\s+(.+)$", re.MULTILINE)


def page(root: Path) -> str:
    """Returns the page; raises Gap where a record has no number and title, or shares its number."""
    rows, numbers = [], set()
    for path in sorted(root.glob("docs/adr/[0-9]*.md")):
        found = TITLE.search(path.read_text("utf-8"))
        if found is None or not path.name.startswith(found[1].zfill(4)):
            raise Gap(f"docs/adr/{path.name} begins with `# {path.name[:4]}. ` and its title.")
        if found[1] in numbers:
            raise Gap(f"two decision records have the number {found[1]}; give docs/adr/{path.name} the next free one.")
        numbers.add(found[1])
        rows.append((found[1], f"[{found[2].rstrip('.')}]({path.name})"))
    return markdown.page("Decisions", ABOUT, markdown.table(("Number", "What was decided"), rows))

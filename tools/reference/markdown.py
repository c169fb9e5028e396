"""Pieces of Markdown that the generated pages are made of."""

import re
from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `make reference` from the code; edit the code instead. -->"


class Gap(Exception):  # noqa: N818  it is a hole in the documentation, and says which
    """The code says too little for a page; the message says what is missing and where it goes."""


def page(title: str, *parts: str) -> str:
    """Returns a page: its title, the note that it is written by a program, and its parts apart by an empty line."""
    return "\n\n".join([f"# {title}", NOTE, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; nothing where it has no row."""
    lines = [" | ".join(cell(text) for text in row) for row in rows]
    if not lines:
        return ""
    marked = [" | ".join(heads), "|".join("---" for _ in heads), *lines]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in marked)


def cell(text: str) -> str:
    """Returns text that stays within one cell of a table."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split())) or " "


def plain(text: str) -> str:
    """Returns text from the code with what Markdown or HTML would take for marks made harmless, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([<*{\[\]])", r"\\\1", part).replace("\\<", "&lt;") for part in parts
    )


def code(text: str) -> str:
    """Returns text as inline code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def block(text: str, language: str = "") -> str:
    """Returns a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def sentence(text: str) -> str:
    """Returns text that ends like a sentence."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?:…" else f"{text}."

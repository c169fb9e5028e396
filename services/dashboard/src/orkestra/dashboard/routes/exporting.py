"""Lists as CSV (RFC 4180), for spreadsheets that may take text for a formula."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi.responses import Response, StreamingResponse
from orkestra.wire import Model

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  the wide ones run as well
MOST_EXPORTED = 10_000
"""Rows of one file."""

R = TypeVar("R", bound=Model)


async def csv_answer(name: str, columns: Sequence[str], rows: AsyncIterator[Sequence[Any]]) -> Response:
    """Returns the rows as a file to save, written as they come; what is refused is refused before the file begins."""
    first = await anext(rows, None)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(_written(columns, first, rows), media_type="text/csv; charset=utf-8", headers=headers)


async def every(ask: Callable[[R], Awaitable[Any]], asked: R, *, of: str) -> AsyncIterator[Any]:
    """Yields what a room lists under the name `of`, page after page, up to 10,000."""
    written = 0
    while True:
        page = await ask(asked)
        found = getattr(page, of)[: MOST_EXPORTED - written]
        for each in found:
            yield each
        written += len(found)
        if page.next_page_token is None or written >= MOST_EXPORTED:
            return
        asked = asked.model_copy(update={"page_token": page.next_page_token})


async def _written(
    columns: Sequence[str], first: Sequence[Any] | None, rows: AsyncIterator[Sequence[Any]]
) -> AsyncIterator[str]:
    yield "\ufeff" + line(columns)  # by which spreadsheets know UTF-8
    if first is not None:
        yield line(first)
    async for row in rows:
        yield line(row)


def line(cells: Iterable[Any]) -> str:
    """Returns one line; a text that a spreadsheet would run is quoted with an apostrophe."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(each) for each in cells])
    return out.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case bool():
            return "yes" if value else "no"
        case list():
            return _cell(" ".join(str(each) for each in value))
        case str() if value.startswith(FORMULA):
            return f"'{value}"
    return value

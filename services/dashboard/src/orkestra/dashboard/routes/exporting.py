"""Lists as CSV (RFC 4180), for spreadsheets that may take text for a formula."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import Response, StreamingResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, columns: Sequence[str], rows: AsyncIterator[Sequence[Any]]) -> Response:
    """Returns the rows as a file to save, written as they come."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(_written(columns, rows), media_type="text/csv; charset=utf-8", headers=headers)


async def _written(columns: Sequence[str], rows: AsyncIterator[Sequence[Any]]) -> AsyncIterator[str]:
    yield "\ufeff" + line(columns)  # by which spreadsheets know UTF-8
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
        case str() if value.startswith(FORMULA):
            return f"'{value}"
    return value

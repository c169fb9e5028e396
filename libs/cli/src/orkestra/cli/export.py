"""`orkestra export`: what people decided, for whoever teaches agents."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from orkestra.cli.connection import Session, asks
from orkestra.v1.task import Correction, ListCorrectionsResponse

app = typer.Typer(help="Write what people decided to a file, for evaluations and training.", no_args_is_help=True)
PAGE = 50


@app.callback()
def export() -> None:
    """Write what people decided to a file, for evaluations and training."""


@asks(app, "corrections")
async def corrections(
    session: Session,
    *,
    after: Annotated[datetime | None, typer.Option("--after", help="Answered at this time or later, in UTC.")] = None,
    before: Annotated[datetime | None, typer.Option("--before", help="Answered before this time, in UTC.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only of tasks of this type.")] = None,
    file: Annotated[Path | None, typer.Option("--output", "-o", help="Into this file; printed if absent.")] = None,
) -> None:
    """Write what agents drafted and people answered: context, draft, answer and difference, a line of JSON each."""
    asked = {"answered_after": _utc(after), "answered_before": _utc(before), "type": kind}
    if file is None:
        async for one in _corrections(session, asked):
            typer.echo(one.model_dump_json())
        return
    written = 0
    with session.output.waiting(f"Writing {file}"), file.open("w", encoding="utf-8") as lines:
        async for one in _corrections(session, asked):
            lines.write(f"{one.model_dump_json()}\n")
            written += 1
    session.output.give({"file": str(file), "corrections": written}, f"Wrote {written} corrections to {file}.")


async def _corrections(session: Session, asked: Mapping[str, Any]) -> AsyncIterator[Correction]:
    query = {name: value for name, value in asked.items() if value is not None} | {"page_size": PAGE}
    while True:
        page = await session.client.call(ListCorrectionsResponse, "GET", "/v1/corrections", query)
        for one in page.corrections:
            yield one
        if page.next_page_token is None:
            return
        query["page_token"] = page.next_page_token


def _utc(given: datetime | None) -> str | None:
    return None if given is None else f"{given.isoformat()}Z"

"""`orkestra events`: what consumers could not handle, and how it is handled after all."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from orkestra.cli.broker import REACH_IT, broker
from orkestra.cli.options import JsonOption, StateOption
from orkestra.cli.output import Output
from orkestra.cli.places import needed, places
from orkestra.cli.refusals import NothingRunsError, RefusedError, UsageError, refusals

if TYPE_CHECKING:
    from nats.js import JetStreamContext
    from orkestra.chassis.dead import DeadLetter

app = typer.Typer(help="Events that could not be handled. For operators.", no_args_is_help=True)
ConsumerOption = Annotated[str | None, typer.Option("--consumer", help="Only those that this consumer gave up.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Only those of this tenant; its id.")]
COLUMNS = ("PLACE", "DIED", "CONSUMER", "TENANT", "EVENT", "RESOURCE", "WHY")
REQUEST_SECONDS = 5.0


@app.command()
def dead(
    *,
    consumer: ConsumerOption = None,
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    state_dir: StateOption,
    as_json: JsonOption = False,
) -> None:
    """List the events that a consumer gave up, oldest first, with the reason; they are kept for 30 days.

    NATS is that of ORKESTRA_NATS_URL with the services' other ORKESTRA_NATS_* settings, or the local stack's.
    """
    output = Output(as_json=as_json)
    with refusals(output):
        found = _asked(state_dir, lambda jetstream: _found(jetstream, consumer, tenant, limit))
        rows = [
            (one.place, one.died_at, one.consumer, one.tenant_id, one.event, one.resource_id, one.reason)
            for one in found
        ]
        output.table({"dead_letters": [_shown(one) for one in found]}, COLUMNS, rows, empty="There are none.")


@app.command()
def replay(
    place: Annotated[list[int] | None, typer.Argument(help="Which, as `events dead` says.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every one that --consumer and --tenant leave.")] = False,
    consumer: ConsumerOption = None,
    tenant: TenantOption = None,
    state_dir: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Give dead events to the consumers again, once what kept them from being handled is mended.

    Whoever has handled such an event passes over it. What cannot be handled this time either is dead again.
    """
    output = Output(as_json=as_json)
    with refusals(output):
        if bool(place) == everything:
            step = "`orkestra events dead` lists them."
            raise UsageError("Say which: the places, or --all.", step=step)

        async def work(jetstream: "JetStreamContext") -> "list[tuple[DeadLetter, int]]":
            return [(one, await _again(jetstream, one)) for one in await _chosen(jetstream, place, consumer, tenant)]

        with output.waiting("Giving events to their consumers again"):
            done = _asked(state_dir, work)
        shown = [{**_shown(one), "replayed_at_place": now} for one, now in done]
        told = [f"{one.event} of {one.resource_id} is on its way to its consumers again." for one, _ in done]
        output.give({"replayed": shown}, *(told or ["There are none."]))


def _asked(state_dir: Any, work: "Callable[[JetStreamContext], Awaitable[Any]]") -> Any:
    """Do the work with JetStream; refuses where NATS cannot be asked."""
    known = places(state_dir, os.environ)
    needed(known, "ORKESTRA_NATS_URL", state_dir=state_dir)

    async def ask() -> Any:
        import nats.errors  # noqa: PLC0415 - slow to import, as the next one
        import nats.js.errors  # noqa: PLC0415 - see above

        async with broker(known, os.environ) as client:
            try:
                return await work(client.jetstream(timeout=REQUEST_SECONDS))
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as away:
                told = str(away) or "it does not answer"
                raise NothingRunsError(f"JetStream could not be asked: {told}.", step=REACH_IT) from None

    return asyncio.run(ask())


async def _found(
    jetstream: "JetStreamContext", consumer: str | None, tenant: str | None, limit: int | None
) -> "list[DeadLetter]":
    from orkestra.chassis.dead import dead_letters  # noqa: PLC0415 - see above

    found = []
    async for letter in dead_letters(jetstream, consumer=consumer, tenant_id=tenant):
        found.append(letter)
        if len(found) == limit:
            break
    return found


async def _chosen(
    jetstream: "JetStreamContext", chosen: list[int] | None, consumer: str | None, tenant: str | None
) -> "list[DeadLetter]":
    from orkestra.chassis.dead import dead_letter  # noqa: PLC0415 - see above

    if not chosen:
        return await _found(jetstream, consumer, tenant, None)
    found = [(place, await dead_letter(jetstream, place)) for place in chosen]
    absent = [str(place) for place, letter in found if letter is None]
    if absent:
        step = "`orkestra events dead` lists them; nothing was replayed."
        raise RefusedError(f"No dead letter is at {', '.join(absent)}.", step=step, code="DEAD_LETTER_NOT_FOUND")
    return [letter for _, letter in found if letter is not None]


async def _again(jetstream: "JetStreamContext", letter: "DeadLetter") -> int:
    from orkestra.chassis.dead import replay as replayed  # noqa: PLC0415 - see above

    return await replayed(jetstream, letter)


def _shown(letter: "DeadLetter") -> dict[str, Any]:
    try:
        data: Any = json.loads(letter.data)
    except ValueError:
        data = letter.data.decode("utf-8", "replace")
    return {
        "place": letter.place,
        "died_at": None if letter.died_at is None else letter.died_at.isoformat(),
        "consumer": letter.consumer,
        "tenant_id": letter.tenant_id,
        "event": letter.event,
        "event_id": letter.event_id,
        "resource_id": letter.resource_id,
        "reason": letter.reason,
        "data": data,
    }

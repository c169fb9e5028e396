"""Which published events a stream has lost."""

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from orkestra.chassis.sql import Connection, Queries
from orkestra.chassis.streams import EVENTS

sql = Queries("""
-- published_count
select count(*) from outbox where stream_seq is not null

-- published_at_place
select stream_seq, event_id from outbox where stream_seq is not null order by stream_seq desc offset :place limit 1
""")


async def lost_after(conn: Connection, jetstream: JetStreamContext) -> int | None:
    """Return the stream sequence after which this schema's published events are gone, None where none is.

    A stream loses its tail or everything, so the newest event tells whether, and halving finds from where.
    """
    if await _is_kept(conn, jetstream, place=0):
        return None
    lost, kept = 0, await sql.published_count.value(conn)
    while kept - lost > 1:
        middle = (lost + kept) // 2
        if await _is_kept(conn, jetstream, place=middle):
            kept = middle
        else:
            lost = middle
    row = await sql.published_at_place.row(conn, place=kept)
    return 0 if row is None else int(row["stream_seq"])


async def _is_kept(conn: Connection, jetstream: JetStreamContext, *, place: int) -> bool:
    """Say whether the event at `place`, counted from the newest, is in the stream; beyond the oldest it is.

    A hole between events was made on purpose: what was deleted there is not sent again.
    """
    row = await sql.published_at_place.row(conn, place=place)
    if row is None:
        return True
    try:
        message = await jetstream.get_msg(EVENTS, seq=row["stream_seq"])
    except NotFoundError:
        state = (await jetstream.stream_info(EVENTS)).state
        return bool(state.messages and state.first_seq <= row["stream_seq"] <= state.last_seq)
    return bool((message.headers or {}).get("Nats-Msg-Id") == row["event_id"])

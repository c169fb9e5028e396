"""Which published events a stream has lost, and which of them somebody still has to hear."""

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError
from orkestra.chassis.sql import Connection, Queries
from orkestra.chassis.streams import EVENTS

BATCH = 5000
CONSUMERS_OF_A_PAGE = 256

sql = Queries("""
-- published_count
select count(*) from outbox where stream_seq is not null

-- published_at_place
select stream_seq, event_id from outbox where stream_seq is not null order by stream_seq desc offset :place limit 1

-- unmark
-- From the newest on: where this is broken off, the newest that is left says that the rest is lost too.
update outbox set published_at = null, stream_seq = null where seq in (
    select seq from outbox where stream_seq > :after order by stream_seq desc limit :limit
)

-- settle
update outbox set stream_seq = null where seq in (
    select seq from outbox where stream_seq > :after and stream_seq <= :settled limit :limit
)
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


async def settled_until(jetstream: JetStreamContext) -> int:
    """Return the stream sequence up to which every durable consumer has handled what concerns it, 0 without any."""
    last: int = (await jetstream.stream_info(EVENTS)).state.last_seq  # before: what comes meanwhile is not counted
    found: list[ConsumerInfo] = []
    while len(page := await jetstream.consumers_info(EVENTS, offset=len(found))) == CONSUMERS_OF_A_PAGE:
        found += page
    found += page
    floors = [_floor(consumer, last) for consumer in found if consumer.config.durable_name is not None]
    return min(floors, default=0)


async def send_again(conn: Connection, *, kept: int, settled: int) -> int:
    """Have the relay send what is lost, but what came after `kept` and is `settled`; return how many events."""
    while await sql.settle.execute(conn, after=kept, settled=settled, limit=BATCH) == BATCH:
        pass
    count = 0
    while some := await sql.unmark.execute(conn, after=kept, limit=BATCH):
        count += some
    return count


def _floor(consumer: ConsumerInfo, last: int) -> int:
    if not consumer.num_pending and not consumer.num_ack_pending:
        return last
    return 0 if consumer.ack_floor is None else consumer.ack_floor.stream_seq


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

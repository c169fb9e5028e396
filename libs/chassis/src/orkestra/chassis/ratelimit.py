"""Rate limits that replicas share: GCRA in one upsert on the door's unlogged table `rate_limits`.

A bucket allows `quota` calls at once and `quota` per window from then on. Where the database cannot be asked, calls
pass: a limit protects the rooms, and a door that refuses everyone would do the attacker's work.
"""

import asyncio
import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from orkestra.chassis.database import Database
from orkestra.chassis.logs import get_logger
from orkestra.chassis.sql import Queries
from orkestra.wire import Error, ResourceExhausted, Unavailable

TAKE_SECONDS = 0.5
PAUSE_SECONDS = 2.0
PRUNE_SECONDS = 60.0
MOST_AT_ONCE = 16
"""Calls that one replica counts before they come."""
SHARE = 200
"""At most one part in this many of a quota is counted before it is used."""
ADVANCE_SECONDS = 1.0
QUICK_SECONDS = 0.05
"""Calls come quickly that are no farther apart than this."""
REMEMBERED = 10_000

log = get_logger(__name__)
sql = Queries("""
-- take
-- Ordered by bucket, so that two callers who share buckets lock them in the same order.
insert into rate_limits as held (bucket, tat)
select asked.bucket, now() + asked.spacing
  from unnest(cast(:buckets as text[]), cast(:spacings as interval[])) as asked (bucket, spacing)
 order by asked.bucket
on conflict (bucket) do update
   set tat = case
         when greatest(held.tat, now()) + (excluded.tat - now()) <= now() + (
              select asked.span
                from unnest(cast(:buckets as text[]), cast(:spans as interval[])) as asked (bucket, span)
               where asked.bucket = excluded.bucket
         ) then greatest(held.tat, now()) + (excluded.tat - now())
         else held.tat
       end
returning bucket,
          cast(extract(epoch from new.tat - now()) as float8) as ahead,
          old.tat is null or new.tat <> old.tat as admitted

-- prune
delete from rate_limits where tat < now()
""")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls one bucket may make: `quota` per `window` seconds."""

    name: str
    quota: int
    window: int

    @property
    def spacing(self) -> float:
        """Seconds that one call costs."""
        return self.window / self.quota


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a bucket stands after a call; `ahead` is how many seconds of its window are spent."""

    limit: Limit
    ahead: float
    admitted: bool

    @property
    def remaining(self) -> int:
        """How many more calls are admitted at once."""
        return max(0, math.floor((self.limit.window - self.ahead) / self.limit.spacing + 1e-6))

    @property
    def retry_after(self) -> float:
        """Seconds until the next call is admitted."""
        return max(0.0, self.ahead + self.limit.spacing - self.limit.window)


class _Advance:
    """Calls of the same buckets that were counted before they came."""

    def __init__(self) -> None:
        self.standings: Sequence[Standing] = ()
        self._left = 0
        self._calls = 1
        self._counted_at = float("-inf")

    def spend(self, now: float) -> bool:
        """Use one of the calls that are counted already; False where there is none."""
        if self._left == 0 or now > self._counted_at + ADVANCE_SECONDS:
            return False
        self._left -= 1
        return True

    def size(self, limits: Iterable[Limit], now: float) -> int:
        """Return how many calls to count at once: twice as many as last time while they come quickly."""
        smallest = min(limit.quota for limit in limits)
        far = all(standing.remaining * 2 > standing.limit.quota for standing in self.standings) and self.standings
        quick = now < self._counted_at + self._calls * QUICK_SECONDS
        return min(self._calls * 2, MOST_AT_ONCE, smallest // SHARE) or 1 if far and quick else 1

    def keep(self, standings: Sequence[Standing], calls: int, now: float) -> None:
        """Remember what was counted."""
        admitted = bool(standings) and all(standing.admitted for standing in standings)
        self.standings, self._calls, self._counted_at = standings, calls, now
        self._left = calls - 1 if admitted else 0


class Counts(Protocol):
    """What counts calls."""

    async def take(self, *claims: tuple[Limit, str]) -> Sequence[Standing]:
        """Count one call in each bucket; the answer is in the order of `claims`, empty where nothing is known."""


class OwnCounts:
    """Counts calls in buckets of this process alone, for what has no table for them; other replicas do not know."""

    def __init__(self) -> None:
        self._tats: OrderedDict[str, float] = OrderedDict()

    async def take(self, *claims: tuple[Limit, str]) -> Sequence[Standing]:
        """Count one call in each bucket; the answer is in the order of `claims`."""
        now = asyncio.get_running_loop().time()
        return [self._count(limit, f"{limit.name}:{owner}", now) for limit, owner in claims]

    def _count(self, limit: Limit, bucket: str, now: float) -> Standing:
        held = max(self._tats.pop(bucket, now), now)
        admitted = held + limit.spacing <= now + limit.window
        self._tats[bucket] = held + limit.spacing if admitted else held
        if len(self._tats) > REMEMBERED:
            self._tats.popitem(last=False)
        return Standing(limit, self._tats[bucket] - now, admitted)


class RateLimits:
    """Counts calls in buckets; one instance per process, the counts are everyone's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asks_again_at = 0.0
        self._advances: OrderedDict[tuple[str, ...], _Advance] = OrderedDict()

    async def take(self, *claims: tuple[Limit, str]) -> Sequence[Standing]:
        """Count one call in each bucket; the answer is in the order of `claims`, empty while the database is away.

        Calls that come quickly are counted some at a time, where the quota is large and mostly left; a limit that is
        near is counted call by call, exactly.
        """
        clock = asyncio.get_running_loop().time
        if clock() < self._asks_again_at:
            return []
        limits = {f"{limit.name}:{owner}": limit for limit, owner in claims}
        advance = self._advances.setdefault(tuple(limits), _Advance())
        self._advances.move_to_end(tuple(limits))
        if len(self._advances) > REMEMBERED:
            self._advances.popitem(last=False)
        if advance.spend(clock()):
            return advance.standings
        calls = advance.size(limits.values(), clock())
        standings = await self._count(limits, calls, clock)
        advance.keep(standings, calls, clock())
        return standings

    async def _count(self, limits: dict[str, Limit], calls: int, clock: Callable[[], float]) -> Sequence[Standing]:
        try:
            async with self._database.statement(seconds=TAKE_SECONDS) as conn:
                rows = await sql.take.rows(
                    conn,
                    buckets=list(limits),
                    spacings=[timedelta(seconds=limit.spacing * calls) for limit in limits.values()],
                    spans=[timedelta(seconds=limit.window) for limit in limits.values()],
                )
        except Unavailable:
            self._asks_again_at = clock() + PAUSE_SECONDS
            log.warning("rate_limits_unavailable", pause_seconds=PAUSE_SECONDS)
            return []
        found = {row["bucket"]: row for row in rows}
        return [Standing(limits[name], found[name]["ahead"], found[name]["admitted"]) for name in limits]

    async def prune(self) -> None:
        """Forget buckets that are full again, once a minute, until cancelled."""
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            try:
                async with self._database.unscoped() as conn:
                    await sql.prune.execute(conn)
            except Error as away:
                log.warning("rate_limits_not_pruned", reason=away.reason)


def counted_as(address: str | None) -> str:
    """Return whose calls are counted together: an address, and of IPv6 the 64 bits whose rest one caller chooses."""
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.IPv6Network((known, 64), strict=False))


def refuse_excess(standings: Sequence[Standing]) -> None:
    """Raises ResourceExhausted("RATE_LIMITED") where a bucket had no call left."""
    spent = [standing for standing in standings if not standing.admitted]
    if spent:
        worst = max(spent, key=lambda standing: standing.retry_after)
        raise ResourceExhausted(
            "RATE_LIMITED",
            f"At most {worst.limit.quota} calls per {worst.limit.window} s are served for this {worst.limit.name}; "
            f"try again in {math.ceil(worst.retry_after)} s.",
            retry_after=worst.retry_after,
        )


def headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Return RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers); nothing where nothing is known."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{s.limit.name}";q={s.limit.quota};w={s.limit.window}' for s in standings),
        "RateLimit": ", ".join(f'"{s.limit.name}";r={s.remaining};t={max(0, math.ceil(s.ahead))}' for s in standings),
    }

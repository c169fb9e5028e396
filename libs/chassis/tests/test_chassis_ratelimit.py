"""Rate limits that replicas share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from orkestra.chassis.database import Database
from orkestra.chassis.ratelimit import Limit, RateLimits, Standing, headers, refuse_excess
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.wire import ResourceExhausted


@pytest_asyncio.fixture(scope="module")
async def database(migrated: Callable[..., Awaitable[Schema]]) -> AsyncIterator[Database]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    database = await Database.connect(schema.app_url, schema="gateway", max_size=8)
    yield database
    await database.close()


async def test_a_quota_is_exact_however_many_ask_at_once(database: Database) -> None:
    limit, replicas = Limit("exact", 20, 600), [RateLimits(database), RateLimits(database)]
    taken = await asyncio.gather(*(replicas[n % 2].take((limit, "a")) for n in range(60)))
    assert sum(standing.admitted for standings in taken for standing in standings) == 20


async def test_buckets_are_counted_apart_and_answered_in_order(database: Database) -> None:
    limits, key, tenant = RateLimits(database), Limit("z-key", 1, 60), Limit("a-tenant", 10, 60)
    first = await limits.take((key, "k"), (tenant, "t"))
    second = await limits.take((key, "k"), (tenant, "t"))
    assert [standing.limit.name for standing in first] == ["z-key", "a-tenant"]
    assert [standing.admitted for standing in second] == [False, True]
    assert [standing.remaining for standing in second] == [0, 8]
    with pytest.raises(ResourceExhausted, match="At most 1 calls per 60 s") as refused:
        refuse_excess(second)
    assert refused.value.retry_after == pytest.approx(60, abs=3)


async def test_a_spent_bucket_fills_again_with_time(database: Database) -> None:
    limits, limit = RateLimits(database), Limit("quick", 2, 1)
    assert [(await limits.take((limit, "a")))[0].admitted for _ in range(3)] == [True, True, False]

    async def admitted() -> bool:
        return (await limits.take((limit, "a")))[0].admitted

    await eventually(admitted, timeout=3)


async def test_without_a_database_nothing_is_counted_and_nothing_waits() -> None:
    away = await Database.connect("postgresql://nobody@127.0.0.1:1/none", schema="gateway")
    limits = RateLimits(away)
    assert list(await limits.take((Limit("key", 1, 60), "a"))) == []
    began = asyncio.get_running_loop().time()
    assert list(await limits.take((Limit("key", 1, 60), "a"))) == []
    assert asyncio.get_running_loop().time() - began < 0.05
    await away.close()


def test_the_headers_say_policy_and_standing() -> None:
    standing = Standing(Limit("key", 100, 60), ahead=6.0, admitted=True)
    assert headers([standing]) == {"RateLimit-Policy": '"key";q=100;w=60', "RateLimit": '"key";r=90;t=6'}
    assert headers([]) == {}


async def test_quick_calls_of_a_large_quota_are_counted_together_and_none_for_free(database: Database) -> None:
    limits, limit = RateLimits(database), Limit("large", 4000, 600)
    asked = 200
    for _ in range(asked):
        (standing,) = await limits.take((limit, "a"))
        assert standing.admitted
    async with database.unscoped() as conn:
        ahead = await conn.fetchval("select extract(epoch from tat - now()) from rate_limits where bucket = 'large:a'")
    spent = float(ahead) / limit.spacing
    assert asked * 0.8 <= spent <= asked + 16  # some have come back meanwhile; at most one batch is counted too many


async def test_two_replicas_that_count_ahead_admit_hardly_more_than_the_quota(database: Database) -> None:
    limit, replicas = Limit("wide", 400, 6000), [RateLimits(database), RateLimits(database)]
    admitted = 0
    for number in range(500):
        (standing,) = await replicas[number % 2].take((limit, "a"))
        admitted += standing.admitted
    assert 380 <= admitted <= 402

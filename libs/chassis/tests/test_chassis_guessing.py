"""Whoever tries out credentials is not listened to; whoever shares the address with them is."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest_asyncio
from orkestra.chassis.database import Database
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.ratelimit import Limit, OwnCounts, RateLimits, counted_as
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.wire import Error, ResourceExhausted, Unauthenticated


@pytest_asyncio.fixture(scope="module")
async def database(migrated: Callable[..., Awaitable[Schema]]) -> AsyncIterator[Database]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    database = await Database.connect(schema.app_url, schema="gateway", max_size=8)
    yield database
    await database.close()


class Desk:
    """One door that is asked with credentials; it knows which are good, and counts what it had to look at."""

    def __init__(self, database: Database, *, quota: int = 5, window: int = 600, name: str | None = None) -> None:
        self.guesses = Guesses(RateLimits(database), Limit(name or f"refused-{uuid4().hex}", quota, window))
        self.good = {"good"}
        self.looked_at: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def ask(self, credential: str, *, address: str = "192.0.2.1") -> Error | None:
        """Return how the credential is refused, None where it is good."""
        try:
            async with self.guesses.watch(address, hashlib.sha256(credential.encode()).digest()):
                self.looked_at.append(credential)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                await asyncio.sleep(0)
                self.at_once -= 1
                if credential not in self.good:
                    raise Unauthenticated("CREDENTIAL_UNKNOWN", "This key or session is not known here.")
        except Error as refused:
            return refused
        return None


async def test_after_so_many_refusals_unknown_credentials_are_not_even_looked_at(database: Database) -> None:
    desk = Desk(database)
    came = [await desk.ask(f"guess {n}") for n in range(20)]
    assert [type(one) for one in came] == [Unauthenticated] * 5 + [ResourceExhausted] * 15
    assert len(desk.looked_at) == 5
    refused = came[-1]
    assert refused is not None
    assert refused.reason == "RATE_LIMITED"
    assert 0 < (refused.retry_after or 0) <= 600 / 5
    desk.good.add("guess 19")
    assert isinstance(await desk.ask("guess 19"), ResourceExhausted), "a right guess is not told from a wrong one"


async def test_many_guesses_at_once_are_looked_at_in_turn(database: Database) -> None:
    desk = Desk(database)
    await asyncio.gather(*(desk.ask(f"guess {n}") for n in range(200)))
    assert len(desk.looked_at) <= 2 * 5
    assert desk.most_at_once <= 5


async def test_who_was_known_before_goes_on_and_so_does_every_other_address(database: Database) -> None:
    desk = Desk(database)
    assert await desk.ask("good") is None
    for n in range(10):
        await desk.ask(f"guess {n}")
    assert await desk.ask("good") is None
    desk.good.add("new")
    assert await desk.ask("new", address="192.0.2.2") is None


async def test_a_credential_that_was_good_or_is_sent_again_and_again_is_no_new_guess(database: Database) -> None:
    desk = Desk(database)
    assert await desk.ask("good") is None
    desk.good.clear()
    came = [await desk.ask(credential) for _ in range(30) for credential in ("good", "stale")]
    assert {type(one) for one in came} == {Unauthenticated}


async def test_who_has_a_network_has_one_address(database: Database) -> None:
    desk = Desk(database)
    for n in range(5):
        await desk.ask(f"guess {n}", address=f"2001:db8:1:2:{n}::1")
    assert isinstance(await desk.ask("guess 5", address="2001:db8:1:2::9%eth0"), ResourceExhausted)
    assert isinstance(await desk.ask("guess 6", address="2001:db8:1:3::1"), Unauthenticated)
    assert isinstance(await desk.ask("guess 7", address="::ffff:192.0.2.1"), Unauthenticated)
    assert [counted_as(one) for one in (None, "unix", "::ffff:192.0.2.1")] == ["unknown", "unix", "192.0.2.1"]


async def test_counts_of_a_process_are_those_of_the_table() -> None:
    counts, limit = OwnCounts(), Limit("refused", 3, 600)
    came = [(await counts.take((limit, "a")))[0] for _ in range(5)]
    assert [one.admitted for one in came] == [True, True, True, False, False]
    assert [one.remaining for one in came] == [2, 1, 0, 0, 0]
    assert 0 < came[-1].retry_after <= limit.spacing
    assert (await counts.take((limit, "b")))[0].admitted


async def test_replicas_share_the_count(database: Database) -> None:
    name = f"refused-{uuid4().hex}"
    one, other = (Desk(database, name=name) for _ in range(2))
    for n in range(4):
        await one.ask(f"guess {n}")
    assert isinstance(await other.ask("guess 4"), Unauthenticated)
    assert isinstance(await other.ask("guess 5"), ResourceExhausted)


async def test_after_a_while_the_address_is_listened_to_again(database: Database) -> None:
    desk = Desk(database, quota=2, window=2)
    for n in range(3):
        await desk.ask(f"guess {n}")

    async def is_let_in() -> bool:
        return await desk.ask("good") is None

    await eventually(is_let_in, timeout=15)


async def test_without_the_database_nobody_is_locked_out() -> None:
    away = await Database.connect("postgresql://nobody@127.0.0.1:1/none", schema="gateway")
    desk = Desk(away)
    came = [await desk.ask(f"guess {n}") for n in range(20)]
    assert {type(one) for one in came} == {Unauthenticated}
    await away.close()

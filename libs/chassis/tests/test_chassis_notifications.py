"""Waiting for news in this process."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from chassis_events import beside
from orkestra.chassis import notifications as chassis_notifications
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.notifications import Notifications, Others, hold
from orkestra.testkit import eventually, migrated


@pytest.fixture
async def notifications(postgres: str) -> AsyncIterator[Notifications]:
    listening = Notifications(postgres, "news")
    running = asyncio.create_task(listening.run())
    yield listening
    running.cancel()
    await asyncio.wait((running,))


async def tell(postgres: str, payload: str) -> None:
    conn = await asyncpg.connect(postgres)
    await conn.execute("select pg_notify('news', $1)", payload)
    await conn.close()


async def test_only_who_waits_for_it_hears_it(postgres: str, notifications: Notifications) -> None:
    async with notifications.listen("news", "one") as one, notifications.listen("news", "two") as two:
        assert await one.wait(5)  # connected: everyone looks again
        assert await two.wait(5)
        await tell(postgres, "one")
        assert await one.wait(5)
        assert not await two.wait(0.1)


async def test_others_are_told_after_the_commit_and_what_was_cut_off_once_more(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = await migrated(empty_database, "chassis_room", "room")
    database = await Database.connect(schema.app_url, schema=schema.name)
    others, heard = Others(database, "news"), list[str]()
    listening = await asyncpg.connect(schema.admin_url)
    await listening.add_listener("news", lambda *news: heard.append(str(news[-1])))
    async with beside(others.run()):
        others.tell("one")
        others.tell("two")
        await eventually(lambda: sorted(heard) == ["one", "two"])
    monkeypatch.setattr(chassis_notifications, "_TELL", "select pg_sleep(30), $1::text, $2::text[]")
    async with beside(others.run()):
        others.tell("three")
        await asyncio.sleep(0.2)
    monkeypatch.undo()
    await others.flush()
    await others.flush()
    await eventually(lambda: sorted(heard) == ["one", "three", "two"])
    await listening.close()
    await database.close()


async def test_after_a_lost_connection_everyone_looks_again(postgres: str, notifications: Notifications) -> None:
    async with notifications.listen("news", "one") as waiter:
        assert await waiter.wait(5)
        conn = await asyncpg.connect(postgres)
        await conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'orkestra-listen'"
        )
        await conn.close()
        assert await waiter.wait(10)


async def test_a_held_look_returns_at_the_news(postgres: str, notifications: Notifications) -> None:
    states = iter(["running", "running"])
    looked: list[str] = []

    async def look() -> str:
        looked.append(next(states, "ended"))
        return looked[-1]

    async with notifications.listen("news", "one") as waiter:
        held = asyncio.create_task(
            hold(look, until=lambda state: state == "ended", waiter=waiter, drain=Drain(), seconds=30)
        )
        await eventually(lambda: len(looked) == 2)
        await tell(postgres, "one")
        assert await asyncio.wait_for(held, timeout=4) == "ended"


async def test_a_held_look_returns_the_state_so_far_in_time_and_at_the_end(notifications: Notifications) -> None:
    async def look() -> str:
        return "running"

    drain = Drain()
    async with notifications.listen("news", "one") as waiter:
        assert await hold(look, until=lambda _: False, waiter=waiter, drain=drain, seconds=0.05) == "running"
        held = asyncio.create_task(hold(look, until=lambda _: False, waiter=waiter, drain=drain, seconds=30))
        await asyncio.sleep(0)
        drain.begin()
        assert await asyncio.wait_for(held, timeout=2) == "running"
        assert await hold(look, until=lambda _: False, waiter=waiter, drain=drain, seconds=30) == "running"


async def test_who_made_the_news_here_hands_them_over_and_nobody_looks_again(notifications: Notifications) -> None:
    looked: list[str] = []

    async def look() -> str:
        looked.append("running")
        return "running"

    async with notifications.listen("news", "one") as waiter:
        assert await waiter.wait(5)  # connected
        held = asyncio.create_task(
            hold(look, until=lambda state: state == "ended", waiter=waiter, drain=Drain(), seconds=30, kind=str)
        )
        await eventually(lambda: bool(looked))
        notifications.tell("news", "other", "ended")
        notifications.tell("news", "one", "ended")
        assert await asyncio.wait_for(held, timeout=4) == "ended"
    assert looked == ["running"]


async def test_a_channel_that_nobody_listens_on_is_refused(notifications: Notifications) -> None:
    with pytest.raises(ValueError, match="nobody listens on gossip"):
        async with notifications.listen("gossip", "one"):
            pass

"""A short connection to NATS, as the environment or the local stack says where it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from orkestra.cli.refusals import NothingRunsError, UsageError

if TYPE_CHECKING:
    from nats.aio.client import Client

PREFIX = "ORKESTRA_NATS_"
MONITORING = "ORKESTRA_NATS_MONITORING_URL"
CONNECT_SECONDS = 3
REACH_IT = "See that NATS runs and that ORKESTRA_NATS_URL is its address; `orkestra doctor` asks it."
LET_IN = "See that ORKESTRA_NATS_USER and its password, or ORKESTRA_NATS_CREDS_FILE, are what NATS knows."


@asynccontextmanager
async def broker(known: Mapping[str, str], environ: Mapping[str, str]) -> AsyncIterator["Client"]:
    """Open a connection for the length of the block; the services' own ORKESTRA_NATS_* settings hold.

    Refuses (NothingRunsError) where NATS does not answer or does not let us in.
    """
    import nats  # noqa: PLC0415 - slow to import, as the next ones
    from nats.aio.client import Client  # noqa: PLC0415 - see above
    from orkestra.chassis.settings import NatsSettings, SettingsError, load, secret  # noqa: PLC0415 - see above

    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name != MONITORING}
    try:
        settings = load(NatsSettings, given | {"ORKESTRA_NATS_URL": known["ORKESTRA_NATS_URL"]})
    except SettingsError as wrong:
        raise UsageError(str(wrong)) from None
    client, url = Client(), secret(settings.nats_url)
    failed: list[Exception] = []

    async def note(error: Exception) -> None:
        failed.append(error)

    try:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    url,
                    name="orkestra",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,  # of each server; the client counts the first connections in
                    reconnect_time_wait=0,
                    error_cb=note,
                    **settings.nats_access.options(),
                )
        except (OSError, TimeoutError, nats.errors.Error) as away:
            raise _refusal(url, [away, *failed]) from None
        yield client
    finally:
        with suppress(Exception):  # of a connection that is half made; nothing of it must stay open
            await client.close()


def _refusal(url: str, failed: Sequence[Exception]) -> NothingRunsError:
    refused = any("authorization" in str(one).lower() for one in failed)
    place = url.partition("://")[2].rpartition("@")[2]
    why = "does not let us in" if refused else "does not answer"
    return NothingRunsError(f"NATS at {place} {why}.", step=LET_IN if refused else REACH_IT)

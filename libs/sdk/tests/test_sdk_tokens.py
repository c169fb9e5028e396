"""The worker's tokens: fetched once, kept no longer than they last, whatever this machine's clock says."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from orkestra.sdk.tokens import LONGEST_SECONDS, WorkerTokens
from orkestra.testkit import eventually
from orkestra.v1.identity import AccessToken, ExchangeCredentialRequest, PrincipalKind


class Identity:
    """Makes tokens on a clock that is `ahead` of ours."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.made = 0

    async def exchange_credential(self, request: ExchangeCredentialRequest) -> AccessToken:
        self.made += 1
        ends = datetime.now(UTC) + self._ahead + timedelta(seconds=30)
        return AccessToken(token=f"token {self.made}", expires_at=ends, subject="worker", kind=PrincipalKind.SERVICE)


async def test_a_token_is_fetched_once_and_kept() -> None:
    identity = Identity(ahead=timedelta())
    tokens = WorkerTokens(cast("Any", identity), "key")
    assert set(await asyncio.gather(*(tokens("t") for _ in range(9)))) == {"token 1"}
    assert await tokens("t") == "token 1"


@pytest.mark.parametrize("hours", [3, 300])
async def test_a_token_is_not_kept_beyond_its_life_where_this_machines_clock_is_slow(hours: int) -> None:
    tokens = WorkerTokens(cast("Any", Identity(ahead=timedelta(hours=hours))), "key")
    await tokens("t")
    assert tokens._tokens["t"][1] - time.monotonic() < LONGEST_SECONDS


async def test_a_token_that_a_service_did_not_take_is_replaced_but_no_more_than_one_a_second() -> None:
    identity = Identity(ahead=timedelta())
    source = WorkerTokens(cast("Any", identity), "key").of("t")
    for token in ("token 1", "another"):
        assert await source() == "token 1"
        source.drop(token)
    assert await source() == "token 1"

    async def is_replaced() -> bool:
        source.drop("token 1")
        return await source() == "token 2"

    await eventually(is_replaced)
    assert identity.made == 2

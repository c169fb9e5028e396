"""A pytest plugin: `pytest_plugins = ["orkestra.sdk.testing.plugin"]` gives the fixture `orkestra_test`."""

from collections.abc import AsyncIterator

import pytest_asyncio
from orkestra.sdk.testing.environment import OrkestraTest


@pytest_asyncio.fixture(loop_scope="function")
async def orkestra_test() -> AsyncIterator[OrkestraTest]:
    """An OrkestraTest of the test's own."""
    async with OrkestraTest() as env:
        yield env

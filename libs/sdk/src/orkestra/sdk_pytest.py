"""The pytest plugin that comes with the SDK: the fixture `orkestra_test`, wherever pytest-asyncio is installed.

It stands beside `orkestra.sdk` and imports it only where the fixture is used: pytest loads it in every session.
"""

from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from orkestra.sdk.testing import OrkestraTest

if find_spec("pytest_asyncio") is not None:
    import pytest_asyncio

    @pytest.fixture
    def orkestra_options() -> Mapping[str, Any]:
        """What `orkestra_test` is made with; a fixture of this name returns such as `{"activities": [charge]}`."""
        return {}

    @pytest_asyncio.fixture
    async def orkestra_test(orkestra_options: Mapping[str, Any]) -> AsyncIterator["OrkestraTest"]:
        """An OrkestraTest of the test's own."""
        from orkestra.sdk.testing import OrkestraTest  # noqa: PLC0415 - see above

        async with OrkestraTest(**orkestra_options) as env:
            yield env

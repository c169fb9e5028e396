"""The keys that belong to the installation and to no tenant."""

import asyncio
from collections.abc import Mapping

from orkestra.identity_service.operations.base import Identity, sql
from orkestra.wire import Unavailable


class InstallationKeys:
    """The keys, by name, that this process was started with; they are accepted once they are written."""

    def __init__(self, identity: Identity, keys: Mapping[str, str]) -> None:
        self._identity = identity
        self._keys = keys
        self._written = asyncio.Event()

    async def run(self) -> None:
        """Accept these keys and no others of their names as soon as the database can be reached, then stay idle."""
        while not self._written.is_set():
            try:
                await self.write()
            except Unavailable as away:
                await asyncio.sleep(away.retry_after or 1.0)
        await asyncio.Event().wait()

    async def write(self) -> None:
        """Keep the hash of each key in the place of the one before."""
        async with self._identity.database.unscoped() as conn:
            for name, key in self._keys.items():
                await sql.put_installation_key.execute(conn, name=name, key_hash=self._identity.pepper.digest(key))
        self._written.set()

    async def check(self) -> None:
        """Raise Unavailable as long as the keys are not written."""
        if not self._written.is_set():
            raise Unavailable("INSTALLATION_KEYS_PENDING", "The installation keys have not been written yet.")

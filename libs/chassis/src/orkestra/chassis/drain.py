"""The end of a process, announced: what is held answers with the state so far."""

import asyncio


class Drain:
    """Whether this process is about to end."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def draining(self) -> bool:
        """Say whether the end has been announced."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Announce the end; it cannot be taken back."""
        self._begun.set()

    async def wait(self) -> None:
        """Return when the end is announced; long polls race against it."""
        await self._begun.wait()

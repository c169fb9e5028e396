"""Passwords: argon2id beside the event loop, equally slow for people who do not exist."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords with argon2id, two at a time.

    The cost is the OWASP Password Storage Cheat Sheet's: 19 MiB, two passes, one lane.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash("the password of nobody")

    async def hash_or_none(self, password: str | None) -> str | None:
        """The password's hash in PHC form, with a salt of its own; None for a person without one."""
        return None if password is None else await self._run(self._hasher.hash, password)

    async def first_match(self, hashes: Sequence[str | None], password: str) -> int | None:
        """The place of the first hash that the password fits; checking an absent hash takes as long as a real one."""
        matches = [await self._run(self._fits, known or self._nobody, password) for known in hashes or [None]]
        return next((i for i, known in enumerate(hashes) if known and matches[i]), None)

    def close(self) -> None:
        """Ends the threads once what they are at is done."""
        self._threads.shutdown(wait=False)

    def _fits(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

"""What people are called, for whoever reads what a command prints; programs get their ids."""

import asyncio
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from orkestra.v1.identity import User
from orkestra.wire import Error

if TYPE_CHECKING:
    from orkestra.sdk import Client

PERSON = re.compile(r"\buser_[0-9a-f]{32}\b")
MOST_ASKED = 50
AT_ONCE = 5


class People:
    """Remembers the e-mail addresses of the people that a command meets."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._known: dict[str, str] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def meet(self, texts: Iterable[str | None]) -> None:
        """Ask who the people are whose ids stand in the texts; at most 50 that are not known yet."""
        met = {one: None for text in texts for one in PERSON.findall(text or "") if one not in self._known}
        await asyncio.gather(*(self._ask(user_id) for user_id in list(met)[:MOST_ASKED]))

    def named(self, text: str) -> str:
        """Return the text with the e-mail addresses of those that were met in the place of their ids."""
        return PERSON.sub(lambda found: self._known.get(found[0], found[0]), text)

    async def _ask(self, user_id: str) -> None:
        async with self._turn:
            try:
                user = await self._client.call(User, "GET", f"/v1/users/{user_id}")
            except Error:  # whom the caller may not see, who is gone, or a door that is busy: the id does
                return
        self._known[user_id] = user.email or user.name or user_id

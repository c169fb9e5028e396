"""What people and groups are called, remembered for a minute."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable

from orkestra.v1.identity import GetUserRequest, IdentityServiceClient
from orkestra.wire import Error

REMEMBERED_SECONDS = 60.0
REMEMBERED = 10_000
MOST_LOOKUPS = 50


class Names:
    """Names of people by tenant and user id."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def of(
        self, tenant_id: str, subjects: Iterable[str | None], identity: IdentityServiceClient
    ) -> dict[str, str]:
        """Returns the names of those of `subjects` that are people; one whose name cannot be had is left out."""
        people = sorted({subject for subject in subjects if subject and subject.startswith("user_")})[:MOST_LOOKUPS]
        now = time.monotonic()
        found = {}
        unknown = []
        for person in people:
            name, until = self._known.get((tenant_id, person), ("", 0.0))
            if until > now:
                found[person] = name
            else:
                unknown.append(person)
        names = await asyncio.gather(*(_name(person, identity) for person in unknown))
        for person, looked_up in zip(unknown, names, strict=True):
            if looked_up is not None:
                found[person] = looked_up
                self._known[tenant_id, person] = (looked_up, now + REMEMBERED_SECONDS)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found


async def _name(person: str, identity: IdentityServiceClient) -> str | None:
    try:
        return (await identity.get_user(GetUserRequest(user_id=person), timeout=2.0)).name
    except Error:
        return None

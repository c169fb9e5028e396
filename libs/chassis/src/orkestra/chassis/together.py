"""Events that are handled together, where nobody waits for one of them in milliseconds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from orkestra.chassis.events import Event


@dataclass(frozen=True, slots=True)
class Together:
    """Handles the events of a tenant that come within `seconds` of the first of them, at most `most` at once.

    `handler` is given them in the order in which they came. Where it raises, it is called with each by itself, so that
    one that cannot be handled hurts no other; what it has done of them before is heard again, as with any event.
    """

    handler: Callable[[Sequence[Event]], Awaitable[None]]
    seconds: float = 0.1
    most: int = 100

    async def __call__(self, event: Event) -> None:
        """Handle one event by itself."""
        await self.handler([event])

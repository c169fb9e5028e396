"""Task ids: `task_` and the 32 hexadecimal digits of a UUIDv7."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_TASK_ID: Final = re.compile(r"task_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def mint_task_id(at: datetime, random_bits: int) -> str:
    """Returns the id that a moment (to the millisecond) and 74 random bits give; the same for the same."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    random_bits &= (1 << 74) - 1
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    number = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return f"task_{number:032x}"


def is_task_id(text: str) -> bool:
    """Whether a text is a task id in its one spelling."""
    return _TASK_ID.fullmatch(text) is not None

"""What is still in hand of people who were erased meanwhile: it is left out of what is written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from orkestra.chassis.connection import AheadConnection
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.deliveries import Letter


@dataclass(frozen=True, slots=True)
class Naming:
    """Whom a letter tells of, at which version where it says who they are, and when that was told."""

    user_id: str
    version: int | None
    told_at: datetime

    def is_kept(self, erased: asyncpg.Record) -> bool:
        """Say whether an erased person is named all the same: who they are since then, and what they did once back."""
        if self.version is not None:
            return bool(self.version >= erased["erased_version"])
        return bool(erased["is_back"] and self.told_at > erased["erased_at"])


async def erased_among(conn: AheadConnection, user_ids: Collection[str]) -> dict[str, asyncpg.Record]:
    """Return who of these people was erased, and hold off erasures until the transaction ends.

    To be asked first in a transaction that writes what tells of them: whoever waits for an erasure must hold no row.
    """
    conn.send_ahead(sql.hold_off_erasures.text)
    rows = await sql.erased_among.rows(conn, user_ids=sorted(user_ids))
    return {row["user_id"]: row for row in rows}


async def without_erased(conn: AheadConnection, letters: Sequence[Letter]) -> list[Letter]:
    """Leave out who an erased person was and why they cancelled tasks; holds off erasures where there is any of it."""
    namings = [_naming(letter) for letter in letters]
    people = {one.user_id for one in namings if one is not None}
    if not people:
        return list(letters)
    erased = await erased_among(conn, people)
    return [
        letter
        for letter, named in zip(letters, namings, strict=True)
        if named is None or named.user_id not in erased or named.is_kept(erased[named.user_id])
    ]


def _naming(letter: Letter) -> Naming | None:
    """Return whom a webhook's letter tells of, by what the erasure of deliveries looks at; None for all others."""
    if letter.event_type not in ("identity.user_changed", "task.cancelled"):
        return None
    data, told_at = letter.content["data"], datetime.fromisoformat(letter.content["timestamp"])
    if letter.event_type == "task.cancelled":
        return _if_named(data.get("actor"), None, told_at)
    user: Any = data.get("user")
    return _if_named(user.get("user_id"), user.get("version"), told_at) if isinstance(user, dict) else None


def _if_named(user_id: object, version: object, told_at: datetime) -> Naming | None:
    known = version if isinstance(version, int) else None
    return Naming(user_id, known, told_at) if isinstance(user_id, str) else None

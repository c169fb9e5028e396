"""Named statements from a package's queries.sql, read into models."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from orkestra.chassis.telemetry import step
from orkestra.wire import Model

M = TypeVar("M", bound=Model)
if TYPE_CHECKING:  # generic in the stubs, not at run time
    Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection

_DATABASE = {"db.system.name": "postgresql"}
_NAME = re.compile(r"^-- ([a-z][a-z0-9_]*)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$\n?", re.MULTILINE)
_LITERAL_OR_PARAMETER = re.compile(r"'(?:[^']|'')*'|(?<![:\w]):([a-z_][a-z0-9_]*)")


class Query:
    """One statement with named parameters (`:name`)."""

    def __init__(self, name: str, text: str) -> None:
        parameters: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0]
            return f"${parameters.setdefault(match[1], len(parameters) + 1)}"

        self.name = name
        self.text = _LITERAL_OR_PARAMETER.sub(number, _COMMENT.sub("", text).strip().rstrip(";"))
        self.parameters = tuple(parameters)

    async def one(self, conn: Connection, model: type[M], **values: object) -> M | None:
        """Return the first row as `model`, None where there is none. Columns the model lacks are dropped."""
        row = await self.row(conn, **values)
        return None if row is None else _read(model, row)

    async def all(self, conn: Connection, model: type[M], **values: object) -> list[M]:
        """Return every row as `model`. Columns the model lacks are dropped."""
        return [_read(model, row) for row in await self.rows(conn, **values)]

    async def row(self, conn: Connection, **values: object) -> asyncpg.Record | None:
        """Return the first row as it is, None where there is none."""
        with self._step():
            return await conn.fetchrow(self.text, *self._arguments(values))

    async def rows(self, conn: Connection, **values: object) -> list[asyncpg.Record]:
        """Return every row as it is."""
        with self._step():
            return await conn.fetch(self.text, *self._arguments(values))

    async def value(self, conn: Connection, **values: object) -> Any:
        """Return the first column of the first row, None where there is no row."""
        with self._step():
            return await conn.fetchval(self.text, *self._arguments(values))

    async def execute(self, conn: Connection, **values: object) -> int:
        """Run the statement; return how many rows it touched."""
        with self._step():
            status = await conn.execute(self.text, *self._arguments(values))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, conn: Connection, items: list[dict[str, object]]) -> None:
        """Run the statement once for each item, in one trip."""
        with self._step():
            await conn.executemany(self.text, [self._arguments(item) for item in items])

    def _step(self) -> AbstractContextManager[object]:
        return step(self.name, attributes=_DATABASE)

    def _arguments(self, values: dict[str, object]) -> list[object]:
        if len(values) != len(self.parameters) or any(name not in values for name in self.parameters):
            wanted, given = sorted(self.parameters), sorted(values)
            raise TypeError(f"query {self.name} takes {wanted}, not {given}")
        return [values[name] for name in self.parameters]


class Queries:
    """The statements of one file, by name: `sql.claim_task`."""

    def __init__(self, text: str) -> None:
        parts = _NAME.split(text)
        names = parts[1::2]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"queries with the same name: {sorted(repeated)}")
        self._queries = {name: Query(name, body) for name, body in zip(names, parts[2::2], strict=True)}

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"there is no query {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def load(package: str) -> Queries:
    """Read `queries.sql` of `package`: `-- name`, sentences as comments, then the statement."""
    return Queries(resources.files(package).joinpath("queries.sql").read_text("utf-8"))


def _read(model: type[M], row: asyncpg.Record) -> M:
    fields = model.model_fields
    return model.model_validate({name: value for name, value in row.items() if name in fields})

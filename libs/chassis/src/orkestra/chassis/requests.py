"""Request ids: the same key and body get the same answer for 24 hours, and one effect."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from orkestra.chassis import literals
from orkestra.chassis.sql import Connection
from orkestra.wire import Conflict, InvalidArgument, Model

RUNNING = "OR409"
"""SQLSTATE of `open_request`: the same key is being worked on."""
ANSWERED = "OR200"
"""SQLSTATE of `open_request`: the same key has an answer."""

A = TypeVar("A", bound=Model)
Digest = Callable[[bytes], bytes]
_REQUEST_ID = re.compile(r"[!-~]{1,255}")
_FIND = """
select request_hash, answer from request_keys where tenant_id = $1 and principal = $2 and rpc = $3 and request_id = $4
"""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who asked for which effect under which key."""

    tenant_id: str
    principal: str
    rpc: str
    request_id: str
    request_hash: bytes

    def open_statement(self) -> str:
        """Return the statement that takes the key; it fails with RUNNING or ANSWERED where that is not possible."""
        return f"SELECT open_request({self._name()})"

    def keep_call(self, answer: Model) -> str:
        """Return the call that keeps `answer` under the key."""
        kept = literals.binary(answer.to_pb().SerializeToString())
        return f"keep_answer({self._name()}, {literals.binary(self.request_hash)}, {kept})"

    async def answer(self, conn: Connection, model: type[A]) -> A:
        """Return the answer that was given; refuse where the body was another."""
        row = await conn.fetchrow(_FIND, self.tenant_id, self.principal, self.rpc, self.request_id)
        if row is None:  # pruned between two statements
            raise running()
        if row["request_hash"] != self.request_hash:
            told = f"Request id (Idempotency-Key) {self.request_id} was used with another body; choose a new one."
            raise InvalidArgument("REQUEST_ID_REUSED", told)
        return model.from_pb(model.pb.FromString(row["answer"]))

    def _name(self) -> str:
        parts = (self.principal, self.rpc, self.request_id)
        return f"'{self.tenant_id}', {', '.join(map(literals.text, parts))}"


def sha256(body: bytes) -> bytes:
    """Return the hash by which a repeated request is known."""
    return hashlib.sha256(body).digest()


def request_key(request_id: str, *, tenant_id: str, principal: str, rpc: str, request_hash: bytes) -> RequestKey:
    """Return the key of a request; refuses ids that are not 1 to 255 printable ASCII characters without spaces."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise InvalidArgument("REQUEST_ID_INVALID", "A request id has 1 to 255 printable ASCII characters, no space.")
    return RequestKey(tenant_id, principal, rpc, request_id, request_hash)


def running() -> Conflict:
    """Return what the second of two equal requests is told while the first is at work."""
    return Conflict("REQUEST_RUNNING", "A request with this id is still running; ask again shortly.", retry_after=1.0)

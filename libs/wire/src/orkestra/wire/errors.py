"""Refusals: the kinds a caller can act on."""

# ruff: noqa: N818  a refusal is named as its gRPC code is, and is not always an error

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import grpc

if TYPE_CHECKING:
    from orkestra.wire.model import Model


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request.

    `path` leads to it, such as `data.answer` or `tags[3]`, and is empty for the whole; `code` is stable; `message` is
    a sentence.
    """

    path: str
    code: str
    message: str


def join_path(prefix: str, path: str) -> str:
    """Lead from the root through `prefix` to `path`."""
    if not prefix or not path:
        return prefix or path
    return f"{prefix}{path}" if path.startswith("[") else f"{prefix}.{path}"


class Error(Exception):
    """A refusal. The class says what the caller may do about it, `reason` says why, the message what a person can do.

    `current` is the resource as it is now, `retry_after` is in seconds. `retryable` promises that the same call,
    unchanged, may succeed later.
    """

    kind: ClassVar[str] = "internal"
    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        errors: Iterable[FieldError] = (),
        current: "Model | None" = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.errors = tuple(errors)
        self.current = current
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r}, {self.message!r}, errors={self.errors!r})"

    def at(self, prefix: str) -> Self:
        """Return the same refusal with every field path leading through `prefix`."""
        errors = [replace(error, path=join_path(prefix, error.path)) for error in self.errors]
        return type(self)(self.reason, self.message, errors=errors, current=self.current, retry_after=self.retry_after)


class InvalidArgument(Error):
    """The request can never succeed as it is: change it."""

    kind, code, http_status = "invalid_argument", grpc.StatusCode.INVALID_ARGUMENT, 422


class Unauthenticated(Error):
    """Nobody known is asking: present a valid credential."""

    kind, code, http_status = "unauthenticated", grpc.StatusCode.UNAUTHENTICATED, 401


class PermissionDenied(Error):
    """The caller is known and may not do this."""

    kind, code, http_status = "permission_denied", grpc.StatusCode.PERMISSION_DENIED, 403


class NotFound(Error):
    """There is no such resource in the caller's tenant."""

    kind, code, http_status = "not_found", grpc.StatusCode.NOT_FOUND, 404


class AlreadyExists(Error):
    """The name or id is taken."""

    kind, code, http_status = "already_exists", grpc.StatusCode.ALREADY_EXISTS, 409


class FailedPrecondition(Error):
    """The resource is not in a state that allows this; `current` shows its state."""

    kind, code, http_status = "failed_precondition", grpc.StatusCode.FAILED_PRECONDITION, 409


class VersionMismatch(Error):
    """The caller saw an older version: read `current` and decide again."""

    kind, code, http_status = "version_mismatch", grpc.StatusCode.ABORTED, 412


class Conflict(Error):
    """The same request is still running: ask again shortly."""

    kind, code, http_status, retryable = "conflict", grpc.StatusCode.ABORTED, 409, True


class TooLarge(Error):
    """The request is larger than the limit: make it smaller."""

    kind, code, http_status = "too_large", grpc.StatusCode.OUT_OF_RANGE, 413


class ResourceExhausted(Error):
    """The caller's share is used up: wait `retry_after` seconds."""

    kind, code, http_status, retryable = "resource_exhausted", grpc.StatusCode.RESOURCE_EXHAUSTED, 429, True


class Unavailable(Error):
    """Something that is needed is away: try again."""

    kind, code, http_status, retryable = "unavailable", grpc.StatusCode.UNAVAILABLE, 503, True


class DeadlineExceeded(Error):
    """The time given was not enough; whether the call had an effect is not known."""

    kind, code, http_status, retryable = "deadline_exceeded", grpc.StatusCode.DEADLINE_EXCEEDED, 504, True


class Internal(Error):
    """A bug on our side; the message names an error id to look for in the logs."""

    kind, code, http_status, retryable = "internal", grpc.StatusCode.INTERNAL, 500, True


KINDS: dict[str, type[Error]] = {kind.kind: kind for kind in Error.__subclasses__()}
BY_CODE: dict[grpc.StatusCode, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}

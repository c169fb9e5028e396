"""The one bridge between protobuf, Pydantic and gRPC."""

from orkestra.wire.client import RpcClient, Token, TokenOfTenant, TokensOf
from orkestra.wire.context import ANONYMOUS, Context, Principal, PrincipalKind, Reply
from orkestra.wire.errors import (
    AlreadyExists,
    Conflict,
    DeadlineExceeded,
    Error,
    FailedPrecondition,
    FieldError,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    TooLarge,
    Unauthenticated,
    Unavailable,
    VersionMismatch,
)
from orkestra.wire.jsontext import dumps, loads
from orkestra.wire.model import Int32, Int64, Model, UInt32, UInt64, UtcDatetime
from orkestra.wire.parse import parse
from orkestra.wire.server import Authenticate, bearer, bind

__all__ = [
    "ANONYMOUS",
    "AlreadyExists",
    "Authenticate",
    "Conflict",
    "Context",
    "DeadlineExceeded",
    "Error",
    "FailedPrecondition",
    "FieldError",
    "Int32",
    "Int64",
    "Internal",
    "InvalidArgument",
    "Model",
    "NotFound",
    "PermissionDenied",
    "Principal",
    "PrincipalKind",
    "Reply",
    "ResourceExhausted",
    "RpcClient",
    "Token",
    "TokenOfTenant",
    "TokensOf",
    "TooLarge",
    "UInt32",
    "UInt64",
    "Unauthenticated",
    "Unavailable",
    "UtcDatetime",
    "VersionMismatch",
    "bearer",
    "bind",
    "dumps",
    "loads",
    "parse",
]

"""How every process, and every author's worker, connects to a service."""

from collections.abc import Callable

import grpc
from orkestra.wire.renewal import RenewedChannel

KEEPALIVE_MS = 15_000
KEEPALIVE_TIMEOUT_MS = 8_000
"""A machine that vanishes without a word is noticed within the sum of both, and asked no more; amidst calls gRPC pings
by itself, and it is noticed within the second.
"""
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""What one message may hold, at either end."""

_OPTIONS = (
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),  # of gRPC's own pings, which hold back those that keep alive
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.enable_retries", 0),  # RpcClient retries, by the rpc's own idempotency
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


Credentials = grpc.ChannelCredentials | Callable[[], grpc.ChannelCredentials]
"""What a channel is opened with, or what brings it: the same object until there are new certificates."""


def connect(address: str, credentials: Credentials | None = None) -> grpc.aio.Channel:
    """Return a channel to `host:port`, by TLS where there are credentials; it connects when first used and again.

    Credentials that are brought are asked for at every call: with new ones a new connection is made.
    """
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    if isinstance(credentials, grpc.ChannelCredentials):
        return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
    return RenewedChannel(lambda known: grpc.aio.secure_channel(address, known, options=_OPTIONS), credentials)

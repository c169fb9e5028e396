"""gRPC servers and channels as every process opens them."""

import grpc
from orkestra.chassis.access import Tls

KEEPALIVE_MS = 30_000
MAX_MESSAGE_BYTES = 8 * 1024 * 1024

_SERVER_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a second listener
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 300_000),  # clients connect again, also to replicas that were added
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)
_CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.enable_retries", 0),  # orkestra.wire retries, by the rpc's own idempotency
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


def server() -> grpc.aio.Server:
    """Return a server without services and ports."""
    return grpc.aio.server(options=_SERVER_OPTIONS)


def channel(address: str, tls: Tls | None = None) -> grpc.aio.Channel:
    """Return a channel to `host:port`; it connects when first used and for ever again."""
    if tls is not None:
        return grpc.aio.secure_channel(address, tls.client_credentials(), options=_CHANNEL_OPTIONS)
    return grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)

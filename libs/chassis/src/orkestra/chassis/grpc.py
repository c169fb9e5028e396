"""gRPC servers and channels as every process opens them."""

import grpc
from orkestra.chassis.access import Tls
from orkestra.chassis.certificates import Certificates
from orkestra.wire.connection import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MAX_MESSAGE_BYTES, connect

_SERVER_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a second listener
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 300_000),  # clients connect again, also to replicas that were added
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


def server() -> grpc.aio.Server:
    """Return a server without services and ports."""
    return grpc.aio.server(options=_SERVER_OPTIONS)


def channel(address: str, tls: Tls | None = None) -> grpc.aio.Channel:
    """Return a channel to `host:port`; it connects when first used and for ever again, with the newest certificates."""
    return connect(address, None if tls is None else Certificates(tls).client_credentials)

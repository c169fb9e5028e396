"""Temporal by certificates that are renewed under a process that goes on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from google.protobuf.message import Message
from temporalio.client import Client
from temporalio.service import ConnectConfig, ServiceClient, TLSConfig

TemporalTls = TLSConfig | bool | Callable[[], TLSConfig]
"""What Temporal is spoken to with, or what brings the newest."""


class Pem(Protocol):
    """Contents of certificate files, read together."""

    @property
    def authorities(self) -> bytes | None: ...
    @property
    def certificate(self) -> bytes | None: ...
    @property
    def key(self) -> bytes | None: ...


def newest(tls: TemporalTls) -> TLSConfig | bool:
    """Return what a connection is to be made with now."""
    return tls() if callable(tls) else tls


def temporal_tls(read: Callable[[], Pem], server_name: str | None) -> Callable[[], TLSConfig]:
    """Return what brings the newest of the files that `read` reads."""

    def now() -> TLSConfig:
        pem = read()
        return TLSConfig(
            server_root_ca_cert=pem.authorities,
            client_cert=pem.certificate,
            client_private_key=pem.key,
            domain=server_name,
        )

    return now


def renewed(client: Client, tls: Callable[[], TLSConfig]) -> Client:
    """Return the client with a connection that is made anew whenever there are new certificates; not for workers."""
    config = client.config()
    config["service_client"] = RenewedService(client.service_client.config, tls)
    return Client(**config)


class RenewedService(ServiceClient):
    """Temporal's services, by the newest certificates; calls under way end on the connection that they began on."""

    def __init__(self, config: ConnectConfig, tls: Callable[[], TLSConfig]) -> None:
        super().__init__(replace(config, lazy=True))
        self._newest = tls
        self._known: TLSConfig | None = None
        self._service: ServiceClient | None = None

    async def _current(self) -> ServiceClient:
        tls = self._newest()
        if self._service is None or tls != self._known:
            self._service, self._known = await ServiceClient.connect(replace(self.config, tls=tls)), tls
        return self._service

    @property
    def worker_service_client(self) -> Any:
        """Refused: a worker keeps the connection that it was made with."""
        raise TypeError("a worker is given a client of its own")

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Refused: nothing of ours does it."""
        raise NotImplementedError

    def update_api_key(self, api_key: str | None) -> None:
        """Refused: nothing of ours does it."""
        raise NotImplementedError

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[Any],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,  # noqa: ASYNC109 - Temporal's signature
    ) -> Any:
        current = await self._current()
        return await current._rpc_call(  # noqa: SLF001 - what a ServiceClient is made of
            rpc, req, resp_type, service=service, retry=retry, metadata=metadata, timeout=timeout
        )

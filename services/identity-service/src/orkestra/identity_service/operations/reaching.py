"""How issuers are reached: over connections that a guard has looked at."""

import ssl
from collections.abc import AsyncIterator

import httpcore
import httpx
from orkestra.chassis.outbound import GuardedNetwork, LookUp, RefusedTarget


class GuardedTransport(httpx.AsyncBaseTransport):
    """Requests to the addresses that `addresses` gives for a host; whatever fails on the way is a TransportError."""

    def __init__(self, addresses: LookUp, trust: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(ssl_context=trust, network_backend=GuardedNetwork(addresses))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is read from its stream."""
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = await self._pool.handle_async_request(asked)
        except RefusedTarget as refused:
            raise httpx.ConnectError(str(refused)) from refused
        except FAILURES as failed:
            raise httpx.TransportError(str(failed)) from failed
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.UnsupportedProtocol)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._answer.aiter_stream():
                yield part
        except FAILURES as failed:
            raise httpx.TransportError(str(failed)) from failed

    async def aclose(self) -> None:
        await self._answer.aclose()

"""An HTTP client that costs next to nothing, so that what is measured is the server."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit


class Connections:
    """Connections to one server that are kept open; each carries one request at a time."""

    def __init__(self, base_url: str, credential: str) -> None:
        place = urlsplit(base_url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._head = f"Host: {place.netloc}\r\nAuthorization: Bearer {credential}\r\n"
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str) -> bytes:
        """Return the body of a 2xx answer; raise OSError for any other."""
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """Return the body of a 2xx answer; raise OSError for any other."""
        sent = json.dumps(body)
        described = f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        return await self._ask(f"POST {path} HTTP/1.1\r\n{self._head}{described}\r\n{sent}".encode())

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
        self._idle.append((reader, writer))
        if not head.startswith(b"HTTP/1.1 2"):
            raise OSError(body.decode())
        return body

    def close(self) -> None:
        """End every connection."""
        for _, writer in self._idle:
            writer.close()

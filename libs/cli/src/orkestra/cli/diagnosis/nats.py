"""NATS: whether it answers, is new enough, keeps the streams as it should, and whether events died."""

import json
from asyncio import to_thread
from typing import TYPE_CHECKING, Any

import nats.errors
import nats.js.errors
from orkestra.chassis.streams import DEAD, EVENTS
from orkestra.cli.broker import MONITORING, broker
from orkestra.cli.diagnosis.finding import Finding, Patient, broken, ok, unchecked, warning
from orkestra.cli.diagnosis.web import get
from orkestra.cli.refusals import CommandError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

NAME = "NATS"
OLDEST = (2, 11)
SAFE_REPLICAS = 3


async def look(patient: Patient) -> list[Finding]:
    """Say whether it answers, and what is wrong with its streams."""
    try:
        async with broker(patient.known, patient.environ) as client:
            return await _server(client, patient)
    except CommandError as away:
        remedy = away.step or ""
        return [broken(NAME, away.detail, patient.start_again("nats", remedy))]


async def _server(client: "Client", patient: Patient) -> list[Finding]:
    there = client.connected_server_version
    version = f"{there.major}.{there.minor}.{there.patch}"
    if (there.major, there.minor) < OLDEST:
        return [broken(NAME, f"version {version} is too old", "Bring it to version 2.11 or newer.")]
    jetstream = client.jetstream(timeout=patient.seconds)
    try:
        await jetstream.account_info()
    except (nats.errors.Error, nats.js.errors.Error):
        return [
            broken(NAME, "answers, but has no JetStream", "Start it with JetStream (nats-server -js, and a store).")
        ]
    well = ok(NAME, f"answers; version {version}")
    return [well, *await _streams(jetstream, patient), *await _disk(patient)]


async def _streams(jetstream: "JetStreamContext", patient: Patient) -> list[Finding]:
    name = f"{NAME}: streams"
    try:
        infos = [await jetstream.stream_info(stream) for stream in (EVENTS, DEAD)]
    except nats.js.errors.NotFoundError:
        remedy = "Start a service: each makes the streams, and the relays publish again what they have kept."
        return [broken(name, f"{EVENTS} or {DEAD} is not there", remedy)]
    replicas = min(info.config.num_replicas or 1 for info in infos)
    found = [ok(name, f"{infos[0].state.messages} events are kept, in {replicas} copies")]
    asked = int(patient.environ.get("ORKESTRA_NATS_REPLICAS") or 1)
    if not patient.is_local and replicas < max(asked, SAFE_REPLICAS):
        remedy = "Run three servers, set nats.replicas to 3 (ORKESTRA_NATS_REPLICAS), and edit both streams."
        found = [warning(name, f"each event is kept in {replicas} copies", remedy)]
    dead = infos[1].state.messages
    if dead:
        remedy = "`orkestra events dead` says why; `orkestra events replay --all` once it is mended."
        found.append(warning(f"{NAME}: dead letters", f"{dead} events could not be handled", remedy))
    return found


async def _disk(patient: Patient) -> list[Finding]:
    """Say whether a message is on the disk before it counts; only NATS's monitoring tells."""
    name, url = f"{NAME}: disk", patient.environ.get(MONITORING)
    if url is None:
        remedy = f"Set {MONITORING}, such as http://nats.data:8222, to have sync_interval looked at."
        return [] if patient.is_local else [unchecked(name, "where NATS's monitoring is is not known", remedy)]
    try:
        config = await to_thread(_monitored, f"{url.rstrip('/')}/jsz?config=1", patient.seconds)
    except (OSError, ValueError, KeyError) as away:
        return [broken(name, f"{url} does not tell: {away}", f"See that {MONITORING} is the monitoring's address.")]
    if config.get("sync_always"):
        return [ok(name, "every message is on the disk before it counts")]
    remedy = "Set `sync_interval: always` in the block jetstream of each server's configuration."
    return [warning(name, "messages are written to the disk every few minutes only", remedy)]


def _monitored(url: str, seconds: float) -> dict[str, Any]:
    _, text = get(url, seconds)
    config: dict[str, Any] = json.loads(text)["config"]
    return config

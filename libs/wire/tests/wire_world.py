"""A small contract of the tests' own, compiled by the plugin while they run, and a server that speaks it."""

import importlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import grpc
from orkestra.wire import Context, Model, Principal, Unauthenticated, bearer
from orkestra.wire.connection import MAX_MESSAGE_BYTES, connect

ROOT = Path(__file__).resolve().parents[3]
GENERATE = ROOT / "tools/generate.py"
NOW = datetime(2026, 11, 22, 20, 15, 0, 123456, tzinfo=UTC)

ZOO = """
syntax = "proto3";
package wiretest.v1;
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
import "orkestra/v1/json.proto";

// Animals, kept.
service ZooService {
  // Returns one animal.
  rpc GetAnimal(GetAnimalRequest) returns (Animal) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Feeds one animal.
  rpc FeedAnimal(Animal) returns (Animal);
}

// Names an animal.
message GetAnimalRequest {
  string name = 1;
}

// One animal, with "quotes", a \\\\ backslash and a comment that is so long
// that the docstring made of it cannot stand on one line alone.
message Animal {
  // What it is called.
  string name = 1;
  // How it moves.
  Gait gait = 2;
  // How it feels.
  optional Mood mood = 3;
  repeated Gait gaits = 4;
  int32 legs = 5;
  optional int64 weight = 6;
  uint32 teeth = 7;
  optional uint64 hairs = 8;
  bool tame = 9;
  optional double height = 10;
  google.protobuf.Timestamp born_at = 11;
  optional google.protobuf.Timestamp died_at = 12;
  optional google.protobuf.Duration nap = 13;
  orkestra.v1.Json diet = 14;
  optional orkestra.v1.JsonValue toy = 15;
  orkestra.v1.JsonValue wish = 16;
  repeated orkestra.v1.JsonValue toys = 17;
  repeated string tags = 18;
  // Where it lives.
  Cage cage = 19;
  repeated Cage former = 20;
  repeated google.protobuf.Timestamp seen_at = 21;
  optional string note = 22;

  // A place.
  message Cage {
    int32 number = 1;
    optional Lock lock = 2;
    // How it is shut.
    enum Lock {
      LOCK_UNSPECIFIED = 0;
      LOCK_OPEN = 1;
      LOCK_SHUT = 2;
    }
  }
  // How an animal feels.
  enum Mood {
    MOOD_UNSPECIFIED = 0;
    // Purring.
    MOOD_CONTENT = 1;
    MOOD_CROSS = 2;
  }
}

// How an animal moves.
enum Gait {
  GAIT_UNSPECIFIED = 0;
  GAIT_WALK = 1;
  GAIT_BIG_HOP = 2;
}
"""

# The same contract as a newer sender knows it: a further field and a further value.
NEWER_ZOO = (
    ZOO.replace("wiretest.v1", "wiretest.v2")
    .replace("GAIT_BIG_HOP = 2;", "GAIT_BIG_HOP = 2;\n  GAIT_FLY = 3;")
    .replace("optional string note = 22;", "optional string note = 22;\n  optional string song = 23;")
)


def generate(folder: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    """Run the generator over folder/proto into folder/out."""
    arguments = [f"--proto={folder / 'proto'}", f"--include={ROOT / 'proto'}", f"--out={folder / 'out'}", *extra]
    return subprocess.run([sys.executable, str(GENERATE), *arguments], capture_output=True, text=True, check=False)


def write_proto(folder: Path, name: str, source: str) -> None:
    path = folder / "proto" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def zoo() -> Any:
    """Return the module of the contract."""
    return _compiled()[0]


def newer_zoo() -> Any:
    """Return the module of its newer form."""
    return _compiled()[1]


@cache
def _compiled() -> tuple[ModuleType, ModuleType]:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_proto(folder, "wiretest/v1/zoo.proto", ZOO)
        write_proto(folder, "wiretest/v2/zoo.proto", NEWER_ZOO)
        done = generate(folder)
        assert done.returncode == 0, done.stderr
        sys.path.insert(0, str(folder / "out"))
        try:
            return importlib.import_module("wiretest.v1.zoo"), importlib.import_module("wiretest.v2.zoo")
        finally:
            sys.path.pop(0)


def animal(**changes: Any) -> Any:
    """Return an animal that says something in every field."""
    z = zoo()
    shut = z.AnimalCage(number=7, lock=z.AnimalCageLock.SHUT)
    fields = {
        "name": "Mia Müller 🐈",
        "gait": z.Gait.BIG_HOP,
        "mood": z.AnimalMood.CROSS,
        "gaits": [z.Gait.WALK, z.Gait.BIG_HOP],
        "legs": -4,
        "weight": 2**62,
        "teeth": 2**32 - 1,
        "hairs": 2**64 - 1,
        "tame": True,
        "height": 0.1,
        "born_at": NOW,
        "died_at": NOW,
        "nap": timedelta(minutes=-1, microseconds=3),
        "diet": {"z": 1, "a": [2**70, 3, 3.0, None, {"é": "🐈"}]},
        "toy": [1, "ball"],
        "wish": None,
        "toys": [None, 1, {"a": []}],
        "tags": ["", "x"],
        "cage": shut,
        "former": [z.AnimalCage(number=0), shut],
        "seen_at": [NOW, NOW + timedelta(days=1)],
        "note": "",
    }
    return z.Animal(**fields | changes)


async def authenticate(metadata: Mapping[str, str], rpc: str) -> Principal | None:
    """Accept the token `keeper`, and nobody else."""
    token = bearer(metadata)
    if token is None:
        return None
    if token != "keeper":
        raise Unauthenticated("TOKEN_INVALID", "This token is not valid.")
    return Principal(subject="user_1", kind="user", tenant_id="tenant_1")


Rpc = Callable[[Context, Any], Awaitable[Model]]


def keeper(get: Rpc, feed: Rpc | None = None, *, open_rpcs: frozenset[str] = frozenset()) -> object:
    """Return operations whose rpcs are the functions given."""

    async def get_animal(self: object, ctx: Context, request: Model) -> Model:
        return await get(ctx, request)

    async def feed_animal(self: object, ctx: Context, request: Model) -> Model:
        return await (feed or get)(ctx, request)

    get_animal.__annotations__ |= {"request": zoo().GetAnimalRequest, "return": zoo().Animal}
    feed_animal.__annotations__ |= {"request": zoo().Animal, "return": zoo().Animal}
    members = {"get_animal": get_animal, "feed_animal": feed_animal, "open_rpcs": open_rpcs}
    return type("Keeper", (), members)()


@asynccontextmanager
async def serving(operations: object) -> AsyncIterator[grpc.aio.Channel]:
    """Serve the zoo on a free port; yield a channel to it."""
    server, port = await started(operations)
    try:
        async with connect(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(grace=None)


async def started(operations: object, port: int = 0) -> tuple[grpc.aio.Server, int]:
    """Serve the zoo on this port, or a free one; return the server and its port."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)])
    zoo().add_zoo_service(server, operations, authenticate)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, port

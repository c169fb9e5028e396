"""The plugin: what it generates, and what it refuses by file, message and field."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from wire_world import NEWER_ZOO, ROOT, ZOO, generate, write_proto

HEAD = 'syntax = "proto3";\npackage wirebad.v1;\n'
ENUM = "enum Mood { MOOD_UNSPECIFIED = 0; MOOD_GOOD = 1; }\n"

REFUSED = [
    ("message M { map<string, string> a = 1; }", "message M, field a: map is not supported"),
    ("message M { oneof either { string a = 1; string b = 2; } }", "message M, oneof either: oneof is not supported"),
    ("message M { bytes a = 1; }", "message M, field a: bytes is not supported"),
    ("message M { M a = 1; }", "message M, field a: a message must not hold itself (wirebad.v1.M in wirebad.v1.M)"),
    ("message M { repeated N n = 1; } message N { M m = 1; }", "message N, field m: a message must not hold itself"),
    ("message M { message N { optional M m = 1; } N n = 1; }", "message M.N, field m: a message must not hold itself"),
    ("message M { google.protobuf.Any a = 1; }", "message M, field a: google.protobuf.Any is not supported"),
    ("message M { google.protobuf.Struct a = 1; }", "message M, field a: google.protobuf.Struct is not supported"),
    ("message M { string copy = 1; }", "message M, field copy: the name copy is taken"),
    ("message M { string model_dump = 1; }", "message M, field model_dump: the name model_dump is taken"),
    ("message M { string class = 1; }", "message M, field class: the name class is taken"),
    ("message M { string pb = 1; }", "message M, field pb: the name pb is taken"),
    ("message M { string userId = 1; }", "message M, field userId: name it in lower_snake_case"),
    ("message Model {}", "Model: the name Model is taken in the generated module"),
    ("message Any {}", "Any: the name Any is taken in the generated module"),
    ("message MN {} message M { message N {} }", "M.N: the Python name MN is also that of MN"),
    (
        "message FarmClient {} service Farm {}",
        "FarmClient: the Python name FarmClient is also that of",
    ),
    ("enum Mood { MOOD_GOOD = 0; }", "enum Mood: its first value must be MOOD_UNSPECIFIED = 0"),
    ("enum Mood { MOOD_UNSPECIFIED = 0; }", "enum Mood: it has no value besides the unspecified one"),
    ("enum Mood { MOOD_UNSPECIFIED = 0; GOOD = 1; }", "enum Mood, value GOOD: name it MOOD_"),
    ("enum Mood { MOOD_UNSPECIFIED = 0; MOOD_1 = 1; }", "enum Mood, value MOOD_1: name it MOOD_"),
    (
        "enum Mood { option allow_alias = true; MOOD_UNSPECIFIED = 0; MOOD_A = 1; MOOD_B = 1; }",
        "enum Mood: allow_alias gives one number two names",
    ),
    ("message M { enum Mood { MOOD_X = 0; } }", "enum M.Mood: its first value must be MOOD_UNSPECIFIED = 0"),
    ("message M {} service S { rpc R(stream M) returns (M); }", "service S, rpc R: streaming is not supported"),
    ("message M {} service S { rpc R(M) returns (stream M); }", "service S, rpc R: streaming is not supported"),
    (
        "message M {} service S { rpc R(google.protobuf.Any) returns (M); }",
        "service S, rpc R: google.protobuf.Any is not a message of ours",
    ),
    (
        "message M {} service S { rpc R(M) returns (orkestra.v1.Json); }",
        "rpc R: orkestra.v1.Json is not a message",
    ),
]
IMPORTS = "".join(
    f'import "{name}.proto";\n' for name in ("google/protobuf/any", "google/protobuf/struct", "orkestra/v1/json")
)


@cache
def told_about_refused() -> list[str]:
    """Compile every refused source at once, each in a package of its own, and return what the plugin said."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number, (source, _) in enumerate(REFUSED):
            head = f'syntax = "proto3";\npackage wirebad.v{number};\n'
            write_proto(folder, f"wirebad/v{number}/bad.proto", head + IMPORTS + source)
        done = generate(folder)
        assert done.returncode == 1
        assert not (folder / "out").exists()
        return done.stderr.splitlines()


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[sentence for _, sentence in REFUSED])
def test_what_lies_outside_the_subset_is_refused_with_a_sentence(number: int) -> None:
    where, expected = f"wirebad/v{number}/bad.proto: ", REFUSED[number][1].replace("wirebad.v1", f"wirebad.v{number}")
    assert any(line.startswith(where) and expected in line for line in told_about_refused()), expected


def test_every_refusal_is_told_at_once(tmp_path: Path) -> None:
    write_proto(tmp_path, "wirebad/v1/bad.proto", HEAD + "message M { bytes a = 1; map<string, string> b = 2; }")
    write_proto(tmp_path, "wirebad/v1/worse.proto", HEAD + "message N { bytes c = 1; }")
    told = generate(tmp_path).stderr
    assert all(f"field {name}: " in told for name in "abc")


def test_proto2_and_groups_are_refused(tmp_path: Path) -> None:
    source = 'syntax = "proto2";\npackage wirebad.v1;\nmessage M { optional group G = 1 { optional string a = 1; } }'
    write_proto(tmp_path, "wirebad/v1/bad.proto", source)
    assert "wirebad/v1/bad.proto: the file is not proto3" in generate(tmp_path).stderr


def test_a_file_without_a_package_is_refused(tmp_path: Path) -> None:
    write_proto(tmp_path, "wirebad/v1/bad.proto", 'syntax = "proto3";\nmessage M {}')
    assert "wirebad/v1/bad.proto: the file has no package" in generate(tmp_path).stderr


def test_messages_stand_after_those_they_hold_and_import_those_of_other_files(tmp_path: Path) -> None:
    write_proto(tmp_path, "wiregood/v1/one.proto", "".join([
        'syntax = "proto3";\npackage wiregood.v1;\nimport "wiregood/v1/two.proto";\n',
        "message A { B b = 1; optional C c = 2; optional Mood mood = 3; }\nmessage B {}\n", ENUM,
    ]))  # fmt: skip
    write_proto(tmp_path, "wiregood/v1/two.proto", 'syntax = "proto3";\npackage wiregood.v1;\nmessage C {}\n')
    assert generate(tmp_path).returncode == 0
    module = (tmp_path / "out/wiregood/v1/one.py").read_text()
    assert module.index("class Mood(") < module.index("class B(") < module.index("class A(")
    assert "from wiregood.v1.two import C" in module


def test_generated_code_is_formatted_and_strictly_typed(tmp_path: Path) -> None:
    write_proto(tmp_path, "wiretest/v1/zoo.proto", ZOO)
    write_proto(tmp_path, "wiretest/v2/zoo.proto", NEWER_ZOO)
    assert generate(tmp_path).returncode == 0
    out = tmp_path / "out"
    module = out / "wiretest/v1/zoo.py"
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length=120", str(module)]
    assert subprocess.run(ruff, check=False).returncode == 0
    config = f"--config-file={ROOT / 'pyproject.toml'}"
    mypy = [sys.executable, "-m", "mypy", config, f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run([*mypy, str(module)], cwd=out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_contract_that_is_not_fresh_is_named(tmp_path: Path) -> None:
    write_proto(tmp_path, "wiretest/v1/zoo.proto", ZOO)
    assert generate(tmp_path, "--check").returncode == 1
    assert generate(tmp_path).returncode == 0
    assert generate(tmp_path, "--check").returncode == 0
    write_proto(tmp_path, "wiretest/v1/zoo.proto", ZOO.replace("How it feels.", "How it felt."))
    write_proto(tmp_path, "wiretest/v1/pond.proto", ZOO.split("// Animals")[0] + "message Pond {}")
    stale = generate(tmp_path, "--check")
    assert stale.returncode == 1
    assert {line.split("/out/")[1].split()[0] for line in stale.stderr.splitlines() if "/out/" in line} == {
        "wiretest/v1/zoo.py",
        *(f"wiretest/v1/pond{ending}" for ending in (".py", "_pb2.py", "_pb2.pyi")),
    }
    assert generate(tmp_path).returncode == 0
    (tmp_path / "proto/wiretest/v1/pond.proto").unlink()
    assert generate(tmp_path).returncode == 0
    assert not list((tmp_path / "out").rglob("pond*"))


def test_the_committed_contracts_are_fresh() -> None:
    command = [sys.executable, str(ROOT / "tools/generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""One state folder, one stack; what it keeps is for its owner only."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from orkestra.cli.process import started_at
from orkestra.cli.state import STATE, StateDir, StateError, nearest_state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    taken = StateDir(tmp_path / "s")
    assert taken.take()
    yield taken
    taken.release()


def test_a_folder_below_belongs_to_the_nearest_stack_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "project" / "src"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    (tmp_path / STATE).mkdir()
    assert nearest_state() == tmp_path / STATE
    (tmp_path / "project" / STATE).mkdir()
    assert nearest_state() == tmp_path / "project" / STATE
    (below / STATE).mkdir()
    assert nearest_state() == Path(STATE)


def test_a_file_above_is_no_folder_of_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / STATE).touch()
    monkeypatch.chdir(tmp_path / "project")
    assert nearest_state() != tmp_path / STATE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_another_users_folder_above_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / STATE).mkdir()
    os.chown(tmp_path / STATE, 65534, 65534)
    monkeypatch.chdir(tmp_path / "project")
    assert nearest_state() != tmp_path / STATE


def test_only_one_holds_the_folder(tmp_path: Path) -> None:
    first, second = StateDir(tmp_path / "s"), StateDir(tmp_path / "s")
    assert not second.is_taken()
    assert first.take()
    assert second.is_taken()
    assert not second.take()
    first.release()
    assert not second.is_taken()


def test_keys_are_made_once_and_readable_by_their_owner_only(state: StateDir) -> None:
    assert state.secrets() == state.secrets()
    assert stat.S_IMODE((state.path / "secrets.json").stat().st_mode) == 0o600


def test_a_key_that_an_older_folder_lacks_is_added_and_the_others_stay(state: StateDir) -> None:
    kept = state.secrets()
    (state.path / "secrets.json").write_text('{"service_key": "' + kept["service_key"] + '"}')
    assert state.secrets()["service_key"] == kept["service_key"]
    assert state.secrets().keys() == kept.keys()


def test_stack_json_stands_only_while_it_is_written(state: StateDir) -> None:
    assert state.stack is None
    state.write_stack({"rest": "http://127.0.0.1:8000"})
    assert state.stack == {"rest": "http://127.0.0.1:8000"}
    assert stat.S_IMODE((state.path / "stack.json").stat().st_mode) == 0o600
    state.forget_stack()
    assert state.stack is None


def test_a_file_that_is_not_json_is_named(state: StateDir) -> None:
    (state.path / "demo.json").write_text("{")
    with pytest.raises(StateError, match=r"demo\.json cannot be read"):
        _ = state.demo


def test_recorded_processes_of_a_dead_stack_are_ended(state: StateDir) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    state.record({"supervisor": os.getpid(), "left": left.pid})
    assert state.recorded("left") == (left.pid, started_at(left.pid))
    assert state.end_leftovers() == ["left"]
    left.wait()
    assert state.recorded("left") is None

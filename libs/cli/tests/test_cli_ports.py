"""Taken ports are named and gone round."""

import os
import socket

from orkestra.cli.ports import free_port, holder, is_free
from orkestra.cli.services import PORTS
from orkestra.cli.stack import choose_ports


def test_the_holder_of_a_port_is_named_with_its_pid() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert f"(pid {os.getpid()})" in holder(port)


def test_a_port_that_nobody_holds_is_free() -> None:
    assert is_free(free_port())


def test_a_taken_port_is_said_and_another_is_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        said: list[str] = []
        ports = choose_ports(taken - PORTS["rest"], said.append) if taken - PORTS["rest"] > 0 else {}
    assert ports["rest"] != taken
    assert any(f"Port {taken} (rest) is taken by" in line for line in said)
    assert len(set(ports.values())) == len(PORTS)

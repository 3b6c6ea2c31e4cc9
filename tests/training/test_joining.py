"""Processes find one another by what the command line says, and what is wrong about that is one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from symae.errors import InputError
from symae.training.joining import parse

PROGRAM = """
import sys
from symae._runtime.terminal import report_bad_input
from symae.training.joining import join
sys.excepthook = report_bad_input
join({!r})
"""


def ended(distributed: object, **environment: str) -> tuple[int, str]:
    settings = {**os.environ, "JAX_PLATFORMS": "cpu", "SYMAE_JOIN_SECONDS": "2", **environment}
    command = [sys.executable, "-c", PROGRAM.format(distributed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings, timeout=120)
    return done.returncode, done.stderr


def test_an_address_the_number_of_processes_and_the_number_of_one_are_read():
    assert parse("node1:1234,4,3") == ("node1:1234", 4, 3)
    assert parse("[::1]:1234,2,0") == ("[::1]:1234", 2, 0)
    assert parse("") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("node1", "'node1'"),
        ("node1:0,2,0", "'node1:0,2,0'"),
        ("node1:99999,2,0", "'node1:99999,2,0'"),
        ("node1:1234,2", "'node1:1234,2'"),
        ("node1:1234,2,2", "process 2 of 2"),
        ("node1:1234,0,0", "process 0 of 0"),
        ("node1:1234,2,-1", "'node1:1234,2,-1'"),
    ],
)
def test_anything_else_is_one_line(text, found):
    with pytest.raises(InputError, match=rf"^distributed: found {found}, expected "):
        parse(text)


def test_a_port_that_is_taken_is_one_line():
    pytest.importorskip("jax")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = ended(f"127.0.0.1:{port},2,0")
    assert (status, said) == (
        2,
        f"-c: error: distributed: found the port {port} taken on this machine, expected one that is free\n",
    )


def test_without_a_launcher_and_without_the_others_it_is_one_line():
    pytest.importorskip("jax")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    status, said = ended(f"127.0.0.1:{port},2,1")
    line = f"-c: error: distributed: found not all 2 processes at 127.0.0.1:{port} in 2 s, expected them\n"
    assert (status, said) == (2, line)
    status, said = ended(True)
    assert status == 2
    assert said.startswith(
        "-c: error: distributed: found no launcher that JAX knows (SLURM, Open MPI, Kubernetes), expected HOST:"
    )
    assert said.count("\n") == 1

"""Processes find one another by what the command line says, and what is wrong about that is one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from symae.errors import InputError
from symae.training.joining import _meet, parse

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
        f"-c: error: distributed: found the port {port}: Address already in use, expected one that is free on this machine\n",
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_without_a_launcher_it_is_one_line():
    pytest.importorskip("jax")
    status, said = ended(True)
    assert status == 2
    assert said.startswith("-c: error: distributed: found no launcher that JAX knows (SLURM, Open MPI, Kubernetes), expected ")
    assert said.count("\n") == 1


def meet(count: int, *others: tuple[int, int], seconds: int = 5) -> list[str]:
    """Let process 0 of `count` meet `others`, each of (number, count); what each is told."""
    address, said = f"127.0.0.1:{free_port()}", {}

    def come(key: int, number: int, count: int) -> None:
        try:
            _meet(address, count, number, seconds)
            said[key] = "all there"
        except InputError as error:
            said[key] = str(error).replace(address, "ADDRESS")

    threads = [threading.Thread(target=come, args=(key, *other)) for key, other in enumerate([(0, count), *others])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [said[key] for key in sorted(said)]


def test_processes_meet_before_jax_is_asked():
    assert meet(3, (2, 3), (1, 3)) == ["all there"] * 3


def test_who_does_not_come_and_who_is_wrong_is_told_to_all():
    missing = "distributed: found no process 1, 3 of 4 in 1 s, expected 4 processes"
    assert meet(4, (2, 4), seconds=1)[0] == missing
    assert meet(2, (1, 3)) == ["distributed: found 3 processes in process 1, expected 2, as in process 0"] * 2
    assert (
        meet(3, (1, 3), (1, 3))
        == ["distributed: found two processes with the number 1, expected numbers from 0 to 2, each once"] * 3
    )


def test_a_process_0_that_does_not_come_is_one_line():
    with pytest.raises(InputError, match=r"^distributed: found no process 0 at .*:\d+ in 1 s, expected it, as .*,2,0$"):
        _meet(f"127.0.0.1:{free_port()}", 2, 1, 1)

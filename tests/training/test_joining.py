"""Processes find one another by what the command line says, and what is wrong about that is one line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from free_ports import free_port

from symae.errors import InputError
from symae.training.joining import _Apart, parse
from symae.training.meeting import listen, meet

# what a launcher says to the processes of a job, this test's among them perhaps
LAUNCHERS = ("SLURM_", "OMPI_", "ORTE_", "PMI", "KUBERNETES_", "JAX_", "TPU_")

PROGRAM = """
import sys
from symae._runtime.terminal import report_bad_input
from symae.training.joining import join
sys.excepthook = report_bad_input
{}
join({!r})
"""


def ended(distributed: object, before: str = "") -> tuple[int, str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    settings |= {"JAX_PLATFORMS": "cpu", "SYMAE_JOIN_SECONDS": "2"}
    command = [sys.executable, "-c", PROGRAM.format(before, distributed)]
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


@pytest.mark.on("jax")
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


@pytest.mark.on("jax")
def test_without_a_launcher_it_is_one_line():
    pytest.importorskip("jax")
    status, said = ended(True)
    assert status == 2
    assert said.startswith("-c: error: distributed: found no launcher that JAX knows (SLURM, Open MPI, Kubernetes), expected ")
    assert said.count("\n") == 1


@pytest.mark.on("jax")
def test_jax_that_has_computed_is_one_line_before_anybody_is_waited_for():
    pytest.importorskip("jax")
    status, said = ended(f"127.0.0.1:{free_port()},2,0", "import jax; jax.devices()")
    assert (status, said) == (
        2,
        "-c: error: distributed: found JAX that has computed already, expected to join before anything of JAX\n",
    )


def met(count: int, *others: tuple[int, int], seconds: float = 60, of_others: float = 60, address: str = "") -> list[str]:
    """Let process 0 of `count` meet `others`, each of (number, count); what each is told."""
    address, said = address or f"127.0.0.1:{free_port()}", {}

    def come(key: int, number: int, count: int) -> None:
        try:
            meet(address, count, number, of_others if key else seconds)
            said[key] = "all there"
        except InputError as error:
            said[key] = str(error).replace(address, "ADDRESS")

    threads = [threading.Thread(target=come, args=(key, *other)) for key, other in enumerate([(0, count), *others])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [said[key] for key in sorted(said)]


def connected(port: int, said: bytes, answered: bool = True) -> socket.socket:
    """Return the connection of somebody who has said something to process 0, and has its answer."""
    while True:
        try:
            found = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.02)
    found.sendall(said)
    if answered:
        found.recv(1000)
    return found


def process(number: int, count: int) -> bytes:
    return json.dumps({"symae": number, "count": count}).encode() + b"\n"


def test_processes_meet_before_jax_is_asked():
    assert met(3, (2, 3), (1, 3)) == ["all there"] * 3


def test_who_does_not_come_and_who_is_wrong_is_told_to_all_also_to_those_that_would_have_waited_for_less_long():
    missing = "distributed: found no process 1, 3 of 4 in 2 s, expected 4 processes"
    assert met(4, (2, 4), seconds=2, of_others=1.5) == [missing] * 2
    assert met(2, (1, 3)) == ["distributed: found 3 processes in process 1, expected 2, as in process 0"] * 2
    assert (
        met(3, (1, 3), (1, 3))
        == ["distributed: found two processes with the number 1, expected numbers from 0 to 2, each once"] * 3
    )


def test_a_process_0_that_does_not_come_is_one_line():
    with pytest.raises(InputError, match=r"^distributed: found no process 0 at .*:\d+ in 1 s, expected it, as .*,2,0$"):
        meet(f"127.0.0.1:{free_port()}", 2, 1, 1)


def test_the_port_of_a_training_that_has_just_been_lost_is_waited_for():
    port = free_port()
    lingering = listen(port, 0)
    threading.Timer(1, lingering.close).start()
    assert met(2, (1, 2), address=f"127.0.0.1:{port}") == ["all there"] * 2


def test_a_process_that_has_left_is_not_there_and_may_come_again():
    port, told = free_port(), []

    def come_again() -> None:
        connected(port, process(1, 3)).close()
        others = [threading.Thread(target=lambda i=i: told.extend(met_by(port, i, 3))) for i in (1, 2)]
        for other in others:
            other.start()
            other.join(0.1)

    thread = threading.Thread(target=come_again)
    thread.start()
    assert met(3, address=f"127.0.0.1:{port}") == ["all there"]
    thread.join()

    port = free_port()
    thread = threading.Thread(target=lambda: connected(port, process(1, 3)).close())
    thread.start()
    with pytest.raises(InputError, match="no process 1, 2 of 3 in 2 s"):
        meet(f"127.0.0.1:{port}", 3, 0, 2)
    thread.join()
    assert told == ["all there"] * 2


def met_by(port: int, number: int, count: int) -> list[str]:
    meet(f"127.0.0.1:{port}", count, number, 60)
    return ["all there"]


@pytest.mark.parametrize(
    "said", [b"[" * 9000 + b"\n", b'{"symae": 1e999, "count": 2}\n', process(7, 2), b"GET / HTTP/1.1\r\n", b"{", b""]
)
def test_somebody_else_at_the_port_holds_nobody_up(said):
    port, held = free_port(), []
    thread = threading.Thread(target=lambda: held.append(connected(port, said, answered=False)))
    thread.start()
    begun = time.monotonic()
    others = threading.Timer(0.5, lambda: held.extend(met_by(port, 1, 2)))
    others.start()
    meet(f"127.0.0.1:{port}", 2, 0, 60)
    assert time.monotonic() - begun < 4  # before the one who says nothing is given up
    thread.join()
    others.join()
    held.remove("all there")
    held[0].close()


SERVICE = {"heartbeat_timeout": 100, "shutdown_timeout": 300}


@pytest.mark.on("jax")
def test_no_module_in_the_working_folder_is_the_services(tmp_path, monkeypatch):
    pytest.importorskip("jax")
    (tmp_path / "json.py").write_text("raise ImportError('a json of the user')")
    monkeypatch.chdir(tmp_path)
    _Apart((f"[::]:{free_port()}", 1), SERVICE).shutdown()


@pytest.mark.on("jax")
def test_a_service_that_does_not_start_says_why(tmp_path, monkeypatch):
    pytest.importorskip("jax")
    (tmp_path / "jaxlib.py").write_text("raise ImportError('no such library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="service that did not start: ImportError: no such library"):
        _Apart((f"[::]:{free_port()}", 1), SERVICE)


ENDS = """
import os, sys, time
from symae.training.joining import _Apart
service = _Apart(("[::]:{port}", 1), {keywords})
if os.fork() == 0:
    os.close(1)
    time.sleep(60)
    os._exit(0)
os._exit(0)
"""


@pytest.mark.on("jax")
@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="the service waits for its whole time here")
def test_a_service_to_which_nobody_is_connected_ends_with_its_process_though_a_child_of_that_lives_on():
    pytest.importorskip("jax")
    port = free_port()
    program = ENDS.format(port=port, keywords=SERVICE)
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    listen(port, 15).close()

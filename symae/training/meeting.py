"""Processes that are to train together meet at the address of process 0, before JAX, which would end those who wait."""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import time
from contextlib import ExitStack, suppress
from typing import Any

from symae.errors import InputError

LINGERS = 25  # seconds that the service of a training that was lost outlives it at most; the same command waits for its port
ANSWERS = 5.0  # seconds in which somebody at the port has to say who that is
MARGIN = 10.0  # seconds that a process waits for process 0, which it has reached, after that has given up
LONGEST = 10000  # bytes of a line


def meet(address: str, count: int, number: int, seconds: float) -> None:
    """Come back when all processes are there, in each of them, or raise InputError, which says which ones are not.

    JAX would wait for them too, but ends the process where they do not come, and cannot be stopped meanwhile.
    """
    host, _, port = address.rpartition(":")
    if number == 0:
        _receive(int(port), count, seconds)
    else:
        _come(host.strip("[]"), int(port), {"symae": number, "count": count}, seconds, address)


def listen(port: int, seconds: float, backlog: int = 1) -> socket.socket:
    """Return a socket that listens at `port`, of each interface; an InputError if that is still taken after `seconds`."""
    until = time.monotonic() + seconds
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    while True:
        try:
            return socket.create_server(("", port), family=family, dualstack_ipv6=dual, backlog=backlog)
        except OSError as error:
            left = until - time.monotonic()
            if error.errno != errno.EADDRINUSE or left <= 0:
                taken = f"the port {port}: {os.strerror(error.errno or 0)}"
                raise InputError("distributed", taken, "one that is free on this machine") from error
            time.sleep(min(0.2, left))


def _come(host: str, port: int, mine: dict[str, int], seconds: float, address: str) -> None:
    """Tell process 0 who this is, and wait for what it says when all are there."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            with socket.create_connection((host, port), timeout=min(left, ANSWERS)) as found:
                found.sendall(json.dumps(mine).encode() + b"\n")
                lines = found.makefile("rb")
                waits = float(json.loads(lines.readline(LONGEST))["waits"])
                found.settimeout(waits + MARGIN)
                answer = json.loads(lines.readline(LONGEST))["answer"]
                wrong = None if answer is None else tuple(map(str, answer))
        except Exception:  # not there yet, gone again, or something else, which may say anything
            time.sleep(max(0.0, min(0.2, until - time.monotonic())))
            continue
        if wrong is None:
            return
        raise InputError("distributed", *wrong)
    missing = f"no process 0 at {address} in {seconds:.0f} s"
    raise InputError("distributed", missing, f"it, as {address},{mine['count']},0")


class _Visitor:
    """Somebody who has connected, and may be a process that says which one."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.until = time.monotonic() + ANSWERS
        self.said = b""
        connection.setblocking(False)

    def hear(self) -> bool:
        """Return whether it is still there, after reading what it has said."""
        try:
            more = self.connection.recv(LONGEST)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.said += more
        return bool(more) and len(self.said) <= LONGEST

    def who(self) -> tuple[int, int] | None:
        """Return its number and how many processes it knows of, if it is a process."""
        try:
            said = json.loads(self.said)
            number, of = said["symae"], said["count"]
        except Exception:  # somebody else who looks what is at the port
            return None
        return (number, of) if type(number) is int and type(of) is int and 0 < number < of else None

    def tell(self, what: dict[str, Any]) -> None:
        with suppress(OSError):
            self.connection.settimeout(ANSWERS)
            self.connection.sendall(json.dumps(what).encode() + b"\n")
            self.connection.setblocking(False)


def _receive(port: int, count: int, seconds: float) -> None:
    """Wait for the other processes, and tell them that all are there, or what is wrong."""
    until = time.monotonic() + seconds
    others: dict[int, _Visitor] = {}
    unknown: list[_Visitor] = []
    wrong: tuple[str, str] | None = None
    with ExitStack() as held:
        server = held.enter_context(listen(port, min(seconds, LINGERS + 5), count))
        server.setblocking(False)
        events = held.enter_context(selectors.DefaultSelector())
        events.register(server, selectors.EVENT_READ)

        def leave(visitor: _Visitor) -> None:
            events.unregister(visitor.connection)
            visitor.connection.close()

        while wrong is None and len(others) < count - 1:
            ready = {key.fileobj for key, _ in events.select(max(0.0, min(0.5, until - time.monotonic())))}
            for number, other in list(others.items()):  # first: one that was started again comes with the number that has left
                if other.connection in ready and not other.hear():
                    leave(others.pop(number))
            for visitor in list(unknown):
                here = visitor.connection not in ready or visitor.hear()
                if here and b"\n" not in visitor.said and time.monotonic() < visitor.until:
                    continue
                unknown.remove(visitor)
                who = visitor.who()
                if who is None or not here:
                    leave(visitor)
                    continue
                number, of = who
                visitor.tell({"waits": max(0.0, until - time.monotonic())})
                if of != count:
                    wrong = f"{of} processes in process {number}", f"{count}, as in process 0"
                elif number in others:
                    wrong = f"two processes with the number {number}", f"numbers from 0 to {count - 1}, each once"
                others[number if number not in others else -number] = visitor
                if wrong is not None:
                    break
            if server in ready:
                with suppress(OSError):
                    visitor = _Visitor(held.enter_context(server.accept()[0]))
                    events.register(visitor.connection, selectors.EVENT_READ)
                    unknown.append(visitor)
            if wrong is None and len(others) < count - 1 and time.monotonic() >= until:
                missing = ", ".join(str(i) for i in range(1, count) if i not in others)
                wrong = f"no process {missing} of {count} in {seconds:.0f} s", f"{count} processes"
        for other in others.values():
            other.tell({"answer": wrong})
    if wrong is not None:
        raise InputError("distributed", *wrong)

"""A port for processes of a test that is free, and stays so until they take it."""

from __future__ import annotations

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a port that nobody listens at, below those that the system gives to whoever asks for any."""
    while True:
        port = random.SystemRandom().randrange(15000, 32000)
        with suppress(OSError), socket.create_server(("", port)):
            return port

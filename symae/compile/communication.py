"""What the devices of a training tell each other in a step, and how long that takes on networks that are not here."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# of XLA's types, as its programs write them
_BITS = {"pred": 8, "bf16": 16, **{f"{kind}{bits}": bits for kind in "fsuc" for bits in (8, 16, 32, 64, 128)}}


def all_reduced_bytes(text: str) -> int:
    """Return how many bytes of each device are added up among the devices in a step, of a program of XLA's, as text.

    `symae.compile.sharded.ShardedFunction.compiled_text` gives such a text. What is asked of XLA to be done in parts, ``start``
    and ``done``, counts once.
    """
    found = re.findall(r"= (.*?) all-reduce(?:-start)?\(", text)
    shapes = [shape for result in found for shape in re.findall(r"(\w+)\[([\d,]*)\]", result)]
    return sum(_BITS[kind] // 8 * math.prod(int(n) for n in sizes.split(",") if n) for kind, sizes in shapes)


@dataclass(frozen=True)
class Network:
    """Describe a network between hosts.

    Attributes
    ----------
    gigabits : float
        Of each host's connection, in Gbit/s, each way.
    latency : float
        Seconds until a message of no length is there.
    """

    gigabits: float
    latency: float

    def all_reduce_seconds(self, n_bytes: int, hosts: int) -> float:
        """Return how long a ring of `hosts` takes to add up `n_bytes` of each.

        .. math:: 2 (n - 1) \\left(\\frac{b}{n B} + l\\right)

        for n hosts, b bytes, B bytes a second and a latency l: there are n - 1 rounds in which each host sends 1/n of its bytes
        on and adds what it gets, and n - 1 in which the sums go round. Source: Patarasuk and Yuan (2009), *Bandwidth optimal
        all-reduce algorithms for clusters of workstations*; NCCL's and gloo's rings are of this kind.
        """
        return 2 * (hosts - 1) * (n_bytes / hosts / (self.gigabits * 1e9 / 8) + self.latency)

    def efficiency(self, step_seconds: float, n_bytes: int, hosts: int) -> float:
        """Return which share of their time `hosts` compute, each its part of a minibatch in `step_seconds`, and then add up."""
        return step_seconds / (step_seconds + self.all_reduce_seconds(n_bytes, hosts))

    def most_hosts(self, step_seconds: float, n_bytes: int, efficiency: float = 0.9) -> int:
        """Return the largest number of hosts with at least that `efficiency`, if each has its part of a step in that time.

        At most a million.
        """
        low, high = 1, 10**6
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.efficiency(step_seconds, n_bytes, middle) >= efficiency else (low, middle - 1)
        return low

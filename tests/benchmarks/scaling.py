"""What several devices and processes cost, and what networks between hosts would.

    python tests/benchmarks/scaling.py
    python tests/benchmarks/scaling.py --models 06 --unbound
    python tests/benchmarks/scaling.py --only communication

The work of an epoch is the sum of the CPU seconds of all threads and processes, because several devices on one CPU share its
cores: with 1, 2 and 4 devices of one process, then with 1, 2 and 4 processes, each bound to a core unless `--unbound` is given.
All take turns. Then how many bytes are added up in a step, which the compiled program says, and by the formula of
`symae/compile/communication.py` how that does on 8 and 64 hosts, of which each computes a minibatch in the time it takes here.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from race import write

MODELS = ("plain", "denoising", "04", "06")  # plain: the denoising model without a mask
DEFAULT_BATCH = dict.fromkeys(MODELS, 256)
LATENCY = {10: 30e-6, 100: 10e-6}  # seconds: TCP over Ethernet, and what NCCL has over RoCE or InfiniBand
WORKER = Path(__file__).parent / "contenders" / "symae_sharded.py"


class Group:
    """Processes that make the same steps together; each answers with its CPU seconds."""

    def __init__(self, model: str, batch: int, minibatches: int, devices: int, processes: int, bound: bool = True):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        flags = f"--xla_force_host_platform_device_count={devices // processes}"
        environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
        self.name = f"{model} on {devices} devices in {processes} processes"
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the group)
        self.members = []
        for i in range(processes):
            address = f"127.0.0.1:{port},{processes},{i}" if processes > 1 else "alone"
            command = [sys.executable, str(WORKER), model, str(batch), str(minibatches), address]
            pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
            member = subprocess.Popen(command, text=True, env=environment, **pipe)
            if (
                bound and processes > 1 and hasattr(os, "sched_setaffinity")
            ):  # as launchers do, or each would have threads for all cores
                cores = sorted(os.sched_getaffinity(0))
                os.sched_setaffinity(member.pid, {cores[i % len(cores)]})
            self.members.append(member)
        self.ready = self._answers()

    def epoch(self) -> dict[str, float]:
        for member in self.members:
            with suppress(BrokenPipeError):  # `_answers` says what it died of
                member.stdin.write("epoch\n")
                member.stdin.flush()
        answers = self._answers()
        return {**answers[0], "cpu": sum(answer["cpu"] for answer in answers)}

    def close(self) -> None:
        for member in self.members:
            member.stdin.close()
        for member in self.members:
            member.wait()

    def _answers(self) -> list[dict[str, Any]]:
        found = []
        for member in self.members:
            while not (line := member.stdout.readline()).startswith("{"):  # gloo prints there too
                if not line:
                    status = member.wait()  # -9: killed, perhaps for its memory
                    self.errors.seek(0)
                    raise RuntimeError(f"a process of {self.name} ended with status {status}:\n{self.errors.read()[-3000:]}")
            found.append(json.loads(line))
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--batch", type=int, help="of all devices together (default: 256, 64 for each of four)")
    parser.add_argument("--minibatches", type=int, default=8, help="in an epoch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--unbound", action="store_true", help="leave each of several processes all cores")
    parser.add_argument("--only", choices=("work", "communication"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for model in given.models:
        batch = given.batch or DEFAULT_BATCH[model]
        results[model] = {"batch": batch}
        if given.only != "communication":
            results[model]["work"] = work(model, batch, given)
        if given.only != "work":
            results[model]["communication"] = communication(model, batch, given)
    write(given.out, {"scaling": results})


def work(model: str, batch: int, given: argparse.Namespace) -> dict[str, float]:
    """Print and return the CPU seconds of an epoch, divided by those of one device."""
    kinds = {f"{n} device{'s' * (n > 1)}": (n, 1) for n in given.counts}
    kinds |= {f"{n} processes": (n, n) for n in given.counts if n > 1}
    groups = {name: Group(model, batch, given.minibatches, *kind, bound=not given.unbound) for name, kind in kinds.items()}
    cpu: dict[str, list[float]] = {name: [] for name in groups}
    costs = {}
    for counts in [False] + [True] * given.rounds:
        for name, group in groups.items():
            found = group.epoch()
            costs[name] = found["cost"]
            if counts:
                cpu[name].append(found["cpu"])
    for group in groups.values():
        group.close()
    medians = {name: statistics.median(times) for name, times in cpu.items()}
    one = medians["1 device"]
    print(f"{model}, minibatches of {batch}: CPU seconds of {given.minibatches} of them, and the ratio to one device")
    for name, median in medians.items():
        print(f"  {name:12} {median:8.3f} s  {median / one:5.2f}   cost {costs[name]:.7g}", flush=True)
    return {name: median / one for name, median in medians.items()}


def communication(model: str, batch: int, given: argparse.Namespace) -> dict[str, Any]:
    """Print and return how many bytes are added up in a step, and what that does to the efficiency of many hosts."""
    from symae.compile.communication import Network

    alone, two = Group(model, batch, given.minibatches, 1, 1), Group(model, 2 * batch, 1, 2, 1)
    n_bytes = two.ready[0]["bytes"]
    seconds = statistics.median([alone.epoch()["seconds"] for _ in range(given.rounds + 1)][1:]) / given.minibatches
    for group in (alone, two):
        group.close()
    found: dict[str, Any] = {"bytes": n_bytes, "seconds": seconds}
    print(f"{model}: {n_bytes} bytes are added up in a step; {batch} images on a host take {1000 * seconds:.2f} ms here")
    for gigabits, latency in LATENCY.items():
        network = Network(gigabits, latency)
        shares = {hosts: network.efficiency(seconds, n_bytes, hosts) for hosts in (8, 64)}
        most = network.most_hosts(seconds, n_bytes)
        needed = {hosts: 9 * network.all_reduce_seconds(n_bytes, hosts) for hosts in (8, 64)}
        shown = ", ".join(f"{share:.3f} on {hosts} hosts" for hosts, share in shares.items())
        least = ", ".join(f"{1000 * time:.2f} ms on {hosts}" for hosts, time in needed.items())
        print(f"  {gigabits:3} Gbit/s, {1e6 * latency:.0f} µs: efficiency {shown}; under 0.9 from {most + 1} hosts on,")
        print(f"      or where a step takes less than {least}", flush=True)
        found[f"{gigabits} Gbit/s"] = {"efficiency": shares, "under 0.9 from": most + 1}
    return found


if __name__ == "__main__":
    main()

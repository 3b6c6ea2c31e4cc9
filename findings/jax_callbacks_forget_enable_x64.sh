#!/usr/bin/env bash
# JAX 0.10.2 on a CPU: within `jax.enable_x64(True)` a callback on the host gets float64 as float32, if another thread calls it.
#
# Expected: a program that was traced, compiled and called with 64 bits hands its callbacks 64 bits. Seen: the setting belongs to
# the thread that made it. XLA calls the first callback of a program in that thread and others in threads of its own as soon as
# there is work for two, and there JAX looks the setting up anew: `pure_callback` narrows its float64 arguments to float32 without
# a word, in some calls and not in others, and int64 loses its upper half. (What a callback returns as float64 is refused there.)
# Small programs run in one thread and never show it. The same with JAX 0.12.0. Needs two cores.
# What helps: jax.config.update("jax_enable_x64", True) for the whole process, or 64 bits passed as pairs of uint32.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "jax==0.10.2" "jaxlib==0.10.2" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PYTHON'
import threading

import jax
import numpy as np

seen = set()


def host(x):
    seen.add((str(x.dtype), "the caller's thread" if threading.current_thread() is threading.main_thread() else "another thread"))
    return np.zeros((), "float32")


def program(x):
    products = x @ x, jax.numpy.sin(x) @ x, x, x + 1
    return sum(jax.pure_callback(host, jax.ShapeDtypeStruct((), np.float32), y) for y in products)


def calls():
    seen.clear()
    f = jax.jit(program)
    for _ in range(50):
        f(x).block_until_ready()
    return sorted(seen)


with jax.enable_x64(True):
    x = jax.numpy.asarray(np.random.default_rng(0).random((300, 300)))
    assert x.dtype == np.float64
    of_thread = calls()
    print("  within enable_x64:", of_thread)
jax.config.update("jax_enable_x64", True)
of_process = calls()
print("  set for the process:", of_process)
assert of_thread == [("float32", "another thread"), ("float64", "the caller's thread")], of_thread
assert {dtype for dtype, _ in of_process} == {"float64"}, of_process
print("as found: arguments of callbacks in other threads lost half of their bits")
PYTHON

"""What a program of JAX's calls on the host gets and gives has all its bits, in whichever thread XLA calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

MANY_DRAWS = """
import numpy as np, pytensor, pytensor.tensor as pt
pytensor.config.floatX = "float32"  # what PyTensor lets JAX have in every thread that did not ask for more
from symae import function
from symae.random import RandomStreams
streams, averages = RandomStreams(7), [1 / 3, 2.0**33 + 1, 0.0, *np.arange(13) + 1e-12]
draws = [streams.poisson((3, 1367), lam=pt.constant(avg, dtype="float64"), dtype="float64") for avg in averages]
f = function([], draws, backend="jax")
import jax
assert not jax.config.jax_enable_x64
seeds = np.random.RandomState(7)
ours = [np.random.RandomState(seeds.randint(2**30)) for _ in averages]
for _ in range(20):  # newer XLA calls all but the first in threads of its own
    for got, generator, avg in zip(f(), ours, averages):
        np.testing.assert_array_equal(got, generator.poisson(avg, (3, 1367)))
"""

BITS = """
import jax, numpy as np
from symae._runtime.jax_64_bits import in_64_bits
from symae.ops.jax_on_host import call_on_host
jax.config.update("jax_enable_x64", False)
given = [np.float64(1 / 3), np.full((2, 3), 2**40 + 1), np.zeros((0, 3)), np.arange(6.0)[::2].astype("float32")]
given += [np.array([True])]
given += [np.uint64([2**64 - 1]), np.asfortranarray(np.arange(6.0).reshape(2, 3) + 1e-12), np.int64([]), np.uint8(255)]
def same(*arrays):
    for array, of in zip(arrays, given, strict=True):
        assert array.dtype == of.dtype
        np.testing.assert_array_equal(array, of)
    return arrays
with in_64_bits():
    like = [jax.ShapeDtypeStruct(np.shape(x), x.dtype) for x in given]
    results = jax.jit(lambda *inputs: call_on_host(same, like, *inputs))(*given)
with in_64_bits():
    same(*map(np.asarray, results))
"""


@pytest.mark.parametrize("program", [MANY_DRAWS, BITS], ids=["draws", "every dtype"])
def test_64_bit_numbers_reach_the_host_and_come_back_whole(program):
    pytest.importorskip("jax")
    subprocess.run([sys.executable, "-c", program], check=True)

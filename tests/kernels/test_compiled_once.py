"""Kernels that are compiled once have their machine code from the disk, for callers of any layout, and hand errors on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Apply

from symae import function
from symae.kernels import compiled_once as once
from symae.kernels.compiled_once import compiled_once
from symae.kernels.parallel.parts import jit
from symae.ops.base import BackendOp


@compiled_once(jit)
def halve(x, out):
    """Compute half of each number."""
    if x.size != out.size:
        raise ValueError("sizes differ")
    for i in range(x.size):
        out[i] = x[i] / 2


@numba.njit
def halved(x):
    out = np.empty(x.size)
    halve(x, out)
    return out


@numba.njit
def into_less(x):
    halve(x, np.empty(1))


def test_arrays_of_any_layout_share_the_machine_code():
    x = np.arange(6.0)
    np.testing.assert_array_equal(halved(x), x / 2)
    np.testing.assert_array_equal(halved(x[::2]), x[::2] / 2)
    symbols = once.find(f"{__name__}.halve", None)._symbols
    assert len(symbols) == 1
    np.testing.assert_array_equal(halved(x.astype("float32")), x / 2)
    assert len(symbols) == 2


def test_an_error_is_the_callers():
    with pytest.raises(ValueError, match="sizes differ"):
        into_less(np.ones(3))


def test_a_call_names_arguments_like_any_other():
    assert halve.__doc__ == "Compute half of each number."
    with pytest.raises(numba.TypingError):
        numba.njit(lambda x: halve(x))(np.ones(3))


class Asks(BackendOp):
    """Ask for a kernel of Numba's, and have none."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        raise AssertionError("never called")

    def output_shapes(self, node, shapes):
        return shapes

    def numba(self, node):
        once.QUEUE.add(once.Job("nobody.needs", None, (), Path("nowhere")))
        raise NotImplementedError("no such kernel")


def test_what_a_graph_asked_for_is_forgotten_when_its_compilation_has_failed():
    x = pt.dvector("x")
    other = once.Job("another.needs", None, (), Path("nowhere"))
    once.QUEUE.add(other)
    with pytest.raises(NotImplementedError, match="no such kernel"):
        function([x], Asks()(x), backend="numba")
    assert once.QUEUE.take(other) == other
    assert not [job for job in once.QUEUE.waiting if job.name == "nobody.needs"]


class Kernel:
    """Pretend to be a function that is compiled once."""

    settings = None

    def __init__(self, name, error=None):
        self.name, self.error, self.asked = name, error, []

    def named(self, arguments):
        return self.name, Path(self.name)

    def symbol(self, arguments):
        self.asked.append(arguments)
        if self.error:
            raise self.error


def test_an_error_in_a_kernel_of_another_graph_is_not_this_ones(monkeypatch):
    own, other = Kernel("own.kernel"), Kernel("other.kernel", ValueError("of another graph"))
    monkeypatch.setitem(once._once, (other.name, None), other)
    monkeypatch.setattr(once, "_missing", {(own, ()): None})
    monkeypatch.setattr(once, "QUEUE", once.Queue())
    monkeypatch.setattr(once, "PATIENCE", 0.0)
    once.QUEUE.elsewhere.add(once.Job(own.name, None, (), Path(own.name)))
    waiting = once.Job(other.name, None, (), Path(other.name))
    once.QUEUE.add(waiting)
    once.complete()
    assert (own.asked, other.asked) == ([()], [()])
    once._missing.update({(other, ()): None, (own, ()): None})
    once.QUEUE.add(waiting)
    with pytest.raises(ValueError, match="of another graph"):
        once.complete()


PROGRAM = """
import sys
import numpy as np
import pytensor.tensor as pt
from symae import RandomStreams, compile_time, function
from symae.kernels import compiled_once as once

made = []
stock = once._Once._compiled
once._Once._compiled = lambda *given: (made.append(given[0].name.rpartition(".")[2]), stock(*given))[1]
x, y = pt.dmatrix("x"), pt.dmatrix("y")
first = {"product": x @ y, "mask": x * RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype="float64")}[sys.argv[1]]
f = function([x, y], [first, y + 1] if sys.argv[2] == "other" else [first, y], backend="numba")
X, Y = np.ones((10, 20)), np.ones((20, 15))
total = f(X, Y)[0].sum()
print(sorted(made), compile_time(f).cached, total)
"""


@pytest.mark.default_mode
@pytest.mark.parametrize(
    ("kind", "made", "total"),
    [
        ("product", ["gemm", "threaded_gemms"], 3000.0),
        ("mask", ["bernoullis", "masked", "random_doubles"], 146.0),
    ],
)
def test_other_processes_and_other_graphs_find_it_on_the_disk(tmp_path, kind, made, total):
    # a second process would compile some of it where a core is free
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "SYMAE_SECOND_PROCESS": "off"}

    def run(graph):
        command = [sys.executable, "-c", PROGRAM, kind, graph]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert run("one") == f"{made} False {total}"
    assert run("one") == f"[] True {total}"
    assert run("other") == f"[] False {total}"
    assert run("other") == f"[] True {total}"  # compiled with a part that was read from the disk itself
    for file in tmp_path.rglob(f"symae_{made[1]}-*.o"):
        file.write_bytes(b"damaged")
    assert run("one") == f"{made[1:2]} True {total}"


@pytest.mark.default_mode
def test_without_the_patch_that_hands_connections_on_nothing_is_kept(tmp_path):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "SYMAE_PATCHES": "-numba_cache_connections"}
    for graph in ("one", "other", "other"):
        command = [sys.executable, "-c", PROGRAM, "product", graph]
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert printed.endswith("False 3000.0\n")


@pytest.mark.default_mode
def test_a_processor_without_vector_registers_has_its_products_by_blas(tmp_path):
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "SYMAE_PATCHES": "-numba_deferred_codegen"}
    environment = os.environ | generic | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    command = [sys.executable, "-c", PROGRAM, "product", "one"]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.endswith(" 3000.0\n")


def test_draws_are_compiled_for_arrays_without_gaps():
    """With any layout a mask's loop is no vector's: worksheet 02 took twice as long."""
    for name in ("mt19937.random_doubles", "mt19937.gaussians", "binomial.bernoullis"):
        drawn = once.find(f"symae.kernels.random.{name}", None)
        for layout in "CA":
            array = numba.types.Array(numba.float64, 1, layout)
            assert drawn.general((array,)) == (array,)
    assert once.find("symae.kernels.random.masks.masked", None).contiguous

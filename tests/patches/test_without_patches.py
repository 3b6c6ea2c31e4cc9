"""Without patches, without one of them, or beside a Numba or PyTensor in which something has moved: slower, never wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from backend_params import each, on

from symae.compile.backends import BY_NAME
from symae.patches import PATCHES

SCRIPT = Path(__file__).with_name("important_ops.py")

# Where PyTensor alone cannot, it says so; JAX only on PyTensor 3.0. On the others, on Numba and C too, nothing is lost.
RAISES = {"jax": {"gradient of a convolution"}, "mlx": {"its gradient", "an entry", "a slice that is set"}}

QUICK = ["its gradient", "an entry"]
# The cases of the script that a patch has to do with; for one that is not named here all of them are computed.
LAYER = ["a layer", "its gradient", "an entry"]
INDICES = ["a minibatch", "rows by their numbers", "an entry", "a slice that is set"]
ELEMENTWISE = ["a long elementwise expression", "a layer", "cross-entropy", "the other way round"]
CONCERNS = {
    "c_blas": LAYER,
    "c_code_files": QUICK,
    "c_indexing": INDICES,
    "c_sparse_products": QUICK,
    "indexing_rewrites": INDICES,
    "jax_indexing": [*INDICES, "its gradient"],
    "mlx_indexing": INDICES,
    "numba_bookkeeping": QUICK,
    "numba_cache_connections": LAYER,
    "numba_cache_keys": LAYER,
    "numba_cache_load": LAYER,
    "numba_deferred_codegen": [*LAYER, "a minibatch", "pooling"],
    "numba_dimshuffle": ELEMENTWISE,
    "numba_elemwise": ELEMENTWISE,
    "numba_extremes": ["maxima", "sums and means"],
    "numba_indexing": INDICES,
    "numba_kept_arrays": LAYER,
    "numba_large_graphs": QUICK,
    "numba_long_tuples": ["forty arguments"],
    "numba_matrix_products": LAYER,
    "numba_reciprocal": ELEMENTWISE,
    "numba_reductions": ["maxima", "sums and means"],
    "numba_shape_error": INDICES,
    "numba_shared_functions": [*LAYER, "a long elementwise expression", "sums and means", "maxima"],
    "numba_slices": INDICES,
    "numba_sparse_shapes": LAYER,
    "numba_specified_shapes": LAYER,
    "numba_sums": ["sums and means"],
    "numba_threaded_elemwise": ELEMENTWISE,
    "pickled_derivatives": QUICK,
    "pytorch_dispatch": ["maxima", "sums and means", "a layer", "its gradient", "cross-entropy"],
    "pytorch_indexing": INDICES,
    "rejected_replacements": ["its gradient", *ELEMENTWISE],
    "scan_pushed_out": LAYER,
}


def outcomes(tmp_path, backend, chosen="", *names, before=""):
    """Run the script with patches as `chosen`, after the lines `before`; a dict of its lines, the summary and the log."""
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "SYMAE_PATCHES": chosen}
    program = f"""{before}
import runpy, sys
sys.argv = {["ops", backend, *names]}
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    *lines, summary = done.stdout.splitlines()
    return dict(line.split(": ", 1) for line in lines), summary, done.stderr


def check(found, backend):
    for name, outcome in found.items():
        if outcome != "right":
            assert name in RAISES.get(backend, ()), f"{name}: {outcome}"
            assert not outcome.startswith("wrong")
            assert "Error: " in outcome


@pytest.mark.parametrize("backend", [on("numba"), on("c", pytest.mark.backends), on("jax")])
def test_without_patches_the_ops_of_a_layer_are_right(tmp_path, backend):
    found, summary, log = outcomes(tmp_path, backend, "off", *QUICK)
    assert list(found) == QUICK
    check(found, backend)
    assert summary.startswith("0 applied; 0 waiting; switched off: c_blas, ")
    assert "symae.patches" not in log
    assert "left out" not in log


@pytest.mark.default_mode
@pytest.mark.parametrize("backend", each())
def test_without_patches_what_models_are_made_of_is_right_or_says_why_not(tmp_path, backend):
    found, _, _ = outcomes(tmp_path, backend, "off")
    check(found, backend)
    assert list(found.values()).count("right") >= 10


@pytest.mark.default_mode
@pytest.mark.parametrize("name", [patch.name for patch in PATCHES])
def test_without_one_patch_the_others_do(tmp_path, name):
    backend = next(patch for patch in PATCHES if patch.name == name).backend or "c"
    if not BY_NAME[backend].installed:
        pytest.skip(f"{backend} is not installed")
    found, summary, _ = outcomes(tmp_path, backend, f"-{name}", *CONCERNS.get(name, ()))
    assert found
    check(found, backend)
    assert "skipped" not in summary
    assert summary.endswith(f"; switched off: {name}")


def test_without_one_patch_of_jax_a_layer_is_right(tmp_path):
    pytest.importorskip("jax")
    found, summary, _ = outcomes(tmp_path, "jax", "-jax_dispatch", *QUICK)
    assert set(found.values()) == {"right"}
    assert summary.endswith("; switched off: jax_dispatch")


MOVED = """
from numba.core import codegen, caching
codegen.CPUCodeLibrary.finish_it = codegen.CPUCodeLibrary.finalize
def finalize(self):
    return self.finish_it()  # another body than the one that was copied
codegen.CPUCodeLibrary.finalize = finalize
from pytensor.link.numba.dispatch import vectorize_codegen
loop_call = vectorize_codegen.make_loop_call
vectorize_codegen.make_loop_call = lambda *given, **named: loop_call(*given, **named)
import symae
"""


@pytest.mark.default_mode
def test_what_has_moved_is_left_alone_and_said_once(tmp_path):
    """The body of one of Numba's methods is another, and a function of PyTensor's has other parameters."""
    found, summary, log = outcomes(tmp_path, "numba", "", *QUICK, before=MOVED)
    assert set(found.values()) == {"right"}
    lines = [line for line in log.splitlines() if line.startswith("patch ")]
    assert len(lines) == 2
    assert lines[0].startswith(
        "patch numba_deferred_codegen is left out, because there is another finalize in numba.core.codegen:CPUCodeLibrary"
    )
    assert "numba_threaded_elemwise is left out, because there is pytensor.link.numba.dispatch.vectorize_codegen " in lines[1]
    assert "skipped: numba_deferred_codegen (another finalize in " in summary
    assert "numba_threaded_elemwise (" in summary


REQUIRED = """
import pytensor.tensor as pt
from pytensor.link.numba.dispatch import basic
compile_source = basic.compile_numba_function_src
basic.compile_numba_function_src = lambda *given, **named: compile_source(*given, **named)
import symae
x = pt.dvector()
print(symae.function([x], x * 2, mode="FAST_COMPILE")([3.0]))
try:
    symae.function([x], x * 2, backend="numba")
except symae.BackendError as error:
    print(error)
"""


def test_one_that_guards_memory_is_missed_only_by_its_backend():
    done = subprocess.run([sys.executable, "-c", REQUIRED], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "[6.]"
    found = "pytensor.link.numba.dispatch.basic compile_numba_function_src(given, named), not (src, function_name, global_env)"
    assert second.startswith(
        f"patch numba_indexing: found {found} in pytensor {version('pytensor')}, numba {version('numba')}, "
    )
    assert "expected what symae was tested with: pytensor 3.0.7" in second

"""Strict PyTensor, quick compilation, and the fixtures that several files use."""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytensor
import pytest
from _pytest.runner import runtestprotocol
from backend_params import each, in_double

from symae._runtime.roomy_calls import roomy
from symae.datasets.folders import find_mnist
from symae.rewrites.registry import NATIVE

# A wrong infer_shape only warns and loses shapes otherwise.
pytensor.config.on_shape_error = "raise"
# Most tests are about graphs and values: no machine code for them. Those about backends ask for one by name.
pytensor.config.mode = "FAST_COMPILE"
# Tests change rewrites and kernels under way, so each graph is rewritten; tests/compile/test_known_graphs.py switches it on.
os.environ.setdefault("SYMAE_KNOWN_GRAPHS", "off")
# Time that says nothing about symae, a sixth of a run of the tests: looking for garbage among all objects that are imported,
# and the C compiler's notes for debuggers, without which its machine code is the same.
gc.set_threshold(50_000, 20, 50)
pytensor.config.gcc__cxxflags = "-g0"

# Tests that run in the background of a shell are told to ignore Ctrl-C, and would hand that on to the processes they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _warn_of_fork() -> None:
    """Fail a test that copies this process, which may have threads. JAX does so, too, but only after a test that loads it."""
    warnings.warn("os.fork() in the process of all tests; expected one in a process that the test starts", stacklevel=2)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_warn_of_fork)

hypothesis.settings.register_profile("symae", deadline=None)
hypothesis.settings.load_profile("symae")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return what ``-n auto`` means: compiling is most of the work and has one thread, but each worker takes 2 to 4 GB."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


# Of what takes minutes in all, the files in which single tests do for half a minute and more.
LONG_TESTS = {"test_random_graphs.py", "test_smoke.py", "test_without_patches.py", "test_cli.py"}
SLOW_TO_COMPILE = {"c", "pytorch"}
# What stands in each file that has rows in one of these stages. The others need not be imported for ``-m STAGE``: all of them
# take a quarter of a minute, and there are seven such runs in .ci/run.
WORDS_OF_STAGES = {
    "tables": ("mark.table",),
    "default_mode": ("default_mode", "training_backend"),
    "browser": ("driver",),
    "notebooks": ("mark.notebooks",),
    "docs": ("mark.docs",),
}


@functools.cache
def _may_have_rows(path: Path, stage: str) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(word in text for word in WORDS_OF_STAGES[stage])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without a row of the one stage that ``-m`` names."""
    stage = config.option.markexpr
    if stage not in WORDS_OF_STAGES or not collection_path.match("test_*.py"):
        return None
    return None if _may_have_rows(collection_path, stage) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave rows of tables to other stages of .ci/run, and begin ``-m default_mode`` with long tests.

    A plain run has each test on Numba, but those that are marked. Of each folder it has the first row on each other backend,
    but of those that compile for seconds only where functions are compiled and images convolved; of a test that is marked
    ``table(n)`` it has each n-th row. Long tests come first so that no worker is left with one when the others have finished.
    """
    begun = set()
    rows: Counter[str] = Counter()
    for item in items:
        marks = {mark.name: mark for mark in item.iter_markers()}
        if marks.keys() & {"backends", "default_mode", "docs", "long"}:
            continue
        backend = marks["on"].args[0] if "on" in marks else "numba"
        if "driver" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        elif backend != "numba":
            row = item.path.parent, backend
            if row in begun or (backend in SLOW_TO_COMPILE and item.path.parent.name not in {"compile", "conv"}):
                item.add_marker("backends")
            begun.add(row)
        elif "table" in marks:
            table = item.nodeid.partition("[")[0]
            if rows[table] % marks["table"].args[0]:
                item.add_marker("tables")
            rows[table] += 1
    for item in items:
        for stage in WORDS_OF_STAGES:
            if item.get_closest_marker(stage) and not _may_have_rows(item.path, stage):
                raise pytest.UsageError(f"{item.nodeid} is in the stage {stage}: WORDS_OF_STAGES has no word of its file")
    items.sort(key=lambda item: not (item.path.name in LONG_TESTS and item.get_closest_marker("default_mode")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test as pytest does, with its fixtures, in a roomy call: what compiles recurs deeply."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    roomy(runtestprotocol)(item, nextitem=nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(params=each(in_double))
def backend(request: pytest.FixtureRequest) -> str:
    """Every installed backend that computes in float64, in turn."""
    return str(request.param)


@pytest.fixture(params=each())
def float32_backend(request: pytest.FixtureRequest, float32: None) -> str:
    """Every installed backend in turn, while floatX is float32: MLX has nothing else."""
    return str(request.param)


@pytest.fixture(scope="module", params=each())
def every_backend(request: pytest.FixtureRequest) -> str:
    """Every installed backend, for all tests of a file that share what it compiles."""
    return str(request.param)


@pytest.fixture(params=each(long=["c", "pytorch"], default_mode=["numba"]))
def training_backend(request: pytest.FixtureRequest, float32: None) -> str:
    """Return each backend for whole training steps; those that compile one for a minute are marked long."""
    return str(request.param)


@pytest.fixture(params=each(lambda backend: NATIVE in backend.needs))
def native_backend(request: pytest.FixtureRequest) -> str:
    """Return each backend with machine code of symae's own."""
    return str(request.param)


@pytest.fixture
def jax_in_double():
    """JAX has 64-bit numbers, whatever floatX was when PyTensor imported it: PyTensor asks then, for the whole process."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        yield


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was():
    """Restore floatX and the excepthook, which a worksheet sets for its process."""
    before = pytensor.config.floatX, sys.excepthook
    yield
    pytensor.config.floatX, sys.excepthook = before


@pytest.fixture
def float32():
    """floatX is float32 for one test."""
    with pytensor.config.change_flags(floatX="float32"):
        yield


@pytest.fixture
def mnist() -> Path:
    """Return the folder of the real MNIST files."""
    folder = find_mnist()
    if folder is None:
        pytest.skip("MNIST is not here: set SYMAE_DATA to its folder, or run symae data mnist")
    return folder


@pytest.fixture
def no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Return an environment for child processes in which only the embedded digits are found."""
    empty = tmp_path / "no data"
    empty.mkdir()
    monkeypatch.setenv("SYMAE_DATA", str(empty))
    return dict(os.environ)


@pytest.fixture
def two_threads(torch: Any) -> Iterator[None]:
    """Let PyTorch, which a module's own fixture imports, have two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)

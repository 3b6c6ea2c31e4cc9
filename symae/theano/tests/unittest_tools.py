"""``theano.tests.unittest_tools``."""

from __future__ import annotations

import re
import sys
import unittest
from collections.abc import Callable
from functools import wraps
from typing import Any
from unittest import SkipTest

import numpy as np
from pytensor.graph.basic import Variable

from symae.theano import gradient
from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config
from symae.theano._impl.functions import function
from symae.theano.compile.mode import get_mode

__all__ = [
    "AttemptManyTimes",
    "InferShapeTester",
    "MockRandomState",
    "SkipTest",
    "TestOptimizationMixin",
    "WrongValue",
    "assert_allclose",
    "custom_name_func",
    "fetch_seed",
    "seed_rng",
    "str_diagnostic",
    "verify_grad",
]

__getattr__ = getter(__name__)


def fetch_seed(pseed: Any = None) -> int | None:
    """Return `pseed` or ``config.unittests.rseed``, as a seed; None if that is "random"."""
    seed = pseed or config.unittests.rseed
    return None if seed == "random" else int(seed)


def seed_rng(pseed: Any = None) -> int | None:
    """Seed numpy's own generator with `fetch_seed`."""
    seed = fetch_seed(pseed)
    np.random.seed(seed)
    return seed


def verify_grad(op: Callable[..., Any], pt: Any, n_tests: int = 2, rng: Any = None, *args: Any, **kwargs: Any) -> None:
    """Call `symae.theano.gradient.verify_grad`, with its generator seeded by `seed_rng`."""
    if rng is None:
        seed_rng()
        rng = np.random
    gradient.verify_grad(op, pt, n_tests, np.random.RandomState(fetch_seed()) if rng is np.random else rng, *args, **kwargs)


verify_grad.E_grad = gradient.GradientError  # type: ignore[attr-defined]


class MockRandomState:
    """Generate numbers that are all `val`."""

    def __init__(self, val: float):
        self.val = val

    def rand(self) -> float:
        return self.val

    def randint(self, minval: int, maxval: int | None = None, size: Any = 1) -> Any:
        lowest, highest = (0, minval) if maxval is None else (minval, maxval)
        number = np.clip(np.round(lowest + self.val * (highest - lowest)), lowest, highest - 1)
        return np.full(size, number, "int64")


class TestOptimizationMixin:
    """Assert what nodes compiled functions have."""

    __test__ = False

    def assertFunctionContains(self, f: Any, op: Any, min: int = 1, max: int = sys.maxsize) -> None:
        self._count(f, lambda node: node.op == op, op, min, max)

    def assertFunctionContains0(self, f: Any, op: Any) -> None:
        self.assertFunctionContains(f, op, 0, 0)

    def assertFunctionContains1(self, f: Any, op: Any) -> None:
        self.assertFunctionContains(f, op, 1, 1)

    def assertFunctionContainsN(self, f: Any, op: Any, N: int) -> None:
        self.assertFunctionContains(f, op, N, N)

    def assertFunctionContainsClass(self, f: Any, op: type, min: int = 1, max: int = sys.maxsize) -> None:
        self._count(f, lambda node: isinstance(node.op, op), op, min, max)

    def assertFunctionContainsClassN(self, f: Any, op: type, N: int) -> None:
        self.assertFunctionContainsClass(f, op, N, N)

    def _count(self, f: Any, wanted: Callable[[Any], bool], op: Any, least: int, most: int) -> None:
        count = sum(map(wanted, f.maker.fgraph.apply_nodes))
        assert least <= count <= most, f"found {count} nodes of {op}, expected between {least} and {most}"

    def SkipTest(self, msg: str = "Skip this test") -> None:
        raise SkipTest(msg)


class InferShapeTester(unittest.TestCase):
    """Compare the shapes that graphs are said to have with those of their values."""

    __test__ = False

    def setUp(self) -> None:
        seed_rng()
        self.mode = get_mode("FAST_RUN" if str(config.mode).upper() == "FAST_COMPILE" else None)

    def _compile_and_check(
        self,
        inputs: list[Variable],
        outputs: list[Variable],
        numeric_inputs: list[Any],
        cls: Any,
        excluding: Any = None,
        warn: bool = True,
        check_topo: bool = True,
    ) -> None:
        mode = self.mode.excluding(*excluding) if excluding else self.mode
        values = function(inputs, outputs, mode=mode, on_unused_input="ignore")
        shapes = function(inputs, [o.shape for o in outputs], mode=mode, on_unused_input="ignore")
        if check_topo:
            classes = cls if isinstance(cls, tuple) else (cls,)
            left = [node for node in shapes.maker.fgraph.toposort() if isinstance(node.op, classes)]
            assert not left, f"the graph of the shapes still computes {left}"
        for value, shape in zip(values(*numeric_inputs), shapes(*numeric_inputs), strict=True):
            assert np.all(np.asarray(value).shape == shape), f"found the shape {np.asarray(value).shape}, expected {shape}"


def str_diagnostic(expected: Any, value: Any, rtol: float | None = None, atol: float | None = None) -> str:
    """Describe two arrays, and by how much they differ."""
    expected, value = np.asarray(expected), np.asarray(value)
    text = f"expected {expected.dtype}{expected.shape}\n{expected}\nvalue {value.dtype}{value.shape}\n{value}"
    if expected.shape == value.shape:
        apart = np.abs(expected.astype("float64") - value.astype("float64"))
        text += f"\nmax absolute difference {apart.max() if apart.size else 0}"
    return f"{text}\nrtol {rtol}, atol {atol}"


class WrongValue(Exception):
    """Raised when two arrays differ."""

    def __init__(self, expected_val: Any, val: Any, rtol: float | None, atol: float | None):
        super().__init__(str_diagnostic(expected_val, val, rtol, atol))


def assert_allclose(expected: Any, value: Any, rtol: float | None = None, atol: float | None = None) -> None:
    """Raise `WrongValue` unless two arrays are equal but for rounding.

    The tolerances of float32 are used where one of them has no better dtype, those of float64 elsewhere.
    """
    dtypes = {str(np.asarray(a).dtype) for a in (expected, value)}
    coarse = dtypes & {"float32", "complex64"}
    rtol = 1e-5 if rtol is None else rtol
    atol = (1e-5 if coarse else 1e-8) if atol is None else atol
    if np.asarray(expected).shape != np.asarray(value).shape or not np.allclose(expected, value, rtol, atol, equal_nan=True):
        raise WrongValue(expected, value, rtol, atol)


def custom_name_func(testcase_func: Callable[..., Any], param_num: int, param: Any) -> str:
    """Name a case of a parameterized test by its arguments."""
    return f"{testcase_func.__name__}_{re.sub('[^a-zA-Z0-9_]+', '_', '_'.join(map(str, param.args)))}"


class AttemptManyTimes:
    """Decorate a test that may fail by chance: of `n_attempts`, `n_req_successes` have to succeed."""

    def __init__(self, n_attempts: int, n_req_successes: int = 1):
        assert n_attempts >= n_req_successes
        self.n_attempts, self.n_req_successes = n_attempts, n_req_successes

    def __call__(self, fct: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(fct)
        def attempted(*args: Any, **kwargs: Any) -> None:
            succeeded, last = 0, None
            for attempt in range(self.n_attempts):
                try:
                    fct(*args, **kwargs)
                    succeeded += 1
                except Exception as error:
                    last = error
                if succeeded >= self.n_req_successes:
                    return
                if last is not None and attempt == self.n_attempts - 1:
                    raise last

        return attempted

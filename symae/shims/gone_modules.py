"""Modules of libraries that are gone: pkg_resources, sklearn.cross_validation; and the testers of NumPy's packages."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from packaging.version import InvalidVersion, Version

from symae.errors import InputError
from symae.shims.restoring import module_of

__all__ = ["MODULES", "replaced_names", "testing_names"]


def _parse_version(text: Any) -> Version:
    """Return a version that compares; of one that is none today, its leading numbers."""
    try:
        return Version(str(text))
    except InvalidVersion:
        leading = re.match(r"\D*(\d+(?:\.\d+)*)", str(text))
        return Version(leading[1] if leading else "0")


class _Distribution:
    """Represent an installed package."""

    def __init__(self, requirement: Any):
        self.project_name = re.split(r"[^\w.-]", str(requirement))[0]
        self.key = self.project_name.lower()
        self.version = importlib.metadata.version(self.project_name)
        self.parsed_version = _parse_version(self.version)

    def __str__(self) -> str:
        return f"{self.project_name} {self.version}"


def replaced_names() -> dict[str, Any]:
    """Return what setuptools' own pkg_resources, where it is installed, does otherwise."""
    return {"parse_version": _parse_version}


def _resource(package: Any, name: str) -> Path:
    module = package if isinstance(package, str) else package.__name__
    found = importlib.util.find_spec(module)
    return Path((found.origin if found else None) or "").parent / name


def _pkg_resources() -> ModuleType:
    missing = importlib.metadata.PackageNotFoundError
    names: dict[str, Any] = {
        "parse_version": _parse_version,
        "get_distribution": _Distribution,
        "require": lambda *requirements: [_Distribution(one) for one in requirements],
        "resource_filename": lambda package, name: str(_resource(package, name)),
        "resource_exists": lambda package, name: _resource(package, name).exists(),
        "resource_string": lambda package, name: _resource(package, name).read_bytes(),
        "resource_stream": lambda package, name: _resource(package, name).open("rb"),
        "iter_entry_points": lambda group, name=None: iter(
            point for point in importlib.metadata.entry_points(group=group) if name in (None, point.name)
        ),
        "declare_namespace": lambda package: None,
        "Distribution": _Distribution,
        "DistributionNotFound": missing,
        "ResolutionError": missing,
    }
    return module_of("pkg_resources", names)


class _Tester:
    """Run the tests of a package: ``test = Tester().test`` stood in its ``__init__``."""

    def __init__(self, package: Any = None, *_: Any, **__: Any):
        self._package = str(package or sys._getframe(1).f_globals["__name__"])

    def test(self, label: Any = "fast", verbose: int = 1, extra_argv: Any = None, *_: Any, **__: Any) -> bool:
        from numpy._pytesttester import PytestTester

        return bool(PytestTester(self._package)(label, verbose, extra_argv))

    def bench(self, *_: Any, **__: Any) -> bool:
        """Do nothing: there are no benchmarks."""
        return True


def testing_names() -> dict[str, Any]:
    """Return what was in ``numpy.testing`` and is gone."""
    return {"Tester": _Tester, "NoseTester": _Tester, "rand": np.random.rand}


class _Folds:
    """Split numbers from 0 to `n` in folds, as scikit-learn 0.17 did: pairs (train, test), of masks without `indices`."""

    def __init__(
        self, n: int, n_folds: int = 3, shuffle: bool = False, random_state: Any = None, *, indices: bool | None = None
    ):
        self.n, self.n_folds, self.shuffle, self.random_state = int(n), int(n_folds), shuffle, random_state
        self.indices = indices is None or bool(indices)
        self._order = np.arange(self.n)
        if shuffle:
            _random_state(random_state).shuffle(self._order)

    def __len__(self) -> int:
        return self.n_folds

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for test in np.array_split(self._order, self.n_folds):
            of_test = np.zeros(self.n, bool)
            of_test[test] = True
            yield (np.flatnonzero(~of_test), np.flatnonzero(of_test)) if self.indices else (~of_test, of_test)


def _train_test_split(
    *arrays: Any, test_size: Any = None, train_size: Any = None, random_state: Any = None, stratify: Any = None
) -> Any:
    """Split arrays at random, a quarter for tests; the same `random_state` gives scikit-learn's parts.

    Raises InputError for arrays of different lengths, and for `stratify` where scikit-learn, which splits then, is missing.
    """
    lengths = [array.shape[0] if hasattr(array, "shape") else len(array) for array in arrays]
    if len(set(lengths)) != 1:
        raise InputError("train_test_split", f"arrays of {lengths} rows", "arrays of the same length")
    if stratify is not None:
        try:
            real = importlib.import_module("sklearn.model_selection").train_test_split
        except ModuleNotFoundError as error:
            where = "train_test_split"
            raise InputError(where, "stratify without scikit-learn", "it installed: pip install scikit-learn") from error
        return real(*arrays, test_size=test_size, train_size=train_size, random_state=random_state, stratify=stratify)
    n = lengths[0]
    if test_size is None:
        test_size = 0.25 if train_size is None else n - _count(train_size, n, np.floor)
    n_test = _count(test_size, n, np.ceil)
    n_train = n - n_test if train_size is None else _count(train_size, n, np.floor)
    order = _random_state(random_state).permutation(n)
    parts = order[n_test : n_test + n_train], order[:n_test]
    return [_taken(array, part) for array in arrays for part in parts]


def _count(size: Any, n: int, rounded: Callable[[float], Any]) -> int:
    return int(rounded(size * n)) if isinstance(size, float) else int(size)


def _taken(array: Any, part: np.ndarray) -> Any:
    if hasattr(array, "iloc"):
        return array.iloc[part]
    return array[part] if hasattr(array, "shape") else [array[k] for k in part]


def _random_state(seed: Any) -> Any:
    if seed is None:
        return np.random.mtrand._rand
    return seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)


def _cross_validation() -> ModuleType:
    names = {"train_test_split": _train_test_split, "KFold": _Folds}
    module = module_of("sklearn.cross_validation", names)

    def other(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module("sklearn.model_selection"), name)

    module.__getattr__ = other  # type: ignore[method-assign]
    return module


MODULES: dict[str, Callable[[], ModuleType]] = {
    "pkg_resources": _pkg_resources,
    "sklearn.cross_validation": _cross_validation,
}

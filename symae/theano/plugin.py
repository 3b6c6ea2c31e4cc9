"""A plugin of pytest: ``pytest -p symae.theano.plugin`` runs tests for which ``import theano`` is `symae.theano`.

``--legacy-packages A,B`` names packages and test modules that need what Python 2, NumPy and SciPy had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from symae.theano import install, uninstall
from symae.theano._impl.installation import move_to_front
from symae.theano._impl.libraries import listed

__all__ = ["pytest_addoption", "pytest_load_initial_conftests", "pytest_unconfigure"]


def pytest_addoption(parser: Any) -> None:
    """Install, as soon as pytest has this plugin, and take the option ``--legacy-packages``."""
    install()
    words = "packages and modules that need the names that Python 2, NumPy and SciPy had"
    parser.getgroup("symae").addoption("--legacy-packages", default="", metavar="A,B", help=words)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any, args: Sequence[str]) -> None:
    """Find theano before what pytest itself finds."""
    install(listed(early_config.known_args_namespace.legacy_packages))
    move_to_front()


def pytest_unconfigure() -> None:
    """Put everything back."""
    uninstall()

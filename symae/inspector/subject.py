"""What can be inspected: models, and whatever describes itself as they do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from pytensor.graph.basic import Variable

from symae.models.description import ModelDescription


class Subject(Protocol):
    """Describe what the inspector asks of a model; `symae.models.Model` has it, and so has `GraphModel`."""

    @property
    def x(self) -> Variable:
        """The symbolic input."""

    def describe(self) -> ModelDescription:
        """Return which nodes and layers there are."""

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the values of the parameters by name."""

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        """Return images as `x` takes them."""

    def configuration(self) -> dict[str, Any]:
        """Return the settings that the page shows."""


def title_of(subject: Subject) -> str:
    """Return what a model is called: its class, unless it has a title."""
    return str(getattr(subject, "title", type(subject).__name__))

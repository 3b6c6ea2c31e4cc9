"""A replacement that does not fit a graph, such as one in place, is rejected without reading sources."""

from __future__ import annotations

import inspect
from types import FrameType, SimpleNamespace
from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(features: Any, changes: Changes) -> None:
    def getframeinfo(frame: FrameType) -> SimpleNamespace:
        return SimpleNamespace(function=frame.f_code.co_name)

    if hasattr(features, "inspect"):  # PyTensor 3.3 does not ask
        asked = SimpleNamespace(currentframe=inspect.currentframe, getframeinfo=getframeinfo)
        changes.replace(features, "inspect", asked)


PATCH = Patch(
    module="pytensor.graph.features",
    replaces="inspect.getframeinfo where pytensor.graph.features.Validator asks who called it",
    why="it looks for the caller's source among all modules there are, and reads it, to compare a function's name: tenths of a "
    "second in each compilation",
    upstream="not proposed: PyTensor 3.3 asks no more.",
    delete_when="PyTensor 3.0 and 3.1 are no longer among those that symae takes",
    apply=apply,
    expects=(Expected("pytensor.graph.features:Validator", "validate"),),
)

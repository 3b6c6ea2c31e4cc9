"""Values of expressions for ``tag.test_value``."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import explicit_graph_inputs

from symae.theano._impl.variables import registered

__all__ = ["value_for_test"]


def value_for_test(v: Any) -> Any:
    """Compute the value of `v` from the test values of what it depends on."""
    if not isinstance(v, Variable):
        return np.asarray(v)
    if hasattr(v.tag, "test_value"):
        return v.tag.test_value
    if isinstance(v, Constant):
        return v.data
    if isinstance(v, SharedVariable):
        return v.get_value()
    inputs = list(explicit_graph_inputs([v]))
    for i in inputs:
        if not hasattr(i.tag, "test_value"):
            raise AttributeError(f"{i} has no tag.test_value")
    if v.owner is None:
        raise AttributeError(f"{v} has no tag.test_value")
    compiled = registered["function"](inputs, v, mode="FAST_COMPILE", no_default_updates=True, on_unused_input="ignore")
    return compiled(*(i.tag.test_value for i in inputs))

"""``theano.scan_module.scan_utils``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.replace import clone_replace
from pytensor.scan.utils import expand_empty as _expand_empty
from pytensor.scan.utils import until as _until

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano, condition, mark, plain, unmark
from symae.theano.scan_module.replacement import map_variables

__all__ = ["clone", "equal_computations", "expand_empty", "map_variables", "until"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.utils", "pytensor.scan.basic"])

expand_empty = as_theano(_expand_empty, "expand_empty", __name__)


class until(_until):
    """Hold a condition that a step returns after its outputs and updates: the step after which it is not 0 is the last."""

    def __init__(self, cond: Any):
        super().__init__(unmark(condition(cond)))


def clone(
    output: Any,
    replace: Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]] | None = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: Any = None,
) -> Any:
    """Copy the expressions `output` with variables replaced.

    Parameters
    ----------
    output : variable or list of variables
    replace : dict or list of pairs, optional
        What is to be there instead of what.
    strict : bool
        Replacements must be of the same type.
    share_inputs : bool
        The copy depends on the same inputs, not on copies of them. `copy_inputs` is an older name.
    """
    share = share_inputs if copy_inputs is None else copy_inputs
    pairs = dict(replace) if replace is not None else None
    with plain(output, pairs):
        result = clone_replace(output, pairs, rebuild_strict=strict, copy_inputs_over=share)
    return mark(result)

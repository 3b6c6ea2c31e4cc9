"""``theano.compile.debugmode``: functions that check what Ops and rewrites do."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from pytensor.compile.debug.debugmode import (
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    DebugModeError,
    InvalidValueError,
    StochasticOrder,
)
from pytensor.compile.debug.debugmode import DebugMode as PlainDebugMode
from pytensor.compile.debug.debugmode import _Maker as _PlainMaker
from pytensor.graph.type import Type
from pytensor.tensor.type import TensorType

from symae.theano._impl.absent import getter

__all__ = [
    "BadDestroyMap",
    "BadOptimization",
    "BadThunkOutput",
    "BadViewMap",
    "DebugMode",
    "DebugModeError",
    "InvalidValueError",
    "StochasticOrder",
]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.debugmode"])


class DebugMode(PlainDebugMode):
    """Interpret, with all rewrites, and check what Ops and rewrites do while the function runs.

    Parameters
    ----------
    optimizer : str or query of rewrites
    stability_patience : int
        How many times to rewrite the graph, to see that it is done in the same way; 1, unlike Theano's 10, unless given.
    check_c_code : bool
        Compile the Ops' C code too, and compare; not unless given, as it is PyTensor's and not the script's.
    check_py_code, check_isfinite, check_preallocated_output, require_matching_strides, linker
        As in Theano.

    Notes
    -----
    A function raises BadDestroyMap and BadViewMap for an Op that changes its inputs or hands them out without saying so in its
    ``destroy_map`` or ``view_map``, BadThunkOutput for one that gives two results, BadOptimization for a rewrite that changes a
    value, and InvalidValueError for a value that is not finite or not of its variable's type.
    """

    check_c_code = False

    def __init__(
        self,
        optimizer: Any = "fast_run",
        stability_patience: int | None = None,
        check_c_code: Any = None,
        check_py_code: bool | None = None,
        **settings: Any,
    ):
        if check_c_code is None and check_py_code is False:
            check_c_code = True
        super().__init__(optimizer, stability_patience or 1, check_c_code, check_py_code, **settings)

    @property
    def function_maker(self) -> Any:
        return _Maker


class _Maker(_PlainMaker):
    """Make functions that look at all values as long as they run."""

    def create(self, *args: Any, **kwargs: Any) -> Any:
        made = super().create(*args, **kwargs)
        made.vm = _Watched(made.vm)
        return made


_checking = threading.RLock()  # what it sets is all threads'


class _Watched:
    """Run the nodes, while values of arrays that are not finite are not valid if PyTensor's flag of that says so.

    Its own DebugMode sets the flag, and nothing looks at it.
    """

    def __init__(self, vm: Any):
        self.vm = vm

    def __call__(self) -> Any:
        with _checking:
            if "is_valid_value" in vars(TensorType):  # an Op calls another function that checks
                return self.vm()
            TensorType.is_valid_value = _is_valid
            try:
                return self.vm()
            finally:
                del TensorType.is_valid_value

    def __getattr__(self, name: str) -> Any:
        if name == "vm":  # while it is copied
            raise AttributeError(name)
        return getattr(self.vm, name)


def _is_valid(self: Any, data: Any, strict: bool = True) -> bool:
    valid = bool(Type.is_valid_value(self, data, strict))
    return valid and not (self.filter_checks_isfinite and data is not None and not np.isfinite(data).all())

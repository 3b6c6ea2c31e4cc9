"""Pickles of that time, read without running what they ask for.

Admitted are arrays, plain containers, the variables, types and operations of a graph, and the classes of the script's own
modules; everything else is refused by name. Names of Theano's modules are answered by `symae.theano` and PyTensor.
"""

from __future__ import annotations

import collections
import copyreg
import functools
import importlib
import io
import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from symae._runtime.quiet import without_warnings
from symae._runtime.unpickler import ADMITTED, RestrictedUnpickler
from symae.errors import InputError
from symae.legacy.forgotten import forgotten, without_its_function
from symae.legacy.unpickled_graphs import theanos
from symae.shims.standard_names import as_bytes

__all__ = ["found_by_name", "load", "loads"]

MOVED = {
    **{"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections", "exceptions": "builtins"},
    # modules of symae, in pickles of its first versions
    **{f"symae.theano.{name}": f"symae.theano._impl.{name}" for name in ("functions", "variables")},
    **{f"symae.ops.{name}": f"symae.ops.random.{name}" for name in ("compiled_draws", "draws", "masked_draw", "mrg")},
    **{f"symae.ops.{name}": f"symae.ops.pooling.{name}" for name in ("pool", "sum_pool", "switches", "unpool")},
    **{"symae.ops.conv": "symae.ops.conv.convolution", "symae.ops.windows": "symae.geometry.windows"},
    **{"symae.ops.rectified": "symae.ops.bias_relu", "symae.ops.elementary": "symae.ops.elementwise"},
}


def _path(*parts: str) -> str:
    return "/".join(parts)


PLAIN: dict[tuple[str, str], Any] = {
    **{("builtins", kind.__name__): kind for kind in (set, frozenset, list, dict, tuple, object, bytearray, complex, slice)},
    **{("builtins", kind.__name__): kind for kind in (int, float, str, bool, bytes, range)},
    **{("builtins", old): new for old, new in (("xrange", range), ("long", int), ("unicode", str), ("basestring", str))},
    **{("collections", name): getattr(collections, name) for name in ("OrderedDict", "defaultdict", "deque", "Counter")},
    ("copyreg", "_reconstructor"): copyreg._reconstructor,  # type: ignore[attr-defined]
    ("copyreg", "__newobj__"): copyreg.__newobj__,  # type: ignore[attr-defined]
    ("_codecs", "encode"): lambda text, encoding="latin1": text.encode("latin1"),
    # Files of C code, of operations that get their own again.
    **{("pathlib", name): _path for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path")},
    **{("pathlib._local", name): _path for name in ("PosixPath", "WindowsPath", "Path")},
}
NUMPY_FUNCTIONS = {
    *(("numpy._core.multiarray", name) for name in ("_reconstruct", "scalar")),
    ("numpy._core.numeric", "_frombuffer"),
    *(("numpy.random._pickle", f"__{name}_ctor") for name in ("randomstate", "generator", "bit_generator")),
    ("numpy.ma.core", "_mareconstruct"),
}
# Classes of these are parts of a graph: they compute, and run nothing that a pickle could bring along.
GRAPHS = (
    *(
        f"pytensor.{part}"
        for part in ("graph", "tensor", "scalar", "scan", "sparse", "ifelse", "conditional", "raise_op", "gradient", "misc.")
    ),
    *(f"pytensor.{part}" for part in ("compile.ops", "compile.sharedvalue", "compile.io", "compile.mode", "compile.builders")),
    *("pytensor.link.basic", "pytensor.link.c.type", "symae.theano", "symae.ops", "symae.random"),
)
# Functions of this one say which type a result has, and these compare results.
CALLED = "pytensor.scalar"
COMPARING = ("pytensor.tensor.type", "values_eq_approx_")
# These make parts of graphs, and functions of them.
MAKERS = {
    *((f"pytensor.graph.{m}", "_get_frozen_output") for m in ("basic", "fg")),
    ("symae.theano._impl.functions", "_made_again"),
}
# Except for these, which compile or call what they are given.
REFUSED = {"ExternalCOp", "ParamsType", "FromFunctionOp", "_CustomWrapOp", "Print", "BreakPoint"}


class _Unpickler(RestrictedUnpickler):
    """Admit a legacy script's names; its functions, and NumPy's, may be kept, but not called while the pickle is read.

    `asks` is the script's unpickler if it has one: its ``find_class`` may give names another meaning, of which only what is
    admitted too may come, and its ``persistent_load`` gives what the pickle keeps elsewhere.
    """

    def __init__(self, file: Any, modules: dict[str, ModuleType], asks: Any = None):
        super().__init__(file, str(getattr(file, "name", "pickle")))
        self._modules = modules
        self._asks = asks

    def found(self, module: str, name: str) -> Any:
        if self._asks is None:
            return found_by_name(module, name, self._modules)
        found = self._asks.find_class(module, name)
        known = self._asks.admitted.get(id(found)) is found
        owner, called = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
        return found if known or (owner and called and found_by_name(owner, called, self._modules) is found) else None

    def elsewhere(self, identity: Any) -> Any:
        load = getattr(self._asks, "persistent_load", None)
        return super().elsewhere(identity) if load is None else load(identity)

    def is_uncallable(self, function: Any) -> bool:
        return isinstance(function, np.ufunc) or (isinstance(function, FunctionType) and function.__module__ in self._modules)


def found_by_name(module: str, name: str, modules: dict[str, ModuleType]) -> Any:
    """Return what a pickle gets for a name, or None."""
    module = MOVED.get(module, module)
    if (module, name) in PLAIN:
        return PLAIN[module, name]
    if module in modules:
        return _own(modules, module, name)
    top = module.partition(".")[0]
    if top == "theano":
        return theanos(module, name)
    if top == "numpy":
        return _numpys(module, name)
    if (module, name) == ("builtins", "getattr"):
        return _attribute
    if module == "pytensor.assumptions.core" and name == "FactState":  # what rewrites know of a constant
        return getattr(importlib.import_module(module), name)
    if top in ("pytensor", "symae") and (stands_for := forgotten(module, name)) is not None:
        return stands_for
    if module.startswith(GRAPHS):
        found = _part(importlib.import_module(module), name) if _exists(module) else None
        if isinstance(found, FunctionType):
            compares = module == COMPARING[0] and name.startswith(COMPARING[1])
            return found if module.startswith(CALLED) or compares or (module, name) in MAKERS else None
        if not isinstance(found, type) or name in REFUSED or not found.__module__.startswith(GRAPHS):
            return None
        if isinstance(getattr(found, "fn", None), property):
            return without_its_function(found)
        return _without_its_source(found) if any(base.__name__ == "ExternalCOp" for base in found.__mro__) else found
    if top == "scipy" and module.startswith("scipy.sparse"):
        import scipy.sparse

        found = getattr(scipy.sparse, name, None)
        return found if isinstance(found, type) else None
    if module == "datetime" and name in ("datetime", "date", "time", "timedelta"):
        return getattr(importlib.import_module("datetime"), name)
    return None


def _part(module: ModuleType, name: str) -> Any:
    """Return what `module` has by that name; a dotted one is of a scalar operation's function of types."""
    cls, _, method = name.partition(".")
    found = getattr(module, cls, None)
    return _types_of_results(found, method) if method else found


def _types_of_results(cls: Any, name: str) -> Any:
    """Return the function of a scalar operation that says which type a result has, or None."""
    found = vars(cls).get(name) if isinstance(cls, type) and cls.__module__.startswith(CALLED) else None
    return found.__func__ if isinstance(found, staticmethod) and name.endswith("output_types_preference") else None


def _attribute(cls: Any, name: str) -> Any:
    """Return the same, for the `getattr` that older protocols call."""
    if (found := _types_of_results(cls, name)) is None:
        # What an object looks like may be longer than memory, of a class it is its name.
        shown = [value if isinstance(value, type | str) else f"a {type(value).__name__}" for value in (name, cls)]
        raise InputError("pickle", f"a pickle that asks for {shown[0]} of {shown[1]}"[:200], ADMITTED)
    return found


@functools.cache
def _without_its_source(cls: Any) -> type:
    """Make a class that loads an operation with today's C code: some operations carry the text of theirs."""

    def set_state(operation: Any, state: dict[str, Any]) -> None:
        fresh = cls(**{name: state[name] for name in cls.__props__})
        operation.__class__ = cls
        vars(operation).clear()
        vars(operation).update(vars(fresh))

    return type(f"Loading{cls.__name__}", (cls,), {"__setstate__": set_state})


def _own(modules: dict[str, ModuleType], module: str, name: str) -> Any:
    """Return a class or function that one of the script's modules defines; what it only imported is not its own."""
    found: Any = modules[module]
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
    if isinstance(found, type) and found.__module__ in modules:
        return found
    return found if isinstance(found, FunctionType) and found.__module__ in modules else None


def _numpys(module: str, name: str) -> Any:
    module = module.replace("numpy.core", "numpy._core", 1) if module.startswith("numpy.core") else module
    if module == "numpy.random" and name.startswith("__"):
        module = "numpy.random._pickle"
        name = {"__RandomState_ctor": "__randomstate_ctor"}.get(name, name)
    if (module, name) in NUMPY_FUNCTIONS:
        return getattr(importlib.import_module(module), name)
    found = getattr(importlib.import_module(module), name, None) if _exists(module) else None
    kinds = (np.generic, np.ndarray, np.dtype, np.random.RandomState, np.random.BitGenerator, np.ufunc)
    if isinstance(found, type) and issubclass(found, kinds) and not issubclass(found, np.memmap):  # that opens files
        return found
    return found if isinstance(found, np.ufunc) else None


def _exists(module: str) -> bool:
    """Return True if there is such a module; of those not loaded, only if it is certain to be a part of a graph."""
    if module in sys.modules:
        return True
    if not module.startswith(GRAPHS) or module.startswith("pytensor.misc."):  # programs are among the others
        return False
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def load(file: Any, modules: dict[str, ModuleType] | None = None, asks: Any = None) -> Any:
    """Read a pickle of Python 2 or 3 from a file, which may have been opened as text.

    `asks` is the script's own unpickler, if it has one.

    Raises
    ------
    InputError
        It asks for what is not admitted, or claims memory that it does not fill; the error names it.
    """
    file = getattr(file, "buffer", file) if not hasattr(file, "readinto") else file
    if not hasattr(file, "readline") or isinstance(file, io.StringIO):
        return loads(file.read(), modules, asks)
    with without_warnings(""):
        return _Unpickler(file, modules or {}, asks).load()


def loads(data: Any, modules: dict[str, ModuleType] | None = None, asks: Any = None) -> Any:
    """Load a pickle as `load` does, from bytes, or from what was a string of bytes."""
    return load(io.BytesIO(as_bytes(data) if isinstance(data, str) else data), modules, asks)

"""``theano.printing``: graphs as text, and values printed while they are computed."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
from pytensor import printing as _printing
from pytensor.graph.basic import Constant, Variable
from pytensor.printing import (
    DefaultPrinter,
    FunctionPrinter,
    IgnorePrinter,
    LeafPrinter,
    OperatorPrinter,
    PatternPrinter,
    PPrinter,
    default_printer,
    hex_digest,
    leaf_printer,
    min_informative_str,
    pprint,
)
from pytensor.scalar.basic import Cast
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.variable import TensorVariable

from symae.theano._impl.absent import absent, getter
from symae.theano._impl.functions import Function
from symae.theano._impl.variables import as_theano, plain, text_of_type

__all__ = [
    "DefaultPrinter",
    "FunctionPrinter",
    "IgnorePrinter",
    "LeafPrinter",
    "OperatorPrinter",
    "PPrinter",
    "PatternPrinter",
    "Print",
    "debugprint",
    "default_printer",
    "hex_digest",
    "leaf_printer",
    "min_informative_str",
    "pp",
    "pprint",
    "pydotprint",
    "var_descriptor",
]

__getattr__ = getter(__name__, pytensor=["pytensor.printing"])


class Print(_printing.Print):
    """Print each time it is computed: ``Print(message)(x)`` is `x`."""

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        return as_theano(super().__call__)(*inputs, **kwargs)


def debugprint(
    obj: Any,
    depth: int = -1,
    print_type: bool = False,
    file: Any = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    done: Any = None,
    print_storage: bool = False,
    print_clients: bool = False,
    used_ids: Any = None,
) -> Any:
    """Print the graph of a variable, of several, or of a compiled function, one line for each node.

    Parameters
    ----------
    obj : variable, Function or list of them
    depth : int
        How far to go; -1 for all.
    print_type : bool
        Each variable's type too.
    file : None, file or "str"
        Where to print; "str" returns the text.
    ids, stop_on_name, done, print_storage, used_ids
        As in Theano. `print_clients` is accepted and without effect.
    """
    objects = [_bare(o) for o in obj] if isinstance(obj, list | tuple) else _bare(obj)
    return _printing.debugprint(
        objects,
        depth=depth,
        print_type=print_type,
        file=file,
        id_type=ids,
        stop_on_name=stop_on_name,
        print_storage=print_storage,
    )


def pp(*args: Any) -> str:
    """Return the expression as a formula in one line, written as Theano wrote it."""
    with plain(args):
        return str(_theanos_printer()(*(_shown(a) for a in args)))


def var_descriptor(obj: Any) -> str:
    """Return how a variable is computed, in one line, without names of what is computed and without places in memory."""
    tags: dict[int, str] = {}

    def described(v: Any) -> str:
        if id(v) in tags:
            return f"<{tags[id(v)]}>"
        tag = tags[id(v)] = _printing.char_from_number(len(tags))
        if isinstance(v, np.ndarray):
            text = f"<ndarray:strides={list(v.strides)},digest={hashlib.sha256(v.tobytes()).hexdigest()}>"
        elif getattr(v, "owner", None) is not None:
            text = f"{v.owner.op}({','.join(map(described, v.owner.inputs))})"
        else:
            text = re.sub(r" at 0x[0-9a-f]+", "", getattr(v, "name", None) or str(v))
        return f"{tag}={text}"

    return described(obj)


def _theanos_printer() -> PPrinter:
    """Make PyTensor's printer with Theano's names of constants and functions, and without what Theano did not show."""
    printer = pprint.clone()
    printer.assign(lambda pstate, r: _is_node(r, Elemwise), _Function())
    printer.assign(lambda pstate, r: _inside(r) is not r, _Inside())
    printer.assign(lambda pstate, r: r.owner is None and r.name is None and isinstance(r, TensorVariable), _Unnamed())
    printer.assign(lambda pstate, r: isinstance(r, Constant), _ConstantPrinter())
    # the conditions above are asked of what is not in the dictionary
    casts = [op for op in printer.printers_dict if isinstance(op, Elemwise) and isinstance(op.scalar_op, Cast)]
    for op in (DimShuffle, *casts):
        printer.printers_dict.pop(op, None)
    return printer


def _is_node(r: Variable, op: type) -> bool:
    return r.owner is not None and isinstance(r.owner.op, op)


def _inside(r: Variable) -> Variable:
    """Return what Theano showed for `r`: no cast of a comparison to int8, no vector made a matrix."""
    if r.owner is not None and getattr(r.tag, "is_answer", False):
        return r.owner.inputs[0]
    if _is_node(r, DimShuffle):
        inner = r.owner.inputs[0]
        if inner.type.ndim < 2 or _is_node(inner, Dot):
            return inner
    return r


class _Inside(_printing.Printer):
    def process(self, output: Variable, pstate: Any) -> str:
        return pstate.pprinter.process(_inside(output), pstate)


class _Function(_printing.Printer):
    def process(self, output: Variable, pstate: Any) -> str:
        scalar_op = output.owner.op.scalar_op
        name = scalar_op.o_type.dtype if isinstance(scalar_op, Cast) else scalar_op.name or type(scalar_op).__name__
        name = name.lower()
        with _printing.set_precedence(pstate):
            return f"{name}({', '.join(pstate.pprinter.process(i, pstate) for i in output.owner.inputs)})"


class _Unnamed(_printing.Printer):
    def process(self, output: Variable, pstate: Any) -> str:
        return f"<{text_of_type(output.type)}>"


class _ConstantPrinter(_printing.Printer):
    def process(self, output: Constant, pstate: Any) -> str:
        data = np.asarray(output.data)
        if data.ndim and data.size and (data == data.flat[0]).all():
            text = f"{data.shape} of {data.flat[0]!s}"
        else:
            text = np.array2string(data, threshold=20) if data.ndim else str(data)
        return f"TensorConstant{{{text}}}"


def pydotprint(fct: Any, outfile: Any = None, **kwargs: Any) -> None:
    """Draw the graph of a function or a variable with pydot and Graphviz into `outfile`.

    Raises
    ------
    RuntimeError
        They are not installed; `debugprint` prints the same graph as text.
    """
    if outfile is None:
        raise absent("theano.printing", "pydotprint without outfile", "give outfile=, or use theano.printing.debugprint")
    known = "format compact with_ids high_contrast cond_highlight colorCodes max_label_size scan_graphs var_with_name_simple"
    kept = {name: value for name, value in kwargs.items() if name in known.split()}
    try:
        _printing.pydotprint(_bare(fct), outfile, print_output_file=False, **kept)
    except (RuntimeError, ImportError) as error:
        raise RuntimeError(f"{error} (theano.printing.debugprint prints the graph as text)") from error


def _bare(obj: Any) -> Any:
    return obj._compiled if isinstance(obj, Function) else obj


def _shown(obj: Any) -> Any:
    return obj.maker.fgraph.outputs[0] if isinstance(obj, Function) else obj

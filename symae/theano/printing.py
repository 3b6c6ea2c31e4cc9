"""``theano.printing``: graphs as text, and values printed while they are computed."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
import sys
from typing import Any

import numpy as np
from pytensor import printing as _printing
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.printing import (
    DefaultPrinter,
    FunctionPrinter,
    IgnorePrinter,
    LeafPrinter,
    OperatorPrinter,
    PatternPrinter,
    PPrinter,
    default_printer,
    leaf_printer,
)

from symae.theano._impl.absent import absent, getter
from symae.theano._impl.formula import pprint
from symae.theano._impl.functions import Function, In, Out
from symae.theano._impl.graph_text import Graph, GraphPrinter
from symae.theano._impl.op_names import computed, text_of, text_of_node
from symae.theano._impl.variables import as_theano, plain

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
    "pydot_imported",
    "pydot_imported_msg",
    "pydotprint",
    "var_descriptor",
]

__getattr__ = getter(__name__, pytensor=["pytensor.printing"])

pydot_imported = importlib.util.find_spec("pydot") is not None
pydot_imported_msg = "" if pydot_imported else "pydot is not installed"


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
    ids : "CHAR", "int", "id" or ""
        How nodes and variables without one are identified: by letters, numbers, their ``id`` or not at all.
    stop_on_name : bool
        Print nothing below a variable that has a name.
    print_storage : bool
        The value of each variable of a function too.
    print_clients : bool
        The nodes that need a variable of a function, where there are several.
    done, used_ids : dict
        The identifiers of what has been printed, and of all that have one, to share them among calls.
    """
    text: Any = io.StringIO() if file == "str" else sys.stdout if file is None else file
    printer = GraphPrinter(
        text,
        depth=depth,
        print_type=print_type,
        ids=ids,
        stop_on_name=stop_on_name,
        print_clients=print_clients,
        done=done,
        used_ids=used_ids,
    )
    printer.print(
        [graph for each in (obj if isinstance(obj, list | tuple | set) else [obj]) for graph in _graphs(each, print_storage)]
    )
    return text.getvalue() if file == "str" else file


def _graphs(obj: Any, print_storage: bool) -> list[Graph]:
    """Return what is printed of a variable, a node, a graph or a function."""
    if isinstance(obj, Variable):
        return [Graph(obj)]
    if isinstance(obj, Apply):
        return [Graph(output) for output in obj.outputs]
    if isinstance(obj, In | Out):
        return [Graph(obj.variable)]
    fgraph = obj if isinstance(obj, FunctionGraph) else _bare(obj).maker.fgraph
    storage = _bare(obj).vm.storage_map if print_storage and fgraph is not obj else None
    return [Graph(output, fgraph.toposort(), storage, fgraph.clients) for output in fgraph.outputs]


def pp(*args: Any) -> str:
    """Return the expression as a formula in one line, written as Theano wrote it."""
    with plain(args):
        return str(pprint(*(_shown(a) for a in args)))


def min_informative_str(obj: Any, indent_level: int = 0) -> str:
    """Return the graph of a variable down to variables with names, a line for each, by letters where they come again."""
    tags: dict[int, str] = {}

    def lines(v: Any, indent: int) -> list[str]:
        space = " " * indent
        if id(v) in tags:
            return [f"{space}<{tags[id(v)]}>"]
        tag = tags[id(v)] = _printing.char_from_number(len(tags))
        if isinstance(v, np.ndarray):
            return [f"{space}{tag}. <ndarray>"]
        _, node, inputs = computed(v)
        if node is None or v.name is not None:
            return [f"{space}{tag}. {text_of(v)}"]
        return [f"{space}{tag}. {text_of_node(node)}", *(line for below in inputs for line in lines(below, indent + 1))]

    return "\n".join(lines(obj, indent_level))


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
            text = f"{text_of_node(v.owner)}({','.join(map(described, v.owner.inputs))})"
        else:
            text = re.sub(r" at 0x[0-9a-f]+", "", getattr(v, "name", None) or str(v))
        return f"{tag}={text}"

    return described(obj)


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


def hex_digest(x: np.ndarray) -> str:
    """Return SHA-256 of the elements of an array, with its strides and its shape."""
    strides, shape = (",".join(map(str, numbers)) for numbers in (x.strides, x.shape))
    return f"{hashlib.sha256(x.tobytes()).hexdigest()}|strides=[{strides}]|shape=[{shape}]"

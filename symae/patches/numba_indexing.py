"""Indices are checked on Numba, and what is written has to fit.

PyTensor's conversions of vectors of indices do not look at the size of an axis at all, so they read and write beside the array;
those of numbers say neither which index nor which axis; a mask is taken as far as it goes. On PyTensor 3.0 an increment of a
slice takes from a larger array what fits, and leaves the rest.
"""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.subtensor import IncSubtensor
from pytensor.tensor.type import TensorType

from symae.ops.indexing import INDEXING, WRITING, Index, indices_of
from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, NUMBA_SOURCE, Expected, Patch

Converted = tuple[Any, str | None]


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import elemwise

    checks = dict.fromkeys(INDEXING, _checked)
    for name in ("FusedElemwise", "IndexedElemwise"):  # one since PyTensor 3.2, the other before
        if hasattr(elemwise, name):
            checks[getattr(elemwise, name)] = _checked_loop
    try:
        from pytensor.tensor.rewriting.scalarize import ScalarSubtensor
    except ImportError:  # PyTensor before 3.3
        pass
    else:
        checks[ScalarSubtensor] = _checked_scalar
    for kind, checked in checks.items():

        @changes.convert_numba(kind)
        def conversion(stock: Any, op: Any, node: Apply, checked: Any = checked, **keywords: Any) -> Converted:
            return checked(dispatch, stock(op, node=node, **keywords), op, node)


def _checked(dispatch: Any, converted: Converted, op: Any, node: Apply) -> Converted:
    names = ["x", *(f"i{n}" for n in range(1, len(node.inputs)))]
    lines = [line for index in indices_of(op, node) for line in _checks(names[index.position], index, "x")]
    if isinstance(op, IncSubtensor) and node.inputs[1].type.ndim:
        parts = basic_index(op, node, names)
        lines.append(f"check_broadcast(i1.shape, x[{parts}].shape)")
    return _with_checks(dispatch, converted, names, lines)


def _checked_scalar(dispatch: Any, converted: Converted, op: Any, node: Apply) -> Converted:
    """Check PyTensor 3.3's op for an entry that nothing but numbers are computed of; its graph has the same inputs."""
    (inner,) = (inner for inner in op.fgraph.apply_nodes if isinstance(inner.op, INDEXING))
    names = {variable: f"i{n}" for n, variable in enumerate(op.fgraph.inputs)}
    if any(variable not in names for variable in inner.inputs):
        return converted
    lines = [
        line for index in indices_of(inner.op, inner) for line in _checks(names[index.variable], index, names[inner.inputs[0]])
    ]
    return _with_checks(dispatch, converted, list(names.values()), lines)


def _checked_loop(dispatch: Any, converted: Converted, op: Any, node: Apply) -> Converted:
    """Check PyTensor's elementwise loops that read and write by indices."""
    names = [f"i{n}" for n in range(len(node.inputs))]
    written = sorted({output for entry in op.indexed_outputs if entry is not None for output in entry[0]})
    # after what is computed from come the indices, and then the arrays written into, in the order of the outputs
    first = len(names) - len(op.indexed_inputs) - len(written)
    targets = dict(zip(written, names[len(names) - len(written) :], strict=True))
    lines = []
    for k, (reads, writes) in enumerate(zip(op.indexed_inputs, op.indexed_outputs, strict=True)):
        arrays = [] if reads is None else [(names[source], reads[1]) for source in reads[0]]
        arrays += [] if writes is None else [(targets[output], writes[1]) for output in writes[0]]
        for array, axis in arrays:
            lines += _checks(names[first + k], Index(first + k, axis, node.inputs[first + k], axis), array)
    return _with_checks(dispatch, converted, names, lines)


def _checks(name: str, index: Index, array: str) -> list[str]:
    """Write statements that raise an error where the index called `name` is not one of `array`."""
    axis, type_ = index.axis, index.variable.type
    if index.is_mask:
        return [f"check_mask({name}.shape[{k}], {array}.shape[{axis + k}], {axis + k})" for k in range(index.ndim)]
    number = f"{name}.item()" if isinstance(type_, TensorType) and not index.ndim else name
    unsigned = str(type_.dtype).startswith("u")
    return [f"check_{index.ndim}_{unsigned}({number}, {array}.shape[{axis}], {index.shown_axis})"]


def basic_index(op: Any, node: Apply, names: list[str]) -> str:
    """Write the index of an op whose indices are numbers and slices, as source."""
    first = 2 if isinstance(op, WRITING) else 1
    given = iter(zip(names[first:], node.inputs[first:], strict=True))

    def number(entry: Any) -> str:
        if entry is None:
            return ""
        name, variable = next(given)
        return f"{name}.item()" if isinstance(variable.type, TensorType) else name

    def part(entry: Any) -> str:
        if not isinstance(entry, slice):
            return number(entry)
        ends = f"{number(entry.start)}:{number(entry.stop)}"
        return ends if entry.step is None else f"{ends}:{number(entry.step)}"

    return ", ".join(map(part, op.idx_list)) or (":" if node.inputs[0].type.ndim else "()")


def _with_checks(dispatch: Any, converted: Converted, names: list[str], lines: list[str]) -> Converted:
    from symae.kernels import index_checks

    function, key = converted
    if not lines:
        return converted
    known = {f"check_{n}_{u}": (n, u) for n in range(10) for u in (False, True)}
    used = {line.partition("(")[0] for line in lines}
    checks = {name: index_checks.check_range(*known[name]) if name in known else getattr(index_checks, name) for name in used}
    arguments = ", ".join(names)
    source = f"def checked({arguments}):\n" + "".join(f"    {line}\n" for line in lines) + f"    return convert({arguments})\n"
    compiled = dispatch.basic.compile_numba_function_src(source, "checked", {"convert": function, **checks})
    return dispatch.basic.numba_njit(compiled), key and f"{source} {key}"


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of all ops that read or write by indices",
    why="an index outside of its axis reads or writes the memory beside the array",
    upstream="not proposed: numba_funcify_AdvancedSubtensor, ..IncSubtensor and the indexed loops of FusedElemwise should "
    "check vectors of indices against the axis once before the loop (a minimum and a maximum), as NumPy does; "
    "boundscheck=True only covers numbers.",
    delete_when="tests/patches/test_index_errors.py passes with SYMAE_PATCHES=-numba_indexing",
    apply=apply,
    expects=(
        NUMBA_SOURCE,
        NUMBA_NJIT,
        Expected("pytensor.link.numba.dispatch.basic", "numba_funcify_and_cache_key"),
    ),
    after=("numba_slices", "numba_elemwise", "numba_threaded_elemwise"),
    required=True,
)

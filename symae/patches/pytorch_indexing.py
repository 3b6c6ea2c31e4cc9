"""Indices on PyTorch mean what they mean elsewhere, and its errors about them are in the words of all backends.

PyTorch takes bytes for a mask, and refuses other short integers; a number beside vectors of indices is no index to it but a
choice made before, which moves the axes of the result. ``pt.inc_subtensor(x[1:, i], y)`` is none of PyTensor's conversions:
something is added at indices, some of which may be the same, beside a slice. PyTorch checks indices, but what torch.compile
makes of a graph raises RuntimeError with the name of a temporary variable. A call that fails is made again without the compiler
(`symae.compile.pytorch_explained`), and then each index is looked at before it is used. Several threads add and write at equal
indices in any order, so that the last bits, or which value stays, would differ from call to call: what is not compiled has one
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.subtensor import indices_from_subtensor

from symae.errors import IndexRangeError, ShapeError
from symae.ops.arguments import with_known_numbers
from symae.ops.indexing import INDEXING, LOOKING_UP, WRITING, Index, check_mask, indices_of
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

_looking: ContextVar[bool] = ContextVar("looking", default=False)


@contextmanager
def looking_at_indices() -> Iterator[None]:
    """Let functions on PyTorch that are not compiled check indices, and the shapes of what is written, inside the block."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


def apply(dispatch: Any, changes: Changes) -> None:
    import torch

    from symae.kernels.parallel.pytorch_threads import on_threads

    for kind in INDEXING:
        stock = dispatch.pytorch_funcify.dispatch(kind)

        @changes.convert(dispatch.pytorch_funcify, kind)
        def conversion(op: Any, node: Apply, stock: Any = stock, **keywords: Any) -> Callable[..., Any]:
            indices = list(indices_of(op, node))
            refused = _adds_beside_slices(op)
            function = _adding_beside_slices(op, indices) if refused else stock(op, node=node, **keywords)
            first = 2 if isinstance(op, WRITING) else 1
            if not isinstance(op, LOOKING_UP):
                function = with_known_numbers(function, node.inputs, first)
            in_order = on_threads(1, function) if first == 2 and isinstance(op, LOOKING_UP) else function
            dtypes = [(i, i.variable.type.dtype) for i in indices if not i.is_mask]
            to_widen = [i.position - 1 for i, dtype in dtypes if dtype != "int64" and (i.ndim or dtype.startswith("uint"))]
            numbers = [i.position - 1 for i in indices if not i.ndim]
            masks = [i for i in indices if i.is_mask]
            numbers = numbers if len(numbers) < len(indices) else []

            def checked(x: Any, *given: Any) -> Any:
                others = list(given)
                for position in to_widen:
                    others[position] = torch.as_tensor(others[position]).to(torch.int64)
                for position in numbers:
                    others[position] = torch.as_tensor(others[position], dtype=torch.int64).reshape(1)
                for index in masks:  # PyTorch itself takes a mask of one entry for all
                    check_mask(others[index.position - 1].shape, x.shape, index.axis)
                if not torch.compiler.is_compiling() and _looking.get():
                    for index in indices:
                        if not index.is_mask:
                            _check_index(others[index.position - 1], x, index)
                    if first == 2:
                        target = x[indices_from_subtensor(others[1:], op.idx_list)]
                        _check_shape(tuple(others[0].shape), tuple(target.shape))
                return (function if torch.compiler.is_compiling() else in_order)(x, *others)

            return checked


def _adds_beside_slices(op: Any) -> bool:
    """Return True if entries at indices that may be the same are increased, and other axes have slices."""
    at_arrays = isinstance(op, LOOKING_UP) and isinstance(op, WRITING)
    once = op.set_instead_of_inc or getattr(op, "ignore_duplicates", False) if at_arrays else True
    return not once and any(isinstance(entry, slice) for entry in op.idx_list)


def _adding_beside_slices(op: Any, indices: Sequence[Index]) -> Callable[..., Any]:
    import torch

    # a mask of several axes is one index for all of them
    masks = {index.position - 2: index.ndim for index in indices if index.is_mask}

    def add(x: Any, y: Any, *given: Any) -> Any:
        slices: list[slice] = []
        arrays: list[Any] = []
        for entry, place in zip(indices_from_subtensor(given, op.idx_list), op.idx_list, strict=True):
            chooses = isinstance(entry, slice)
            slices += [entry] if chooses else [slice(None)] * masks.get(place, 1)
            arrays.append(None if chooses else entry)
        out = x if op.inplace else x.clone()
        # of the part of `out` that the slices choose, all along their axes
        torch.ops.aten.index_put_(out[tuple(slices)], arrays, y.type_as(x), True)
        return out

    return add


def _check_index(value: Any, x: Any, index: Any) -> None:
    import torch

    entries, size = torch.as_tensor(value).reshape(-1).tolist(), x.shape[index.axis]
    for entry in entries:
        if not -size <= entry < size:
            raise IndexRangeError(entry, index.shown_axis, size)


def _check_shape(found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if len(found) > len(expected) or any(n not in (1, m) for n, m in zip(found[::-1], expected[::-1], strict=False)):
        where, wanted = "inc_subtensor or set_subtensor", f"a shape that broadcasts to {expected}"
        raise ShapeError(where, f"values of shape {found}", wanted)


PATCH = Patch(
    module="pytensor.link.pytorch.dispatch",
    replaces="PyTensor's PyTorch conversions of all ops that read or write by indices",
    why="bytes are taken for a mask, short integers refused, axes come in another order, nothing is added beside a slice, "
    "threads write at equal indices in any order, and errors name temporary variables",
    upstream="not proposed: cast vectors of indices to int64, give numbers beside vectors an axis of one entry, check the "
    "shape of masks, which PyTorch broadcasts, and add beside slices by aten.index_put_ with None for these.",
    delete_when="tests/patches/test_indices_on_backends.py passes with SYMAE_PATCHES=-pytorch_indexing",
    apply=apply,
    expects=(Expected("pytensor.link.pytorch.dispatch.basic", "pytorch_funcify"),),
    after=("pytorch_dispatch",),
)

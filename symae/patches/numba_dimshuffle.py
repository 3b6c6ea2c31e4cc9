"""Arrays with their axes in another order, with new ones and without some, which Numba knows to be in C order where they are.

PyTensor's own conversion gives arrays of unknown strides, in loops over which LLVM makes no vectors: a bias, which gets an axis
before it is added, would slow down the activation after it sixfold. Besides, it takes longer to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.tensor.elemwise import DimShuffle

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    @changes.convert_numba(DimShuffle)
    def dimshuffle(stock: Any, op: DimShuffle, node: Any, **keywords: Any) -> tuple[Any, str | None]:
        function, key = stock(op, node=node, **keywords)
        if op.input_ndim == 0 or not op._new_order:
            return function, key
        view = rearranged(tuple(op._new_order), tuple(op.drop))

        @dispatch.basic.numba_njit
        def dimshuffle(x: Any) -> Any:
            return view(x)

        return dimshuffle, key


def _layout(layout: str, order: Sequence[int], ndim: int) -> str:
    """Return that of the new array: C and F where the old one's is known and moving axes of more than one element keeps it."""
    kept = [axis for axis in order if axis >= 0]
    if layout in "CF" and kept == sorted(kept):
        return layout if layout == "C" or len(order) == ndim else "A"
    if layout in "CF" and list(order) == list(range(ndim))[::-1]:
        return {"C": "F", "F": "C"}[layout]
    return "A"


def rearranged(order: Sequence[int], drop: Sequence[int]) -> Callable[..., Any]:
    """Return a view whose axes are the `order` of the old ones, with new ones of one element for -1, without those in `drop`.

    It raises ValueError where an axis to drop has more than one element.
    """
    from numba.core import cgutils, types
    from numba.core.imputils import impl_ret_borrowed
    from numba.extending import intrinsic

    @intrinsic
    def rearrange(typing: Any, x: Any) -> Any:
        if not isinstance(x, types.Array) or x.ndim == 0:
            return None
        result = x.copy(ndim=len(order), layout=_layout(x.layout, order, x.ndim))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(x)(context, builder, arguments[0])
            shape, strides = cgutils.unpack_tuple(builder, array.shape), cgutils.unpack_tuple(builder, array.strides)
            one = context.get_constant(types.intp, 1)
            for axis in drop:
                with builder.if_then(builder.icmp_signed("!=", shape[axis], one), likely=False):
                    message = "DimShuffle: Attempting to squeeze axes with size not equal to one"
                    context.call_conv.return_user_exc(builder, ValueError, (message,))
            # In a C-ordered array an axis of one element has the stride that its neighbour's extent gives it, which nothing
            # reads; 0 stands for all of them.
            none = context.get_constant(types.intp, 0)
            view = context.make_array(result)(context, builder)
            context.populate_array(
                view,
                data=array.data,
                shape=cgutils.pack_array(builder, [shape[axis] if axis >= 0 else one for axis in order]),
                strides=cgutils.pack_array(builder, [strides[axis] if axis >= 0 else none for axis in order]),
                itemsize=array.itemsize,
                meminfo=array.meminfo,
                parent=array.parent,
            )
            return impl_ret_borrowed(context, builder, result, view._getvalue())

        return result(x), generate

    return rearrange


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of DimShuffle",
    why="activations after a bias are computed number by number, six times slower",
    upstream="not proposed: numba_funcify_DimShuffle goes through as_strided, whose result has layout A; an intrinsic can keep"
    " layout C where the order of the axes is kept and F where they are reversed.",
    delete_when="PyTensor's DimShuffle keeps the layout",
    apply=apply,
    expects=(
        NUMBA_NJIT,
        Expected("pytensor.tensor.elemwise:DimShuffle", "__init__", ("self", "input_ndim", "new_order"), others=True),
        *(Expected("numba.core.cgutils", name) for name in ("unpack_tuple", "pack_array")),
        Expected("numba.core.imputils", "impl_ret_borrowed"),
    ),
)

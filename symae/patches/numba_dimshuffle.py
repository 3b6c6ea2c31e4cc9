"""Arrays with their axes in another order, with new ones and without some, which Numba knows to be in C order where they are.

PyTensor's own conversion gives arrays of unknown strides, in loops over which LLVM makes no vectors: a bias, which gets an axis
before it is added, would slow down the activation after it sixfold. Besides, it takes longer to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

__all__ = ["rearranged"]


def _layout(layout: str, order: Sequence[int], ndim: int) -> str:
    """That of the new array: C and F where the old one's is known and moving axes of more than one element keeps it."""
    kept = [axis for axis in order if axis >= 0]
    if layout in "CF" and kept == sorted(kept):
        return layout if layout == "C" or len(order) == ndim else "A"
    if layout in "CF" and list(order) == list(range(ndim))[::-1]:
        return {"C": "F", "F": "C"}[layout]
    return "A"


def rearranged(order: Sequence[int], drop: Sequence[int]) -> Callable[..., Any]:
    """A view whose axes are the `order` of the old ones, with new ones of one element for -1, without those in `drop`.

    It raises ValueError where an axis to drop has more than one element.
    """

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

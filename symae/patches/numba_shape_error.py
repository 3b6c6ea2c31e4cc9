"""Numba's message about arrays that do not fit a slice is made without texts, while symae compiles.

Numba's own writes the shapes into a text, whose whole arithmetic of strings is then part of every program with an assignment to
a slice: a tenth of what there is to compile. What the process compiles otherwise has Numba's message.
"""

from __future__ import annotations

from typing import Any

from symae.errors import ShapeError
from symae.patches.changes import Changes
from symae.patches.numba_deferred_codegen import compiling_whole_programs
from symae.patches.patch import Expected, Patch

FOUND, EXPECTED = "an array of shape {}", "one that broadcasts to {}"


def apply(_: Any, changes: Changes) -> None:
    from numba.core import dispatcher
    from numba.core.compiler_lock import global_compiler_lock
    from numba.extending import overload
    from numba.np import arrayobj

    def different_shapes(src_shapes: Any, index_shape: Any) -> None:
        raise NotImplementedError

    @overload(different_shapes)
    def refuse_shapes(src_shapes: Any, index_shape: Any) -> Any:
        def refuse_shapes(src_shapes: Any, index_shape: Any) -> Any:
            raise ShapeError("assignment to a slice", FOUND, EXPECTED, src_shapes, index_shape)

        return refuse_shapes

    compile_before = dispatcher.Dispatcher.compile

    def compile(self: Any, sig: Any) -> Any:
        if not compiling_whole_programs():
            return compile_before(self, sig)
        with global_compiler_lock:  # nobody else compiles meanwhile
            stock, arrayobj.raise_with_shape_context = arrayobj.raise_with_shape_context, different_shapes
            try:
                return compile_before(self, sig)
            finally:
                arrayobj.raise_with_shape_context = stock

    changes.replace(dispatcher.Dispatcher, "compile", compile)


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="numba.np.arrayobj.raise_with_shape_context, within numba.core.dispatcher.Dispatcher.compile",
    why="each program with an assignment to a slice takes a tenth longer to compile",
    upstream="not proposed: raise_with_shape_context on CPUs could raise ValueError with the two shapes as arguments instead "
    "of formatting them, which pulls Numba's str(int) and str.join into every module with a slice assignment.",
    delete_when="Numba's error no longer formats texts in machine code",
    apply=apply,
    expects=(
        Expected("numba.np.arrayobj", "raise_with_shape_context", ("src_shapes", "index_shape")),
        Expected("numba.core.dispatcher:Dispatcher", "compile", ("self", "sig")),
        Expected("numba.core.compiler_lock", "global_compiler_lock"),
    ),
    after=("numba_deferred_codegen", "numba_cache_keys"),
)

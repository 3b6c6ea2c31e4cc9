"""What kernels refuse within a function that JAX maps over an axis is not looked at: it has no outputs beside its own."""

from __future__ import annotations

from typing import Any

from pytensor.tensor.blockwise import Blockwise

from symae.ops.runtime_errors import without_checks
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    stock = dispatch.jax_funcify.dispatch(Blockwise)

    @changes.convert(dispatch.jax_funcify, Blockwise)
    def blockwise(op: Blockwise, **keywords: Any) -> Any:
        return without_checks(stock(op, **keywords))


PATCH = Patch(
    module="pytensor.link.jax.dispatch",
    replaces="PyTensor's JAX conversion of Blockwise",
    why="a condition that a kernel of symae collects within jax.vmap would leak a tracer, which JAX refuses",
    upstream="not proposed: it is symae's own way to raise errors from traced functions that makes it necessary.",
    delete_when="JAX lets traced functions raise (jax.experimental.checkify without its overhead)",
    apply=apply,
    expects=(Expected("pytensor.link.jax.dispatch.basic", "jax_funcify"),),
)

"""One of two branches, each a graph of its own, of which only the one that is asked for is computed.

`symae.rewrites.lazy_branches` makes it of PyTensor's ``IfElse``, whose branches are computed before it on all backends but C.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import _NoPythonOp

from symae._runtime.import_hooks import after_import
from symae.ops.runtime_errors import collected, error_unless


class LazyIfElse(_NoPythonOp):
    """Compute the outputs of `then` if the condition is not 0, else those of `otherwise`: graphs of the same inputs.

    They are rewritten for their backend already, and their outputs share no memory with their inputs or with each other.
    """

    def __init__(self, then: FunctionGraph, otherwise: FunctionGraph, types: Sequence[Any]):
        self.then, self.otherwise, self.types = then, otherwise, tuple(types)

    def make_node(self, condition: Any, *inputs: Variable) -> Apply:
        return Apply(self, [pt.as_tensor_variable(condition), *inputs], [t() for t in self.types])

    def __str__(self) -> str:
        return "LazyIfElse"

    @property
    def branches(self) -> tuple[FunctionGraph, FunctionGraph]:
        return self.then, self.otherwise


def _connect_numba(_: Any) -> None:
    from pytensor.link.numba.dispatch import basic

    @basic.register_funcify_and_cache_key(LazyIfElse)
    def lazy_ifelse(op: LazyIfElse, storage_map: Any = None, node: Any = None, **keywords: Any) -> tuple[Any, str | None]:
        functions, keys = zip(
            *(
                basic.numba_funcify_ensure_cache(branch, squeeze_output=True, fgraph_name="branch", **keywords)
                for branch in op.branches
            ),
            strict=True,
        )
        then, otherwise = functions

        @basic.numba_njit
        def lazy_ifelse(condition: Any, *inputs: Any) -> Any:
            if condition:
                return then(*inputs)
            return otherwise(*inputs)

        if None in keys:
            return lazy_ifelse, None  # something in a branch runs in Python
        return lazy_ifelse, hashlib.sha256(f"LazyIfElse 1 {keys}".encode()).hexdigest()


def _connect_jax(dispatch: Any) -> None:
    import jax
    import jax.numpy as jnp

    @dispatch.jax_funcify.register(LazyIfElse)
    def lazy_ifelse(op: LazyIfElse, storage_map: Any = None, node: Any = None, **keywords: Any) -> Callable[..., Any]:
        functions = [dispatch.jax_funcify(branch, **keywords) for branch in op.branches]
        dtypes = [t.dtype for t in op.types]

        def lazy_ifelse(condition: Any, *inputs: Any) -> Any:
            branches = [_JaxBranch(function, inputs, dtypes) for function in functions]
            shapes, errors = zip(*(branch.shapes() for branch in branches), strict=True)
            wanted = jnp.asarray(condition) != 0
            if all(errors):
                raise errors[0]
            if any(errors):
                return _only(branches[errors[0] is not None], wanted ^ (errors[0] is not None), next(filter(None, errors)))
            # what the kernels of one branch have to refuse, and nothing of the other's
            nothing = [jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), checks) for _, checks in shapes]

            def then() -> Any:
                outputs, checks = branches[0]()
                return outputs, checks, nothing[1]

            def otherwise() -> Any:
                outputs, checks = branches[1]()
                return outputs, nothing[0], checks

            outputs, *checks = jax.lax.cond(wanted, then, otherwise)
            for branch, own in zip(branches, checks, strict=True):
                branch.refuse(own)
            return outputs if len(outputs) > 1 else outputs[0]

        return lazy_ifelse


def _only(branch: _JaxBranch, wanted: Any, error: Exception) -> Any:
    """Return the outputs of `branch`, where the other one is an error by its shapes, which JAX knows before it computes."""
    if not error_unless(wanted, lambda: error):
        raise error
    outputs, checks = branch()
    branch.refuse([(holds | ~wanted, values) for holds, values in checks])
    return outputs if len(outputs) > 1 else outputs[0]


class _JaxBranch:
    """Hold a branch as JAX traces it.

    Its inputs are closed over, and no operands: numbers that are known stay so within, where they may be sizes.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[Any], dtypes: Sequence[str]):
        self.function, self.inputs, self.dtypes = function, inputs, dtypes
        self.errors: list[Callable[..., Exception]] = []

    def __call__(self) -> tuple[tuple[Any, ...], list[tuple[Any, list[Any]]]]:
        """Return the outputs, and the conditions and values of what kernels refuse."""
        import jax.numpy as jnp

        outputs, refusals = collected(self.function)(*self.inputs)
        self.errors = [error for _, error, _ in refusals]
        checks = [(jnp.asarray(holds), [jnp.asarray(v) for v in values]) for holds, _, values in refusals]
        return tuple(jnp.asarray(v, dtype) for v, dtype in zip(outputs, self.dtypes, strict=True)), checks

    def shapes(self) -> tuple[Any, Exception | None]:
        """Return the shapes of what a call returns, or the error that these inputs' shapes lead to."""
        import jax

        try:
            return jax.eval_shape(self), None
        except Exception as error:
            return None, error

    def refuse(self, checks: list[tuple[Any, list[Any]]]) -> None:
        """Hand on what a call found, outside of the branch."""
        for error, (holds, values) in zip(self.errors, checks, strict=True):
            error_unless(holds, error, *values)


def _connect_pytorch(dispatch: Any) -> None:
    import torch

    @dispatch.pytorch_funcify.register(LazyIfElse)
    def lazy_ifelse(op: LazyIfElse, storage_map: Any = None, node: Any = None, **keywords: Any) -> Callable[..., Any]:
        then, otherwise = (dispatch.pytorch_funcify(branch, squeeze_output=True, **keywords) for branch in op.branches)

        # torch.compile splits the program here in any case, and does not find the constants of functions within a function.
        @torch.compiler.disable
        def lazy_ifelse(condition: Any, *inputs: Any) -> Any:
            return then(*inputs) if condition else otherwise(*inputs)

        return lazy_ifelse


after_import("pytensor.link.numba.dispatch", _connect_numba)
after_import("pytensor.link.jax.dispatch", _connect_jax)
after_import("pytensor.link.pytorch.dispatch", _connect_pytorch)

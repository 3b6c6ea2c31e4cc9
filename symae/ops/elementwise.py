"""Functions of numbers with symae's kernels on Numba: PyTensor's exp, log, sigmoid, softplus and tanh, and a cross-entropy.

The first are PyTensor's own in all but the machine code, which is that of `symae.kernels.elementwise`; the rewrites
`vectorised_functions` and `sigmoid_cross_entropy` put them where they pay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.scalar.basic import BinaryScalarOp, Exp, Log, Tanh, exp, log, tanh, upgrade_to_float
from pytensor.scalar.math import Sigmoid, Softplus, sigmoid, softplus

from symae._runtime.import_hooks import after_import
from symae.kernels.fingerprint import fingerprint


class VectorisedExp(Exp):
    pass


class VectorisedLog(Log):
    pass


class VectorisedSigmoid(Sigmoid):
    pass


class VectorisedSoftplus(Softplus):
    pass


class VectorisedTanh(Tanh):
    pass


# PyTensor's for each, and the same with other machine code
VECTORISED = {
    original: kind(original.output_types_preference, name=f"vectorised_{name}")
    for name, original, kind in (
        ("exp", exp, VectorisedExp),
        ("log", log, VectorisedLog),
        ("sigmoid", sigmoid, VectorisedSigmoid),
        ("softplus", softplus, VectorisedSoftplus),
        ("tanh", tanh, VectorisedTanh),
    )
}


class SigmoidCrossEntropy(BinaryScalarOp):
    """Compute (a, x) -> the cross-entropy of sigmoid(a) with x, in nats: -x log(s(a)) - (1 - x) log(1 - s(a)).

    Finite for every finite a. The rewrites make it after all gradients were taken, so it has none.
    """

    def impl(self, a: Any, x: Any) -> Any:
        a, x = np.asarray(a), np.asarray(x)
        return np.abs(a) * np.where(a > 0, 1 - x, x) + np.log1p(np.exp(-np.abs(a)))

    def c_code(self, node: Apply, name: str, inputs: Any, outputs: Any, sub: Any) -> str:
        (a, x), (z,) = inputs, outputs
        return f"{z} = fabs({a}) * ({a} > 0 ? 1 - {x} : {x}) + log1p(exp(-fabs({a})));"

    def c_code_cache_version(self) -> tuple[int, ...]:
        return (1,)


sigmoid_cross_entropy = SigmoidCrossEntropy(upgrade_to_float, name="sigmoid_cross_entropy")


def _connect(dispatch: Any) -> None:
    @dispatch.basic.register_funcify_and_cache_key(SigmoidCrossEntropy)
    def _(op: Any, node: Apply, **_: Any) -> tuple[Callable[..., Any], str]:
        from symae.kernels.elementwise import cross_entropy

        @dispatch.basic.numba_njit(forceinline=True)
        def function(a: Any, x: Any) -> Any:
            return cross_entropy(a, x)

        return function, f"{fingerprint()} sigmoid_cross_entropy"

    for op in VECTORISED.values():
        name = op.name.removeprefix("vectorised_")

        @dispatch.basic.register_funcify_and_cache_key(type(op))
        def _(op: Any, node: Apply, name: str = name, **_: Any) -> tuple[Callable[..., Any], str]:
            from symae.kernels.elementwise import FUNCTIONS

            kernel = FUNCTIONS[name]

            @dispatch.basic.numba_njit(forceinline=True)
            def function(x: Any) -> Any:
                return kernel(x)

            return function, f"{fingerprint()} {name}"


after_import("pytensor.link.numba.dispatch", _connect)


def _cross_entropy(arrays: Any) -> Callable[..., Any]:
    """Return the op as a function of arrays that are the module `arrays`' own."""

    def cross_entropy(a: Any, x: Any) -> Any:
        size = arrays.abs(a)
        return size * arrays.where(a > 0, 1 - x, x) + arrays.log1p(arrays.exp(-size))

    return cross_entropy


def _connect_jax(dispatch: Any) -> None:
    import jax

    cross_entropy = jax.custom_jvp(_cross_entropy(jax.numpy))
    # of what users derive themselves: |a| has no derivative at 0
    cross_entropy.defjvps(lambda da, _, a, x: (jax.nn.sigmoid(a) - x) * da, lambda dx, _, a, x: -a * dx)

    @dispatch.jax_funcify.register(SigmoidCrossEntropy)
    def _(op: Any, **_: Any) -> Callable[..., Any]:
        return cross_entropy


after_import("pytensor.link.jax.dispatch", _connect_jax)


def _connect_pytorch(dispatch: Any) -> None:
    import torch

    traced = _cross_entropy(torch)

    def cross_entropy(a: Any, x: Any) -> Any:
        if torch.compiler.is_compiling() or a.shape != x.shape:  # one may be a row that is repeated
            return traced(a, x)
        # the same without a choice, which PyTorch makes one by one, for ten times as long as it multiplies
        rest = (1 - x).mul_(torch.relu(a)).addcmul_(torch.clamp_max(a, 0), x, value=-1)
        e = torch.abs(a).neg_().exp_()
        if a.dtype is not torch.float64:
            return rest.add_(e.log1p_())  # logsigmoid takes a third longer
        # of doubles that takes as long as all else: log(1 + e), and what is lost where 1 + e is rounded
        larger = e + 1
        return rest.add_(torch.log(larger)).addcdiv_(e.sub_(larger - 1), larger)

    dispatch.pytorch_funcify.register(SigmoidCrossEntropy, lambda op, **_: cross_entropy)


after_import("pytensor.link.pytorch.dispatch", _connect_pytorch)


def _connect_mlx(dispatch: Any) -> None:
    import mlx.core as mx

    dispatch.mlx_funcify.register(SigmoidCrossEntropy, lambda op, **_: _cross_entropy(mx))


after_import("pytensor.link.mlx.dispatch", _connect_mlx)

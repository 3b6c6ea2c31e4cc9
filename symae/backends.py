"""Conversions that PyTensor's backends lack or have wrong, connected when PyTensor loads the backend.

Ops of symae bring their kernels themselves (`symae.ops.base`); here are PyTensor's own ops.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import wrapt
from pytensor.scalar.basic import EQ
from pytensor.tensor.math import Argmax

__all__: list[str] = []


def _mend_pytorch(dispatch: Any) -> None:
    import torch

    # What torch.compile says of every symbolic slice and every read-only constant that PyTensor hands it: nobody can mend it.
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")

    @dispatch.pytorch_funcify.register(EQ)
    def eq(op: EQ, **_: Any) -> Callable[..., Any]:
        return torch.eq  # PyTensor takes torch.equal, which compares whole tensors and gives one bool

    @dispatch.pytorch_funcify.register(Argmax)
    def argmax(op: Argmax, node: Any, **_: Any) -> Callable[..., Any]:
        ndim = node.inputs[0].type.ndim
        axes = tuple(range(ndim)) if op.axis is None else op.axis
        kept = tuple(axis for axis in range(ndim) if axis not in axes)

        def flat_argmax(x: torch.Tensor) -> torch.Tensor:
            # one axis made of all the reduced ones; the first maximum counts, as in NumPy
            flat = x.permute(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)
            return torch.argmax(flat, dim=-1)

        return flat_argmax


wrapt.register_post_import_hook(_mend_pytorch, "pytensor.link.pytorch.dispatch")

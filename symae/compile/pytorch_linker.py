"""PyTorch as symae uses it: errors in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.link.pytorch.linker import PytorchLinker

from symae.errors import IndexRangeError, MaskShapeError, ShapeError
from symae.patches.pytorch_indexing import looking_at_indices

__all__ = ["ExplainingPytorchLinker"]


class ExplainingPytorchLinker(PytorchLinker):
    """PyTensor's PytorchLinker, whose functions say of an index which one is outside of which axis."""

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        call = super().jit_compile(fn)

        def explaining(*inputs: Any) -> Any:
            try:
                return call(*inputs)
            except Exception as error:
                # The rewrites that work in place are not for PyTorch, so the inputs are what they were.
                explained = _explained(call, inputs)
                raise (error if explained is None else explained) from None

        return explaining


def _explained(call: Callable[..., Any], inputs: Sequence[Any]) -> Exception | None:
    """What is wrong with an index in a call that has failed."""
    import torch

    with torch.compiler.set_stance("force_eager"), looking_at_indices():
        try:
            call(*inputs)
        except (IndexRangeError, MaskShapeError, ShapeError) as error:
            return error
        except Exception:
            return None  # the first error says as much
    return None

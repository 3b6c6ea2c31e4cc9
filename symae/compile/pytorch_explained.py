"""A program of PyTorch's whose errors say what is wrong with an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symae._runtime.quiet import without_log
from symae.errors import IndexRangeError, MaskShapeError, ShapeError
from symae.patches.pytorch_indexing import looking_at_indices


class ExplainingProgram:
    """Call a `symae.compile.pytorch_program.PytorchProgram`; what it raises says what is wrong with an index."""

    def __init__(self, program: Any):
        self.program = program
        # what torch.compile says where it has to make two programs of one: nobody can mend it
        self.quiet = without_log("torch._dynamo")

    def __call__(self, *inputs: Any) -> Any:
        try:
            with self.quiet:
                return self.program(*inputs)
        except Exception as error:
            raise self.explained(error, inputs) from None

    def explained(self, error: Exception, inputs: Sequence[Any]) -> Exception:
        """Return what a call with such inputs should raise that has raised `error`."""
        # What is written in place is written last, so the inputs are what they were.
        return _explained(self.program, inputs) or error


def _explained(program: Any, inputs: Sequence[Any]) -> Exception | None:
    """Return what is wrong with an index in a call that has failed."""
    with looking_at_indices():
        try:
            program.eagerly(*inputs)
        except (IndexRangeError, MaskShapeError, ShapeError) as error:
            return error
        except Exception:
            return None  # the first error says as much
    return None

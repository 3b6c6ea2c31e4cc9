"""How the ops of convolution call their kernels in C++."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply

from symae.errors import InputError
from symae.geometry.convolution import BorderMode
from symae.kernels import header, tuning
from symae.kernels.conv.select import Operation
from symae.ops.base import BackendOp


class ConvolutionInC(BackendOp):
    """Connect an op to its kernel in ``symae/kernels/conv/convolution.h``, which has the name of its operation."""

    operation: Operation

    border_mode: BorderMode
    subsample: tuple[int, int]
    filter_flip: bool
    dilation: tuple[int, int]
    groups: int

    def result_shape(self, *sizes: Any) -> tuple[int, ...]:
        """Return the shape of the result, from those of the two arrays and the scalars that follow; InputError if none."""
        raise NotImplementedError

    @classmethod
    def complaint(cls, settings: str, sizes: Sequence[Any]) -> str:
        """Return what `perform` says about sizes that the C++ kernel refused; it asks here, so that there is one text."""
        op = cls(*ast.literal_eval(settings))
        try:
            op.result_shape(*sizes)
        except InputError as error:
            return str(error)
        return f"{op}: found sizes {sizes}, expected ones that fit"

    def c_support_code(self, **_: Any) -> str:
        limits = {"MAPS": tuning.CONVOLUTION.maps_for_blas, "COLUMN": tuning.CONVOLUTION.column_for_blas}
        defined = "".join(f"#define SYMAE_{name}_FOR_BLAS {limit}\n" for name, limit in limits.items())
        return defined + header("conv/geometry.h") + header("conv/convolution.h")

    def c_code(self, node: Apply, name: str, inputs: Sequence[str], outputs: Sequence[str], sub: dict[str, str]) -> str:
        dtype = np.dtype(node.outputs[0].type.dtype)
        if dtype not in (np.float32, np.float64):
            raise NotImplementedError(f"{self} has no C kernel for {dtype}")  # PyTensor then runs perform
        function, constants = self.c_function(node)
        passed = [
            f"*(npy_int64 *)PyArray_DATA({name})" if variable.type.ndim == 0 else name
            for name, variable in zip(inputs, node.inputs, strict=True)
        ]
        arguments = ", ".join([*passed, f"&{outputs[0]}", str(dtype.num), self._c_setup()])
        return f"if ({function}<npy_{dtype.name}, {', '.join(map(str, constants))}>({arguments})) {{ {sub['fail']} }}"

    def c_function(self, node: Apply) -> tuple[str, Sequence[int]]:
        """Return the name of the C++ function, and its template arguments after the type."""
        return f"symae_convolution::{self.operation.value}", (*self.subsample, *self.dilation)

    def c_settings(self) -> tuple[Any, ...]:
        """Return what `complaint` makes the op of again; Python writes and reads it."""
        return tuple(self._props())

    def _c_setup(self) -> str:
        """Return the settings as the C++ structure."""
        axes = []
        for axis in (0, 1):
            named = isinstance(self.border_mode, str)
            mode = str(self.border_mode).upper() if named else "GIVEN"
            before, after = (0, 0) if isinstance(self.border_mode, str) else self.border_mode[axis]
            axes.append(f"{{symae_convolution::{mode}, {before}, {after}, {self.subsample[axis]}, {self.dilation[axis]}}}")
        texts = map(json.dumps, (type(self).__module__, type(self).__name__, repr(self.c_settings())))
        return f"symae_convolution::setup{{{', '.join([*axes, str(self.groups), str(self.filter_flip).lower(), *texts])}}}"

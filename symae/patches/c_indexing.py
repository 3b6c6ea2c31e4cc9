"""On the C backend a number that is outside of an axis is named, and one beyond 32 bits is no other number.

PyTensor's C code of slices and numbers says "index out of bounds" and no more, and keeps the number in an int.
"""

from __future__ import annotations

from typing import Any

from pytensor.tensor.subtensor import Subtensor

__all__: list[str] = []

_SILENT = 'PyErr_Format(PyExc_IndexError,"index out of bounds");'
_TOLD = (
    'PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis %d with size %zd", '
    "(Py_ssize_t)subtensor_spec[spec_pos], (int)outer_ii, (Py_ssize_t)PyArray_DIMS({x})[outer_ii]);"
)


def _connect() -> None:
    c_code, version = Subtensor.helper_c_code, Subtensor.helper_c_code_cache_version

    def helper_c_code(node: Any, name: str, inputs: Any, *others: Any, **named: Any) -> str:
        code: str = c_code(node, name, inputs, *others, **named)
        code = code.replace("int idx = subtensor_spec[spec_pos];", "npy_intp idx = subtensor_spec[spec_pos];")
        return code.replace(_SILENT, _TOLD.format(x=inputs[0]))

    Subtensor.helper_c_code = staticmethod(helper_c_code)
    Subtensor.helper_c_code_cache_version = staticmethod(lambda: (*version(), "named", 1))


_connect()

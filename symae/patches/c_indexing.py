"""On the C backend a number that is outside of an axis is named, and one beyond 32 bits is not another number.

PyTensor's C code of slices and numbers says "index out of bounds" and no more, and keeps the number in an int.
"""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

_SILENT = 'PyErr_Format(PyExc_IndexError,"index out of bounds");'
_TOLD = (
    'PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis %d with size %zd", '
    "(Py_ssize_t)subtensor_spec[spec_pos], (int)outer_ii, (Py_ssize_t)PyArray_DIMS({x})[outer_ii]);"
)


def apply(subtensor: Any, changes: Changes) -> None:
    Subtensor = subtensor.Subtensor
    c_code, version = Subtensor.helper_c_code, Subtensor.helper_c_code_cache_version

    def helper_c_code(node: Any, name: str, inputs: Any, *others: Any, **named: Any) -> str:
        code: str = c_code(node, name, inputs, *others, **named)
        code = code.replace("int idx = subtensor_spec[spec_pos];", "npy_intp idx = subtensor_spec[spec_pos];")
        return code.replace(_SILENT, _TOLD.format(x=inputs[0]))

    changes.replace(Subtensor, "helper_c_code", staticmethod(helper_c_code))
    changes.replace(Subtensor, "helper_c_code_cache_version", staticmethod(lambda: (*version(), "named", 1)))


PATCH = Patch(
    module="pytensor.tensor.subtensor",
    replaces="pytensor.tensor.subtensor.Subtensor.helper_c_code, and its cache version",
    why="an index that is outside is not named, and one beyond 32 bits is another number",
    upstream="not proposed: idx in helper_c_code should be npy_intp, and the IndexError name index, axis and size.",
    delete_when="tests/patches/test_index_errors.py passes with SYMAE_PATCHES=-c_indexing",
    apply=apply,
    expects=(
        Expected("pytensor.tensor.subtensor:Subtensor", "helper_c_code", ("node", "name", "inputs"), others=True),
        Expected("pytensor.tensor.subtensor:Subtensor", "helper_c_code_cache_version", ()),
    ),
)

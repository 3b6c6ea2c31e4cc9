#!/usr/bin/env bash
# PyTensor 3.0.7, default mode (Numba): 1 / i of whole numbers has the digits of float32, in an array that says float64.
#
# Expected: 1 / 7 = 0.14285714285714285, as NumPy, PyTensor's C mode and i.astype(float64) give. Seen: 0.1428571492433548 for
# int32 and int64 vectors. Learning rates such as 1 / (epoch + 1) are computed so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numba==0.65.1" "numpy==2.4.6" packaging
PYTENSOR_FLAGS="base_compiledir=$work/compiled" "$work/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt

for dtype in ("int32", "int64"):
    i = pt.vector("i", dtype=dtype)
    expression = 1 / i
    for mode in ("NUMBA", "FAST_COMPILE"):
        found = pytensor.function([i], expression, mode=mode)(np.array([7], dtype))
        print(f"  {dtype} {mode:12} {found.dtype} {float(found[0])!r}")
        assert found.dtype == "float64"
        assert (found[0] == 1 / 7) == (mode == "FAST_COMPILE"), found
        if mode == "NUMBA":
            assert abs(found[0] - 1 / 7) > 1e-10
print("as found: float32's digits on Numba")
PYTHON

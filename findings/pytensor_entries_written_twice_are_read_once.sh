#!/usr/bin/env bash
# PyTensor 3.0.7, all modes: what is read back by the indices that it was written by is not what is there, if one comes twice.
#
# Expected of set_subtensor(x[i], y)[i] with i = [1, 1] and y = [1, 2]: [2, 2], the last value written, twice, as NumPy reads it.
# Seen: [1, 2], in the default mode (Numba) and in FAST_COMPILE, because a rewrite takes y for what is read. Without the rewrite
# local_read_of_write_same_indices it is [2, 2].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numba==0.65.1" "numpy==2.4.6" packaging
PYTENSOR_FLAGS="base_compiledir=$work/compiled" "$work/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import get_mode

x, y, i = pt.dvector("x"), pt.dvector("y"), pt.lvector("i")
read = pt.set_subtensor(x[i], y)[i]
values, rows = np.array([1.0, 2.0]), np.array([1, 1])
table = np.zeros(3)
table[rows] = values
rewrite = "local_read_of_write_same_indices"
for mode in ("NUMBA", "FAST_COMPILE"):
    found, without = (
        pytensor.function([x, y, i], read, mode=m)(np.zeros(3), values, rows) for m in (mode, get_mode(mode).excluding(rewrite))
    )
    print(f"  {mode:12} {found}  without the rewrite {without}  NumPy {table[rows]}")
    assert found.tolist() == [1, 2]
    assert without.tolist() == table[rows].tolist() == [2, 2]
PYTHON
echo "as found: the values, not the entries"

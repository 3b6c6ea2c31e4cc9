#!/usr/bin/env bash
# PyTensor 3.0.7: set_subtensor(x[:], y) is y, of y's shape, also where y is one number for all entries of x.
#
# Expected: what set_subtensor(x[1:], y) and NumPy's x[:] = y do: y is broadcast along x, and a y that does not fit is an error.
# Seen: a rewrite takes writing all entries for y itself and looks at the ranks alone, not at lengths that are unknown when it
# compiles: y of length 1 makes a result of length 1 out of an x of length 3, without a word, in every mode. Where the length of y
# is in its type the result is right, so it depends on what the compiler knows. The same with 3.3.8.
# What helps: pytensor.tensor.zeros_like(x) + y for one number; or a y of a known shape.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6"
PYTENSOR_FLAGS=base_compiledir="$work/compiled" "$work/venv/bin/python" - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt

x, y, one = pt.dvector("x"), pt.dvector("y"), pt.tensor("one", dtype="float64", shape=(1,))
for mode in ("FAST_COMPILE", "FAST_RUN"):
    all_entries = pytensor.function([x, y], pt.set_subtensor(x[:], y), mode=mode)(np.zeros(3), np.ones(1))
    but_one = pytensor.function([x, y], pt.set_subtensor(x[1:], y), mode=mode)(np.zeros(3), np.ones(1))
    known = pytensor.function([x, one], pt.set_subtensor(x[:], one), mode=mode)(np.zeros(3), np.ones(1))
    print(f"  {mode}: x[:] {all_entries}, x[1:] {but_one}, x[:] by a value of known length {known}; NumPy: [1. 1. 1.]")
    assert all_entries.tolist() == [1.0]
    assert but_one.tolist() == [0.0, 1.0, 1.0]
    assert known.tolist() == [1.0, 1.0, 1.0]
print("as found: writing all entries gave the value, of its own length")
PYTHON

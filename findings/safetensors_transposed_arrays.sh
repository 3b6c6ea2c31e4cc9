#!/usr/bin/env bash
# safetensors 0.8.0, NumPy: a transposed or Fortran-ordered array is written with its elements in another order, without a word.
#
# Expected: what `save` writes is what `load` reads, as with 0.7.0, or a refusal, as safetensors.torch has for such tensors.
# Seen with 0.8.0: the bytes are those of the array as it lies in memory, the shape is that of the view. The transpose of
# [[0 1 2] [3 4 5]] comes back as [[0 1] [2 3] [4 5]]. Tied weights are saved like that when somebody saves the decoder's W'.
# What helps: np.ascontiguousarray before save.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 0.7.0 0.8.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install -q "safetensors==$version" "numpy==2.4.6"
    "$work/$version/bin/python" - "$version" <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load, save

W = np.arange(6, dtype="float32").reshape(2, 3)
back = load(save({"W": W, "transposed": W.T, "fortran": np.asfortranarray(W), "copied": np.ascontiguousarray(W.T)}))
print(f"safetensors {sys.argv[1]}")
print("  transposed:", back["transposed"].tolist(), "expected", W.T.tolist())
print("  Fortran-ordered:", back["fortran"].tolist(), "expected", W.tolist())
assert np.array_equal(back["W"], W) and np.array_equal(back["copied"], W.T)
same = np.array_equal(back["transposed"], W.T), np.array_equal(back["fortran"], W)
assert same == ((True, True) if sys.argv[1] == "0.7.0" else (False, False)), same
PYTHON
done
echo "as found: 0.7.0 writes them right, 0.8.0 in another order"

#!/usr/bin/env bash
# PyTensor 3.0.7: the gradient of sparse * dense by the sparse matrix can be computed if the dense one is an input, not if it is
# a shared variable or a constant.
#
# Expected: the same numbers for all three. Seen: numbers for an input; for a shared variable and a constant the graph has an
# Elemwise product of a dense and a sparse matrix, and the function raises a ValueError in FAST_COMPILE. The gradient is written
# y * gz: Python asks the class of gz first where that is a subclass of y's, as SparseVariable is of TensorVariable, but it is
# none of TensorSharedVariable's and TensorConstant's.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numba==0.65.1" "numpy==2.4.6" packaging
PYTENSOR_FLAGS="base_compiledir=$work/compiled,mode=FAST_COMPILE" "$work/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.sparse as sparse
import pytensor.tensor as pt

values, factors = np.array([[1.0, 0, 2], [0, 3, 0]]), np.arange(6.0).reshape(2, 3) + 1
x, dense = pt.dmatrix("x"), pt.dmatrix("dense")
found = {}
for kind, y in (("input", dense), ("shared", pytensor.shared(factors)), ("constant", pt.constant(factors))):
    cost = sparse.dense_from_sparse(sparse.multiply(sparse.csr_from_dense(x), y)).sum()
    f = pytensor.function([x, dense], pytensor.grad(cost, x), on_unused_input="ignore")
    try:
        found[kind] = f(values, factors).tolist()
    except ValueError as error:
        found[kind] = str(error).splitlines()[0]
    print(f"  {kind:8} {found[kind]}")
assert found["input"] == (factors * (values != 0)).tolist()
assert found["shared"] == found["constant"] == "setting an array element with a sequence."
PYTHON
echo "as found: numbers for an input alone"

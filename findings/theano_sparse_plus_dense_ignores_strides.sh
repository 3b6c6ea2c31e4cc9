#!/usr/bin/env bash
# Theano 1.0.5 with a C++ compiler: sparse + dense and sparse * dense read a transposed or Fortran-ordered array in the wrong order.
#
# Expected: what NumPy computes, and Theano itself without a compiler. Seen: the numbers of the dense matrix are taken as they lie
# in memory, row by row, without an error. Data read from MATLAB's or R's files is in that order.
# What helps: numpy.ascontiguousarray before the call.
# Needs Python 3.8, the last one on which Theano 1.0.5 runs with its NumPy, and g++; PYTHON names it if it is not `python3.8`.
set -euo pipefail
python=${PYTHON:-python3.8}
"$python" --version >/dev/null 2>&1 || { export PYENV_VERSION=3.8.18; "$python" --version >/dev/null; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q "Theano==1.0.5" "numpy==1.21.6" "scipy==1.7.3" 2>/dev/null
cat >"$work/sums.py" <<'PYTHON'
import sys

import numpy as np
import scipy.sparse
import theano
import theano.tensor as T
from theano import sparse

x, m = sparse.csr_matrix("x", dtype="float64"), T.dmatrix("m")
f = theano.function([x, m], [m + x, m * x])
A = scipy.sparse.csr_matrix([[0.0, 2, 0], [1, 0, 3]])
rows = np.array([[1.0, 3, 5], [2, 4, 6]])
right = [(A.toarray() + rows).tolist(), (A.toarray() * rows).tolist()]


def called(dense):
    total, product = f(A, dense)
    return [np.asarray(total).tolist(), product.toarray().tolist()]


print("  {:12} rows: {}".format(sys.argv[1], called(rows)))
print("  {:12} columns: {}, expected the same".format(sys.argv[1], called(np.asfortranarray(rows))))
assert called(rows) == right
assert (called(np.asfortranarray(rows)) == right) == (sys.argv[1] == "interpreted")
PYTHON
THEANO_FLAGS="base_compiledir=$work/compiled" "$work/venv/bin/python" -W ignore "$work/sums.py" compiled 2>/dev/null
THEANO_FLAGS="base_compiledir=$work/other,cxx=" "$work/venv/bin/python" -W ignore "$work/sums.py" interpreted 2>/dev/null
echo "as found: the compiled code forgets how the dense matrix lies in memory"

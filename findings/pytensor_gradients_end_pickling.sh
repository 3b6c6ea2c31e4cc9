#!/usr/bin/env bash
# PyTensor 3.0.7: an expression with an OpFromGraph in it can be pickled, but no more once its gradient was taken.
#
# Expected: taking a gradient reads an expression. It changes nothing of it; pickle.dumps does after it what it did before.
# Seen: OpFromGraph keeps the functions that its gradient was made by, defined within a method, as attributes of the operation
# itself, and pickle refuses these: "Can't pickle local object OpFromGraph._build_and_cache_lop_op.<locals>.wrapper". Operations
# that PyTensor itself makes that way are met, too, without an OpFromGraph in sight: pytensor.tensor.diag of a vector. So a program
# that saves its model saves it before the training is set up, and not after. The same with 3.3.8.
# What helps: pickling before the gradient, or a copy of the expression; deleting the two caches from the operation.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6"
PYTENSOR_FLAGS=base_compiledir="$work/compiled" "$work/venv/bin/python" - <<'PYTHON'
import pickle

import pytensor
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph

inner, x, y = pt.dvector("inner"), pt.dvector("x"), pt.dvector("y")
costs = {"OpFromGraph": (OpFromGraph([inner], [inner**2])(x).sum(), x), "diag": (pt.diag(y).sum(), y)}
for name, (cost, variable) in costs.items():
    size = len(pickle.dumps(cost))
    pytensor.grad(cost, variable)
    try:
        pickle.dumps(cost)
    except (AttributeError, pickle.PicklingError) as error:
        print(f"  {name}: {size} bytes before the gradient, after it {type(error).__name__}: {error}")
        assert "OpFromGraph._build_and_cache_lop_op.<locals>" in str(error)
    else:
        raise SystemExit(f"{name}: can be pickled after its gradient was taken")
print("as found: taking a gradient ended pickling")
PYTHON

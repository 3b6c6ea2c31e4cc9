#!/usr/bin/env bash
# PyTensor 3.0.7: OpFromGraph takes any keyword and forgets it, Theano's grad_overrides among them, so gradients are not overridden.
#
# Expected: a gradient of 7 and 9, which grad_overrides asks for, as under Theano 1.0.5; or a TypeError, because the argument is
# called otherwise today. Seen in the default mode (Numba), which expands the operation before it is called: the gradients of the
# product itself, 3 and 2, without a word; a keyword that never existed is taken as well. Only a mode that calls the operation,
# such as FAST_COMPILE, ends in a TypeError, at its first call. Straight-through estimators and clipped gradients of that time
# train on with another gradient.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numba==0.65.1" "numpy==2.4.6" packaging
PYTENSOR_FLAGS="base_compiledir=$work/compiled" "$work/venv/bin/python" -W ignore - <<'PYTHON'
import pytensor
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph

x, y = pt.dscalars("x", "y")
overrides = [lambda inputs, gradients: 7 * gradients[0], lambda inputs, gradients: 9 * gradients[0]]
product = OpFromGraph([x, y], [x * y], grad_overrides=overrides, no_such_keyword=True)
a, b = pt.dscalars("a", "b")
gradients = [float(g) for g in pytensor.function([a, b], pt.grad(product(a, b), [a, b]))(2.0, 3.0)]
print("  gradients:", gradients, "asked for: [7.0, 9.0]")
assert gradients == [3.0, 2.0], gradients
print("as found: unknown keywords are taken without a word")
PYTHON

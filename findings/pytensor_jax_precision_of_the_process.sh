#!/usr/bin/env bash
# PyTensor 3.0.7 and JAX 0.10.2: floatX at the first compiling for JAX decides the precision of all JAX code of the process.
#
# Expected: the types of a graph's variables decide what a function for JAX computes in, as in PyTensor's other modes; floatX is
# what floats without a type become. And compiling a function changes nothing for JAX code that is not PyTensor's.
# Seen: the module that is imported at the first pytensor.function(..., mode="JAX") sets jax_enable_x64 for the whole process to
# whether floatX is float64 at that moment, even if the program or JAX_ENABLE_X64 had set it otherwise.
#   * With float32 then, a graph of float64 variables that is compiled later, floatX being float64 again, answers in float32: 1
#     where the sum is 1.0000000001. The output's type still says float64.
#   * With float64 then, the default, compiling any function, even of float32 alone, makes the program's own jnp.ones(2) and all
#     that follows from it float64 from then on.
# What helps: jax.config.update("jax_enable_x64", ...) after the first such function was compiled.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6" "jax==0.10.2"
export PYTENSOR_FLAGS=base_compiledir="$work/compiled"
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt

scalar, vector = pt.fscalar("scalar"), pt.dvector("vector")
with pytensor.config.change_flags(floatX="float32"):
    pytensor.function([scalar], scalar * 2, mode="JAX")
total = pytensor.function([vector], vector.sum(), mode="JAX")
found, right = total(np.array([1.0, 1e-10])), pytensor.function([vector], vector.sum())(np.array([1.0, 1e-10]))
print(f"  compiled after one with floatX=float32: {found!r}, in the default mode {float(right)!r}")
assert total.maker.fgraph.outputs[0].type.dtype == "float64"
assert found.dtype == "float32" and float(found) == 1.0 < float(right)
PYTHON
"$work/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp
import pytensor
import pytensor.tensor as pt

jax.config.update("jax_enable_x64", False)
before = jnp.ones(2).dtype
scalar = pt.fscalar("scalar")
pytensor.function([scalar], scalar * 2, mode="JAX")
print(f"  jnp.ones(2) before compiling a function of float32: {before}, after it {jnp.ones(2).dtype}")
assert before == "float32" and jnp.ones(2).dtype == "float64"
PYTHON
echo "as found: the first function for JAX set the precision of the process"

#!/usr/bin/env bash
# MLX 0.32.4 on a CPU: some functions of float64 arrays compute in float32, with its precision and its range, and say float64.
#
# Expected: one precision for a dtype. Seen: exp(100) is inf, in an array whose dtype is float64; exp, sin, cos, erf, sigmoid and
# softmax have errors of 1e-8 to 1e-6, while tanh, log, expm1, log1p, arctan, sqrt and matrix products are exact to 1e-15. So
# expm1(x) + 1 is more exact than exp(x), and a check of gradients in float64 fails at random places of a network.
# What helps: float64 elsewhere; on MLX float32, where the dtype says what is computed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "mlx[cpu]==0.32.4" "numpy==2.4.6" "scipy==1.16.3"
"$work/venv/bin/python" - <<'PYTHON'
import mlx.core as mx
import numpy as np
import scipy.special

x = np.array([0.1, 1.0, -3.5, 20.0])
expected = {name: getattr(np, name) for name in ("exp", "sin", "cos", "tanh", "expm1", "log1p", "arctan")}
expected |= {"erf": scipy.special.erf, "sigmoid": scipy.special.expit}
values = {name: x if name != "log1p" else np.abs(x) for name in expected}
with mx.stream(mx.cpu):
    errors = {}
    for name, function in expected.items():
        found = getattr(mx, name)(mx.array(values[name], dtype=mx.float64))
        assert found.dtype == mx.float64
        right = function(values[name])
        errors[name] = float(np.max(np.abs(np.array(found) - right) / np.abs(right)))
        print(f"  {name:8} largest relative error {errors[name]:.1e}")
    large = mx.exp(mx.array([100.0], dtype=mx.float64))
    print("  exp(100) as float64:", np.array(large), "expected", np.exp(100.0))
    M = np.random.default_rng(0).normal(size=(5, 5))
    product = np.array(mx.array(M, dtype=mx.float64) @ mx.array(M, dtype=mx.float64))
single = {name for name, error in errors.items() if error > 1e-9}
assert single == {"exp", "sin", "cos", "erf", "sigmoid"}, single
assert max(errors[name] for name in expected.keys() - single) < 1e-14
assert np.isinf(np.array(large)).all()
assert np.abs(product - M @ M).max() < 1e-13
print("as found: float32 inside exp, sin, cos, erf and sigmoid of float64")
PYTHON

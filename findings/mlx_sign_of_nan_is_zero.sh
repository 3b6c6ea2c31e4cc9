#!/usr/bin/env bash
# MLX 0.32.4: the sign of NaN is 0.
#
# Expected: NaN, as NumPy and JAX give, and as MLX itself gives for abs, floor, maximum and clip of NaN. Seen: 0. The gradient of
# |x|, an L1 penalty's, is made of it: a weight that has become NaN has the gradient 0, and a check of gradients for NaN passes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "mlx[cpu]==0.32.4" "jax==0.10.2" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PYTHON'
import jax
import mlx.core as mx
import numpy as np

nan = mx.array([float("nan")])
others = {name: getattr(mx, name)(nan).item() for name in ("abs", "floor", "ceil", "square")}
others |= {"maximum": mx.maximum(nan, 0.0).item(), "clip": mx.clip(nan, -1.0, 1.0).item()}
gradient = mx.grad(lambda x: mx.abs(x).sum())(nan).item()
print(f"  sign of NaN: MLX {mx.sign(nan).item()}, NumPy {np.sign(np.nan)}, JAX {jax.numpy.sign(np.nan)}; MLX's gradient of |x| {gradient}")
print(f"  other functions of NaN: {others}")
assert mx.sign(nan).item() == gradient == 0
assert np.isnan([np.sign(np.nan), float(jax.numpy.sign(np.nan)), *others.values()]).all()
PYTHON
echo "as found: 0"

#!/usr/bin/env bash
# mlx 0.32.4 with its CPU part for Linux: products of matrices are made by netlib's reference BLAS, which the wheel brings.
#
# Expected: a framework for machine learning multiplies matrices as fast as NumPy does on the same machine: wheels of NumPy and
# SciPy bring OpenBLAS for that, PyTorch's MKL or OpenBLAS, and MLX itself takes Accelerate on Apple's machines.
# Seen: the Linux wheel mlx-cpu has libblas and liblapack in mlx_cpu.libs, compiled from Fortran for any x86-64, without threads
# and without kernels for a processor's vectors; no name of OpenBLAS, MKL or BLIS is in it. A product of two float32 matrices of
# 1024 x 1024 takes 25 times as long as NumPy's on one thread (5.8 against 144 GFLOP/s, AVX-512); this script asks for 5 times.
# What helps: where MLX is to be timed against others on Linux, time what it does between products; what trains by products is
# no faster there than the reference BLAS. Built from its sources, MLX takes the BLAS that CMake finds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "mlx==0.32.4" "mlx-cpu==0.32.4" "numpy==2.4.6"
cat > "$work/product.py" <<'PYTHON'
from pathlib import Path
from time import perf_counter

import mlx.core as mx
import numpy as np

folder = Path(mx.__file__).parents[1] / "mlx_cpu.libs"
names = sorted(path.name for path in folder.iterdir())
(blas,) = folder.glob("libblas-*")
content = blas.read_bytes().lower()
others = [name for name in (b"openblas", b"mkl_", b"bli_gemm") if name in content]
print(f"  in mlx_cpu.libs: {', '.join(names)}; libblas has {blas.stat().st_size // 1000} kB")
x = np.random.default_rng(0).random((1024, 1024), dtype="float32")
y = mx.array(x)


def fastest(product):
    product()
    times = []
    for _ in range(3):
        started = perf_counter()
        product()
        times.append(perf_counter() - started)
    return min(times)


with_numpy, with_mlx = fastest(lambda: x @ x), fastest(lambda: mx.eval(y @ y))
np.testing.assert_allclose(np.array(y @ y), x @ x, rtol=1e-4)
rates = [2 * 1024**3 / seconds / 1e9 for seconds in (with_numpy, with_mlx)]
times = f"{with_mlx / with_numpy:.0f} times as long"
print(f"  1024 x 1024, float32: NumPy {rates[0]:.0f} GFLOP/s, MLX {rates[1]:.1f} GFLOP/s, {times}")
assert not others, others
assert any(name.startswith("libgfortran") for name in names), names
assert with_mlx > 5 * with_numpy, (with_mlx, with_numpy)
PYTHON
OPENBLAS_NUM_THREADS=1 "$work/venv/bin/python" "$work/product.py"
echo "as found: MLX's wheel for Linux multiplies by the reference BLAS"

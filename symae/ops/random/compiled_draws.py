"""The draws that have kernels of their own, in Numba and in C: uniform, normal and binomial numbers.

The kernels are in `symae.kernels.random.mt19937` and ``binomial.py`` and, for C, in ``mt19937.h`` beside them. On JAX masks,
uniform and normal numbers are drawn by XLA, ``mt19937_jax.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.basic import get_scalar_constant_value

from symae.kernels import header
from symae.kernels.random.bernoulli import HIGHEST, bernoulli_threshold, search
from symae.ops.random.draws import Draw
from symae.ops.runtime_errors import error_unless


class CompiledDraw(Draw):
    """Draw in Numba and in C: a number for each element, from two scalar or elementwise parameters."""

    c_prologue = ""
    c_check: str
    c_loop: str

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return the loop (state, a, b, out) for scalar parameters, and the one for parameters of the size of out."""
        raise NotImplementedError

    def numba(self, node: Apply) -> Callable[..., Any]:
        dtype = np.dtype(self.dtype)
        scalar, elementwise = self.numba_loops()
        if all(p.type.ndim == 0 for p in node.inputs[-2:]):

            @jit
            def draw(state: Any, dims: Any, a: Any, b: Any) -> Any:
                after, out = state.copy(), np.empty(dims, dtype)
                scalar(after, a.item(), b.item(), out.reshape(-1))
                return after, out

        else:

            @jit
            def draw(state: Any, dims: Any, a: Any, b: Any) -> Any:
                after, out = state.copy(), np.empty(dims, dtype)
                elementwise(after, np.broadcast_to(a, dims).flat, np.broadcast_to(b, dims).flat, out.reshape(-1))
                return after, out

        return self.unpacked(draw, "a, b")

    def unpacked(self, draw: Callable[..., Any], parameters: str) -> Callable[..., Any]:
        """Compile (state, size, size, …, parameters), of which `draw` takes the sizes in a tuple."""
        # Numba has no way to make a tuple from a varying number of arguments, so this line is written for each ndim.
        names = [f"d{i}" for i in range(self.ndim)]
        sizes = "".join(f"{name}.item(), " for name in names)
        source = f"def unpack({', '.join(['state', *names, parameters])}): return draw(state, ({sizes}), {parameters})"
        scope: dict[str, Any] = {"draw": draw}
        exec(source, scope)
        return jit(scope["unpack"])

    def c_support_code(self, **_: Any) -> str:
        return header("random/mt19937.h")

    def c_compile_args(self, **_: Any) -> list[str]:
        return ["-ffp-contract=off"]

    def c_code(self, node: Apply, name: str, inputs: Sequence[str], outputs: Sequence[str], sub: dict[str, str]) -> str:
        state, *dims = inputs[: 1 + self.ndim]
        a, b = inputs[1 + self.ndim :]
        after, out = outputs
        fail = sub["fail"]
        sizes = ", ".join(f"((npy_int64 *)PyArray_DATA({d}))[0]" for d in dims) or "1"
        loop = self.c_of_scalars if all(p.type.ndim == 0 for p in node.inputs[-2:]) else self.c_of_arrays
        return f"""
        {{
            npy_intp dims[] = {{{sizes}}};
            npy_intp i, count;
            uint32_t *state;
            {self.c_prologue}
            Py_XDECREF({after});
            {after} = (PyArrayObject *)PyArray_NewCopy({state}, NPY_CORDER);
            Py_XDECREF({out});
            {out} = (PyArrayObject *)PyArray_SimpleNew({self.ndim}, dims, {np.dtype(self.dtype).num});
            if (!{after} || !{out}) {{ {fail} }}
            state = (uint32_t *)PyArray_DATA({after});
            count = PyArray_SIZE({out});
            {loop(a, b, out, fail)}
        }}
        """

    def c_of_scalars(self, a: str, b: str, out: str, fail: str) -> str:
        """Return C code that draws with the same two parameters for each element."""
        a_type, b_type = (f"npy_{dtype}" for dtype in self.parameter_dtypes)
        return f"""
            if (count > 0) {{
                {a_type} a = *({a_type} *)PyArray_DATA({a});
                {b_type} b = *({b_type} *)PyArray_DATA({b});
                npy_{self.dtype} *numbers = (npy_{self.dtype} *)PyArray_DATA({out});
                i = 0;
                {self.c_check.format(fail=fail)}
                {self.c_draws}
            }}
        """

    def c_of_arrays(self, a: str, b: str, out: str, fail: str) -> str:
        """Return C code that draws each element with parameters of its own."""
        a_type, b_type = (f"npy_{dtype}" for dtype in self.parameter_dtypes)
        value = self._as_dtype(self.c_loop)
        return f"""
            PyArrayIterObject *all_a, *all_b;
            /* scalars and smaller arrays are repeated, as NumPy broadcasts them */
            all_a = (PyArrayIterObject *)PyArray_BroadcastToShape((PyObject *){a}, dims, {self.ndim});
            if (!all_a) {{ {fail} }}
            all_b = (PyArrayIterObject *)PyArray_BroadcastToShape((PyObject *){b}, dims, {self.ndim});
            if (!all_b) {{ Py_DECREF(all_a); {fail} }}
            for (i = 0; i < count; i++) {{
                {a_type} a = *({a_type} *)PyArray_ITER_DATA(all_a);
                {b_type} b = *({b_type} *)PyArray_ITER_DATA(all_b);
                {self.c_check.format(fail=f"Py_DECREF(all_a); Py_DECREF(all_b); {fail}")}
                ((npy_{self.dtype} *)PyArray_DATA({out}))[i] = {value};
                PyArray_ITER_NEXT(all_a);
                PyArray_ITER_NEXT(all_b);
            }}
            Py_DECREF(all_a);
            Py_DECREF(all_b);
        """

    def _as_dtype(self, value: str) -> str:
        return f"({value}) != 0" if self.dtype == "bool" else f"(npy_{self.dtype})({value})"

    @property
    def c_draws(self) -> str:
        """C code that fills `numbers` with `count` draws with parameters a and b."""
        return f"for (i = 0; i < count; i++) numbers[i] = {self._as_dtype(self.c_loop)};"


class UniformDraw(CompiledDraw):
    """Draw low + (high - low) * u with u uniform in [0, 1), in double precision, cast to `dtype`."""

    parameter_dtypes = ("float64", "float64")
    c_check = 'if (!isfinite(b - a)) {{ PyErr_SetString(PyExc_OverflowError, "uniform: high - low is not finite"); {fail} }}'
    c_loop = "a + (b - a) * mt_double(state)"

    def sample(self, generator: np.random.RandomState, size: tuple[int, ...], *parameters: Any) -> Any:
        low, high = parameters
        return generator.uniform(low, high, size)

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        from symae.kernels.random.mt19937 import random_doubles

        @jit
        def extent(low: Any, high: Any) -> Any:
            if not np.isfinite(high - low):
                raise OverflowError("uniform: high - low is not finite")
            return high - low

        return _scaled(extent, random_doubles)

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        from symae.kernels.random.mt19937_jax import uniforms

        low, high = (known_number(p) for p in node.inputs[-2:])
        if low is not None and high is not None and not np.isfinite(high - low):
            return super().jax(node)  # refuses it
        dtype = jax.dtypes.canonicalize_dtype(self.dtype)

        def draw(state: Any, *inputs: Any) -> tuple[Any, Any]:
            shape = self._traced_shape(node, (state, *inputs))
            a, b = (x if number is None else number for number, x in zip((low, high), inputs[-2:], strict=True))
            if low is None or high is None:
                error_unless(jax.numpy.isfinite(b - a).all(), lambda: OverflowError("uniform: high - low is not finite"))
            return uniforms(state, a, b, shape, dtype)

        return draw


class NormalDraw(CompiledDraw):
    """Draw avg + std * g with g of the standard normal distribution, in double precision, cast to `dtype`."""

    gaussian = True
    parameter_dtypes = ("float64", "float64")
    c_check = """if (signbit(b) && !isnan(b)) {{
                    PyErr_SetString(PyExc_ValueError, "normal: scale < 0, expected std >= 0");
                    {fail}
                }}"""
    c_loop = "a + b * mt_gaussian(state)"

    def sample(self, generator: np.random.RandomState, size: tuple[int, ...], *parameters: Any) -> Any:
        avg, std = parameters
        return generator.normal(avg, std, size)

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        from symae.kernels.random.mt19937 import gaussians

        @jit
        def checked(avg: Any, std: Any) -> Any:
            if np.signbit(std) and not np.isnan(std):  # NumPy refuses -0.0 and lets NaN pass
                raise ValueError("normal: scale < 0, expected std >= 0")
            return std

        return _scaled(checked, gaussians)

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        from symae.kernels.random.mt19937_jax import normals

        avg, std = (known_number(p) for p in node.inputs[-2:])
        if std is not None and np.signbit(std) and not np.isnan(std):
            return super().jax(node)  # refuses it
        dtype = jax.dtypes.canonicalize_dtype(self.dtype)

        def draw(state: Any, *inputs: Any) -> tuple[Any, Any]:
            shape = self._traced_shape(node, (state, *inputs))
            a, b = (x if number is None else number for number, x in zip((avg, std), inputs[-2:], strict=True))
            if std is None:
                refused = jax.numpy.signbit(b) & ~jax.numpy.isnan(b)
                error_unless(~refused.any(), lambda: ValueError("normal: scale < 0, expected std >= 0"))
            return normals(state, a, b, shape, dtype)

        return draw


class BinomialDraw(CompiledDraw):
    """Draw the number of successes in n trials of probability p."""

    parameter_dtypes = ("int64", "float64")
    c_prologue = "mt_binomial_table table = mt_table(0, 0.5);"
    c_check = """if (a < 0 || !(b >= 0 && b <= 1)) {{
                    PyErr_SetString(PyExc_ValueError, "binomial: expected n >= 0 and p in [0, 1]");
                    {fail}
                }}
                if (i == 0 || a != table.n || b != table.p) table = mt_table(a, b);"""
    c_loop = "mt_binomial(state, &table)"

    @property
    def c_draws(self) -> str:
        return f"if (!mt_bernoullis(state, &table, numbers, count)) {super().c_draws}"

    def sample(self, generator: np.random.RandomState, size: tuple[int, ...], *parameters: Any) -> Any:
        n, p = parameters
        bounds = search(float(p)) if n.ndim == p.ndim == 0 and n == 1 else None
        if bounds is None:
            return generator.binomial(n, p, size)
        # the same numbers from the same words, in a tenth of the time
        nothing, something = bounds
        before = generator.get_state(legacy=True) if HIGHEST - nothing > something else None
        uniform = generator.random_sample(size)
        if before is not None and uniform.size and uniform.max() - nothing > something:  # the search starts again
            generator.set_state(before)
            return generator.binomial(n, p, size)
        return uniform > nothing if p <= 0.5 else uniform <= nothing

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        from symae.kernels.random.binomial import binomial, binomials, check_binomial

        @jit
        def scalar(state: Any, n: Any, p: Any, out: Any) -> None:
            check_binomial(n, p)
            binomials(state, n, p, out)

        @jit
        def elementwise(state: Any, n: Any, p: Any, out: Any) -> None:
            for i in range(out.size):
                check_binomial(n[i], p[i])
                out[i] = binomial(state, n[i], p[i])

        return scalar, elementwise

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        from symae.kernels.random.mt19937_jax import bernoullis

        n, p = (known_number(v) for v in node.inputs[-2:])
        if n != 1 or p is None or bernoulli_threshold(p) is None:
            return super().jax(node)  # search and rejection, by libm's logarithms
        dtype = jax.dtypes.canonicalize_dtype(self.dtype)
        return lambda state, *inputs: bernoullis(state, p, self._traced_shape(node, (state, *inputs)), dtype)

    def pytorch(self, node: Apply) -> Callable[..., Any]:
        import torch

        from symae.kernels.random.mt19937_torch import TYPES, masks

        by_numpy, fast = super().pytorch(node), masks()
        if fast is None or self.dtype not in TYPES or node.inputs[-2].type.ndim or node.inputs[-1].type.ndim:
            return by_numpy

        @torch.compiler.disable
        def draw(state: Any, *inputs: Any) -> tuple[Any, Any]:
            *size, n, p = inputs
            drawn = fast.draw(state.cpu(), [int(d) for d in size], float(p), self.dtype) if n == 1 else None
            return by_numpy(state, *inputs) if drawn is None else drawn

        return draw


def known_number(v: Variable) -> float | None:
    """Return the value of a symbolic scalar as a double where it is constant, else None."""
    value = get_scalar_constant_value(v, raise_not_constant=False) if v.type.ndim == 0 else v
    return None if isinstance(value, Variable) else float(value)


def _scaled(scale: Callable[..., Any], fill: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the loops of draws ``a + scale(a, b) * x``, in double precision; `fill` puts so many x into a vector."""

    @jit
    def scalar(state: Any, a: Any, b: Any, out: Any) -> None:
        factor = scale(a, b)
        numbers = np.empty(min(out.size, 4096), np.float64)
        for i in range(0, out.size, 4096):
            block = out[i : i + 4096]
            fill(state, numbers[: block.size])
            for j in range(block.size):
                block[j] = a + factor * numbers[j]

    @jit
    def elementwise(state: Any, a: Any, b: Any, out: Any) -> None:
        numbers = np.empty(min(out.size, 4096), np.float64)
        for i in range(0, out.size, 4096):
            block = out[i : i + 4096]
            fill(state, numbers[: block.size])
            for j in range(block.size):
                block[j] = a[i + j] + scale(a[i + j], b[i + j]) * numbers[j]

    return scalar, elementwise


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for Numba, with the arithmetic of NumPy."""
    from pytensor.link.numba.dispatch.basic import numba_njit

    return numba_njit(error_model="numpy", fastmath=False)(function)

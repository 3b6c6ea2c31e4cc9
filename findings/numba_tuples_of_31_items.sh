#!/usr/bin/env bash
# Numba 0.65.1: a tuple of 31 items is typed as 32 tuples, one of 30 as one; compiling takes time with the square of the length.
#
# Expected: Numba compiles a tuple display of n items, (a, b, c, ...), to one tuple of n items, whatever n is.
# Seen: CPython's compiler puts up to 30 items on the stack; of more it makes a list, and a tuple of the list. Numba reads that as
# a sum of tuples of one item each. So there are n + 1 types of tuples, of 0 to n items, and each partial sum is typed and copied:
# 240 items have 241 types with 28,920 items, and compile for some 7 times as long as with Numba 0.68, where it is one tuple and
# one more. A call with more than 30 arguments is read the same way. Generated code meets this, such as functions that return or
# take what a program keeps: PyTensor's of a model with many parameters.
# What helps: Numba 0.68, or nested tuples of at most 30 items.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "numba==0.65.1" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PYTHON'
from time import perf_counter

from numba import njit, types


def tuple_of(n):
    names = [f"x{i}" for i in range(n)]
    lines = [f"{name} = x + {i}" for i, name in enumerate(names)]
    scope = {}
    exec("\n    ".join(["def f(x):", *lines, f"t = ({', '.join(names)})", "return t[0] + t[-1]"]), scope)
    return njit(scope["f"])


tuple_of(2)(1.0)
for n, expected in {30: 1, 31: 32, 240: 241}.items():
    f, started = tuple_of(n), perf_counter()
    assert f(1.0) == n + 1
    seconds = perf_counter() - started
    (compiled,) = f.overloads.values()
    kinds = {kind for kind in compiled.type_annotation.typemap.values() if isinstance(kind, types.BaseTuple)}
    print(f"  a tuple of {n} items: {len(kinds)} types of tuples, of {sum(map(len, kinds))} items in all, {seconds:.1f} s")
    assert len(kinds) == expected, (n, len(kinds))
PYTHON
echo "as found: from 31 items on a tuple is a sum of tuples"

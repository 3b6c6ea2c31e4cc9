#!/usr/bin/env bash
# PyTensor 3.0.7: mode="FAST_COMPILE", which interprets, calls the C compiler for what is inside a scan.
#
# Expected: FAST_COMPILE, "very fast to compile", runs every node by its Python method. A graph's inner graphs are part of it.
# Seen: the step of a scan without a mode of its own is compiled with linker "cvm" and the rewrites of FAST_RUN, whatever the
# mode of the function: C++ files appear in the cache of compiled code, one for each kind of node of the step. So a first try
# that avoids the compiler by this mode takes seconds, and without a compiler on the machine it takes another way.
# What helps: pytensor.scan(..., mode="FAST_COMPILE") for each scan, or config.cxx = "".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6"
for given in none FAST_COMPILE; do
    PYTENSOR_FLAGS=base_compiledir="$work/$given" "$work/venv/bin/python" - "$given" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt

x = pt.dvector("x")
given = {} if sys.argv[1] == "none" else {"mode": sys.argv[1]}
states = pytensor.scan(lambda value, state: pt.tanh(state * 0.5 + value), x, [pt.zeros(())], return_updates=False, **given)
f = pytensor.function([x], states, mode="FAST_COMPILE")
f(np.ones(3))


def of_nodes():
    """Count the C++ files but that of the virtual machine, which compiled modes have."""
    files = Path(pytensor.config.base_compiledir).rglob("mod.cpp")
    return sum(file.parent.name != "lazylinker_ext" for file in files)


files = of_nodes()
plain = pytensor.function([x], pt.tanh(x * 0.5 + 1), mode="FAST_COMPILE")
plain(np.ones(3))
more = of_nodes() - files
print(f"  mode of the scan {sys.argv[1]}: {files} C++ files for it; {more} for the same step outside of a scan")
assert more == 0
assert (files > 0) == (sys.argv[1] == "none")
PYTHON
done
echo "as found: an interpreted function had its scan compiled by the C compiler"

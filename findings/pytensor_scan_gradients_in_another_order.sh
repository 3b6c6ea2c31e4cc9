#!/usr/bin/env bash
# PyTensor 3.0.7: the optimised gradient of one recurrent network is another graph in another process.
#
# Expected: one program of one version compiles to one graph, so machine code that is kept on the disk is found again.
# Seen: where a loop (scan) sums several products, they are moved out of it in the order in which a set of nodes is gone through,
# which is that of addresses. PYTHONHASHSEED does not hold it. The values agree to rounding. But the loop has its outputs in
# another order, so Numba's code on the disk is that of another graph, and the loop is compiled anew; a network with three
# matrices that recur took 7 s more in most starts. A loop with one matrix is not touched. Seen with Python 3.11; 3.3.8 has the
# same lines, but made one graph in 18 processes of Python 3.13.
# What helps: replace the node's op.fgraph.apply_nodes by an ordered set of op.fgraph.toposort() while the rewrite
# scan_push_out_add runs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6"
cat > "$work/graph.py" <<'PYTHON'
import hashlib
import sys

import pytensor
import pytensor.tensor as pt
from pytensor.compile.aliasing import add_supervisor_to_fgraph
from pytensor.compile.io import In
from pytensor.compile.mode import get_mode
from pytensor.graph.fg import FunctionGraph

x, h0 = pt.tensor3("x"), pt.matrix("h0")
W = [pt.matrix(f"W{number}") for number in range(int(sys.argv[1]))]


def step(now, before):
    return sum(pt.tanh(now * before + pt.dot(before, matrix)) for matrix in W)


states = pytensor.scan(step, sequences=x, outputs_info=h0, return_updates=False)
graph = FunctionGraph([x, h0, *W], pt.grad(states[-1].sum(), W))
add_supervisor_to_fgraph(graph, [In(variable) for variable in graph.inputs])
get_mode("NUMBA").optimizer.rewrite(graph)
print(hashlib.sha256(pytensor.dprint(graph, file="str").encode()).hexdigest()[:8])
PYTHON
different() { # how many graphs so many processes have
    for _ in $(seq "$2"); do
        PYTHONHASHSEED=0 PYTENSOR_FLAGS=base_compiledir="$work/compiled" "$work/venv/bin/python" "$work/graph.py" "$1"
    done | sort -u | wc -l
}
one=$(different 1 6)
three=$(different 3 24)
echo "  one matrix: 6 processes, $one graph; three matrices: 24 processes, $three graphs"
[ "$one" = 1 ]
[ "$three" -gt 1 ]
echo "as found: the graph of three matrices depends on the process"

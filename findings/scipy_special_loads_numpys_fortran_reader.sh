#!/usr/bin/env bash
# SciPy 1.17.1: importing scipy.special loads NumPy's Fortran reader, its test tools, and a guesser of encodings if there is one.
#
# Expected: special functions load NumPy and what they compute with. numpy.f2py, the reader of Fortran, is loaded by NumPy itself
# only when somebody asks for it; charset_normalizer, which f2py takes if it is installed (requests brings it), by nobody.
# Seen: each of scipy.special, scipy.linalg and scipy.sparse loads SciPy's copy of array_api_compat, which clones NumPy: it
# executes "from numpy import *" and asks for all names in dir(numpy). NumPy lists the modules that it loads when asked for among
# its public names, so all of them are: numpy.f2py, numpy.ctypeslib, numpy.testing and others. f2py compiles its regular
# expressions then, which is 60 to 70 ms of each start. "import scipy" and "import numpy" load none of it.
# What helps: where a program's start counts, put a module that is loaded when it is used (importlib.util.LazyLoader) into
# sys.modules as numpy.f2py before SciPy is imported.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "scipy==1.17.1" "numpy==2.4.6" "charset-normalizer==3.4.4"
cat > "$work/loaded.py" <<'PYTHON'
import importlib
import sys
from time import perf_counter

started = perf_counter()
importlib.import_module(sys.argv[1])
seconds = perf_counter() - started
loaded = [name for name in ("numpy.f2py", "numpy.ctypeslib", "numpy.testing", "charset_normalizer") if name in sys.modules]
print(f"  {sys.argv[1]}: {len(sys.modules)} modules in {1000 * seconds:.0f} ms, among them {', '.join(loaded) or 'none of these'}")
assert len(loaded) == int(sys.argv[2]), loaded
PYTHON
"$work/venv/bin/python" "$work/loaded.py" numpy 0
"$work/venv/bin/python" "$work/loaded.py" scipy 0
for module in scipy.special scipy.linalg scipy.sparse; do
    "$work/venv/bin/python" "$work/loaded.py" "$module" 4
done
echo "as found: SciPy's subpackages load NumPy's Fortran reader"

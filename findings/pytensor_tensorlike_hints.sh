#!/usr/bin/env bash
# PyTensor 3.0.7 (3.3.8 has the same lines): the type hints of pytensor.tensor.as_tensor_variable cannot be looked up at run time. Its public
# alias TensorLike names NumPy's ArrayLike in a string, and pytensor/tensor/__init__.py imports that name for type checkers only.
# So typing.get_type_hints, which documentation tools and checkers of arguments call, raises NameError, also for every function
# of other packages that is annotated with the alias. Expected: Union[Variable, Sequence[Variable], ArrayLike].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "pytensor==3.0.7" "numpy==2.4.6" packaging
cat >"$work/see.py" <<'PYTHON'
import typing

import pytensor
import pytensor.tensor as pt


def norm(x: pt.TensorLike) -> float: ...


for function in (pt.as_tensor_variable, norm):
    try:
        print(typing.get_type_hints(function))
    except NameError as error:
        print(pytensor.__version__, function.__name__, error)
PYTHON
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "3.0.7 as_tensor_variable name 'ArrayLike' is not defined
3.0.7 norm name 'ArrayLike' is not defined" ]

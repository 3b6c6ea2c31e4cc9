#!/usr/bin/env bash
# Theano 1.0.5, any mode: the log-likelihood of softmax_with_bias(x, b) forgets b, in its value and for training.
#
# Expected: -mean(log(softmax_with_bias(x, b))[arange(n), y]) is the same as with softmax(x + b), as the documentation says of
# the two. Seen: a rewrite makes it the cross-entropy of x with a bias of zeros, also in FAST_COMPILE. So a classifier that is
# written with the fused function has a wrong cost, and its bias does not matter. Written as softmax(x + b) it is right.
# Needs Python 3.8, the last one on which Theano 1.0.5 runs with its NumPy; PYTHON names it if it is not `python3.8`.
set -euo pipefail
python=${PYTHON:-python3.8}
"$python" --version >/dev/null 2>&1 || { export PYENV_VERSION=3.8.18; "$python" --version >/dev/null; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q "Theano==1.0.5" "numpy==1.21.6" "scipy==1.7.3" 2>/dev/null
THEANO_FLAGS="base_compiledir=$work/compiled,cxx=" "$work/venv/bin/python" -W ignore - 2>/dev/null <<'PYTHON'
import numpy as np
import theano
import theano.tensor as T

x, b, y = T.dmatrix("x"), T.dvector("b"), T.lvector("y")
scores = np.array([[2.0, 0.0], [-2.0, 0.0], [2.0, 2.5]])
bias, labels = np.array([0.75, -0.875]), np.array([0, 0, 1])


def cost(probabilities):
    return -T.mean(T.log(probabilities)[T.arange(y.shape[0]), y])


p = np.exp(scores + bias)
p /= p.sum(axis=1, keepdims=True)
expected = -np.log(p[np.arange(3), labels]).mean()
print("  by NumPy                       {:.12f}".format(expected))
for mode in ("FAST_COMPILE", "FAST_RUN"):
    fused = theano.function([x, b, y], cost(T.nnet.softmax_with_bias(x, b)), mode=mode, on_unused_input="ignore")
    apart = theano.function([x, b, y], cost(T.nnet.softmax(x + b)), mode=mode)
    found, right, unbiased = fused(scores, bias, labels), apart(scores, bias, labels), fused(scores, 0 * bias, labels)
    print("  {:12} softmax(x + b)    {:.12f}".format(mode, float(right)))
    print("  {:12} softmax_with_bias {:.12f}, and with a bias of zeros {:.12f}".format(mode, float(found), float(unbiased)))
    assert abs(right - expected) < 1e-12
    assert found == unbiased and abs(found - 0.909311002088684) < 1e-12
print("as found: the bias has no part in the cost")
PYTHON

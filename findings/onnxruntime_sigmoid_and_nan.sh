#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: Sigmoid is 0 from -18 on, and whether ReduceMax passes a NaN on depends on where it stands.
#
# Expected of Sigmoid: exp(x) / (1 + exp(x)) to float32's precision, which has 1.5e-8 for -18 and 1.9e-22 for -50.
# Seen: 8.9e-8 instead of 4.1e-8 for -17, and exactly 0 for -18 and below. So an exported autoencoder whose pixels are sigmoids
# has a cross-entropy of infinity for pixels that the network is sure of. Softplus of the same numbers is exact: export logits.
# Expected of ReduceMax and ArgMax: NaN, or never NaN. Seen: [NaN 1 2 0] gives NaN and position 0, [1 NaN 2 0] gives 2 and
# position 2; MaxPool gives 3 for [1 NaN 0 3]. So a network that has diverged may look healthy behind its pooling.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "onnxruntime==1.32.0" "onnx==1.23.2" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper


def run(op, x, dtype=TensorProto.FLOAT, shape=None, axes=None, **attributes):
    x = np.asarray(x, "float32")
    constants = [] if axes is None else [helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)]
    node = helper.make_node(op, ["x", *(c.name for c in constants)], ["y"], **attributes)
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    made = helper.make_tensor_value_info("y", dtype, x.shape if shape is None else shape)
    graph = helper.make_graph([node], "graph", [given], [made], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


x = np.array([-17, -18, -20, -50], "float32")
sigmoid, exact = run("Sigmoid", x), np.exp(x.astype("float64")) / (1 + np.exp(x.astype("float64")))
print("  x       ", x)
print("  Sigmoid ", sigmoid)
print("  expected", exact.astype("float32"))
softplus = run("Softplus", x)
print("  Softplus", softplus)
assert 2 < sigmoid[0] / exact[0] < 2.5 and (sigmoid[1:] == 0).all()
assert np.allclose(softplus[:3], np.log1p(np.exp(x[:3].astype("float64"))), rtol=1e-6)

for row in ([np.nan, 1, 2, 0], [1, np.nan, 2, 0]):
    largest = run("ReduceMax", [row], shape=[1], axes=[1], keepdims=0)[0]
    place = run("ArgMax", [row], TensorProto.INT64, [1, 1], axis=1)[0, 0]
    print(f"  {row}: ReduceMax {largest}, ArgMax {place}")
    assert (np.isnan(largest), place) == ((True, 0) if np.isnan(row[0]) else (False, 2))
pooled = run("MaxPool", [[[[1, np.nan], [0, 3]]]], shape=[1, 1, 1, 1], kernel_shape=[2, 2])
print("  MaxPool of [1 NaN 0 3]:", pooled.ravel())
assert pooled.ravel() == [3]
print("as found: Sigmoid is 0 from -18 on; a NaN is passed on only from some places")
PYTHON

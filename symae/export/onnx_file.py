"""Graphs as ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from symae._runtime.atomic_files import replacing
from symae._runtime.checks import integer
from symae._runtime.versions import SYMAE
from symae.errors import InputError
from symae.export.extras import needed
from symae.export.graph import Graph, Node, Value
from symae.export.parts import Part, converted, part_of

# The newest opset that is tested here, and the oldest in which the ops that are used mean what they do.
NEWEST, OLDEST = 28, 18
_DEFAULTS = {"dilations": [1, 1], "group": 1, "pads": [0, 0, 0, 0], "strides": [1, 1]}  # left out: what is told is of interest
LARGEST = 2**31 - 2**20  # bytes: protobuf's bound on a file


def to_onnx(
    what: Any,
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
    opset: int | None = None,
) -> Any:
    """Return what `export_onnx` writes, an ``onnx.ModelProto``, checked by ``onnx.checker``."""
    onnx = needed("onnx", "onnx", "export to ONNX")
    newest = min(NEWEST, onnx.defs.onnx_opset_version())
    version = newest if opset is None else integer("opset", opset, OLDEST, newest)
    chosen = part_of(what, part, inputs)
    return _model(onnx, chosen, converted(chosen, floatX), version)


def export_onnx(
    what: Any,
    path: str | Path,
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
    opset: int | None = None,
) -> Path:
    """Write a model, or any graph of PyTensor's, as an ONNX file.

    Parameters
    ----------
    what : Model, symbolic variable, list or dict of str to symbolic variable
        A model of `symae.models`, a `symae.keras.Model`, or expressions; a dict names them.
    path : str or Path
        The file; what was there is replaced, by a whole file or not at all.
    part : "whole", "encoder" or "decoder"
        Of a model: from its input to its reconstruction (of a classifier to its probabilities), from the input to the code, or
        from the code to the reconstruction. Where the decoder needs more than the code, the encoder gives that too and the
        decoder takes it: the positions of maxima, ``pool1_switches``, or a ``pose``.
    inputs : list or dict of symbolic variables, optional
        Those of expressions; by default all that these depend on.
    floatX : "float32" or "float64"
        What every float becomes. onnxruntime has convolutions of float32 only.
    opset : int from 18 to 28, optional
        The version of ONNX's ops; by default the newest that the installed onnx has. Older runtimes want an older one.

    Returns
    -------
    path

    Raises
    ------
    BackendError
        onnx is not installed.
    InputError
        An op has no counterpart: the message names it, and where it is; or an argument is not as above.
    UnwritableError
        The file cannot be written.

    Notes
    -----
    Sizes that are free in the graph are free in the file: the first axis of an input, "batch", as a rule. Parameters keep their
    names, values on the way those of the model's nodes. A number of float64 that float32 would make zero or infinite becomes
    the smallest or largest one that it has. Where NaN is pooled, sorted or compared, onnxruntime has results of its own.
    """
    content = to_onnx(what, part=part, inputs=inputs, floatX=floatX, opset=opset).SerializeToString()
    with replacing(path) as file:
        file.write(content)
    return Path(path)


def _model(onnx: Any, part: Part, graph: Graph, opset: int) -> Any:
    size = sum(array.nbytes for arrays in (graph.parameters, graph.constants) for array in arrays.values())
    if size > LARGEST:
        raise InputError("export to ONNX", f"{size / 2**30:.1f} GiB of parameters", "less than 2 GiB, all that a file may have")
    helper, arrays = onnx.helper, {**graph.parameters, **graph.constants}
    # of a model all first axes count examples; in a graph of one's own they may count anything
    batches = part.name != "graph"
    described = {*graph.inputs, *graph.outputs, *arrays}
    inputs = [_info(onnx, name, graph.values[name], batches or i == 0, True) for i, name in enumerate(graph.inputs)]
    outputs = [_info(onnx, name, graph.values[name], batches) for name in graph.outputs]
    computed = graph.producers()
    between = [
        _info(onnx, name, value, batches) for name, value in graph.values.items() if name in computed and name not in described
    ]
    made = helper.make_graph(
        [_node(onnx, node) for node in graph],
        f"{part.of}_{part.name}" if part.name != "graph" else "graph",
        inputs,
        outputs,
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a) if a.ndim else a, name) for name, a in arrays.items()],
        value_info=between,
    )
    version = helper.make_opsetid("", opset)
    model = helper.make_model(made, opset_imports=[version], producer_name="symae", producer_version=SYMAE)
    model.ir_version = helper.find_min_ir_version_for([version])
    helper.set_model_props(model, {"part": part.name, **part.facts})
    onnx.checker.check_model(model, full_check=True)
    return model


def _info(onnx: Any, name: str, value: Value, batch: bool, named: bool = False) -> Any:
    """Describe a value; a free first axis is "batch" if it is one, and others have the value's name if they are `named`."""
    sizes: list[int | str | None] = [
        "batch" if n is None and axis == 0 and batch else f"{name}_{axis}" if n is None and named else n
        for axis, n in enumerate(value.shape)
    ]
    return onnx.helper.make_tensor_value_info(name, _type(onnx, value.dtype), sizes)


def _type(onnx: Any, dtype: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _node(onnx: Any, node: Node) -> Any:
    settings = {name: value for name, value in node.attributes.items() if value != _DEFAULTS.get(name)}
    inputs = node.inputs
    if "to" in settings:
        settings["to"] = _type(onnx, settings["to"])
    if node.op == "If":
        inputs, count = node.inputs[:1], len(node.outputs)
        for branch, values in (("then_branch", node.inputs[1 : 1 + count]), ("else_branch", node.inputs[1 + count :])):
            copies = [f"{node.name}_{branch}_{i}" for i in range(count)]
            nodes = [onnx.helper.make_node("Identity", [v], [copy]) for v, copy in zip(values, copies, strict=True)]
            results = [onnx.helper.make_empty_tensor_value_info(copy) for copy in copies]
            settings[branch] = onnx.helper.make_graph(nodes, branch, [], results)
    return onnx.helper.make_node(node.op, inputs, node.outputs, name=node.name, **settings)

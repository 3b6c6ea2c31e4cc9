"""Models as modules of PyTorch: a file of weights, and beside it a short source of a class that computes with them."""

from __future__ import annotations

import ast
import io
import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from symae._runtime.atomic_files import write_together
from symae._runtime.versions import SYMAE
from symae.errors import InputError, UnwritableError
from symae.export.extras import needed
from symae.export.graph import Graph, Node
from symae.export.parts import Part, converted, part_of
from symae.export.torch_arguments import Arguments, bare, numbers_of
from symae.export.torch_ops import expression
from symae.models.base import Model

WIDTH = 100  # characters of a line of the source
SMALL = 8  # entries: constants of no more stand in the source, larger ones with the weights
TAKEN = {"torch", "nn", "F", "math", "Path", "self", "load"}
# what every nn.Module has under these names
OF_MODULES = {
    *("apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "decode", "double", "encode", "eval"),
    *("extra_repr", "float", "forward", "half", "ipu", "modules", "mtia", "parameters", "register_buffer", "share_memory"),
    *("state_dict", "to", "train", "training", "type", "xpu", "zero_grad"),
}


def export_torch(
    what: Any,
    path: str | Path,
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
) -> tuple[Path, Path]:
    """Write a model, or any graph of PyTensor's, for PyTorch: ``model.pt`` and ``model.py``.

    The first is a ``state_dict``, whose keys and shapes are the parameters' in symae, and which ``torch.load(...,
    weights_only=True)`` reads. The second is the source of an ``nn.Module`` in a few lines, and of a function ``load`` that
    reads the weights beside it; it needs torch alone. A whole model has the methods ``encode`` and ``decode``, where it has a
    code.

    Parameters
    ----------
    what, part, inputs, floatX
        As in `symae.export.export_onnx`.
    path : str or Path
        The file of weights, ``.pt`` or ``.pth``; the source gets the same name with ``.py``, which must be one that Python can
        import. What was there is replaced, by both files whole or by none.

    Returns
    -------
    (weights, source), two paths

    Raises
    ------
    BackendError
        torch is not installed.
    InputError
        As `symae.export.export_onnx`, or PyTorch has no function for something.
    UnwritableError
        The files cannot be written, or Python cannot import a file of that name.
    """
    path = Path(path)
    if path.suffix not in (".pt", ".pth"):
        raise UnwritableError(path, f"the ending {path.suffix!r}", "a name that ends in .pt or .pth")
    _check_name(path)
    source_path = path.with_suffix(".py")
    torch = needed("torch", "torch", "export to PyTorch")
    text, arrays = torch_source(what, path.name, part=part, inputs=inputs, floatX=floatX)
    weights = io.BytesIO()
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, weights)
    write_together({path: weights.getvalue(), source_path: text.encode()})
    return path, source_path


def torch_source(
    what: Any,
    weights: str = "model.pt",
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the source that `export_torch` writes, and the arrays of its ``state_dict`` by name."""
    _check_name(Path(weights))
    chosen = part_of(what, part, inputs)
    methods = _methods(what, chosen, floatX)
    kind = _identifier(chosen.of.rpartition(".")[2], set())
    if chosen.name in ("encoder", "decoder"):
        kind += chosen.name.capitalize()
    if not kind[0].isupper():
        kind = kind.capitalize()
    writer = _Writer(methods, chosen.state)
    lines = writer.source(kind, weights, chosen, floatX)
    text = "\n".join(lines) + "\n"
    ast.parse(text)
    return text, writer.state


def _check_name(path: Path) -> None:
    """Refuse a name that no module can have: the source is imported by it, and has it in it."""
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise UnwritableError(path, f"the name {path.stem!r}", "one that Python can import: letters, digits and _, as model.pt")


def _methods(what: Any, chosen: Part, floatX: str) -> dict[str, Graph]:
    """Return the graphs of the class's methods: ``forward`` alone, or ``encode`` and ``decode``, of which it is made."""
    if isinstance(what, Model) and chosen.name == "whole":
        try:
            parts = {"encode": part_of(what, "encoder"), "decode": part_of(what, "decoder")}
        except InputError:  # a classifier, or a decoder that looks at the input
            return {"forward": converted(chosen, floatX)}
        return {method: converted(part, floatX) for method, part in parts.items()}
    return {"forward": converted(chosen, floatX)}


def _identifier(name: str, taken: set[str]) -> str:
    """Return a name that Python takes and that is not taken, and take it."""
    plain = re.sub(r"\W+", "_", name).strip("_") or "value"
    if plain[0].isdigit() or keyword.iskeyword(plain) or plain in TAKEN:
        plain = f"v_{plain}"
    chosen, number = plain, 2
    while chosen in taken:
        chosen, number = f"{plain}_{number}", number + 1
    taken.add(chosen)
    return chosen


class _Writer:
    """Write a class; `state` holds the arrays that it needs, and `fixed` are names of parameters that are not trained."""

    def __init__(self, methods: Mapping[str, Graph], fixed: Collection[str] = ()):
        self.methods = methods
        self.state: dict[str, np.ndarray] = {}
        self._parameters: dict[str, str] = {}
        self._buffers: list[str] = []
        self._small: dict[str, np.ndarray] = {}
        self._fixed: set[str] = set()
        self._taken: set[str] = set(OF_MODULES)
        for graph in methods.values():
            for name, array in graph.parameters.items():
                if name not in self._parameters:
                    self._parameters[name] = _identifier(name, self._taken)
                    self.state[self._parameters[name]] = array
                    if name in fixed:
                        self._fixed.add(self._parameters[name])

    def source(self, kind: str, weights: str, part: Part, floatX: str) -> list[str]:
        bodies = [_Method(self, name, graph).lines() for name, graph in self.methods.items()]
        first = next(iter(self.methods.values()))
        shape = ", ".join("n" if size is None else str(size) for size in first.values[first.inputs[0]].shape)
        what = part.name in ("encoder", "decoder")
        article = "An" if part.of[0] in "AEIOUaeiou" else "A"
        title = f"The {part.name} of {article.lower()} {part.of}" if what else f"{article} {part.of}"
        lines = [f'"""{title} of symae {SYMAE}, for PyTorch alone: ``load()`` reads {weights} beside this file.']
        lines += ["", f"Its input is ({shape}), {floatX}.", '"""', ""]
        body = [line for lines_ in bodies for line in lines_]
        if any("math." in line for line in body):
            lines += ["import math"]
        lines += ["from pathlib import Path", "", "import torch", "from torch import nn"]
        if any("F." in line for line in body):
            lines += ["from torch.nn import functional as F"]
        lines += ["", "", f"class {kind}(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        for name, array in self.state.items():
            size = ", ".join(map(str, array.shape))
            dtype = "" if array.dtype == "float32" else f", dtype=torch.{array.dtype}"
            if name in self._buffers or name in self._fixed or array.dtype.kind != "f":  # PyTorch's parameters are floats
                tensor = f"torch.zeros(({size}{',' if array.ndim == 1 else ''}){dtype})"
                lines.append(f'        self.register_buffer("{name}", {tensor})')
            else:
                lines.append(f"        self.{name} = nn.Parameter(torch.zeros({size or '()'}{dtype}))")
        for name, array in self._small.items():
            numbers = f"{numbers_of(array.tolist())}, dtype=torch.{array.dtype}"
            lines.append(f'        self.register_buffer("{name}", torch.tensor({numbers}), persistent=False)')
        lines += body
        if "encode" in self.methods:
            given = self.methods["decode"].inputs
            star = "*" if len(given) > 1 else ""
            lines += ["", "    def forward(self, x):", f"        return self.decode({star}self.encode(x))"]
        return [
            *lines,
            "",
            "",
            f"def load(path=Path(__file__).with_name({weights!r})):",
            f"    model = {kind}()",
            '    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))',
            "    return model.eval()",
        ]

    def parameter(self, name: str) -> str:
        return f"self.{self._parameters[name]}"

    def buffer(self, name: str, array: np.ndarray) -> str:
        """Return the expression of a constant array, which goes where the module goes.

        A large one is kept with the weights.
        """
        for known, other in [*((b, self.state[b]) for b in self._buffers), *self._small.items()]:
            if (other.dtype, other.shape, other.tobytes()) == (array.dtype, array.shape, array.tobytes()):
                return f"self.{known}"
        chosen = _identifier(name, self._taken)
        if 0 < array.size <= SMALL:
            self._small[chosen] = array
        else:
            self._buffers.append(chosen)
            self.state[chosen] = array
        return f"self.{chosen}"


class _Method:
    """Write a method: a line for each value that people know, or that is used more than once."""

    def __init__(self, writer: _Writer, name: str, graph: Graph):
        self.writer, self.name, self.graph = writer, name, graph
        self.written: dict[str, str] = {}
        self.body: list[str] = []
        self.kinds = _kinds(graph)
        self._taken: set[str] = set()
        self.arguments = [_identifier(value, self._taken) for value in graph.inputs]
        self.written |= dict(zip(graph.inputs, self.arguments, strict=True))

    def lines(self) -> list[str]:
        uses = self.graph.uses()
        for node in self.graph.nodes:
            self._node(node, uses)
        results = ", ".join(self.write(value) for value in self.graph.outputs)
        last = self.body[-1] if self.body else ""
        if len(self.graph.outputs) == 1 and last.startswith(f"{results} = "):
            self.body[-1] = f"return {last.removeprefix(f'{results} = ')}"
        else:
            self.body.append(f"return {results}")
        head = f"    def {self.name}(self, {', '.join(self.arguments)}):"
        return ["", head, *(f"        {line}" for line in self.body)]

    def write(self, name: str) -> str:
        """Return the expression of a value."""
        if name in self.written:
            return self.written[name]
        if name in self.graph.parameters:
            return self.writer.parameter(name)
        return self.writer.buffer(name, self.graph.constants[name])

    def _node(self, node: Node, uses: Mapping[str, int]) -> None:
        device = f"{self.arguments[0]}.device" if self.arguments else None
        text = expression(Arguments(node, self.graph, self.write, self.kinds, device))
        if node.op == "Mod" and self.kinds.get(node.inputs[0]) == "switches":
            text = self.write(node.inputs[0])  # PyTorch's positions are those in an image already
        plural = node.op in ("TopK", "Split") or len(node.outputs) > 1
        if plural:
            names = [self._variable(output) if uses[output] else "_" for output in node.outputs]
            self.body.append(f"{', '.join(names)} = {bare(text)}")
            return
        output = node.outputs[0]
        inner = output.partition("/")[1] == "/"
        if (uses[output] == 1 and inner and len(text) < WIDTH - 40) or text in self.written.values():
            self.written[output] = text
        else:
            self.body.append(f"{self._variable(output)} = {bare(text)}")

    def _variable(self, output: str) -> str:
        # of positions of maxima people know the name that they have in an image
        known = [n.outputs[0] for n in self.graph.nodes if n.op == "Mod" and n.inputs[0] == output and "/" not in n.outputs[0]]
        self.written[output] = _identifier((known or [output])[0].removesuffix("_output"), self._taken)
        return self.written[output]


def _kinds(graph: Graph) -> dict[str, str]:
    """Return which values are lists of sizes in Python, and which positions of maxima that are used."""
    kinds: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == "Shape":
            kinds[node.outputs[0]] = "sizes"
        if node.op == "Concat" and all(
            kinds.get(i) == "sizes" or (i in graph.constants and graph.constants[i].dtype == "int64") for i in node.inputs
        ):
            kinds[node.outputs[0]] = "sizes"
        if node.op == "ReduceProd" and kinds.get(node.inputs[0]) == "sizes" and node.attributes.get("keepdims", 1):
            kinds[node.outputs[0]] = "sizes"
        if node.op == "MaxPool" and node.outputs[1:]:
            kinds[node.outputs[1]] = "switches"
    return kinds

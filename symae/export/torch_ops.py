"""How PyTorch writes ONNX's ops: for each a function that makes an expression of Python of a node."""

from __future__ import annotations

from collections.abc import Callable

from symae.export.torch_arguments import Arguments, bare
from symae.export.torch_images import IMAGES

INFIX = {
    "Add": "+",
    "And": "&",
    "BitwiseAnd": "&",
    "BitwiseOr": "|",
    "BitwiseXor": "^",
    "Equal": "==",
    "Greater": ">",
    "GreaterOrEqual": ">=",
    "Less": "<",
    "LessOrEqual": "<=",
    "MatMul": "@",
    "Mul": "*",
    "Or": "|",
    "Pow": "**",
    "Sub": "-",
    "Xor": "^",
}
CALLS = {
    "Abs": "torch.abs",
    "Acos": "torch.acos",
    "Acosh": "torch.acosh",
    "Asin": "torch.asin",
    "Asinh": "torch.asinh",
    "Atan": "torch.atan",
    "Atanh": "torch.atanh",
    "Ceil": "torch.ceil",
    "Cos": "torch.cos",
    "Cosh": "torch.cosh",
    "Erf": "torch.erf",
    "Exp": "torch.exp",
    "Floor": "torch.floor",
    "IsInf": "torch.isinf",
    "IsNaN": "torch.isnan",
    "Log": "torch.log",
    "Max": "torch.maximum",
    "Min": "torch.minimum",
    "Mod": "torch.remainder",
    "Reciprocal": "torch.reciprocal",
    "Relu": "F.relu",
    "Round": "torch.round",
    "Sigmoid": "torch.sigmoid",
    "Sign": "torch.sign",
    "Sin": "torch.sin",
    "Sinh": "torch.sinh",
    "Softplus": "F.softplus",
    "Sqrt": "torch.sqrt",
    "Tan": "torch.tan",
    "Tanh": "torch.tanh",
    "Where": "torch.where",
}
TENSORS_ONLY = {"Max", "Min", "Mod"}
FAR = 2**31 - 1  # entries: more than an axis has


def expression(a: Arguments) -> str:
    """Return what computes the node's first output, or a tuple of its outputs."""
    op = a.node.op
    if op in INFIX:
        left = a.tensor(0, literal=True)
        if op == "Pow" and left.startswith("-"):  # Python's sign binds less than its power
            left = f"({left})"
        return f"({left} {INFIX[op]} {a.tensor(1, literal=True)})"
    if op in CALLS:
        literal = [op not in TENSORS_ONLY] * len(a)
        if op == "Where" and a.is_number(1) and a.is_number(2):  # of two numbers PyTorch would choose the dtype
            literal[1] = False
        return f"{CALLS[op]}({', '.join(bare(a.tensor(i, literal[i])) for i in range(len(a)))})"
    if op not in _WRITTEN:
        raise a.refuse(op)
    return _WRITTEN[op](a)


def _gemm(a: Arguments) -> str:
    weights = a.tensor(1) if a.attributes.get("transB") else f"{a.tensor(1)}.T"
    return f"F.linear({a.tensor(0)}, {weights}, {a.tensor(2)})"


def _div(a: Arguments) -> str:
    whole = a.graph.values.get(a.node.outputs[0])
    x, y = a.tensor(0, literal=True), a.tensor(1, literal=True)
    if whole is not None and "int" in whole.dtype:
        return f'torch.div({x}, {y}, rounding_mode="trunc")'
    return f"({x} / {y})"


def _known(a: Arguments, i: int, what: str) -> list[int]:
    found = a.numbers(i)
    if found is None:
        raise a.refuse(f"{what} that depends on the input")
    return found


def _unsqueeze(a: Arguments) -> str:
    axes, ndim = _known(a, 1, "an axis"), a.ndim(0)
    if ndim is None:
        text = a.tensor(0)
        for axis in axes:
            text += f".unsqueeze({axis})"
        return text
    return f"{a.tensor(0)}[{', '.join('None' if axis in axes else ':' for axis in range(ndim + len(axes)))}]"


def _squeeze(a: Arguments) -> str:
    axes = _known(a, 1, "an axis")
    return f"{a.tensor(0)}.squeeze({axes[0] if len(axes) == 1 else tuple(axes)})"


def _transpose(a: Arguments) -> str:
    perm = a.attributes["perm"]
    return f"{a.tensor(0)}.T" if perm == [1, 0] else f"{a.tensor(0)}.permute({', '.join(map(str, perm))})"


def _reduce(name: str) -> Callable[[Arguments], str]:
    def write(a: Arguments) -> str:
        axes = _known(a, 1, "an axis")
        keep = ", keepdim=True" if a.attributes.get("keepdims", 1) else ""
        if a.is_sizes(0) and name == "prod":
            return f"math.prod({a.sizes(0)})" if not keep else f"[math.prod({a.sizes(0)})]"
        if name == "prod":
            text = a.tensor(0)
            for axis in sorted(axes, reverse=True):
                text += f".prod({axis}{keep})"
            return text
        return f"{a.tensor(0)}.{name}({axes[0] if len(axes) == 1 else tuple(axes)}{keep})"

    return write


def _shape(a: Arguments) -> str:
    start, end = a.attributes.get("start"), a.attributes.get("end")
    inside = "" if start is None and end is None else f"[{start or ''}:{'' if end is None else end}]"
    return f"{a.tensor(0)}.shape{inside}"


def _concat(a: Arguments) -> str:
    if all(map(a.is_sizes, range(len(a)))):
        return f"[{', '.join(a.list(i) for i in range(len(a)))}]"
    parts = (a.tensor(i) for i in range(len(a)))
    return f"torch.cat([{', '.join(parts)}], {a.attributes['axis']})"


def _gather(a: Arguments) -> str:
    array, name = a.graph.constants.get(a.node.inputs[1]), a.node.inputs[1]
    index = repr(array.tolist()) if array is not None and array.size < 20 else a.write(name)
    return f"{a.tensor(0)}[{':, ' * a.attributes['axis']}{index}]"


def _slice(a: Arguments) -> str:
    axes, steps = _known(a, 3, "an axis"), _known(a, 4, "a step")
    text, parts = a.tensor(0), [":"] * (max(axes) + 1)
    backwards = [axis for axis, step in zip(axes, steps, strict=True) if step < 0]
    if backwards:  # PyTorch's slices go forwards only
        text += f".flip({', '.join(map(str, backwards))})"
    for position, (axis, step) in enumerate(zip(axes, steps, strict=True)):
        start, stop = (_bound(a, i, position, step < 0) for i in (1, 2))
        parts[axis] = f"{start}:{stop}" + (f":{abs(step)}" if abs(step) != 1 else "")
    return text if all(part == ":" for part in parts) else f"{text}[{', '.join(parts)}]"


def _bound(a: Arguments, i: int, position: int, flipped: bool) -> str:
    """Return where a slice begins or ends.

    Entry k of an axis is entry -1 - k of it flipped, whichever end k counts from; what lies outside of the axis still does.
    """
    known = a.numbers(i)
    if known is None:
        place = f"int({a.sizes(i)}[{position}])"
        return f"-1 - {place}" if flipped else place
    n = -1 - known[position] if flipped else known[position]
    outside = n < -FAR if i == 1 else n >= FAR
    return "" if outside or (n == 0 and i == 1) else str(n)


def _scatter(a: Arguments) -> str:
    method = "scatter_add" if a.attributes.get("reduction") == "add" else "scatter"
    return f"{a.tensor(0)}.{method}({a.attributes['axis']}, {a.tensor(1)}, {a.tensor(2)})"


def _top_k(a: Arguments) -> str:
    k = a.numbers(1)
    count = str(k[0]) if k is not None else f"{a.sizes(1)}[0]"
    return f"torch.topk({a.tensor(0)}, {count}, dim={a.attributes['axis']}, largest={bool(a.attributes['largest'])})"


def _if(a: Arguments) -> str:
    if len(a) != 3:
        raise a.refuse("a choice among several values at once")
    return f"({a.tensor(1)} if {a.tensor(0)} else {a.tensor(2)})"


def _cast(a: Arguments) -> str:
    return f"{a.tensor(0)}.to(torch.{a.attributes['to']})"


def _pad(a: Arguments) -> str:
    pads = _known(a, 1, "padding")
    half = len(pads) // 2
    ends = [n for axis in reversed(range(half)) for n in (pads[axis], pads[half + axis])]
    return f"F.pad({a.tensor(0)}, {tuple(ends)})"


_WRITTEN: dict[str, Callable[[Arguments], str]] = {
    "ArgMax": lambda a: f"torch.argmax({a.tensor(0)}, {a.attributes['axis']})",
    "Cast": _cast,
    "Concat": _concat,
    "CumSum": lambda a: f"torch.cumsum({a.tensor(0)}, {_known(a, 1, 'an axis')[0]})",
    "Div": _div,
    "Expand": lambda a: f"torch.broadcast_to({a.tensor(0)}, {a.sizes(1)})",
    "Gather": _gather,
    "GatherElements": lambda a: f"torch.gather({a.tensor(0)}, {a.attributes['axis']}, {a.tensor(1)})",
    "GatherND": lambda a: f"{a.tensor(0)}[tuple({a.tensor(1)}.unbind(-1))]",
    "Gemm": _gemm,
    "Identity": lambda a: a.tensor(0),
    "If": _if,
    "LeakyRelu": lambda a: f"F.leaky_relu({a.tensor(0)}, {a.attributes['alpha']!r})",
    "LogSoftmax": lambda a: f"torch.log_softmax({a.tensor(0)}, {a.attributes['axis']})",
    "Neg": lambda a: f"(-{a.tensor(0)})",
    "NonZero": lambda a: f"torch.nonzero({a.tensor(0)}).T",
    "Not": lambda a: f"(~{a.tensor(0)})",
    "BitwiseNot": lambda a: f"(~{a.tensor(0)})",
    "Pad": _pad,
    "Range": lambda a: f"torch.arange({', '.join(a.tensor(i, literal=True) for i in range(3))}{a.on_device})",
    "ReduceMax": _reduce("amax"),
    "ReduceMin": _reduce("amin"),
    "ReduceProd": _reduce("prod"),
    "ReduceSum": _reduce("sum"),
    "Reshape": lambda a: f"{a.tensor(0)}.reshape({a.sizes(1)})",
    "ScatterElements": _scatter,
    "Shape": _shape,
    "Slice": _slice,
    "Softmax": lambda a: f"torch.softmax({a.tensor(0)}, {a.attributes['axis']})",
    "Split": lambda a: f"torch.split({a.tensor(0)}, {list(_known(a, 1, 'a length'))}, {a.attributes['axis']})",
    "Squeeze": _squeeze,
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    **IMAGES,
}

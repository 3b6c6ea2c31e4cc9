"""Calls of Theano's whose arguments have changed, for ``symae port --modern``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from symae.port.rewriting import argument, replaced_arguments

Arguments = list[cst.Arg]


def bound(node: cst.Call, names: Sequence[str]) -> dict[str, cst.BaseExpression] | None:
    """Return a call's arguments by the names of the parameters; None where a star hides them, or where there are others."""
    found: dict[str, cst.BaseExpression] = {}
    for i, arg in enumerate(node.args):
        name = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else ""
        if arg.star or name not in names:
            return None
        found[name] = arg.value
    return found


def _conv2d(node: cst.Call, names: Sequence[str], dropped: Sequence[str] = ()) -> Arguments | None:
    """Drop Theano's hints about shapes, which have no use any more; `filter_dilation` and `num_groups` have shorter names."""
    given = bound(node, names)
    if given is None or not {"input", "filters"} <= set(given):
        return None
    result = [argument(given.pop("input")), argument(given.pop("filters"))]
    renamed = {"filter_dilation": "dilation", "num_groups": "groups"}
    hints = {"input_shape", "image_shape", "filter_shape", "kernel_shape", *dropped}
    return result + [argument(value, renamed.get(name, name)) for name, value in given.items() if name not in hints]


def _nnet_conv2d(node: cst.Call) -> Arguments | None:
    names = ("input", "filters", "input_shape", "filter_shape", "border_mode", "subsample", "filter_flip", "image_shape")
    return _conv2d(node, (*names, "filter_dilation", "num_groups"))


def _conv_conv2d(node: cst.Call) -> Arguments | None:
    names = ("input", "filters", "image_shape", "filter_shape", "border_mode", "subsample")
    old = ("version", "verbose", "unroll_batch", "unroll_kern", "unroll_patch", "openmp")  # how to compute, not what
    return _conv2d(node, (*names, *old), old)


def _dnn_conv(node: cst.Call) -> Arguments | None:
    given = bound(node, ("img", "kerns", "border_mode", "subsample", "conv_mode", "direction_hint", "workmem"))
    if given is None or not {"img", "kerns"} <= set(given):
        return None
    mode = given.pop("conv_mode", None)
    result = [argument(given.pop("img")), argument(given.pop("kerns"))]
    result += [argument(given[name], name) for name in ("border_mode", "subsample") if name in given]
    if isinstance(mode, cst.SimpleString) and mode.evaluated_value == "cross":
        result.append(argument("False", "filter_flip"))
    elif mode is not None and not isinstance(mode, cst.SimpleString):
        return None
    return result


def _pool_2d(node: cst.Call) -> Arguments | None:
    """Write out `ignore_border`, which was False unless given."""
    names = ("input", "ws", "ignore_border", "stride", "pad", "mode", "ds", "st", "padding")
    given = bound(node, names)
    if given is None or "input" not in given or not given.keys() & {"ws", "ds"}:
        return None
    for old, new in (("ds", "ws"), ("st", "stride"), ("padding", "pad")):
        if old in given:
            given[new] = given.pop(old)
    border = given.get("ignore_border")
    if border is None or (isinstance(border, cst.Name) and border.value == "None"):
        given["ignore_border"] = cst.Name("False")
    result = [argument(given["input"]), argument(given["ws"])]
    return result + [argument(given[n], n) for n in ("stride", "pad", "mode", "ignore_border") if n in given]


def _dnn_pool(node: cst.Call) -> Arguments | None:
    given = bound(node, ("img", "ws", "stride", "mode", "pad"))
    if given is None or not {"img", "ws"} <= set(given):
        return None
    given.setdefault("stride", cst.parse_expression("(1, 1)"))
    result = [argument(given["img"]), argument(given["ws"])]
    return result + [argument(given[n], n) for n in ("stride", "pad", "mode") if n in given]


def _stack(node: cst.Call) -> Arguments | None:
    """Rewrite ``stack(a, b)`` of old; today's takes a list, and so did Theano's later."""
    positional = [a for a in node.args if a.keyword is None]
    many = len(positional) > 1 and not isinstance(positional[0].value, cst.List | cst.Tuple | cst.ListComp)
    if not many or isinstance(positional[1].value, cst.Integer | cst.UnaryOperation):
        return None
    bare = [cst.Element(a.value) for a in positional]
    return [argument(cst.List(bare)), *(a for a in node.args if a.keyword is not None)]


def _flatten(node: cst.Call) -> Arguments | None:
    return _renamed(node, {"outdim": "ndim"})


def _clone(node: cst.Call) -> Arguments | None:
    return _renamed(node, {"strict": "rebuild_strict", "share_inputs": "copy_inputs_over"})


def _in(node: cst.Call) -> Arguments | None:
    names = ("variable", "default", "name", "mutable", "strict", "allow_downcast", "implicit", "borrow")
    given = bound(node, names)
    if given is None or "variable" not in given:
        return None
    first = argument(given.pop("variable"))
    return [first, *(argument(v, "value" if n == "default" else n) for n, v in given.items())]


def _renamed(node: cst.Call, names: dict[str, str]) -> Arguments | None:
    if not any(a.keyword is not None and a.keyword.value in names for a in node.args):
        return None
    return [
        a.with_changes(keyword=cst.Name(names.get(a.keyword.value, a.keyword.value))) if a.keyword is not None else a
        for a in node.args
    ]


CALLS: dict[str, Callable[[cst.Call], Arguments | None]] = {
    "theano.tensor.nnet.conv2d": _nnet_conv2d,
    "theano.tensor.nnet.conv.conv2d": _conv_conv2d,
    "theano.tensor.signal.pool.pool_2d": _pool_2d,
    "theano.tensor.signal.pool.max_pool_2d": _pool_2d,
    "theano.tensor.signal.downsample.max_pool_2d": _pool_2d,
    "theano.sandbox.cuda.dnn.dnn_conv": _dnn_conv,
    "theano.gpuarray.dnn.dnn_conv": _dnn_conv,
    "theano.sandbox.cuda.dnn.dnn_pool": _dnn_pool,
    "theano.gpuarray.dnn.dnn_pool": _dnn_pool,
    "theano.tensor.stack": _stack,
    "theano.tensor.flatten": _flatten,
    "theano.Param": _in,
    "theano.clone": _clone,
}
NEED_REWRITING = {name for name in CALLS if name.startswith(("theano.tensor.signal", "theano.sandbox", "theano.gpuarray"))}
NEED_REWRITING |= {"theano.tensor.nnet.conv2d", "theano.tensor.nnet.conv.conv2d"}


def rewritten(node: cst.Call, name: str) -> cst.Call | None:
    """Return the call of that canonical name with today's arguments; None where they stay, or cannot be known."""
    new = CALLS[name](node) if name in CALLS else None
    return None if new is None else node.with_changes(args=replaced_arguments(node.args, new))

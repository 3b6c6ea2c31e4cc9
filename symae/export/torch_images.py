"""How PyTorch writes what ONNX does with images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symae.export.torch_arguments import Arguments


def _frame(a: Arguments) -> tuple[list[int], list[int]]:
    """Return how much padding there is before rows and columns, and after them."""
    if "auto_pad" in a.attributes:
        raise a.refuse("padding that depends on the images' size")
    pads = a.attributes.get("pads", [0, 0, 0, 0])
    return pads[:2], pads[2:]


def _both(pair: Sequence[int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"({pair[0]}, {pair[1]})"


def _settings(a: Arguments, **more: Any) -> str:
    """Return strides and the like, where they are not as by default."""
    parts = []
    for name, key in (("stride", "strides"), ("dilation", "dilations")):
        if a.attributes.get(key, [1, 1]) != [1, 1]:
            parts.append(f"{name}={_both(a.attributes[key])}")
    if a.attributes.get("group", 1) != 1:
        parts.append(f"groups={a.attributes['group']}")
    parts += [f"{name}={_both(value)}" for name, value in more.items() if any(value)]
    return "".join(f", {part}" for part in parts)


def _padded(x: str, before: Sequence[int], after: Sequence[int], value: str = "") -> str:
    return f"F.pad({x}, ({before[1]}, {after[1]}, {before[0]}, {after[0]}){value})"


def _weights(a: Arguments) -> str:
    return ", ".join(a.tensor(i) for i in range(1, len(a)))


def _conv(a: Arguments) -> str:
    before, after = _frame(a)
    if before == after:
        return f"F.conv2d({a.tensor(0)}, {_weights(a)}{_settings(a, padding=before)})"
    return f"F.conv2d({_padded(a.tensor(0), before, after)}, {_weights(a)}{_settings(a)})"


def _conv_transpose(a: Arguments) -> str:
    """Crop by `padding` what is cropped on both sides, and the rest by a slice."""
    before, after = _frame(a)
    end = [n - extra for n, extra in zip(after, a.attributes.get("output_padding", [0, 0]), strict=True)]
    padding = [max(min(b, e), 0) for b, e in zip(before, end, strict=True)]
    extra = [max(-e, 0) for e in end]
    drawn = f"F.conv_transpose2d({a.tensor(0)}, {_weights(a)}{_settings(a, padding=padding, output_padding=extra)})"
    cuts = [(b - p, max(e, 0) - p) for b, e, p in zip(before, end, padding, strict=True)]
    if not any(map(any, cuts)):
        return drawn
    slices = ", ".join(f"{first or ''}:{-last or ''}" for first, last in cuts)
    return f"{drawn}[:, :, {slices}]"


def _max_pool(a: Arguments) -> str:
    before, after = _frame(a)
    kernel = a.attributes["kernel_shape"]
    x, padding = a.tensor(0), ""
    indices = len(a.node.outputs) > 1
    if before != after or any(2 * p > k for p, k in zip(before, kernel, strict=True)):
        if indices:
            raise a.refuse("positions of maxima in images with more padding on one side")
        x = _padded(x, before, after, ', value=float("-inf")')
    elif any(before):
        padding = f", padding={_both(before)}"
    stride = f", stride={_both(a.attributes['strides'])}" if a.attributes["strides"] != kernel else ""
    more = ", return_indices=True" if indices else ""
    return f"F.max_pool2d({x}, {_both(kernel)}{stride}{padding}{more})"


def _average_pool(a: Arguments) -> str:
    before, after = _frame(a)
    kernel = a.attributes["kernel_shape"]
    stride = f", stride={_both(a.attributes['strides'])}" if a.attributes["strides"] != kernel else ""
    windows = f"{_both(kernel)}{stride}"
    x, include = a.tensor(0), bool(a.attributes["count_include_pad"])
    if not any(before) and not any(after):
        return f"F.avg_pool2d({x}, {windows})"
    if before == after and not any(2 * p > k for p, k in zip(before, kernel, strict=True)):
        return f"F.avg_pool2d({x}, {windows}, padding={_both(before)}, count_include_pad={include})"
    pooled = f"F.avg_pool2d({_padded(x, before, after)}, {windows})"
    return pooled if include else f"({pooled} / F.avg_pool2d({_padded(f'torch.ones_like({x})', before, after)}, {windows}))"


def _max_unpool(a: Arguments) -> str:
    kernel, strides = a.attributes["kernel_shape"], a.attributes["strides"]
    stride = f", stride={_both(strides)}" if strides != kernel else ""
    return f"F.max_unpool2d({a.tensor(0)}, {a.tensor(1)}, {_both(kernel)}{stride})"


def _resize(a: Arguments) -> str:
    factors = a.numbers(2)
    if factors is None:
        raise a.refuse("a factor that depends on the input")
    mode = 'mode="nearest"' if a.attributes["mode"] == "nearest" else 'mode="bilinear", align_corners=False'
    return f"F.interpolate({a.tensor(0)}, scale_factor={_both(factors[2:])}, {mode})"


IMAGES: dict[str, Callable[[Arguments], str]] = {
    "AveragePool": _average_pool,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "MaxUnpool": _max_unpool,
    "Resize": _resize,
}

"""Names that SciPy had elsewhere, and those of scipy.misc."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from symae.errors import MissingFileError

# Where the names of scipy's modules are today.
FORMER = {
    "scipy.misc": {name: f"scipy.special:{name}" for name in ("logsumexp", "comb", "factorial", "factorial2")},
    "scipy.signal": {
        **{name: f"scipy.signal.windows:{name}" for name in ("gaussian", "hann", "hamming", "blackman", "kaiser", "boxcar")},
        "hanning": "scipy.signal.windows:hann",
    },
    "scipy.integrate": {
        "simps": "scipy.integrate:simpson",
        "trapz": "scipy.integrate:trapezoid",
        "cumtrapz": "scipy.integrate:cumulative_trapezoid",
    },
    "scipy.linalg": {"pinv2": "scipy.linalg:pinv"},
    "scipy.stats": {"chisqprob": "scipy.special:chdtrc"},
    "scipy.special": {"sph_harm": "scipy.special:sph_harm_y"},
}
FROM_NUMPY = [
    *("array", "asarray", "zeros", "ones", "eye", "arange", "linspace", "dot", "exp", "log", "log2", "log10"),
    *("sqrt", "sin", "cos", "tan", "mean", "std", "var", "sum", "prod", "cumsum", "argmax", "argmin"),
    *("argsort", "sort", "where", "concatenate", "vstack", "hstack", "reshape", "transpose", "outer", "inner"),
    *("ravel", "rand", "randn", "random", "pi", "e", "inf", "nan", "float32", "float64", "int32", "int64"),
    *("uint8", "power", "absolute", "sign", "floor", "ceil", "isnan", "isinf", "maximum", "minimum", "clip"),
    *("diag", "trace", "meshgrid", "mod", "median", "corrcoef", "cov", "histogram", "unique", "nonzero"),
    *("tile", "repeat", "newaxis", "polyfit", "polyval", "loadtxt", "savetxt", "identity", "zeros_like"),
    *("ones_like", "finfo", "allclose", "array_equal", "atleast_2d", "r_", "c_", "mgrid", "ogrid", "fromfile"),
    *("fromstring", "mat", "matrix"),
]


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> np.ndarray:
    """Scale numbers, from their smallest to their largest, to bytes; bytes stay as they are."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    cmin, cmax = (data.min() if cmin is None else cmin), (data.max() if cmax is None else cmax)
    scale = float(high - low) / (float(cmax - cmin) or 1.0)
    return np.asarray((data - cmin) * scale + low).clip(low, high).__add__(0.5).astype(np.uint8)


def toimage(arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None, pal: Any = None,
            mode: str | None = None, channel_axis: int | None = None) -> Image.Image:  # fmt: skip
    """Make a picture of an array: (h, w), or three or four planes of it, whichever axis they are along."""
    data = np.asarray(arr)
    if data.ndim == 2:
        if mode in ("1",):
            return Image.fromarray(((data > 0) * 255).astype(np.uint8)).convert("1")
        if mode == "F":
            return Image.fromarray(data.astype(np.float32))
        return Image.fromarray(bytescale(data, cmin, cmax, high, low))
    axis = channel_axis if channel_axis is not None else next(i for i, n in enumerate(data.shape) if n in (3, 4))
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(bytescale(data, cmin, cmax, high, low), axis, -1)))


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Save an array as a picture."""
    toimage(arr, channel_axis=2 if np.ndim(arr) == 3 else None).save(name, format)


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """Read the pixels of a picture."""
    return fromimage(Image.open(name), flatten, mode)


def fromimage(im: Image.Image, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    if mode is not None:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    return np.array(im if im.mode != "1" else im.convert("L"))


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """Resize a picture; `size` is a percentage as a whole number, a fraction, or (rows, columns)."""
    image = toimage(arr, mode=mode)
    if isinstance(size, int | np.integer):
        shape = int(image.width * size / 100.0), int(image.height * size / 100.0)
    elif isinstance(size, float | np.floating):
        shape = int(image.width * size), int(image.height * size)
    else:
        shape = (int(size[1]), int(size[0]))
    return fromimage(image.resize(shape, _resampling(interp)))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray:
    return fromimage(toimage(arr).rotate(angle, resample=_resampling(interp)))


def _resampling(name: str) -> Any:
    return {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}[name]


def _no_picture(name: str) -> Callable[..., Any]:
    def missing(*_: Any) -> Any:
        raise MissingFileError(f"scipy.misc.{name}", "a picture that SciPy does not bring any more", "a picture of your own")

    return missing


def _derivative(func: Any, x0: float, dx: float = 1.0, n: int = 1, args: Any = (), order: int = 3) -> Any:
    """Compute the n-th derivative by central differences of `order` points."""
    half = order // 2
    points = np.arange(-half, half + 1)
    weights = np.linalg.solve(np.vander(points, increasing=True).T, np.eye(order)[n]) * float(np.prod(np.arange(1, n + 1)))
    return sum(w * func(x0 + k * dx, *args) for w, k in zip(weights, points, strict=True)) / dx**n


def misc_names() -> dict[str, Any]:
    """Return what was in ``scipy.misc``; `imshow` is not among it."""
    own = (imread, imsave, imresize, imrotate, fromimage, toimage, bytescale)
    names: dict[str, Any] = {function.__name__: function for function in own}
    names |= {name: _no_picture(name) for name in ("lena", "face", "ascent")}
    return {**names, "derivative": _derivative, **moved("scipy.misc")}


def from_numpy() -> dict[str, Any]:
    """Return what ``scipy`` had of NumPy's."""
    sources = {name: np if hasattr(np, name) else np.random for name in FROM_NUMPY}
    names = {name: getattr(source, name) for name, source in sources.items() if hasattr(source, name)}
    return {**names, "random": np.random}


def moved(module: str) -> dict[str, Any]:
    """Return what a module of SciPy had and others have today, as far as they have it."""
    names = {}
    for old, place in FORMER.get(module, {}).items():
        home, _, name = place.partition(":")
        if (value := getattr(importlib.import_module(home), name, None)) is not None:
            names[old] = value
    return names

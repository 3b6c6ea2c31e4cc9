"""Write tile_raster_images.npz: what the original ``tile_raster_images`` gives for a table of cases.

    python make_tile_raster_images.py path/to/DeepLearningTutorials/code/utils.py

Needs NumPy 1 (the file in the repository: 1.21.6, Python 3.8): under NumPy 2 the original rounds float32 and float16
differently. The file describes itself: ``inputs`` by name, the ``cases`` as JSON, and one array ``out<i>`` for each case.
"""

import hashlib
import importlib.util
import itertools
import json
import sys
from pathlib import Path

import numpy as np

IMAGE = (2, 3)
ROWS = 12


def load(path):
    spec = importlib.util.spec_from_file_location("original", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_inputs():
    """Rows that are ordinary, and rows in which rounding, constants, overflow, NaN and infinity show."""
    rng = np.random.RandomState(2015)
    rows = rng.randn(ROWS, IMAGE[0] * IMAGE[1])
    rows[1] = rng.uniform(size=rows.shape[1])
    rows[2] = 0.3
    rows[3] = 0
    rows[4] *= 1e-9
    rows[5] *= 1e6
    rows[6, 4] = np.nan
    rows[7, 1] = np.inf
    rows[8, 2] = -np.inf
    rows[9] = 1 + 1e-6 * rows[9]
    rows[1] *= 0.02
    rows[10] *= 1e-4
    rows[11] *= 1e-7
    inputs = {name: rows.astype(name) for name in ("float64", "float32", "float16")}
    inputs[">f4"] = inputs["float32"].astype(">f4")
    inputs["uint8"] = rng.randint(0, 256, rows.shape).astype("uint8")
    inputs["int64"] = rng.randint(-1000, 1000, rows.shape)
    inputs["bool"] = rows > 0
    for letter in "rgba":
        inputs[letter] = rng.uniform(-0.2, 1.2, rows.shape).astype("float32" if letter in "ra" else "float64")
    # On both sides of each place where the conversion to a byte changes its mind: 0, 1, 256/255, 2**31/255, and beyond.
    cut = [-1, -0.5, -1.5, 0.999, 1.0001, 255.9 / 255, 256 / 255, 2, -300, 1e6, 8421504, 8421504.99, 8421505, -8421504.5]
    cut += [-8421505, -8421505.1, 1e9, 1e20, np.nan, np.inf, -np.inf, 254.5 / 255, -1e-9, 0.0]
    inputs["cut float64"] = np.array([cut])
    inputs["cut float32"] = np.array([cut], "float32")
    return inputs


def make_cases():
    """Dictionaries of arguments; ``X`` names an input, or four of them."""
    exact, fewer, more = (3, 4), (2, 3), (4, 5)
    spacings, flags = ((0, 0), (1, 1), (2, 3)), (False, True)
    table = list(itertools.product(("float32", "float64"), [IMAGE], (exact, fewer, more), spacings, flags, flags))
    table += itertools.product((">f4", "float16"), [IMAGE], [more], [(1, 0)], flags, flags)
    table += itertools.product(("uint8", "int64", "bool"), [IMAGE], (exact, fewer, more), [(0, 1)], [False], flags)
    table += itertools.product(("cut float64", "cut float32"), [(1, 24)], [(1, 1)], [(0, 0)], [False], flags)
    channels = ["rgba", "rgb-", "r---", "-g-a", "----"]
    fours = [[None if letter == "-" else letter for letter in four] for four in channels]
    table += itertools.product(fours, [IMAGE], (fewer, more), [(0, 0), (1, 2)], flags, [True])
    return [
        {
            "X": X,
            "img_shape": img_shape,
            "tile_shape": tile_shape,
            "tile_spacing": tile_spacing,
            "scale_rows_to_unit_interval": scale,
            "output_pixel_vals": pixels,
        }
        for X, img_shape, tile_shape, tile_spacing, scale, pixels in table
    ]


def worksheet_filters():
    """Return the initial weights of the tutorials' autoencoder, 784 by 100: only digests of the results are stored."""
    bound = 4 * np.sqrt(6 / (784 + 100))
    return np.random.RandomState(123).uniform(-bound, bound, (784, 100))


def main():
    if int(np.__version__.split(".")[0]) > 1:
        sys.exit("NumPy " + np.__version__ + " rounds differently; the golden file is made with NumPy 1")
    original = load(sys.argv[1])
    inputs, cases = make_inputs(), make_cases()
    arrays = {"input " + name: array for name, array in inputs.items()}
    with np.errstate(all="ignore"):
        for number, case in enumerate(cases):
            arguments = dict(case)
            names = arguments.pop("X")
            X = inputs[names] if isinstance(names, str) else tuple(None if name is None else inputs[name] for name in names)
            arrays[f"out{number}"] = original.tile_raster_images(X, **arguments)
        for dtype in ("float64", "float32", "float16"):
            arrays["unit " + dtype] = original.scale_to_unit_interval(inputs[dtype][[0, 1, 9]].reshape(3, 2, 3))
            arrays["unit constant " + dtype] = original.scale_to_unit_interval(inputs[dtype][2])
            arrays["unit nan " + dtype] = original.scale_to_unit_interval(inputs[dtype][6])
        digests = {}
        for dtype in ("float64", "float32"):
            filters = worksheet_filters().astype(dtype).T
            picture = original.tile_raster_images(filters, (28, 28), (10, 10), (1, 1))
            values = original.tile_raster_images(filters, (28, 28), (10, 10), (1, 1), True, False)
            digests[dtype] = [hashlib.sha256(array.tobytes()).hexdigest() for array in (picture, values)]
    arrays["cases"] = np.array(json.dumps(cases))
    arrays["digests"] = np.array(json.dumps(digests))
    np.savez_compressed(str(Path(__file__).with_name("tile_raster_images.npz")), **arrays)
    print(f"{len(cases)} cases, NumPy {np.__version__}")


if __name__ == "__main__":
    main()

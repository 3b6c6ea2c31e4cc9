"""Read the golden figures, write them, and compare with them. Runs on Python 3.8 too."""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
# of sums of a thousand products, added up in another order
TOLERANCE = {"float64": 1e-10, "float32": 2e-5}


def read_json(name):
    """Return what ``name``.json holds."""
    return json.loads((FOLDER / (name + ".json")).read_text())


def read_arrays(name):
    """Return the arrays of ``name``.npz by name."""
    with np.load(str(FOLDER / (name + ".npz")), allow_pickle=False) as file:
        return dict(file)


def write_json(name, figures):
    """Write ``name``.json: a dictionary, one entry on a line."""
    lines = ",\n".join("{}: {}".format(json.dumps(key), json.dumps(value)) for key, value in figures.items())
    (FOLDER / (name + ".json")).write_text("{\n" + lines + "\n}\n")


def assert_same(found, expected, rtol=1e-12, atol=0.0):
    """Compare numbers to within `rtol` and `atol`, however deep in lists, and texts, such as errors' names, exactly."""
    if isinstance(expected, str):
        assert found == expected
    elif isinstance(expected, list):
        assert isinstance(found, (list, np.ndarray))
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other, rtol, atol)
    else:
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def assert_same_array(found, expected, name=""):
    """Compare dtype and shape exactly, and numbers to within `TOLERANCE` of the dtype."""
    assert (str(found.dtype), found.shape) == (str(expected.dtype), expected.shape), name
    tolerance = TOLERANCE.get(str(expected.dtype), 0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=name)

"""Libraries on Theano whose modules find what Python, NumPy and SciPy had in their time."""

from __future__ import annotations

import importlib.metadata

__all__ = ["HOW_TO_GET", "is_of_its_time", "listed"]

_SOURCE = "pip install https://github.com/{}/archive/{}.zip"

# By package: how to get it.
HOW_TO_GET = {
    "lasagne": _SOURCE.format("Lasagne/Lasagne", "master"),
    "keras": "pip install 'keras<2.3', with KERAS_BACKEND=theano",
    "keras_applications": "pip install 'keras_applications<1.0.9'",
    "keras_preprocessing": "pip install 'keras_preprocessing<1.1.3'",
    "nolearn": _SOURCE.format("dnouri/nolearn", "master"),
    "blocks": _SOURCE.format("mila-iqia/blocks", "master"),
    "fuel": _SOURCE.format("mila-iqia/fuel", "master"),
    "picklable_itertools": "pip install picklable_itertools",
    "theano_lstm": "pip install theano-lstm",
    "theanets": _SOURCE.format("lmjohns3/theanets", "master"),
    "downhill": "pip install downhill",
    "pylearn2": _SOURCE.format("lisa-lab/pylearn2", "master"),
}
# Those that went on without Theano: up to which version they are old.
_LAST = {"keras": 2, "keras_applications": 1, "keras_preprocessing": 1}


def is_of_its_time(name: str) -> bool:
    """Return True if the top-level package of that name is an old library; a checkout without metadata is taken for one."""
    if name not in HOW_TO_GET:
        return False
    if name not in _LAST:
        return True
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return True
    return int(version.partition(".")[0]) <= _LAST[name]


def listed(text: str) -> list[str]:
    """Return the names of packages in what the option ``--legacy-packages A,B`` is given."""
    return [name for name in text.split(",") if name]

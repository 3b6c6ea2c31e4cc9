"""Libraries that stand on Theano, on symae.theano: their programs print what they print on real Theano 1.0.5."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytensor
import pytest
from golden.figures import assert_same, read_json

GOLDEN = read_json("library_programs")
PROGRAMS = Path(__file__).parents[1] / "golden" / "library_programs"
NEEDED = {
    "blocks_autoencoder": ("blocks", "fuel"),
    "keras_autoencoders": ("keras", "h5py"),
    "nolearn_autoencoder": ("nolearn", "lasagne"),
    "pylearn2_autoencoder": ("pylearn2",),
    "theanets_autoencoder": ("theanets", "downhill"),
    "theano_lstm_spring": ("theano_lstm",),
}
KERAS = {"backend": "theano", "floatx": "float64", "image_dim_ordering": "tf", "epsilon": 1e-7}
# Each with the mode that it is tested in; figures do not depend on it.
CASES = [(program, (), "FAST_COMPILE") for program in NEEDED if program != "keras_autoencoders"]
CASES += [("keras_autoencoders", (name,), "FAST_COMPILE") for name in GOLDEN["keras_autoencoders 1"]]
CASES += [("keras_autoencoders", ("dense",), "FAST_RUN")]


@pytest.mark.parametrize(("program", "arguments", "mode"), CASES, ids=lambda value: str(value or ""))
def test_programs_of_a_library_give_theanos_figures(program, arguments, mode, tmp_path):
    for library in NEEDED[program]:
        spec = importlib.util.find_spec(library)
        if spec is None or spec.origin is None:  # a folder of that name is not a package
            pytest.skip(f"{library} is not installed")
    expected = program
    if program == "keras_autoencoders":
        expected += f" {importlib.metadata.version('keras')[0]}"
        if expected not in GOLDEN:
            pytest.skip(f"Keras {importlib.metadata.version('keras')} does not run on Theano")
    command = [sys.executable, "-W", "ignore", "-m", "symae.theano", str(PROGRAMS / f"{program}.py"), *arguments]
    flags = {"THEANO_FLAGS": f"floatX=float64,mode={mode}", "KERAS_BACKEND": "theano"}
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps(KERAS))
    flags |= {"HOME": str(tmp_path), "PYTENSOR_FLAGS": f"base_compiledir={pytensor.config.base_compiledir}"}
    path = os.pathsep.join([str(PROGRAMS.parents[2]), os.environ.get("PYTHONPATH", "")])
    child = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **flags, "PYTHONPATH": path}
    )
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout.splitlines()[-1])
    for name in arguments or GOLDEN[expected]:
        assert_same(_flat(found[name]), _flat(GOLDEN[expected][name]), rtol=1e-8, atol=1e-10)


def _flat(figures):
    """Return figures as lists: those of a dictionary by their names."""
    return [[key, value] for key, value in sorted(figures.items())] if isinstance(figures, dict) else figures

"""The scripts of tests/legacy/scripts, rewritten by ``symae port --modern``, print on PyTensor what they printed under Theano.

What cannot be carried over is in `LISTED`, and the command lists it: docs/legacy_scripts.md says it in words.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytensor
import pytest
from golden.figures import FOLDER
from golden.printed import differences

from symae.port.pipeline import Ported, port
from symae.python2.source import read_source

SCRIPTS = Path(__file__).parents[1] / "legacy" / "scripts"
SIBLING = "layers_of_2012"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py") if path.stem != SIBLING)

# By script: parts of what the command says of it.
LISTED: dict[str, tuple[str, ...]] = {
    "batch_normalization_functions": ("batch_normalization_train has no counterpart", "batch_normalization_test has no"),
    "broadcast_patterns": ("patternbroadcast has no counterpart", "unbroadcast has no", "makeKeepDims has no"),
    "clone_with_replace": ("in an order of its own",),
    "compute_test_value": ("test values are not computed", "config.compute_test_value is gone", "config.device is gone"),
    "conv2d_flips_filters": ("theano.tensor.signal.conv.conv2d has no counterpart",),
    "cpickle_of_many_expressions": ("by protocol 2 and later",),
    "cuda_is_not_there": ("it was for GPUs", "config.device.startswith is gone"),
    "debug_and_profile_modes": ("config.compute_test_value is gone", "PyTensor's version now"),
    "flatten_stack_and_reshape": ("theano.tensor.unbroadcast has no counterpart",),
    "function_defaults_and_downcast": ("inputs with default values are gone",),
    "import_image": ("scipy.misc.imsave is gone", "scipy.misc.imread is gone", "scipy.misc.toimage is gone"),
    "int_targets": ("crossentropy_softmax_1hot has no counterpart",),
    "integer_division_of_sizes": ("Python 2 rounded this quotient down",),
    "local_optimizer_registered": ("an Op of your own: PyTensor asks it for pullback",),
    "masks_of_comparisons": ("comparisons are bool now",),
    "mrg_streams": ("draws other numbers",),
    "pickle_written_by_python2": ("a pickle that holds Theano's variables",),
    "pool_2d_of_the_later_name": ("pool_3d has no counterpart",),
    "pool_keeps_partial_windows": ("DownsampleFactorMax.out_shape has no counterpart",),
    "print_statement_and_xrange": ("a function that compares", "Python 2 rounded halves away from 0"),
    "printing_and_pp": ("prints expressions in other words",),
    "sage_cells": ("html is Sage's", "DATA was the folder"),
    "sibling_module": ("Python 2 rounded this quotient down",),
    "sigmoids_and_crossentropies": ("ultra_fast_sigmoid was an approximation",),
    "softmax_of_a_vector": ("Python 2 rounded halves away from 0",),
    "symbolic_window_sizes": ("pool_3d has no counterpart",),
    "theano_flags": ("PyTensor reads PYTENSOR_FLAGS", "config.device is gone"),
    "time_clock_and_numpy_cast": ("numpy.asscalar is gone", "numpy.fromstring reads"),
    "updates_added_to_scans": ("the updates of a scan are a plain dict now",),
    "verify_grad_of_unittest_tools": ("unittest_tools.verify_grad has no counterpart",),
}
CARRIED = [name for name in NAMES if name not in LISTED]
ALWAYS_IN_THE_DEFAULT_MODE = {"minimal_training_example"}
# Ported, they make the graphs that Theano's names make, which tests/legacy compiles: here each third is compiled too.
COMPILED = [name for k, name in enumerate(CARRIED) if k % 3 == 0 or name in ALWAYS_IN_THE_DEFAULT_MODE]

pytestmark = pytest.mark.filterwarnings("ignore")
pytest.importorskip("fissix")
pytest.importorskip("libcst")


def ported(name: str) -> Ported:
    return port(read_source(SCRIPTS / f"{name}.py"), modern=True, where=f"{name}.py")


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator:
    """Run a ported script as the main program, in a folder of its own with what lies beside it."""

    def running(name: str) -> str:
        for path in SCRIPTS.glob("*.pkl"):
            shutil.copy(path, tmp_path)
        (tmp_path / f"{SIBLING}.py").write_text(ported(SIBLING).text)
        script = tmp_path / f"{name}.py"
        script.write_text(ported(name).text)
        if "matplotlib" in script.read_text():
            pytest.importorskip("matplotlib")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(script)])
        main = ModuleType("__main__")
        main.__file__ = str(script)
        monkeypatch.setitem(sys.modules, "__main__", main)
        exec(compile(script.read_text(), script, "exec"), vars(main))
        return capsys.readouterr().out

    yield running
    sys.modules.pop(SIBLING, None)


@pytest.mark.table(4)
@pytest.mark.parametrize("name", CARRIED)
def test_a_ported_script_prints_what_it_printed_under_theano(name, printed):
    with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE", floatX="float64"):
        assert differences(printed(name), (FOLDER / "legacy_scripts" / f"{name}.txt").read_text()) == []


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in ALWAYS_IN_THE_DEFAULT_MODE else [pytest.mark.default_mode]) for n in COMPILED],
)
def test_it_prints_it_in_the_default_mode(name, printed):
    with pytensor.config.change_flags(floatX="float64"):
        assert differences(printed(name), (FOLDER / "legacy_scripts" / f"{name}.txt").read_text()) == []


@pytest.mark.table(3)
@pytest.mark.parametrize("name", LISTED)
def test_what_a_ported_script_does_not_carry_over_is_listed(name):
    files = (name, SIBLING) if name == "sibling_module" else (name,)
    reasons = [note.reason for file in files for note in ported(file).notes]
    assert [part for part in LISTED[name] if not any(part in reason for reason in reasons)] == []

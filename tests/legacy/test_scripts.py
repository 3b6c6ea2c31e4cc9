"""Small scripts as they were written from 2010 to 2017, one for each idiom, print what they printed under Theano.

What real Theano 1.0.5 printed is in tests/golden/legacy_scripts; tests/golden/make_legacy_scripts.py says how it was asked.

Every script runs twice: interpreted, which is quick, and as its user has it, in the default mode on Numba. Most of the second
kind are marked ``default_mode`` and left out unless asked for with ``-m default_mode``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytensor
import pytest
from golden.figures import FOLDER
from golden.printed import differences

from symae.legacy.run import run_script
from symae.theano import change_flags, config

SCRIPTS = Path(__file__).with_name("scripts")
GOLDEN = FOLDER / "legacy_scripts"
SIBLINGS = {"layers_of_2012"}
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py") if path.stem not in SIBLINGS)
# Flags that a script sets by the environment before it imports Theano: that has to be the first import of the process.
ALONE = {"theano_flags"}

# Those that run in the default mode in every run of the tests: a loop, sparse matrices, draws, nnet, a pickle.
ALWAYS_IN_THE_DEFAULT_MODE = {"sparse_dot", "sigmoids_and_crossentropies", "cpickle_of_a_model"}
FROM_EMPTY_CACHES = [
    "dA_in_thirty_lines",
    "sparse_dot",
    "scan_power_and_until",
    "shared_randomstreams_draws",
    "softmax_of_a_vector",
]

# Theano's and NumPy's own warnings of the time are part of what legacy scripts do.
pytestmark = pytest.mark.filterwarnings("ignore")


# Those that are compiled from empty caches, in processes of their own, need not be compiled here as well.
IN_THE_DEFAULT_MODE = [
    pytest.param(name, marks=[] if name in ALWAYS_IN_THE_DEFAULT_MODE else [pytest.mark.default_mode])
    for name in NAMES
    if name not in ALONE and (name in ALWAYS_IN_THE_DEFAULT_MODE or name not in FROM_EMPTY_CACHES)
]


@pytest.fixture
def quick() -> Iterator[None]:
    """Interpreted, loops too, for which PyTensor would call a C compiler; and as if no script had changed a flag before."""
    before = dict(config._values)
    with pytensor.config.change_flags(cxx=""), change_flags(mode="FAST_COMPILE", floatX="float64"):
        yield
    config._values.clear()
    config._values.update(before)


@pytest.fixture
def as_users_have_it() -> Iterator[None]:
    """Run in the default mode, on Numba, and as if no script had changed a flag before."""
    before = dict(config._values)
    with pytensor.config.change_flags(mode="Mode"), change_flags(floatX="float64"):
        config._values.pop("mode", None)
        yield
    config._values.clear()
    config._values.update(before)


@pytest.mark.table(3)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALONE])
def test_prints_what_it_printed_under_theano(name, quick, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = _files_of(SCRIPTS)
    status = run_script(SCRIPTS / f"{name}.py", out=tmp_path / "out")
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert differences(printed.out, (GOLDEN / f"{name}.txt").read_text()) == []
    assert _files_of(SCRIPTS) == before


@pytest.mark.parametrize("name", IN_THE_DEFAULT_MODE)
def test_prints_it_in_the_default_mode(name, as_users_have_it, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status = run_script(SCRIPTS / f"{name}.py", out=tmp_path / "out")
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert _differences_by_default(printed.out, name) == []


@pytest.mark.default_mode
@pytest.mark.parametrize("name", FROM_EMPTY_CACHES)
def test_prints_it_in_the_default_mode_from_empty_caches(name, tmp_path):
    caches = tmp_path / "caches"
    flags = {"PYTENSOR_FLAGS": f"base_compiledir={caches}", "NUMBA_CACHE_DIR": str(caches / "numba")}
    for _ in ("made", "loaded"):
        command = [sys.executable, "-m", "symae", "run", str(SCRIPTS / f"{name}.py"), "--out", str(tmp_path / "out")]
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **flags}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert _differences_by_default(done.stdout, name) == []
    assert any(path.suffix == ".nbc" for path in caches.rglob("*"))


@pytest.mark.parametrize("name", sorted(ALONE))
def test_prints_the_same_in_a_process_of_its_own(name, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "THEANO_FLAGS"}
    command = [sys.executable, "-m", "symae", "run", str(SCRIPTS / f"{name}.py"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert differences(done.stdout, (GOLDEN / f"{name}.txt").read_text()) == []


def test_every_script_has_its_output_and_every_output_its_script():
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == NAMES
    assert len(NAMES) >= 34


def test_some_of_the_scripts_have_the_line_ends_and_the_tabs_of_their_time():
    raw = {name: (SCRIPTS / f"{name}.py").read_bytes() for name in NAMES}
    assert sorted(name for name in NAMES if b"\r\n" in raw[name]) == ["early_stopping_with_crlf", "mlp_with_tabs_and_crlf"]
    assert [name for name in NAMES if b"\n\t" in raw[name]] == ["mlp_with_tabs_and_crlf"]


def test_half_of_the_scripts_are_python_2():
    parsed = [name for name in NAMES if _is_python3((SCRIPTS / f"{name}.py").read_bytes())]
    assert len(parsed) < len(NAMES) / 2


@pytest.mark.parametrize(
    ("printed", "golden"),
    [
        ("3", "4"),
        ("cost 0.12345678", "cost 0.12345688"),
        ("[1, 2]", "[1, 2, 3]"),
        ("2.5", "2.4"),
        ("1", "1.0"),
        ("int8", "int32"),
        ("one line", "one line\nand another"),
        ("0.1235", "0.1234"),
    ],
)
def test_a_difference_is_seen(printed, golden):
    assert differences(printed, golden)


@pytest.mark.parametrize(
    ("printed", "golden"),
    [("0.12345678", "0.12345679"), ("-0.0", "0.0"), ("0.30000000000000004", "0.3"), ("a  b", "a b"), ("1e-05", "1e-05")],
)
def test_what_rounding_makes_is_no_difference(printed, golden):
    assert differences(printed, golden) == []


def _differences_by_default(printed: str, name: str) -> list[str]:
    """Return what is neither as Theano printed it in its default mode nor as it printed it interpreted.

    They differ where Theano's rewrites have lost an error: ``m + zeros(2)`` was m, of however many columns.
    """
    files = [path for path in (GOLDEN / "default_mode" / f"{name}.txt", GOLDEN / f"{name}.txt") if path.exists()]
    return min((differences(printed, file.read_text()) for file in files), key=len)


def _is_python3(source: bytes) -> bool:
    try:
        compile(source, "script", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

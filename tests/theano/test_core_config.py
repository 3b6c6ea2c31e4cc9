"""theano.config has Theano's flags, from THEANO_FLAGS, .theanorc and assignments."""

import os
import subprocess
import sys

import pytest
from golden.figures import read_json

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl import configuration
from symae.theano._impl.flag_sources import flags_outside
from symae.theano._impl.flags import FLAGS


@pytest.fixture
def config(monkeypatch):
    monkeypatch.setattr(configuration, "_warned", set())
    before = dict(theano.config._values)
    yield theano.config
    theano.config._values.clear()
    theano.config._values.update(before)


def python(code, tmp_path, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("THEANO", "PYTENSOR"))}
    command = [sys.executable, "-c", f"import symae.theano as theano\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, env={**clean, "HOME": str(tmp_path), **environment})


def test_defaults_are_theanos(config):
    assert (config.device, config.floatX, config.int_division) == ("cpu", "float64", "int")
    assert config.on_unused_input == "raise"
    assert config.openmp is False
    assert config.unittests.rseed == 666
    assert config.blas.ldflags == ""


def test_flags_are_set(config):
    config.warn.sum_sum_bug = True
    config.nvcc.fastmath = "True"
    config.openmp = "false"
    config.scan.allow_gc = 1
    assert (config.warn.sum_sum_bug, config.nvcc.fastmath, config.openmp) == (True, True, False)


def test_floatX_is_pytensors(config):
    with theano.change_flags(floatX="float32"):
        assert T.matrix().dtype == "float32"
        assert config.floatX == "float32"
    assert T.matrix().dtype == "float64"
    with pytest.raises(ValueError, match="floatX"):
        config.floatX = "float17"


def test_flags_are_changed_for_a_while(config):
    @theano.configparser.change_flags([("warn.round", False), ("int_division", "raise")])
    def seen():
        return config.warn.round, config.int_division

    assert seen() == (False, "raise")
    assert config.int_division == "int"
    with theano.change_flags(compute_test_value="off"):
        pass


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        ("int_division", "half", "one of int, raise, floatX"),
        ("openmp", "perhaps", "True or False"),
        ("compile__wait", "x", "number"),
    ],
)
def test_wrong_values_are_refused(config, flag, value, expected):
    with pytest.raises(ValueError, match=expected):
        configuration._set(flag.replace("__", "."), value)


def test_unknown_flags_are_kept_with_one_warning(config):
    with pytest.warns(UserWarning, match=r"theano.config.no_such: Theano had no such flag"):
        config.no_such = 3
    config.no_such = 4
    assert config.no_such == 4
    with pytest.raises(AttributeError, match=r"theano.config.nor_this"):
        _ = config.nor_this


def test_there_is_no_gpu_and_that_is_said_once(config):
    with pytest.warns(UserWarning, match="there is no GPU"):
        config.device = "gpu0"
    config.device = "gpu0"
    assert config.device == "cpu"


def test_a_script_adds_flags(config):
    theano.configparser.AddConfigVar("mine.rate", "A rate", theano.configparser.FloatParam(0.5))
    assert config.mine.rate == 0.5


def test_flags_come_from_the_environment(tmp_path):
    flags = "floatX=float32, mode=FAST_COMPILE,warn.round=False,openmp=True"
    shown = "print(theano.config.floatX, theano.config.mode, theano.config.warn.round, theano.config.openmp)"
    run = python(shown, tmp_path, THEANO_FLAGS=flags)
    assert run.stdout.split() == ["float32", "FAST_COMPILE", "False", "True"]


def test_flags_come_from_a_file_and_those_of_the_environment_go_first(tmp_path):
    (tmp_path / ".theanorc").write_text("[global]\nfloatX = float32\ndevice = gpu\nmode = DebugMode\n[nvcc]\nfastmath = True\n")
    shown = "print(theano.config.floatX, theano.config.device, theano.config.mode, theano.config.nvcc.fastmath)"
    run = python(shown, tmp_path, THEANO_FLAGS="mode=FAST_RUN")
    assert run.stdout.split() == ["float32", "cpu", "FAST_RUN", "True"]
    assert run.stderr.count("there is no GPU") == 1


@pytest.mark.parametrize("case", read_json("theano_flags"), ids=lambda case: repr(case["file"] + case["flags"]))
def test_flags_are_those_that_theano_had_on_python_2(case, monkeypatch, tmp_path):
    (tmp_path / "rc").write_bytes(case["file"].encode())
    monkeypatch.setenv("THEANORC", str(tmp_path / "rc"))
    monkeypatch.setenv("THEANO_FLAGS", case["flags"])
    given = dict(flags_outside(lambda said: None))
    defaults = {**FLAGS, "floatX": "float64"}
    found = {flag: str(configuration._converted(flag, given.get(flag, defaults[flag]))) for flag in case["has"]}
    assert found == case["has"]


def test_a_flag_without_a_value_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("THEANORC", str(tmp_path / "none"))
    monkeypatch.setenv("THEANO_FLAGS", "floatX=float32,profile")
    said = []
    assert (list(flags_outside(said.append)), said) == (
        [("floatX", "float32")],
        ["THEANO_FLAGS: profile has no value, and is ignored"],
    )


def test_a_file_with_everything_twice_and_in_small_letters_is_read(tmp_path):
    (tmp_path / ".theanorc").write_text("[global]\nfloatx = float64\nFLOATX = float32 ; single\n[global]\ndevice = cpu\n")
    run = python("print(theano.config.floatX, theano.shared(1.5).dtype, theano.tensor.matrix().dtype)", tmp_path)
    assert (run.returncode, run.stdout.split()) == (0, ["float32", "float64", "float32"]), run.stderr


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "flags").write_text("floatX = float32\n")
    run = python("print(theano.config.floatX)", tmp_path, THEANORC=str(tmp_path / "flags"))
    assert run.stdout.strip() == "float64"
    assert "flags: File contains no section headers" in run.stderr

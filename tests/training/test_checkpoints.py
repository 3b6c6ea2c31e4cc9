"""Checkpoints: what is in them comes back to the last bit, and nothing else does."""

from __future__ import annotations

import json

import numpy as np
import pytensor
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from symae import InputError, MissingFileError, RandomStreams, UnwritableError
from symae.ops.random.draws import state_words
from symae.training import History
from symae.training.checkpoints import (
    KEY,
    Checkpoint,
    in_c_order,
    named_state,
    put,
    read_checkpoint,
    values,
    write_checkpoint,
)

WORDS = state_words(np.random.RandomState(5))


def a_checkpoint():
    history = History([0.1, np.inf], [0.5, 0.25], {"val_cost": [1 / 3, np.nan]}, best_epoch=0)
    arrays = {"W": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "adam_step": np.array(7), "flags": np.array([True, False])}
    return Checkpoint(history, {n: np.asarray(a, order="C") for n, a in arrays.items()}, {"seed": 3, "data": "ab"}, WORDS)


@pytest.fixture
def path(tmp_path):
    write_checkpoint(a_checkpoint(), tmp_path / "last.safetensors")
    return tmp_path / "last.safetensors"


def with_description(path, change):
    """Rewrite the file with another JSON text, and without the checksum of the old one."""
    with safe_open(path, "numpy") as file:
        saved = json.loads(file.metadata()[KEY])
    del saved["sha256"], saved["training"]
    text = change(saved)
    path.write_bytes(safetensors.numpy.save(a_checkpoint().arrays, {KEY: text if isinstance(text, str) else json.dumps(text)}))


def read_or_error(path):
    try:
        return read_checkpoint(path)
    except InputError as error:
        return error


def test_a_checkpoint_comes_back_to_the_last_bit(path):
    written, read = a_checkpoint(), read_checkpoint(path)
    assert repr(read.history) == repr(written.history)
    assert read.epoch == 1
    assert read.settings == written.settings
    assert {n: (a.shape, a.dtype, a.tobytes()) for n, a in read.arrays.items()} == {
        n: (a.shape, a.dtype, a.tobytes()) for n, a in written.arrays.items()
    }
    np.testing.assert_array_equal(read.shuffling, WORDS)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"last\.safetensors: found no such file, expected a checkpoint"):
        read_checkpoint(tmp_path / "last.safetensors")


def test_a_saved_model_is_no_checkpoint(path):
    path.write_bytes(safetensors.numpy.save({"W": np.ones(3)}))
    with pytest.raises(InputError, match=r"last\.safetensors: found a safetensors file of another kind, expected a checkpoint"):
        read_checkpoint(path)


def test_a_later_format_is_refused(path):
    with_description(path, lambda saved: saved | {"symae": 2})
    with pytest.raises(InputError, match="found format 2, expected format 1"):
        read_checkpoint(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_that_was_cut_off_is_damaged(path, data):
    content = path.read_bytes()
    cut = path.with_name("cut.safetensors")
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError, match=r"cut\.safetensors: found a damaged file"):
        read_checkpoint(cut)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_gives_a_checkpoint_or_one_clear_error(path, data):
    content = bytearray(path.read_bytes())
    # most of the file is the text; the numbers at its end can be anything
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    changed = path.with_name("changed.safetensors")
    changed.write_bytes(content)
    result = read_or_error(changed)
    assert isinstance(result, Checkpoint) or str(result).startswith(str(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda saved: "",
        lambda saved: "[" * 100_000,
        lambda saved: "[]",
        lambda saved: "null",
        lambda saved: {"symae": 1},
        lambda saved: saved | {"settings": []},
        lambda saved: saved | {"history": saved["history"] | {"costs": []}},
        lambda saved: saved | {"history": saved["history"] | {"costs": [1.0]}},
        lambda saved: saved | {"history": saved["history"] | {"costs": ["1.0", 2.0]}},
        lambda saved: saved | {"history": saved["history"] | {"costs": [True, 2.0]}},
        lambda saved: saved | {"history": saved["history"] | {"costs": [10**400, 2.0]}},
        lambda saved: saved | {"history": saved["history"] | {"measures": {"val_cost": [1.0]}}},
        lambda saved: saved | {"history": saved["history"] | {"measures": [["val_cost", [1.0, 2.0]]]}},
        lambda saved: saved | {"history": saved["history"] | {"best_epoch": 2}},
        lambda saved: saved | {"history": saved["history"] | {"best_epoch": None}},
        lambda saved: saved | {"shuffling": [-1] * 628},
        lambda saved: saved | {"shuffling": [1.5] * 628},
        lambda saved: saved | {"shuffling": "words"},
    ],
)
def test_a_description_of_other_types_is_damaged(path, change):
    with_description(path, change)
    with pytest.raises(InputError, match=r"last\.safetensors: found a damaged description"):
        read_checkpoint(path)


@pytest.mark.parametrize("words", [[0] * 627, [0] * 624 + [625, 0, 0, 0]])
def test_a_random_state_that_would_read_beyond_its_words_is_refused(path, words):
    with_description(path, lambda saved: saved | {"shuffling": words})
    with pytest.raises(InputError, match="shuffling that is not a random state"):
        read_checkpoint(path)


def test_a_random_stream_that_would_read_beyond_its_words_is_refused():
    streams = RandomStreams(1)
    streams.uniform(size=(2,))
    state = named_state([], [stream for stream, _ in streams.updates()])
    words = WORDS.copy()
    words[624] = 625
    checkpoint = Checkpoint(History(), {"random_state_0": words}, {}, WORDS)
    with pytest.raises(InputError, match="random_state_0 that is not a random state"):
        checkpoint.check("last", state, complete=True)


@settings(max_examples=100)
@given(st.lists(st.sampled_from([None, "", "W", "W.2", "W.3", "unnamed", "unnamed.2", "__metadata__"]), max_size=9))
@example(["W", "W", "W.2"])
def test_each_variable_has_a_name_of_its_own_and_the_first_of_a_name_has_it(names):
    variables = [pytensor.shared(0.0, name=name) for name in names]
    state = named_state(variables[:2], variables)
    assert list(state.values()) == variables
    assert "__metadata__" not in state
    for name in {"W", "W.2", "W.3", "unnamed", "unnamed.2"}.intersection(names):
        assert state[name] is variables[names.index(name)]


def test_variables_get_back_what_they_held(tmp_path):
    streams = RandomStreams(1)
    draw = streams.uniform(size=(2,))
    W, count = pytensor.shared(np.arange(6.0).reshape(2, 3).T, name="W"), pytensor.shared(np.array(3, "int32"), name="count")
    state = named_state([W], [count, draw.rng])
    before = {name: array.copy() for name, array in values(state).items()}
    write_checkpoint(Checkpoint(History([1.0], [1.0], best_epoch=0), values(state), {}, WORDS), tmp_path / "a")
    W.set_value(W.get_value() + 1)
    count.set_value(np.array(0, "int32"))
    draw.rng.set_value(np.random.RandomState(9))
    put(read_checkpoint(tmp_path / "a").arrays, state)
    for name, array in values(state).items():
        np.testing.assert_array_equal(array, before[name], strict=True)


def test_arrays_are_laid_out_as_they_would_be_read():
    W = pytensor.shared(np.arange(6.0).reshape(2, 3).T, name="W")
    assert not W.get_value(borrow=True).flags.c_contiguous
    in_c_order([W])
    assert W.get_value(borrow=True).flags.c_contiguous
    np.testing.assert_array_equal(W.get_value(), np.arange(6.0).reshape(2, 3).T)


def test_what_is_no_array_of_numbers_is_not_written():
    generator = pytensor.shared(np.random.default_rng(1), name="generator")
    with pytest.raises(InputError, match=r"generator: found a .*, expected arrays of numbers"):
        values({"generator": generator})


def test_a_full_disk_keeps_the_older_checkpoint(path, monkeypatch):
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnwritableError, match=r"last\.safetensors: found No space left on device"):
        write_checkpoint(a_checkpoint(), path)
    assert path.read_bytes() == before

"""Values of shared variables that stay on the device, and are those of the shared variables at every call."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import symae.compile.backends.jax
from symae import function
from symae.compile.backends import BY_NAME

DATA = np.arange(1, 13, dtype="float32").reshape(4, 3)


@pytest.fixture(params=["jax", "jax with a copy", "mlx"])
def device(request, float32, monkeypatch):
    """JAX where it reads the host's memory, JAX as on an accelerator, and MLX."""
    backend = request.param.partition(" ")[0]
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    if backend != request.param:
        monkeypatch.setattr(symae.compile.backends.jax, "_reads_host_memory", lambda: False)
    return backend


def sums(variable, backend):
    return function([], variable.sum(axis=1), backend=backend)


def times(variable, factor, backend):
    return function([], variable.sum(), updates=[(variable, variable * np.float32(factor))], backend=backend)


@pytest.mark.parametrize("borrow", [True, False])
def test_a_new_value_is_seen(device, borrow):
    w = pytensor.shared(DATA)
    f = sums(w, device)
    for factor in (1, 2, 3):
        w.set_value(factor * DATA, borrow=borrow)
        np.testing.assert_array_equal(f(), factor * DATA.sum(axis=1))


def test_values_stay_numpy_arrays_that_can_be_written(device):
    w = pytensor.shared(DATA)
    double, total = times(w, 2, device), sums(w, device)
    kept = w.get_value()
    for factor in (2, 4):
        double()
        value = w.get_value(borrow=True)
        assert type(value) is np.ndarray
        assert value.flags.writeable
        np.testing.assert_array_equal(value, factor * DATA)
        np.testing.assert_array_equal(total(), factor * DATA.sum(axis=1))
    np.testing.assert_array_equal(kept, DATA)


@pytest.mark.parametrize("put_back", [True, False])
def test_what_is_written_into_a_borrowed_value_is_seen(device, put_back):
    w = pytensor.shared(DATA)
    f, double = sums(w, device), times(w, 2, device)
    for call in (f, double, f):
        call()
        value = w.get_value(borrow=True)
        value[...] = DATA
        value[1, 2] = 100
        if put_back:
            w.set_value(value, borrow=True)
        np.testing.assert_array_equal(f(), value.sum(axis=1))
        assert f()[1] == 109


def test_functions_on_other_backends_may_change_it_in_place(device):
    w = pytensor.shared(DATA)
    here, there, total = times(w, 2, device), times(w, 3, "c"), sums(w, device)
    for factor in (1, 6, 36):
        assert here() == factor * DATA.sum()
        np.testing.assert_array_equal(total(), 2 * factor * DATA.sum(axis=1))
        assert there() == 2 * factor * DATA.sum()
        np.testing.assert_array_equal(total(), 6 * factor * DATA.sum(axis=1))


def test_data_is_sent_once(device, monkeypatch):
    sent = []
    linkers = [BY_NAME[name].mode.linker.__class__ for name in ("jax", "mlx")]
    for linker in linkers:
        send = linker.to_device
        monkeypatch.setattr(linker, "to_device", lambda self, value, send=send: sent.append(value.shape) or send(self, value))
    data, w, i = pytensor.shared(DATA), pytensor.shared(np.ones(3, "float32")), pt.lscalar("i")
    train = function([i], (data[i * 2 : (i + 1) * 2] * w).sum(), updates=[(w, w * 2)], backend=device)
    for call, factor in enumerate((1, 2, 4, 8)):
        assert train(call % 2) == factor * DATA[call % 2 * 2 :][:2].sum()
    assert sent.count((4, 3)) == 1
    data.set_value(DATA)
    train(0)
    assert sent.count((4, 3)) == 2


def test_outputs_and_variables_share_no_memory(device):
    a, b = pytensor.shared(DATA), pytensor.shared(2 * DATA)
    f = function([], [a, a.T, a[1:]], updates=[(a, b), (b, a)], backend=device)
    for output in f():
        output[...] = -1
    np.testing.assert_array_equal(a.get_value(), 2 * DATA)
    np.testing.assert_array_equal(b.get_value(), DATA)
    same = function([], [], updates=[(a, b)], backend=device)
    same()
    times(a, 3, "c")()
    np.testing.assert_array_equal(b.get_value(), DATA)
    np.testing.assert_array_equal(sums(b, device)(), DATA.sum(axis=1))


@pytest.mark.parametrize("value", [np.asfortranarray(DATA), DATA[::-1, ::2], np.zeros((0, 3), "float32"), DATA > 3], ids=str)
def test_values_of_any_layout(device, value):
    w = pytensor.shared(value, borrow=True)
    f = function([], w * np.float32(2), backend=device)
    for _ in range(2):
        np.testing.assert_array_equal(f(), value * np.float32(2))


def test_scalars_and_integers(device):
    n, x = pytensor.shared(np.int64(3)), pytensor.shared(np.float32(0.5))
    f = function([], pt.cast(n, "float32") + x, updates=[(n, n + 1), (x, x * 2)], backend=device)
    assert [float(f()) for _ in range(3)] == [3.5, 5, 7]
    assert n.get_value() == 6
    assert n.get_value().dtype == "int64"


def test_a_little_change_in_much_data_is_seen_where_memory_is_shared(float32):
    pytest.importorskip("jax", reason="jax is not installed")
    w = pytensor.shared(np.zeros(100_000, "float32"))
    f = function([], w.sum(), backend="jax")
    assert f() == 0
    w.get_value(borrow=True)[777] = 5
    assert f() == 5


def test_copies_and_pickles_go_on_from_the_value(device):
    w, other = pytensor.shared(DATA), pytensor.shared(5 * DATA)
    f = times(w, 2, device)
    f()
    twin, swapped = copy.copy(f), f.copy(swap={w: other})
    assert twin() == 2 * DATA.sum()
    assert swapped() == 5 * DATA.sum()
    np.testing.assert_array_equal(other.get_value(), 10 * DATA)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(w)).get_value(), w.get_value())
    again = pickle.loads(pickle.dumps(f))
    assert again() == f()

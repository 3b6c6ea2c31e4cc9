"""Modules for PyTorch compute what PyTensor does: each row of the table, computed by PyTorch and by NumPy."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from op_cases import CASES, arrays_of, check, in_stages, inputs_of, outputs_of, x

from symae import UnwritableError
from symae.export import export_torch
from symae.export.torch_source import torch_source

torch = pytest.importorskip("torch", reason="torch is not installed")


def module_of(outputs, inputs, floatX="float32"):
    source, state = torch_source(outputs, inputs=inputs, floatX=floatX)
    names = {"__file__": "model.py"}
    exec(source, names)
    net = names["Graph"]()
    net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()})
    return net


def computed(net, *arrays):
    with torch.no_grad():
        found = net(*map(torch.from_numpy, arrays))
    return [a.numpy() for a in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("name", in_stages(CASES))
def test_pytorch_computes_the_same(name):
    check(name, computed(module_of(outputs_of(name), inputs_of(name)), *arrays_of(name)))


@pytest.mark.parametrize("index", [np.s_[2::-1], np.s_[:-3:-1], np.s_[3:0:-2], np.s_[-2::-1], np.s_[99::-1], np.s_[:2:-1]])
def test_slices_go_backwards_from_where_to_where_they_say(index):
    a = np.arange(5, dtype="float32")
    v = pt.vector("v")
    (found,) = computed(module_of(v[index], [v]), a)
    np.testing.assert_array_equal(found, a[index])


def test_numbers_that_python_has_no_words_for_are_numbers():
    v = pt.vector("v")
    row = np.array([np.inf, -np.inf, np.nan])
    found = computed(module_of([pt.switch(v > 0, v, -np.inf), v + row, pt.maximum(v, np.nan)], [v]), np.zeros(3, "float32"))
    np.testing.assert_array_equal(found, [[-np.inf] * 3, row, [np.nan] * 3])


def test_the_sign_of_a_number_is_in_its_power():
    v = pt.vector("v")
    np.testing.assert_array_equal(computed(module_of(pt.pow(-2.0, v), [v]), np.array([2, 3], "float32")), [[4, -8]])


def test_in_float64_two_numbers_to_choose_from_are_exact():
    v = pt.vector("v")
    (found,) = computed(module_of(pt.switch(v > 0, 0.1, 0.2), [v], "float64"), np.array([1.0, -1.0]))
    assert found.tolist() == [0.1, 0.2]


def test_whole_numbers_are_no_parameters():
    places = pytensor.shared(np.array([0, 2]), name="places")
    weights = pytensor.shared(np.ones(2), name="weights")
    net = module_of(x[:, places] * weights, [x])
    assert [name for name, _ in net.named_parameters()] == ["weights"]
    assert net.state_dict()["places"].tolist() == [0, 2]
    np.testing.assert_array_equal(computed(net, np.eye(3, dtype="float32")), [[[1, 0], [0, 0], [0, 1]]])


def test_all_that_a_module_computes_with_is_where_its_input_is():
    shift = pt.constant(np.array([0.5, -1.0, 2.0]), name="shift")
    drawn = pt.maximum(x + shift, 0.25) + pt.arange(x.shape[1]) + pt.cast(x.shape[0], "float64")
    net = module_of([drawn, pt.zeros((x.shape[0], 2))], [x])
    with torch.device("meta"):  # where all tensors go that are made without a place
        found = computed(net, np.zeros((2, 3), "float32"))
    np.testing.assert_array_equal(found[0], [[2.5, 3.25, 6.0]] * 2)
    np.testing.assert_array_equal(found[1], np.zeros((2, 2)))
    assert not net.state_dict()


@pytest.mark.parametrize("name", ['a"b.pt', "my-model.pt", "model.v2.pt", "class.pt"])
def test_a_name_that_python_cannot_import_is_refused_and_nothing_written(name, tmp_path):
    with pytest.raises(UnwritableError, match=r"found the name .*, expected one that Python can import"):
        export_torch(x * 2, tmp_path / name)
    assert not list(tmp_path.iterdir())

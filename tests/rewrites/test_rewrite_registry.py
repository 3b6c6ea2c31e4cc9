"""A rewrite is one file: it enters itself into the table under the name of its module."""

from __future__ import annotations

import pkgutil

import pytest
from pytensor.compile.mode import optdb

from symae import InputError, rewrites
from symae.compile import options
from symae.rewrites import registry
from symae.rewrites.matrix_product import matrix_product

NOT_REWRITES = {"registry", "linear_combination"}


def test_every_module_is_found_and_enters_the_rewrite_of_its_name():
    modules = {module.name for module in pkgutil.iter_modules(rewrites.__path__)}
    assert set(rewrites.names()) == modules - NOT_REWRITES


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="'matrix_product' is already present"):
        registry.register(position=48.5, name="matrix_product")(matrix_product)


def test_names_come_in_the_order_in_which_rewrites_are_applied():
    positions = [optdb.__position__[name] for name in rewrites.names()]
    assert positions == sorted(positions)


def test_one_makes_work_for_the_other():
    names = rewrites.names()
    for first, second in (
        ("entries_of_softmax", "softmax_labels"),
        ("sparse_rectified_gradient", "sparse_convolution"),
        ("theano_saturation", "sigmoid_cross_entropy"),
        ("sigmoid_cross_entropy", "vectorised_functions"),
        ("matrix_product", "accumulated_products"),
        ("accumulated_products", "unpacked_products"),
    ):
        assert names.index(first) < names.index(second)


def test_a_name_of_before_is_refused_with_the_names_that_there_are():
    with (
        pytest.raises(InputError, match=r"'conv_at_switches', expected a rewrite of symae: .*sparse_convolution"),
        options(exclude=["conv_at_switches"]),
    ):
        pass

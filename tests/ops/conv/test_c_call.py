"""What only the kernels in C++ can get wrong: memory layouts, results that are written over, infinities, and errors' words."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from symae.ops.conv import Convolution, FilterGradient, InputGradient

SETTINGS = ("same", (2, 3), False, (2, 1), 2)
IMAGES, FILTERS, MAPS = (3, 4, 9, 8), (6, 2, 3, 4), (3, 6, 5, 3)


class Node:
    """An op alone, called with arrays through its C code."""

    def __init__(self, kind, settings=SETTINGS):
        self.op = kind(*settings)
        sizes = [] if kind is Convolution else [pt.lscalar(), pt.lscalar()]
        self.node = self.op.make_node(pt.dtensor4(), pt.dtensor4(), *sizes)
        self.storage = {v: [None] for v in (*self.node.inputs, *self.node.outputs)}
        computed = {v: [True] for v in self.storage}
        self.thunk = self.op.make_thunk(self.node, self.storage, computed, [], impl="c")  # raises without C code
        self.result = self.storage[self.node.outputs[0]]

    def __call__(self, *arrays):
        for variable, array in zip(self.node.inputs, arrays, strict=True):
            self.storage[variable][0] = np.asarray(array)
        self.thunk()
        return self.result[0]

    def perform(self, *arrays):
        out = [None]
        self.op.perform(self.node, [np.asarray(v) for v in arrays], [out])
        return out[0]


@pytest.fixture(scope="module")
def nodes():
    return {kind: Node(kind) for kind in (Convolution, InputGradient, FilterGradient)}


def arguments(kind, images=IMAGES, filters=FILTERS, maps=MAPS):
    rng = np.random.default_rng(0)
    x, W, y = (rng.normal(size=shape) for shape in (images, filters, maps))
    return {Convolution: (x, W), InputGradient: (W, y, *images[2:]), FilterGradient: (x, y, *filters[2:])}[kind]


def test_arrays_of_any_layout_are_taken_and_empty_ones_too(nodes):
    for kind, node in nodes.items():
        a, b, *sizes = arguments(kind)
        want = node.perform(a, b, *sizes)
        for first, second in (
            (np.asfortranarray(a), np.repeat(b, 2, 3)[..., ::2]),
            (a[:, ::-1].copy()[:, ::-1], b[..., ::-1].copy()[..., ::-1]),
        ):
            np.testing.assert_allclose(node(first, second, *sizes), want, atol=1e-12)
        for images, filters, maps in (
            ((0, *IMAGES[1:]), FILTERS, (0, *MAPS[1:])),
            (IMAGES, (0, *FILTERS[1:]), (3, 0, 5, 3)),
            ((3, 0, 9, 8), (6, 0, 3, 4), MAPS),
        ):
            none = arguments(kind, images, filters, maps)
            np.testing.assert_array_equal(node(*none), node.perform(*none), strict=True)


def test_infinity_and_nan_reach_only_the_results_that_see_them(nodes):
    dense = Node(InputGradient, ("valid", (1, 1), True, (1, 1), 1))  # another way than with strides
    for node, at, given in (
        (nodes[Convolution], 0, arguments(Convolution)),
        (nodes[FilterGradient], 0, arguments(FilterGradient)),
        (nodes[FilterGradient], 1, arguments(FilterGradient)),
        (nodes[InputGradient], 0, arguments(InputGradient)),
        (nodes[InputGradient], 1, arguments(InputGradient)),
        (dense, 0, arguments(InputGradient, (2, 2, 9, 8), (3, 2, 3, 3), (2, 3, 7, 6))),
    ):
        given[at][0, 0, -1, 0], given[at][1, 1, 2, 2] = np.inf, np.nan
        with np.errstate(invalid="ignore"):
            want = node.perform(*given)
        assert 0 < np.isfinite(want).sum() < want.size
        np.testing.assert_allclose(node(*given), want, atol=1e-12)


def test_shapes_are_refused_in_the_words_of_perform(nodes):
    refused = [
        (Convolution, {"images": (2, 3, 5, 6)}),
        (Convolution, {"filters": (3, 2, 3, 3)}),
        (Convolution, {"images": (2, 4, 0, 6)}),
        (Convolution, {"filters": (6, 2, 0, 3)}),
        (InputGradient, {"maps": (3, 6, 5, 4)}),
        (InputGradient, {"images": (3, 4, -1, 8)}),
        (FilterGradient, {"images": (2, 3, 5, 6)}),
        (FilterGradient, {"maps": (2, 6, 5, 3)}),
        (FilterGradient, {"filters": (6, 2, -3, 3)}),
    ]
    for kind, shapes in refused:
        safe = {name: tuple(max(0, n) for n in shape) for name, shape in shapes.items()}
        given = list(arguments(kind, **safe))
        sized = {Convolution: None, InputGradient: "images", FilterGradient: "filters"}[kind]
        if sized in shapes:
            given[2:] = shapes[sized][2:]
        with pytest.raises(ValueError, match="found") as meant:
            nodes[kind].perform(*given)
        with pytest.raises(ValueError, match="found") as raised:
            nodes[kind](*given)
        assert str(raised.value) == str(meant.value)


def test_a_result_is_written_over_the_last_one_unless_that_is_an_argument(nodes):
    for kind, node in nodes.items():
        given = arguments(kind)
        first = node(*given)
        assert node(*given) is first
    node = Node(Convolution, ("valid", (1, 1), True, (1, 1), 1))
    one, two = np.ones((2, 1, 3, 3)), np.full((1, 1, 1, 1), 2.0)
    first = node(one, two)
    second = node(first, two)
    assert second is not first
    np.testing.assert_array_equal(second, 4 * one)

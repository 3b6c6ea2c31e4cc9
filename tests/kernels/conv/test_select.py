"""The kernel of a convolution is chosen in one place, once a node, by what is known and by measured limits."""

from __future__ import annotations

from dataclasses import replace

import pytensor.tensor as pt
import pytest

from symae.kernels import tuning
from symae.kernels.conv import direct, gradients, polyphase, scattered, sparse, tiled
from symae.kernels.conv.select import Operation, Problem, Processor, choose, has_sparse_kernel, sparse_pays
from symae.kernels.simd.patch import Patch
from symae.kernels.simd.register_strip import Strip
from symae.kernels.simd.register_tile import Tile
from symae.kernels.simd.vectors import Registers
from symae.ops.conv import Convolution, FilterGradient, InputGradient

FORWARD, BACK, FILTERS = Operation
AVX512, AVX2, OTHER = (Processor(2, Registers(*r)) for r in ((32, 64), (16, 32), (0, 0)))
SMALL, UNKNOWN = (2, 8, 12, 12), (None, 8, None, None)


def chosen(operation, images=SMALL, filters=(16, 8, 3, 3), processor=AVX512, limits=tuning.CONVOLUTION, **settings):
    """Return the choice for float32."""
    maps = tuple(None if n is None or k is None else n - k + 1 for n, k in zip(images[2:], filters[2:], strict=True))
    problem = Problem(operation, images, filters, settings.pop("maps", maps), 4, **{**PLAIN, **settings})
    return choose(problem, processor, limits)


PLAIN = {"subsample": (1, 1), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize(
    ("operation", "changes", "make", "piece"),
    [
        (FORWARD, {}, tiled.forward, Tile(16, 1, 8)),
        (FORWARD, {"processor": AVX2}, tiled.forward, Tile(8, 2, 6)),
        (FORWARD, {"processor": OTHER}, direct.forward, Strip(4, 1, 7)),  # no vectors that were measured
        (FORWARD, {"filters": (7, 8, 3, 3)}, direct.forward, Strip(16, 3, 7)),  # few maps
        (FORWARD, {"filters": (16, 7, 1, 1)}, direct.forward, Strip(16, 3, 7)),  # short sums
        (FORWARD, {"filters": (16, 8, None, None)}, direct.forward, Strip(16, 3, 7)),
        (FORWARD, {"filters": (16, 4, 3, 3), "groups": 2}, tiled.forward, Tile(8, 1, 8)),
        (BACK, {}, tiled.input_gradient, Tile(8, 1, 8)),
        (BACK, {"subsample": (2, 1)}, polyphase.input_gradient, Tile(8, 1, 8)),
        (BACK, {"subsample": (2, 1), "filters": (64, 8, 3, 3)}, scattered.input_gradient, Tile(8, 1, 8)),
        (
            BACK,
            {"subsample": (2, 1), "filters": (64, 8, 3, 3), "images": (2, 8, 99, 99)},
            polyphase.input_gradient,
            Tile(8, 1, 8),
        ),
        (BACK, {"subsample": (2, 1), "filters": (64, 8, 3, 3), "groups": 2}, polyphase.input_gradient, Tile(8, 1, 8)),
        (BACK, {"subsample": (2, 1), "filters": (16, 3, 3, 3)}, polyphase.direct_input_gradient, Strip(16, 7, 3)),
        (BACK, {"subsample": (2, 1), "dilation": (1, 2)}, gradients.input_gradient, Strip(16, 3, 7)),
        (BACK, {"filters": (16, 3, 3, 3)}, gradients.input_gradient, Strip(16, 7, 3)),
        (FILTERS, {}, tiled.filter_gradient, Tile(16, 1, 8)),
        (FILTERS, {"filters": (16, 2, 3, 3), "subsample": (2, 2)}, tiled.filter_gradient, Tile(16, 1, 8)),
        (FILTERS, {"filters": (16, 2, 3, 3)}, gradients.filter_gradient, None),  # maps are packed for each image
        (FORWARD, {"filters": (4, 3, 5, 5), "sparse": True}, sparse.forward, Patch(5, 15, 16, 1)),
        (BACK, {"filters": (4, 3, 5, 5), "sparse": True, "processor": AVX2}, sparse.input_gradient, Patch(5, 15, 8, 2)),
    ],
)
def test_the_kernel_follows_from_what_is_known(operation, changes, make, piece):
    choice = chosen(operation, **changes)
    assert choice.make is make
    subsample, dilation = changes.get("subsample", (1, 1)), changes.get("dilation", (1, 1))
    settings, _, *pieces = choice.arguments
    assert (settings, pieces) == ((*subsample, *dilation), [] if piece is None else [piece])


@pytest.mark.parametrize(
    ("images", "processor", "threads"),
    [
        (SMALL, AVX512, "never"),
        ((256, 8, 32, 32), AVX512, "always"),
        (UNKNOWN, AVX512, "large"),
        ((256, 8, 32, 32), Processor(1, Registers(32, 64)), "never"),
    ],
)
def test_threads_are_for_large_work_and_asked_when_it_runs_where_sizes_are_not_known(images, processor, threads):
    assert {chosen(operation, images, processor=processor).arguments[1] for operation in Operation} == {threads}


def test_other_limits_choose_other_kernels():
    assert chosen(FORWARD, limits=replace(tuning.CONVOLUTION, maps_for_tiles=17)).make is direct.forward
    assert chosen(FORWARD, limits=replace(tuning.CONVOLUTION, multiplications_for_threads=1)).arguments[1] == "always"


@pytest.mark.parametrize("op", [Convolution, InputGradient, FilterGradient])
def test_a_node_is_looked_at_once_and_its_key_is_the_same_in_every_process(op):
    shapes = {
        Convolution: [SMALL, (16, 8, 3, 3)],
        InputGradient: [(16, 8, 3, 3), (2, 16, 10, 10)],
        FilterGradient: [SMALL, (2, 16, 10, 10)],
    }[op]
    sizes = {Convolution: (), InputGradient: (12, 12), FilterGradient: (3, 3)}[op]
    node = op("valid", (1, 1))(*(pt.tensor(dtype="float32", shape=shape) for shape in shapes), *sizes).owner
    choose.cache_clear()
    key = node.op.numba_key(node)
    node.op.numba(node)
    assert choose.cache_info().misses == 1
    assert "0x" not in repr(key)  # no address of a function


def test_sparse_convolutions_are_for_few_values_with_rows_that_are_worth_it():
    filters = (4, 1, 5, 5)
    assert sparse_pays(FORWARD, filters, 4)
    assert not sparse_pays(FORWARD, filters, 3)
    assert sparse_pays(BACK, filters, 4)
    assert not sparse_pays(BACK, (4, 1, 3, 3), 4)
    assert has_sparse_kernel((None, 2, 3, 64), (1, 1), 1)
    assert not has_sparse_kernel((None, 2, 3, 65), (1, 1), 1)


def test_c_has_the_limits_for_blas_too(monkeypatch):
    monkeypatch.setattr(tuning, "CONVOLUTION", replace(tuning.CONVOLUTION, maps_for_blas=5, column_for_blas=6))
    code = Convolution("valid", (1, 1)).c_support_code()
    assert code.startswith("#define SYMAE_MAPS_FOR_BLAS 5\n#define SYMAE_COLUMN_FOR_BLAS 6\n")

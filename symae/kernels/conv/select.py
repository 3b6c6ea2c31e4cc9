"""The choice of a convolution's kernel: the only place that makes it.

`choose` says which of Numba's kernels is the fastest for a convolution, from what is known of it when it is compiled, from
the processor, and from the measured limits of `symae.kernels.tuning`; `sparse_pays` says whether a sparse convolution is faster
than a dense one. Importing this imports no kernel and no Numba: rewrites ask here, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from symae.kernels import tuning
from symae.kernels.tuning import ConvolutionLimits

if TYPE_CHECKING:
    from symae.kernels.simd.register_tile import Tile
    from symae.kernels.simd.vectors import Registers

Size = int | None  # None is not known before the function runs
Make = Callable[..., Callable[..., Any]]


class Operation(Enum):
    """Say what is computed: one of the three that are each other's gradients, by the name of its kernels."""

    FORWARD = "forward"
    INPUT_GRADIENT = "input_gradient"
    FILTER_GRADIENT = "filter_gradient"


@dataclass(frozen=True)
class Processor:
    """Describe what machine code is made for: how many threads, and which vector registers."""

    threads: int
    registers: Registers

    @classmethod
    def here(cls) -> Self:
        """Return the one that this process runs on."""
        from symae.kernels.parallel import parts
        from symae.kernels.simd import vectors

        return cls(parts.THREADS, vectors.vector_registers())


@dataclass(frozen=True)
class Problem:
    """Describe a convolution as its kernels see it: filters are flipped before, so that is no matter here."""

    operation: Operation
    images: tuple[Size, ...]  # (n, c, h, w)
    filters: tuple[Size, ...]  # (m, channels per group, kh, kw)
    maps: tuple[Size, ...]  # (rows, columns) of filters' positions; in a sparse convolution of a map's values
    itemsize: int
    subsample: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    sparse: bool = False

    @property
    def settings(self) -> tuple[int, int, int, int]:
        """Return what every kernel is made for."""
        return (*self.subsample, *self.dilation)

    @property
    def multiplications(self) -> tuple[Size, ...]:
        """Return the sizes whose product is the number of multiplications."""
        return (self.images[0], *self.filters, *self.maps)

    @property
    def is_polyphase(self) -> bool:
        """Return True for the gradient of a strided convolution's images, which has phases where there is no dilation."""
        return self.operation is Operation.INPUT_GRADIENT and max(self.subsample) > 1 and max(self.dilation) == 1


@dataclass(frozen=True)
class Choice:
    """Hold a kernel's maker and what it is made for, the maker's arguments."""

    make: Make
    arguments: tuple[Any, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what tells its machine code from others', the same in every process."""
        return self.make.__module__, self.make.__qualname__, self.arguments

    def kernel(self) -> Callable[..., Any]:
        """Make the kernel."""
        return self.make(*self.arguments)


@functools.lru_cache(maxsize=1024)
def choose(problem: Problem, processor: Processor, limits: ConvolutionLimits) -> Choice:
    """Return the fastest kernel for `problem`: sparse, tiles in registers, or direct loops, which may turn to BLAS."""
    from symae.kernels.conv import direct, gradients, polyphase, scattered, sparse, tiled
    from symae.kernels.parallel.parts import threads_for
    from symae.kernels.simd.patch import patch_for
    from symae.kernels.simd.register_strip import strip_for

    operation, registers = problem.operation, processor.registers
    threads = threads_for(problem.multiplications, limits.multiplications_for_threads, processor.threads)
    arguments = (problem.settings, threads)
    if problem.sparse:
        patch = patch_for(*_sparse_rows(problem.filters), problem.itemsize, registers)
        return Choice(_of(operation, sparse.forward, sparse.input_gradient, sparse.filter_gradient), (*arguments, patch))
    tile = _tile(problem, processor, limits)
    if tile is not None:
        back = tiled.input_gradient
        if problem.is_polyphase:
            back = scattered.input_gradient if _scattering_pays(problem, limits) else polyphase.input_gradient
        return Choice(_of(operation, tiled.forward, back, tiled.filter_gradient), (*arguments, tile))
    if operation is Operation.FILTER_GRADIENT:
        return Choice(gradients.filter_gradient, arguments)
    maps, channels = problem.filters[:2]
    results = channels if operation is Operation.INPUT_GRADIENT else maps and maps // problem.groups
    few = channels is not None and channels < limits.maps_for_tiles
    back = polyphase.direct_input_gradient if problem.is_polyphase and few else gradients.input_gradient
    strip = strip_for(results, problem.itemsize, registers)
    return Choice(direct.forward if operation is Operation.FORWARD else back, (*arguments, strip))


def _scattering_pays(problem: Problem, limits: ConvolutionLimits) -> bool:
    """Return True if a strided gradient of the images is better made element by element of the filters than by phases."""
    maps, (height, width) = problem.filters[0], problem.images[2:]
    if maps is None or height is None or width is None:
        return False
    return maps // problem.groups >= limits.maps_for_scattering and height * width <= limits.pixels_for_scattering


def _of(operation: Operation, forward: Make, input_gradient: Make, filter_gradient: Make) -> Make:
    kernels = {
        Operation.FORWARD: forward,
        Operation.INPUT_GRADIENT: input_gradient,
        Operation.FILTER_GRADIENT: filter_gradient,
    }
    return kernels[operation]


def _tile(problem: Problem, processor: Processor, limits: ConvolutionLimits) -> Tile | None:
    """Return the tile of sums, or None where another way is faster or sizes are not known."""
    from symae.kernels.simd.register_tile import tile_for

    maps, channels, kh, kw = problem.filters
    if maps is None or channels is None or kh is None or kw is None:
        return None
    maps //= problem.groups
    strided = max(problem.subsample) > 1
    terms = {
        Operation.FORWARD: limits.terms_for_tiles_forward,
        Operation.INPUT_GRADIENT: limits.terms_for_tiles_input_gradient,
        Operation.FILTER_GRADIENT: limits.terms_for_tiles_filter_gradient,
    }[problem.operation]
    if problem.operation is Operation.INPUT_GRADIENT:
        if strided and not problem.is_polyphase:
            return None  # the phases of a stride are only known without dilation
        maps, channels = channels, maps
    elif problem.operation is Operation.FILTER_GRADIENT and strided:
        terms = limits.terms_for_tiles_strided_filter_gradient
    if maps < limits.maps_for_tiles or channels * kh * kw < terms:
        return None
    return tile_for(maps, problem.itemsize, processor.registers)


def _sparse_rows(filters: Sequence[Size]) -> tuple[int, int]:
    """Return how many rows a map's filter has, and how long they are with all channels."""
    _, channels, kh, kw = (size or 0 for size in filters)  # all known, where `has_sparse_kernel` is true
    return kh, kw * channels


def has_sparse_kernel(filters: Sequence[Size], dilation: Sequence[int], groups: int) -> bool:
    """Return True if there are kernels, for Numba and C, of sparse convolutions with filters of such a shape."""
    _, channels, kh, kw = filters
    if max(dilation) > 1 or groups > 1 or channels is None or kh is None or kw is None:
        return False
    return 0 < channels * kw <= tuning.CONVOLUTION.longest_sparse_row


def sparse_pays(operation: Operation, filters: Sequence[Size], pixels: int) -> bool:
    """Return True if maps with one value for so many `pixels` are better convolved sparsely, where there is a kernel for it."""
    limits = tuning.CONVOLUTION
    if pixels < limits.pixels_for_sparse:
        return False
    drawing = operation is Operation.INPUT_GRADIENT
    return not drawing or pixels * _sparse_rows(filters)[1] >= limits.row_pixels_for_sparse_drawing

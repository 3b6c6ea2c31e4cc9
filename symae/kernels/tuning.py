"""The numbers by which kernels choose between ways of doing the same: measured, not derived.

Each says its unit, what was compared, and on what processor, where that was noted. Sizes that only follow from how a processor
is made (its registers) are in `symae.kernels.simd`. Kernels read these when machine code is made for them; `ConvolutionLimits`
are handed to `symae.kernels.conv.select`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Multiplications, about a millisecond's work of one thread: from here on convolutions and coordinate networks are divided among
# threads. Waking a thread takes 10 to 50 us, and where another process wants the cores it gets one milliseconds later, so
# smaller work is done by one. (Processor not noted.)
MULTIPLICATIONS_FOR_THREADS: Final = 16_000_000


@dataclass(frozen=True)
class ConvolutionLimits:
    """Say from where on one way to convolve is faster than another; maps and channels are those of one group."""

    multiplications_for_threads: int = MULTIPLICATIONS_FOR_THREADS

    # Maps, and numbers of a map's filter (channels_per_group * kh * kw): from both on, BLAS with the columns that it needs is
    # faster than direct loops. Measured with AVX2. The C kernels have the same limits.
    maps_for_blas: int = 8
    column_for_blas: int = 64

    # Maps, and terms of a sum, from which on tiles of sums in registers are faster than direct loops and BLAS. Measured with
    # AVX-512. For the gradient of the filters maps are packed anew for each image, which pays later; but with a stride the
    # loops that it would be instead are slow. For the gradient of the images channels count as maps.
    maps_for_tiles: int = 8
    terms_for_tiles_forward: int = 8
    terms_for_tiles_input_gradient: int = 32
    terms_for_tiles_filter_gradient: int = 32
    terms_for_tiles_strided_filter_gradient: int = 16

    # Maps of strided convolutions from which on the gradient of the images is made element by element of the filters, each with
    # the sums that it adds to read and written, instead of phase by phase, with zeros around the maps; and the pixels of an
    # image up to which. With 2 threads, AVX-512, 256 images: 128 maps of 3 x 3 and 64 filters of 3 x 3 took 1.7 ms (phases:
    # 2.5), 64 maps of 7 x 7 and 32 filters of 5 x 5 5.8 ms (6.0).
    maps_for_scattering: int = 64
    pixels_for_scattering: int = 4096

    # Numbers of a filter's row with all its channels, up to which sparse convolutions have kernels. Longer ones the dense ways
    # are good at. (Processor not noted.)
    longest_sparse_row: int = 128
    # Pixels of a map for each value of it that is not zero. With one in two, dense convolutions are as fast: they do four times
    # as much at a time. (Processor not noted.)
    pixels_for_sparse: int = 4
    # The same times the numbers of a filter's row: a value is drawn row by row, so a row has to be worth it. (Processor not
    # noted.)
    row_pixels_for_sparse_drawing: int = 20


CONVOLUTION: Final = ConvolutionLimits()

# Positions of maps that go through a convolution's tiles together: those of several images, where maps are small, so that tiles
# are full and sums of few terms long enough, or some rows of one; and the most images. With 100 or 400 positions a convolution
# of 256 images to 64 maps of 7 x 7 took as long, 4.6 to 4.9 ms; with one image at a time, which was before, 8.3. Measured with
# 2 threads, AVX-512.
POSITIONS_TOGETHER: Final = 192
IMAGES_TOGETHER: Final = 16

# Bytes of packed weights that stay in the nearest cache while tiles go over those positions: where the second cache is fast it
# is no matter, half of it took 4.8 ms there, all weights at once 4.5. (Processors with a slow one not measured.)
WEIGHTS_TOGETHER: Final = 32_768

# Multiplications of a matrix product that is divided among symae's threads. Fewer take less time than another thread takes to
# wake up. Measured with 2 threads, AVX-512.
GEMM_MULTIPLICATIONS_FOR_THREADS: Final = 1_000_000

# The same while all threads look for work anyway: a classifier's last layer, 500 x 10, is divided from 53 rows on. With 65,536
# minibatches of 20 took as long or longer. Measured with 2 threads, AVX-512.
GEMM_MULTIPLICATIONS_FOR_AWAKE_THREADS: Final = 262_144

# Terms of two products that are made at once, and columns of x' d that are turned back at once: so many vectors fill a third
# of the nearest cache. (Derived, not varied.)
UNPACKED_TERMS: Final = 256

# The fewest columns of a product that is made by such tiles, of x' d rows too, and the most rows, or terms if they are fewer.
# With one thread and AVX-512 they gave, in GFLOP/s of float32 (BLAS), for 784 x 500 and 20 rows 104 (81) forwards, 90 (47)
# backwards and 97 (79) for the gradient; for 784 x 800 and 200 rows 107 (102), 106 (94), 107 (102); with one row 19 (42), 14
# (38), 32 (13).
UNPACKED_LEAST: Final = 4
UNPACKED_MOST: Final = 256

# The most rows, or terms, if there are at most so many weights, 784 x 500 say. Steps of a classifier of 784-500-10 took, with
# 400, 1000, 2000 and 4000 rows of float32, 0.93, 0.94, 1.00 and 1.05 of the time that they take by BLAS; of 784-256-256-16 and
# 1000 rows 0.91; of an autoencoder of 784-100 0.95 (0.87 in float64), of 784-500 1.00, of 784-1000 1.08. Measured with 2
# threads, AVX-512.
UNPACKED_MOST_OF_FEW_WEIGHTS: Final = 1536
UNPACKED_FEW_WEIGHTS: Final = 400_000

# Rows up to which a product takes as long as one of so many, to read the weights, and is divided like that; and the fewest
# weights of products of one row that are not left to BLAS, which has one thread. Steps of autoencoders of 784-800 and 784-500
# take, with one row, 0.46 and 0.56 of the time that they take by BLAS, with two 0.37 and 0.51; with one row of 784-100 it was
# 1.25. Measured with 2 threads, AVX-512.
UNPACKED_ROWS_TO_READ: Final = 4
UNPACKED_WEIGHTS_OF_A_ROW: Final = 131_072

# Rows at most whose copies lie in the second cache while tiles go over them, 200 kB of float32 of the most terms; room for them
# is a multiple of a line of the cache. (Derived, not varied.)
UNPACKED_ROWS: Final = 240

# Of products whose left matrix is copied for its tiles, and whose right one is read where it lies, again for each tile's rows:
# columns of sums that are kept, and terms at once at most, each a page of memory: 20 rows and 392 x 500 numbers had 0.73 of
# what tiles in the nearest cache do with 32, and 0.73 to 0.81 from 64 on (one thread); no whole step was seen to gain by it.
# And how many bytes further on tiles ask for what will be read. With copies of the right one x W took 1.10 times as long with
# 144 rows of 784 x 500, 1.07 with 400, 1.13 with 1000. Measured with 2 threads, AVX-512.
UNPACKED_COLUMNS_OF_SUMS: Final = 512
UNPACKED_TERMS_AT_ONCE: Final = 112
UNPACKED_AHEAD: Final = 128

# The same terms of tiles of two vectors, which have fewer rows and pass by more often, where rows of the right matrix are so
# far apart that hardly a page has two: 100 rows of 784 x 1000 gave 295 GFLOP/s with 64, 272 with 80 and 280 with 112; of 784 x
# 500 299, 309 and 315. With 1024 columns of sums instead of 512, 1000 x 1000 took 1.4 times as long. Measured with 2 threads,
# AVX-512.
UNPACKED_TERMS_OF_WIDE: Final = 64
UNPACKED_BYTES_OF_WIDE: Final = 2560

# Terms at most at once, of two products together, where both matrices are copied: so many of a panel of two vectors fill half
# of the nearest cache. And columns whose copies are in the second cache meanwhile. Steps took 0.92 of the time that they took
# with all terms of a product in panels of 256, for 1000 rows of 784 x 500. Measured with 2 threads, AVX-512.
UNPACKED_FEW_TERMS: Final = 208
UNPACKED_COLUMNS: Final = 256

# Columns up to which x' d of more terms is made as the transpose of d' x: for 392 x 100 columns and twice 200 terms 0.85 of
# what tiles in the nearest cache do (before: 0.68). Of a vector's width all are: 500 x 10 of 100 terms took 15 us (28).
UNPACKED_FEW_COLUMNS: Final = 128

# Terms from which on, and rows up to which, y W' is made by inner products of rows; rows of W at once, for all rows of y; and
# bytes further on that are asked for.
UNPACKED_TERMS_OF_DOTS: Final = 192
UNPACKED_ROWS_FOR_DOTS: Final = 64
UNPACKED_ROWS_OF_DOTS: Final = 16
UNPACKED_AHEAD_OF_ROW: Final = 256

# A side of so many rows or columns makes a piece of such a product, but there are two pieces, or four times some, so that each
# of two or four threads has as many; and the most pieces. Terms are divided into halves, and each of these by columns, at
# least so many, where there are more threads.
UNPACKED_PIECE: Final = 192
UNPACKED_PIECES: Final = 16
UNPACKED_COLUMNS_OF_PIECE: Final = 48

# Rows of a minibatch from which on threads divide these, if weights are smaller than what goes into the layer and out of it,
# and fewer than so many, that all threads have in their caches. Larger weights are divided, always the same way: to read what
# another core has changed takes longer, and threads that divided columns forwards and rows for the gradient lost 7 % of both
# at 784 x 500. A whole step of 784-256-256-16 took 0.96 of its time for that with 200 rows, of 784-500-10 with 1000 rows 0.97,
# of an autoencoder of 784-100 as long. Measured with 2 threads, AVX-512.
UNPACKED_ROWS_TO_DIVIDE: Final = 40
UNPACKED_WEIGHTS_OF_ALL: Final = 16_384

# Multiplications, some milliseconds' work: from here on PyTensor's own products, which are not divided by symae, have BLAS's
# threads. (Processor not noted.)
GEMM_MULTIPLICATIONS_FOR_BLAS_THREADS: Final = 100_000_000

# Columns or rows: OpenBLAS's kernels work on blocks of so many, so products are divided between them.
BLAS_BLOCK: Final = 16

# Pixels of pooled or upsampled images. Two threads halve the time from 50,000 pixels on, if both get a core at once. If one has
# to wait for a core that another process holds, all wait, for 4 ms as measured; so only work of that order goes to threads.
# (Processor not noted.)
PIXELS_FOR_THREADS: Final = 1_048_576

# Values that get a bias and a rectifier: about a millisecond's work, by the same reasoning as for multiplications.
VALUES_FOR_THREADS: Final = 1_000_000

# Numbers of an elementwise function, a tenth of a millisecond's work, by whether what is done with each is a matter of
# additions and products (False) or of exp and the like (True). From a tenth of that on two threads are faster, if both get a
# core at once; but with that limit worksheet 03 took 0.40 s an epoch beside a busy process, and with this one 0.22. Measured
# with 2 threads, AVX-512.
NUMBERS_FOR_THREADS: Final = {False: 524_288, True: 65_536}

# The same while all threads look for work anyway, as they do for a while after each product of matrices. With half as many of
# the first kind as now, and a quarter of the second, steps of 20 rows took up to 3 % longer. Measured with 2 threads, AVX-512.
NUMBERS_FOR_AWAKE_THREADS: Final = {False: 32_768, True: 8_192}

# Time to leave a number of the Mersenne Twister's stream out, as a part of the time to draw it for a mask and to apply it.
# Measured with AVX-512: 0.29 of 0.73 ns, and x is read meanwhile.
SKIPPING_TO_DRAWING: Final = 0.35

# How long a thread looks for work before it sleeps, in seconds: longer than what lies between two products of a training step.
# Waking up takes about 50 us: with 0.02 ms, worksheets 01 and 02 took 9 % longer in float64, where that is longer, and as long
# in float32. With 0.13 ms an epoch of 01 took 3.9 times as long beside two processes that multiply on all cores, and with this
# 3.5. Measured with 2 threads, AVX-512.
WAITING_SECONDS: Final = 0.00007

# Positions at most that go through all layers of a coordinate network together: of 256 units, 450 kB, which stay in a core's
# cache. (Processor not noted.)
COORDINATE_BLOCK: Final = 448

# MRG's streams that advance together: their six words fill a third of the first cache; and how many of them it takes for that
# to be faster than one stream after the other. (Processor not noted.)
MRG_BLOCK: Final = 256
STREAMS_FOR_BLOCKS: Final = 16

# Extremes of a vector: numbers that are compared at once, and how many it takes for that to be faster than one after the other.
# (Processor not noted.)
EXTREME_LANES: Final = 8
NUMBERS_FOR_LANES: Final = 64

# What is held in registers, by how many vector registers there are. A tile has so many vectors of maps and positions at most
# (each position has an address in one of 16 other registers); a strip so many maps and vectors of positions; the gradient of a
# sparse convolution's filters so many sums while the values of a map go by. (Processors not noted.)
TILE_VECTORS: Final = {32: 4, 16: 2}
TILE_POSITIONS: Final = 8
STRIP_MAPS: Final = 7
STRIP_VECTORS: Final = 8
PATCH_SUMS: Final = {32: 16, 16: 8, 0: 8}

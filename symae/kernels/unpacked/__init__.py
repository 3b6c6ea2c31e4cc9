"""Matrix products of few rows or few terms, by kernels that read the matrices where they lie.

BLAS packs blocks of both matrices before it multiplies them. Of the products of a minibatch that is most of the work: in
x W, with 20 rows of x, each number of W is packed for 20 multiplications. Here a tile of the result, some rows times a vector
of columns, is kept in registers while W goes by, a vector of each row; its own numbers are broadcast from x. So W is read
once, and nothing is written but the result. In y W', the vectors would have to be columns of W: sums are of rows' products
there, or panels of W's rows, as many as a vector has numbers, are transposed through registers. In x' d, which has few terms,
the tile is of W itself, and a second such product is added while it is in registers.

Of more rows than a tile has, W goes by several times, and tiles are two vectors wide: of those of one, reading is the limit.

`panels` transposes rows, `near` makes tiles, `ways` products of them, `dots` inner products, `products` whole products and
their division among threads, `calls` calls those from compiled graphs.

Sources: the tile is BLIS's for skinny and unpacked matrices (Van Zee and Van de Geijn, 2015).
"""

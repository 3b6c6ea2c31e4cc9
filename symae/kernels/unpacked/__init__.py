"""Matrix products of few rows or few terms, by kernels that read the matrices where they lie.

BLAS packs blocks of both matrices before it multiplies them. Of the products of a minibatch that is most of the work: in
x W, with 20 rows of x, each number of W is packed for 20 multiplications. Here a tile of the result, some rows times one vector
of columns, is kept in registers while W goes by, a vector of each row; its own numbers are broadcast from x. So W is read
once, and nothing is written but the result. In y W' the vectors would have to be columns of W: a panel of W's rows, as many as
a vector has numbers, is transposed through registers into the nearest cache before. In x' d, which has few terms, the tile is
of W itself, and a second such product is added while it is in registers.

Of more rows than a tile has, W goes by several times. What tiles read is copied then, some vectors of columns at a time, as a
column is in as many pages of memory as there are terms, and tiles are two vectors wide: reading limits those of one.

`tiles` makes tiles and panels, `near` tiles of few rows or terms, `dots` inner products, `products` whole products of them and
their division among threads, `calls` calls those from compiled graphs.

Sources: the tile is BLIS's for skinny and unpacked matrices (Van Zee and Van de Geijn, 2015).
"""

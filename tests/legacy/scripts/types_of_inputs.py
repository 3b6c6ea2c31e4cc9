"""The letters of the types, and what each lets in."""
import numpy
import theano
import theano.tensor as T

for make in (T.bscalar, T.wvector, T.iscalar, T.lvector, T.fmatrix, T.dtensor3, T.dtensor4, T.zmatrix, T.drow, T.fcol):
    v = make('v')
    print v.name, v.dtype, v.ndim, v.type.broadcastable

for make in (T.scalar, T.vector, T.matrix, T.tensor3, T.tensor4, T.row, T.col):
    v = make()
    print v.dtype == theano.config.floatX, v.broadcastable

a, b, c = T.dmatrices('a', 'b', 'c')
print a.name, b.name, c.name, a.type == b.type, a.type == T.fmatrix
i, j = T.lscalars(2)
print i.name, j.dtype

dtensor5 = T.TensorType('float64', (False,) * 5)
x = dtensor5('x')
print x.ndim, x.type.dtype, theano.function([x], x.sum())(numpy.ones((1, 2, 1, 2, 3)))

add = theano.function([a, b], a + b)
print add([[1, 2]], [[3, 4]]).tolist()
try:
    add([1, 2], [[3, 4]])
except TypeError:
    print 'a vector is no matrix'

r, col = T.row('r'), T.col('c')
print theano.function([r, col], r + col, allow_input_downcast=True)([[1., 2.]], [[10.], [20.]]).tolist()
try:
    theano.function([r], r, allow_input_downcast=True)(numpy.ones((2, 2)))
except TypeError:
    print 'a row has one row'
print (T.iscalar() + T.bscalar()).dtype, (T.lscalar() * T.fscalar()).dtype, (T.fvector() + 1).dtype, (T.ivector() + 1.5).dtype

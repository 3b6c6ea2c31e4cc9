"""theano.sparse with SciPy's matrices."""
import numpy
import scipy.sparse
import theano
import theano.tensor as T
from theano import sparse

x = sparse.csr_matrix('x', dtype='float64')
W = theano.shared(numpy.arange(6.).reshape(3, 2), name='W')
data = scipy.sparse.csr_matrix(numpy.array([[0., 2., 0.], [1., 0., 3.]]))

y = sparse.dot(x, W)
print theano.function([x], y)(data).tolist()
print theano.function([x], T.grad(T.sum(y ** 2), W))(data).tolist()
print x.type.format, x.dtype, x.ndim
dense = theano.function([x], sparse.dense_from_sparse(x) * 2)(data)
print dense.tolist(), type(dense).__name__
transposed = theano.function([x], x.T)(data)
print transposed.shape, transposed.toarray().tolist()
m = T.dmatrix('m')
back = theano.function([m], sparse.csr_from_dense(m))(numpy.eye(2))
print back.format, back.nnz, theano.function([x], sparse.sp_sum(x, axis=0))(data).tolist()
s = theano.shared(data, name='s')
print theano.function([], sparse.basic.dense_from_sparse(s).sum())().tolist()

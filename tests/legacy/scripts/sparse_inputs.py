"""Sparse matrices as inputs of functions: products, slices, sums, stacks and gradients, of both formats."""
import numpy
import scipy.sparse
import theano
import theano.tensor as T
from theano import sparse
from theano.sparse.basic import SparseType, SparseVariable, _is_sparse_variable

A = scipy.sparse.csr_matrix(numpy.array([[0., 2., 0.], [1., 0., 3.]]))
B = scipy.sparse.csr_matrix(numpy.array([[1., 0., 4.], [0., 5., 6.]]))
D = numpy.arange(1., 7.).reshape(3, 2)
x, y = sparse.csr_matrix('x', dtype='float64'), sparse.csr_matrix('y', dtype='float64')
c = sparse.csc_matrix('c', dtype='float64')
m, v, i = T.dmatrix('m'), T.dvector('v'), T.lscalar('i')


def show(results):
    for r in results:
        if scipy.sparse.issparse(r):
            print r.format, r.dtype, r.nnz, r.toarray().tolist()
        else:
            print r.dtype, r.tolist()

print isinstance(x, SparseVariable), isinstance(x.type, SparseType), _is_sparse_variable(x), _is_sparse_variable(m)
products = [sparse.dot(x, m), sparse.structured_dot(x, m), sparse.dot(c, m), sparse.dot(m, x), sparse.true_dot(x, y.T)]
show(theano.function([x, y, c, m], products)(A, B, A.tocsc(), D))
dense_first = [m.T + x, m.T * x, x * m.T, m.T - x, x * 2., -x, x + y, x - y, x * y]
show(theano.function([x, y, m], dense_first)(A, B, D))
show(theano.function([x, i], [x[i:i + 1], x[:, 1:3], x[0:2, 1:3], x[1, 2], x.shape[0], x.shape[1], x.T])(A, 1))
show(theano.function([x], [sparse.sp_sum(x), sparse.sp_sum(x, axis=0), sparse.sp_sum(x, axis=1), sparse.sp_sum(sparse.sqr(x))])(A))
show(theano.function([x, y], [sparse.hstack([x, y], format='csr'), sparse.vstack([x, y], format='csr')])(A, B))
show(theano.function([x, v], [sparse.col_scale(x, v), sparse.structured_sigmoid(x), sparse.sgn(x), sparse.gt(x, x * 2.)])(A, [1., 2., 3.]))
cost = T.sum(sparse.structured_dot(x, m) ** 2) + sparse.sp_sum(x * y, sparse_grad=True)
show(theano.function([x, y, m], [T.grad(cost, m), T.grad(cost, x)])(A, B, D))

total = theano.function([x], sparse.sp_sum(x, axis=0))
print total(A.toarray()).tolist(), total(A.tocsc()).tolist(), total(A.tocoo()).tolist()

# The softmax regression of a bag of words, in minibatches of a sparse shared variable.
words = theano.shared(scipy.sparse.vstack([A, B, A], format='csr'), name='words')
labels = theano.shared(numpy.array([0, 1, 1, 0, 0, 1], dtype='int32'))
W, b = theano.shared(numpy.zeros((3, 2)), name='W'), theano.shared(numpy.zeros(2), name='b')
t = T.ivector('t')
p = T.nnet.softmax(sparse.dot(x, W) + b)
nll = -T.mean(T.log(p)[T.arange(t.shape[0]), t])
updates = [(param, param - .5 * T.grad(nll, param)) for param in (W, b)]
train = theano.function([i], nll, updates=updates, givens={x: words[i * 2:(i + 1) * 2], t: labels[i * 2:(i + 1) * 2]})
print [['%.6f' % train(k) for k in range(3)] for epoch in range(2)]
print numpy.round(W.get_value(), 6).tolist()

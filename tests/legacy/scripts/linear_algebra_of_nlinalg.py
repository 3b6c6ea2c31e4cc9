"""theano.tensor.nlinalg and slinalg."""
import numpy
import theano
import theano.tensor as T
from theano.tensor import nlinalg, slinalg
from theano.tensor.nlinalg import matrix_inverse, det, trace, pinv
from theano.tensor.slinalg import cholesky, solve

A = theano.shared(numpy.array([[4., 1., 0.], [1., 3., 1.], [0., 1., 2.]]), name='A')
b = theano.shared(numpy.array([1., 2., 3.]), name='b')

def show(name, y):
    print name, ' '.join(['%.8f' % v for v in numpy.asarray(theano.function([], y)()).ravel()])

show('inverse', matrix_inverse(A))
show('pinv', pinv(A[:2]))
show('det', det(A))
show('trace', trace(A))
show('diag', nlinalg.extract_diag(A))
show('alloc_diag', nlinalg.alloc_diag(b))
show('eigenvalues', nlinalg.eigh(A)[0])
show('singular values', nlinalg.svd(A)[1])
show('norm', A.norm(2))
show('dot of many', nlinalg.matrix_dot(A, A, b))
show('power', nlinalg.matrix_power(A, 3))
show('cholesky', cholesky(A))
show('solve', solve(A, b))
show('kron', slinalg.kron(A[:2, :2], T.ones((1, 2))))
show('expm', slinalg.expm(A / 10))
show('gradient of the inverse', T.grad(T.sum(matrix_inverse(A)), A))
show('gradient of log det', T.grad(T.log(det(A)), A))
show('gradient of cholesky', T.grad(T.sum(cholesky(A)), A))
show('qr', abs(nlinalg.qr(A)[1]))

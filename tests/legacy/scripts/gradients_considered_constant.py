"""T.grad and what it is told: constants, gradients known already, what is not connected."""
import numpy
import theano
import theano.tensor as T
from theano.gradient import disconnected_grad, grad_clip

x = T.dvector('x')
w = theano.shared(numpy.array([1., -2., 3.]), name='w')
z = theano.shared(numpy.zeros(2), name='z')
point = numpy.array([0.5, 1., -1.5])

def show(name, expression, show_as='%.8f'):
    value = theano.function([x], expression, on_unused_input='ignore')(point)
    print name, ' '.join([show_as % v for v in numpy.asarray(value).ravel()])

middle = T.tanh(x * w)
cost = T.sum(middle ** 2 * x)
show('grad', T.grad(cost, w))
show('constant', T.grad(cost, x, consider_constant=[middle]))
show('both', T.concatenate(T.grad(cost, [x, w])))
show('known', T.grad(None, w, known_grads={middle: x * 2}))
show('disconnected', T.grad(cost, z, disconnected_inputs='ignore'))
try:
    T.grad(cost, z)
except theano.gradient.DisconnectedInputError:
    print 'not connected: refused'
try:
    T.grad(x, x)
except TypeError:
    print 'the cost has to be a scalar'
show('disconnected_grad', T.grad(T.sum(x * disconnected_grad(x ** 2)), x))
show('clipped', T.grad(T.sum(grad_clip(x, -0.5, 0.5) ** 2), x))
show('jacobian', theano.gradient.jacobian(x ** 2 * w, x))
show('hessian', theano.gradient.hessian(T.sum(x ** 3), x))
show('R', T.Rop(T.tanh(x), x, w))
show('L', T.Lop(T.tanh(x), x, w))
show('of a maximum', T.grad(T.max(x), x))
show('of an abs', T.grad(T.sum(abs(x) + T.sqr(x)), x))
show('second', T.grad(T.grad(T.sum(x ** 4), x).sum(), x))

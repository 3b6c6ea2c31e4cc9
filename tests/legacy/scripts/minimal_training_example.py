"""One vector, one weight matrix, one target: the smallest thing that is called training."""
import theano
import theano.tensor as T
import numpy

x = T.fvector('x')
target = T.fscalar('target')
W = theano.shared(numpy.asarray([0.1, 0.25, -0.3]), 'W')
print ['%.2f' % v for v in W.get_value()]

y = (x * W).sum()
cost = T.sqr(target - y)
gradients = T.grad(cost, [W])
W_updated = W - (0.1 * gradients[0])
updates = [(W, W_updated)]
f = theano.function([x, target], y, updates=updates)
for i in xrange(8):
    output = f([1.0, 0.5, 1.5], 12.0)
    print output
print ['%.10f' % v for v in W.get_value()]

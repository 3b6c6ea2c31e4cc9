"""Corruption masks: one stream, drawn call after call."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

numpy_rng = numpy.random.RandomState(123)
theano_rng = RandomStreams(numpy_rng.randint(2 ** 30))
x = T.matrix('x')
mask = theano_rng.binomial(size=x.shape, n=1, p=1 - 0.3, dtype=theano.config.floatX)
corrupted = theano.function([x], mask * x)
ones = numpy.ones((3, 8), dtype=theano.config.floatX)
for call in xrange(2):
    print corrupted(ones).astype(int).tolist()

p = T.nnet.sigmoid(x)
sample = theano_rng.binomial(size=p.shape, n=1, p=p, dtype=theano.config.floatX)
print theano.function([x], sample)(numpy.linspace(-3, 3, 8).reshape(1, 8)).astype(int).tolist()
print mask.dtype == theano.config.floatX, theano_rng.binomial((2, 3)).dtype

# a function that must not go on drawing: no_default_updates
n = theano_rng.normal((2,))
frozen = theano.function([], n, no_default_updates=True)
moving = theano.function([], n)
print [('%.10f %.10f' % tuple(f())) for f in (frozen, frozen, moving, moving, frozen)]

# one draw used twice is the same draw
u = theano_rng.uniform((2,))
print theano.function([], u + u - 2 * u)().tolist()
print ['%.8f' % v for v in theano_rng.binomial((4,), 10, 0.5).eval()]

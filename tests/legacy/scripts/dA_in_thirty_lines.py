# A denoising autoencoder with tied weights on 12 pixels
import numpy, theano, sys
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

n_visible, n_hidden, batch_size, corruption = 12, 5, 10, 0.3
rng = numpy.random.RandomState(123)
theano_rng = RandomStreams(rng.randint(2 ** 30))
train_set_x = theano.shared(numpy.asarray(rng.rand(40, n_visible) < 0.4, dtype=theano.config.floatX), borrow=True)
bound = 4 * numpy.sqrt(6. / (n_hidden + n_visible))
W = theano.shared(numpy.asarray(rng.uniform(-bound, bound, (n_visible, n_hidden)), dtype=theano.config.floatX), 'W')
b = theano.shared(numpy.zeros(n_hidden, dtype=theano.config.floatX), 'b')
b_prime = theano.shared(numpy.zeros(n_visible, dtype=theano.config.floatX), "b'")
params = [W, b, b_prime]

index, x = T.lscalar(), T.matrix('x')
tilde_x = theano_rng.binomial(size=x.shape, n=1, p=1 - corruption, dtype=theano.config.floatX) * x
y = T.nnet.sigmoid(T.dot(tilde_x, W) + b)
z = T.nnet.sigmoid(T.dot(y, W.T) + b_prime)
L = - T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1)
cost = T.mean(L)
gparams = T.grad(cost, params)
updates = []
for param, gparam in zip(params, gparams):
    updates.append((param, param - 0.1 * gparam))
train_da = theano.function([index], cost, updates=updates,
                           givens={x: train_set_x[index * batch_size: (index + 1) * batch_size]})

for epoch in xrange(6):
    c = []
    for batch_index in xrange(train_set_x.get_value(borrow=True).shape[0] / batch_size):
        c.append(train_da(batch_index))
    print 'Training epoch %d, cost ' % epoch, '%.10f' % numpy.mean(c)
print >> sys.stderr, 'The code ran.'
print 'b', ' '.join('%.10f' % v for v in b.get_value())

"""Minibatches by index out of shared data, as all tutorials of the time do it."""
import numpy
import theano
import theano.tensor as T

rng = numpy.random.RandomState(7)
data = rng.normal(size=(23, 4))
labels = (data.sum(axis=1) > 0).astype('int32')
train_x = theano.shared(numpy.asarray(data, dtype=theano.config.floatX), borrow=True)
train_y = T.cast(theano.shared(numpy.asarray(labels, dtype=theano.config.floatX), borrow=True), 'int32')

batch_size = 5
n_batches = train_x.get_value(borrow=True).shape[0] / batch_size
print 'minibatches', n_batches

index = T.lscalar('index')
x = T.matrix('x')
y = T.ivector('y')
w = theano.shared(value=numpy.zeros((4,), dtype=theano.config.floatX), name='w', borrow=True)
b = theano.shared(numpy.cast[theano.config.floatX](0), name='b')
p = T.nnet.sigmoid(T.dot(x, w) + b)
cost = T.mean(T.nnet.binary_crossentropy(p, y))
errors = T.mean(T.neq(p > 0.5, y))
g_w, g_b = T.grad(cost, [w, b])

train = theano.function(inputs=[index], outputs=cost,
                        updates=[(w, w - 0.5 * g_w), (b, b - 0.5 * g_b)],
                        givens={x: train_x[index * batch_size:(index + 1) * batch_size],
                                y: train_y[index * batch_size:(index + 1) * batch_size]})
validate = theano.function([], errors, givens=[(x, train_x), (y, train_y)])

for epoch in xrange(3):
    costs = [train(i) for i in xrange(n_batches)]
    print 'epoch %i, cost %.10f, errors %.6f %%' % (epoch, numpy.mean(costs), validate() * 100.)
print ' '.join('%.8f' % value for value in w.get_value())

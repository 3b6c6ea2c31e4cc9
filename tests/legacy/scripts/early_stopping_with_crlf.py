"""Logistic regression with patience, in a file from Windows."""
import time
import numpy
import theano
import theano.tensor as T


class LogisticRegression(object):
    def __init__(self, input, n_in, n_out):
        self.W = theano.shared(value=numpy.zeros((n_in, n_out), dtype=theano.config.floatX), name='W', borrow=True)
        self.b = theano.shared(value=numpy.zeros((n_out,), dtype=theano.config.floatX), name='b', borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)

    def negative_log_likelihood(self, y):
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y):
        if y.ndim != self.y_pred.ndim:
            raise TypeError('y should have the same shape as self.y_pred', ('y', y.type, 'y_pred', self.y_pred.type))
        if y.dtype.startswith('int'):
            return T.mean(T.neq(self.y_pred, y))
        else:
            raise NotImplementedError()

rng = numpy.random.RandomState(5)
data = rng.normal(size=(60, 4))
target = (data[:, 0] * data[:, 1] + data[:, 2] > 0.1).astype('int32') + (data[:, 3] > 1)
x, y = T.matrix('x'), T.ivector('y')
model = LogisticRegression(x, 4, 3)
cost = model.negative_log_likelihood(y)
g_W, g_b = T.grad(cost=cost, wrt=model.W), T.grad(cost=cost, wrt=model.b)
train = theano.function([x, y], cost, updates=[(model.W, model.W - 0.13 * g_W), (model.b, model.b - 0.13 * g_b)])
test = theano.function([x, y], model.errors(y))

best, patience, epoch, done_looping = numpy.inf, 6, 0, False
start_time = time.clock()
while (epoch < 50) and (not done_looping):
    epoch = epoch + 1
    for index in xrange(40 / 10):
        batch = slice(index * 10, (index + 1) * 10)
        c = train(data[batch], target[batch])
    loss = test(data[40:], target[40:])
    print 'epoch %i, cost %.10f, validation error %f %%' % (epoch, c, loss * 100.)
    if loss < best:
        best = loss
        patience = max(patience, epoch * 2)
    if patience <= epoch:
        done_looping = True
end_time = time.clock()
print 'best %f %% after %d epochs' % (best * 100., epoch), end_time >= start_time
try:
    model.errors(T.vector())
except NotImplementedError:
    print 'whole numbers only'

"""An Elman network, trained by gradients through time."""
import numpy
import theano
import theano.tensor as T

dtype = theano.config.floatX
rng = numpy.random.RandomState(11)
n_in, n_hidden, n_out, n_steps = 2, 3, 1, 6

def weights(rows, columns, name):
    return theano.shared(numpy.asarray(rng.uniform(-.5, .5, (rows, columns)), dtype=dtype), name=name)

W_in, W, W_out = weights(n_in, n_hidden, 'W_in'), weights(n_hidden, n_hidden, 'W'), weights(n_hidden, n_out, 'W_out')
h0 = theano.shared(numpy.zeros(n_hidden, dtype=dtype), name='h0')
params = [W_in, W, W_out, h0]

u = T.matrix('u')
t = T.matrix('t')
lr = T.scalar('lr')

def step(u_t, h_before, W, W_in, W_out):
    h_t = T.tanh(T.dot(u_t, W_in) + T.dot(h_before, W))
    y_t = T.dot(h_t, W_out)
    return h_t, y_t

[h, y], _ = theano.scan(step, sequences=u, outputs_info=[h0, None], non_sequences=[W, W_in, W_out])
error = ((y - t) ** 2).sum()
gradients = T.grad(error, params)
train = theano.function([u, t, lr], error, updates=dict((p, p - lr * g) for p, g in zip(params, gradients)))

inputs = rng.normal(size=(n_steps, n_in)).astype(dtype)
targets = numpy.zeros((n_steps, n_out), dtype=dtype)
targets[1:, 0] = inputs[:-1, 0]
for epoch in xrange(5):
    print '%d: %.10f' % (epoch, train(inputs, targets, 0.1))
print 'h0', ' '.join(['%.10f' % v for v in h0.get_value()])

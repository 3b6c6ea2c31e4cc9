"""theano.tensor.nnet.bn, the old function and the pair of the later ones."""
import numpy as np
import theano
import theano.tensor as T
from theano.tensor.nnet import bn

rng = np.random.RandomState(3)
values = rng.normal(2., 3., (6, 3))
x = T.dmatrix('x')
gamma = theano.shared(np.array([1., 2., .5]), name='gamma')
beta = theano.shared(np.array([0., -1., 1.]), name='beta')


def show(name, v):
    print(name + ' ' + ' '.join('%.8f' % a for a in np.asarray(v).ravel()[:6]))


old = bn.batch_normalization(inputs=x, gamma=gamma, beta=beta, mean=x.mean((0,), keepdims=True),
                             std=T.ones_like(x.var((0,), keepdims=True)), mode='low_mem')
show('old', theano.function([x], old)(values))

running_mean = theano.shared(np.zeros((1, 3)), broadcastable=(True, False))
running_var = theano.shared(np.ones((1, 3)), broadcastable=(True, False))
g, b = gamma.dimshuffle('x', 0), beta.dimshuffle('x', 0)
out, mean, invstd, new_mean, new_var = bn.batch_normalization_train(
    x, g, b, axes='per-activation', epsilon=1e-4, running_average_factor=0.1, running_mean=running_mean,
    running_var=running_var)
train = theano.function([x], [out, mean, invstd] + T.grad((out ** 3).sum(), [gamma, beta]),
                        updates=[(running_mean, new_mean), (running_var, new_var)])
for name, v in zip(('train', 'mean', 'invstd', 'd gamma', 'd beta'), train(values)):
    show(name, v)
show('running mean', running_mean.get_value())
show('running var', running_var.get_value())
test = bn.batch_normalization_test(x, g, b, running_mean, running_var, axes='per-activation')
show('test', theano.function([x], test)(values))

maps = T.dtensor4('maps')
s = theano.shared(np.ones((1, 2, 1, 1)), broadcastable=(True, False, True, True))
spatial = bn.batch_normalization_train(maps, s, 0 * s, axes='spatial')[0]
show('spatial', theano.function([maps], spatial)(rng.normal(size=(2, 2, 2, 2))))

"""nnet.relu is half of x plus half of its absolute value: its gradient at 0 is a half."""
import numpy as np
import theano
import theano.tensor as T

x = T.dvector('x')
given = np.array([-2., -0.5, 0., 0.5, 2.])


def show(name, y):
    f = theano.function([x], [y, T.grad(y.sum(), x)])
    value, gradient = f(given)
    print(name, ['%.4f' % v for v in value], ['%.4f' % g for g in gradient])


show('relu', T.nnet.relu(x))
show('leaky', T.nnet.relu(x, 0.1))
show('alpha=', T.nnet.relu(x, alpha=1. / 3))
show('one alpha for each', T.nnet.relu(x, theano.shared(np.array([0., .1, .2, .3, .4]))))
show('maximum', T.maximum(x, 0))
show('maximum of 0.', T.maximum(0., x))
show('switch', T.switch(x > 0, x, 0))
show('times mask', x * (x > 0))
show('elu', T.nnet.elu(x))
show('elu of 2', T.nnet.elu(x, 2))

"""Optimizers written out: accumulators of zeros beside every parameter."""
import numpy as np
import theano
import theano.tensor as T
from collections import OrderedDict

def sgd_momentum(cost, params, lr, momentum=0.9):
    updates = []
    for param in params:
        velocity = theano.shared(param.get_value() * 0., broadcastable=param.broadcastable)
        updates.append((param, param - lr * velocity))
        updates.append((velocity, momentum * velocity + (1. - momentum) * T.grad(cost, param)))
    return updates

def adadelta(cost, params, rho=0.95, eps=1e-6):
    updates = OrderedDict({})
    gparams = [T.grad(cost, param) for param in params]
    for p, g in zip(params, gparams):
        g2 = theano.shared(np.zeros_like(p.get_value()), name='g2_%s' % p.name)
        d2 = theano.shared(np.zeros(p.get_value().shape, dtype=theano.config.floatX), name='d2_%s' % p.name)
        new_g2 = rho * g2 + (1 - rho) * T.sqr(g)
        step = -(T.sqrt(d2 + eps) / T.sqrt(new_g2 + eps)) * g
        updates[g2] = new_g2
        updates[d2] = rho * d2 + (1 - rho) * T.sqr(step)
        new_p = p + step
        if p.name == 'W' and p.get_value(borrow=True).ndim == 2:
            norms = T.sqrt(T.sum(T.sqr(new_p), axis=0))
            new_p = new_p * (T.clip(norms, 0, T.sqrt(1.5)) / (1e-7 + norms))
        updates[p] = new_p
    return updates

def rmsprop(cost, params, lr=0.01, rho=0.9, epsilon=1e-6):
    updates = []
    for p, g in zip(params, T.grad(cost=cost, wrt=params)):
        acc = theano.shared(p.get_value() * 0.)
        acc_new = rho * acc + (1 - rho) * g ** 2
        updates += [(acc, acc_new), (p, p - lr * g / T.sqrt(acc_new + epsilon))]
    return updates

rng = np.random.RandomState(9)
data, target = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
for optimizer in (lambda c, p: sgd_momentum(c, p, T.cast(0.2, theano.config.floatX)), adadelta, rmsprop):
    W, b = theano.shared(np.ones((3, 2)) / 2, name='W'), theano.shared(np.zeros(2), name='b')
    x, t = T.matrices('xt')
    cost = T.mean(T.sqr(T.dot(x, W) + b - t))
    train = theano.function([x, t], cost, updates=optimizer(cost, [W, b]), allow_input_downcast=True)
    print ' '.join(['%.10f' % train(data, target) for i in xrange(4)]), '%.10f' % np.sum(W.get_value())

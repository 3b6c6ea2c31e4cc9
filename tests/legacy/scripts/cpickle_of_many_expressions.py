"""Expressions and functions that were compiled are pickled, and read again."""
import cPickle
import os
import numpy
import theano
import theano.ifelse
import theano.tensor as T
from collections import OrderedDict

values = numpy.linspace(-1, 1, 6).reshape(2, 3)
x = T.dmatrix('x')
W = theano.shared(numpy.linspace(-.5, .5, 6).reshape(3, 2), 'W')
z = T.dot(x, W) + .1
expressions = OrderedDict([
    ('relu', T.nnet.relu(z)), ('leaky', T.nnet.relu(z, .01)), ('maximum', T.maximum(z, 0)), ('minimum', T.minimum(z, .1)),
    ('sqr', T.sqr(z)), ('power', z ** 2), ('clip', T.clip(z, -.1, .1)), ('switch', T.switch(z > 0, z, .1 * z)),
    ('L1', W.norm(1) + z), ('L2', W.norm(2) + z), ('log1pexp', T.log(1 + T.exp(z))), ('softplus', T.nnet.softplus(z)),
    ('softmax', T.nnet.softmax(z)), ('log_softmax', T.log(T.nnet.softmax(z))), ('hard', T.nnet.hard_sigmoid(z)),
    ('crossentropy', T.nnet.binary_crossentropy(T.nnet.sigmoid(z), .3)), ('sgn', T.sgn(z)), ('abs', abs(z)), ('var', T.var(z)),
    ('std', T.std(z, axis=0)), ('max', T.max(z, axis=1)), ('argmax', T.argmax(z, axis=1)), ('any', T.any(z > 0)),
    ('picked', z[T.arange(2), [1, 0]]), ('concatenated', T.concatenate([z, x], axis=1)), ('set', T.set_subtensor(z[:, 0], 0.)),
    ('cast', T.cast(z, 'float32')), ('gradient', T.grad(T.sum(T.sqr(T.maximum(z, 0))), x)),
    ('disconnected', theano.gradient.disconnected_grad(z) * z), ('ifelse', theano.ifelse.ifelse(T.gt(z.sum(), 0), z, -z)),
    ('scan', theano.scan(lambda a, h: T.tanh(a + h), sequences=[z], outputs_info=[T.zeros((2,))])[0]),
    ('n_steps', theano.scan(lambda h: h * 2., outputs_info=[z], n_steps=3)[0]),
    ('map', theano.map(lambda a: a.sum(), [z])[0]),
])


def trained(name, update):
    w = theano.shared(numpy.linspace(-.5, .5, 6).reshape(3, 2), name)
    cost = T.mean((T.nnet.relu(T.dot(x, w)) - 1.) ** 2)
    return theano.function([x], cost, updates=update(w, T.grad(cost, w)))


def rmsprop(w, g):
    mean = theano.shared(w.get_value() * 0)
    new = .9 * mean + .1 * g ** 2
    return [(mean, new), (w, w - .01 * g / T.sqrt(new + 1e-6))]

before = theano.function([x], expressions.values())(values)
functions = [
    trained('decayed', lambda w, g: [(w, w * 1. - .1 * g)]),
    trained('bounded', lambda w, g: [(w, T.clip(w - .1 * g, -.4, .4) * T.minimum(1., 1. / T.sqrt(T.sum(w ** 2))))]),
    trained('scaled', rmsprop),
    theano.function([x], [expressions['scan'], expressions['relu']]),
]
costs = [f(values) for f in functions]
for protocol in (0, 2, -1):
    with open('all.pkl', 'wb') as file:
        cPickle.dump([x, expressions.values(), functions], file, protocol)
    with open('all.pkl', 'rb') as file:
        x2, again, functions2 = cPickle.load(file)

after = theano.function([x2], again)(values)
for name, old, new in zip(expressions, before, after):
    print name, numpy.array_equal(old, new), numpy.round(new, 6).tolist()
for f, g in zip(functions, functions2):
    print [numpy.round(numpy.ravel(h(values)[0] if isinstance(h(values), list) else h(values)), 6).tolist() for h in (f, g)]
os.remove('all.pkl')

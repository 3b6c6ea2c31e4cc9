"""An LSTM whose gates are slices of one product, and sequences of different lengths."""
import numpy
import theano
from theano import config
import theano.tensor as tensor

def numpy_floatX(data):
    return numpy.asarray(data, dtype=config.floatX)

dim = 3
rng = numpy.random.RandomState(123)
tparams = {}
for name, shape in (('U', (dim, 4 * dim)), ('W', (dim, 4 * dim)), ('b', (4 * dim,))):
    tparams[name] = theano.shared(numpy_floatX(rng.uniform(-.3, .3, shape)), name=name)

def _slice(_x, n, dim):
    if _x.ndim == 3:
        return _x[:, :, n * dim:(n + 1) * dim]
    return _x[:, n * dim:(n + 1) * dim]

def _step(m_, x_, h_, c_):
    preact = tensor.dot(h_, tparams['U'])
    preact += x_
    i = tensor.nnet.sigmoid(_slice(preact, 0, dim))
    f = tensor.nnet.sigmoid(_slice(preact, 1, dim))
    o = tensor.nnet.sigmoid(_slice(preact, 2, dim))
    c = tensor.tanh(_slice(preact, 3, dim))
    c = f * c_ + i * c
    c = m_[:, None] * c + (1. - m_)[:, None] * c_
    h = o * tensor.tanh(c)
    h = m_[:, None] * h + (1. - m_)[:, None] * h_
    return h, c

words = tensor.matrix('words', dtype='int64')
mask = tensor.matrix('mask', dtype=config.floatX)
Wemb = theano.shared(numpy_floatX(rng.normal(size=(7, dim))), name='Wemb')
n_timesteps, n_samples = words.shape[0], words.shape[1]
emb = Wemb[words.flatten()].reshape([n_timesteps, n_samples, dim])
state_below = tensor.dot(emb, tparams['W']) + tparams['b']
rval, updates = theano.scan(_step, sequences=[mask, state_below],
                            outputs_info=[tensor.alloc(numpy_floatX(0.), n_samples, dim),
                                          tensor.alloc(numpy_floatX(0.), n_samples, dim)],
                            name='lstm_layers', n_steps=n_timesteps)
proj = (rval[0] * mask[:, :, None]).sum(axis=0)
proj = proj / mask.sum(axis=0)[:, None]
cost = tensor.sqr(proj).mean()
wrt = [Wemb] + [tparams[k] for k in sorted(tparams.keys())]
f = theano.function([words, mask], [cost] + [abs(g).sum() for g in tensor.grad(cost, wrt=wrt)])
given = numpy.array([[1, 2], [3, 4], [6, 0], [5, 0]]), numpy_floatX([[1, 1], [1, 1], [1, 0], [1, 0]])
print ' '.join(['%.10f' % v for v in f(*given)])
print ['%.8f' % v for v in theano.function([words, mask], proj)(*given).ravel()]

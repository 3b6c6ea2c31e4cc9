"""Contrastive divergence: Gibbs steps in a scan, and a chain end that is constant."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

floatX = theano.config.floatX
numpy_rng = numpy.random.RandomState(1234)
theano_rng = RandomStreams(numpy_rng.randint(2 ** 30))
n_visible, n_hidden = 6, 4
W = theano.shared(numpy.asarray(numpy_rng.normal(0, .3, (n_visible, n_hidden)), dtype=floatX), name='W', borrow=True)
hbias = theano.shared(numpy.zeros(n_hidden, dtype=floatX), name='hbias')
vbias = theano.shared(numpy.zeros(n_visible, dtype=floatX), name='vbias')
params = [W, hbias, vbias]

def free_energy(v):
    wx_b = T.dot(v, W) + hbias
    return -T.sum(T.log(1 + T.exp(wx_b)), axis=1) - T.dot(v, vbias)

def propup(v):
    pre = T.dot(v, W) + hbias
    return [pre, T.nnet.sigmoid(pre)]

def sample_h_given_v(v0):
    pre, mean = propup(v0)
    return [pre, mean, theano_rng.binomial(size=mean.shape, n=1, p=mean, dtype=floatX)]

def sample_v_given_h(h0):
    pre = T.dot(h0, W.T) + vbias
    mean = T.nnet.sigmoid(pre)
    return [pre, mean, theano_rng.binomial(size=mean.shape, n=1, p=mean, dtype=floatX)]

def gibbs_hvh(h0):
    v = sample_v_given_h(h0)
    return v + sample_h_given_v(v[2])

x = T.matrix('x')
persistent = theano.shared(numpy.zeros((5, n_hidden), dtype=floatX), borrow=True)
chain, updates = theano.scan(gibbs_hvh, outputs_info=[None, None, None, None, None, persistent], n_steps=3)
[pre_v, mean_v, v_samples, pre_h, mean_h, h_samples] = chain
chain_end = v_samples[-1]
cost = T.mean(free_energy(x)) - T.mean(free_energy(chain_end))
for param, gparam in zip(params, T.grad(cost, params, consider_constant=[chain_end])):
    updates[param] = param - gparam * T.cast(0.1, dtype=floatX)
updates[persistent] = h_samples[-1]
recon = T.mean(T.sum(x * T.log(T.nnet.sigmoid(pre_v[-1])) + (1 - x) * T.log(1 - T.nnet.sigmoid(pre_v[-1])), axis=1))
train = theano.function([x], [cost, recon], updates=updates, name='train_rbm')
data = (numpy_rng.rand(5, n_visible) < [.9, .1, .9, .1, .5, .5]).astype(floatX)
for epoch in xrange(4):
    print epoch, '%.10f %.10f' % tuple(train(data))
print persistent.get_value().astype(int).tolist(), ' '.join(['%.10f' % v for v in vbias.get_value()])

"""What scan returns as updates is a mapping in order, to which people added their own."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

srng = RandomStreams(seed=4321)
total = theano.shared(numpy.float64(1), name='total')
counter = theano.shared(0, name='counter')
n = T.iscalar('n')

def noisy(before):
    return before * 0.5 + srng.uniform(size=())

values, updates = theano.scan(noisy, outputs_info=total, n_steps=n)
print len(updates), isinstance(updates, dict), type(updates).__name__
f = theano.function([n], values, updates=updates + {counter: counter + 1})
print ['%.10f' % v for v in f(3)], counter.get_value()
print ['%.10f' % v for v in f(2)], counter.get_value()

# lists of pairs
g = theano.function([n], values[-1], updates=updates + [(total, values[-1])])
print '%.10f' % g(2), '%.10f' % total.get_value()
h = theano.function([n], values[-1], updates=list(updates.items()) + [(counter, counter * 10)])
print '%.10f' % h(1), counter.get_value()

updates[total] = values.sum()
updates.update({counter: counter - 1})
k = theano.function([n], [], updates=updates)
k(2)
print '%.10f' % total.get_value(), counter.get_value(), len(updates), updates.keys()[-1] is counter

def with_own_update(x):
    return x + counter, {counter: counter + 2}

sums, more = theano.scan(with_own_update, sequences=T.arange(4))
print theano.function([], sums, updates=more)().tolist(), counter.get_value()

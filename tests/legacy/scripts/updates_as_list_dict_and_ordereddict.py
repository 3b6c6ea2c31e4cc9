"""updates= takes pairs, a dict or an OrderedDict, and all of them see the values from before the call."""
import theano
import theano.tensor as T
from theano.compat.python2x import OrderedDict

a = theano.shared(1, name='a')
b = theano.shared(10, name='b')
n = T.lscalar('n')

pairs = theano.function([n], a + b, updates=[(a, b), (b, a + n)])
print pairs(5), a.get_value(), b.get_value()

plain = theano.function([n], [], updates={a: a * n})
print plain(3), a.get_value(), b.get_value()

ordered = OrderedDict()
ordered[a] = a - 1
ordered[b] = b + a
step = theano.function([], [a, b], updates=ordered)
print step(), a.get_value(), b.get_value()

more = OrderedDict()
more.update(ordered)
more[b] = more[b] * 2
print [int(v) for v in theano.function([], [a, b, more[b]], updates=more.items())()], a.get_value(), b.get_value()

try:
    theano.function([], a, updates=[(a, a + 1), (a, a + 2)])
except ValueError, e:
    print 'two updates of one variable are refused'

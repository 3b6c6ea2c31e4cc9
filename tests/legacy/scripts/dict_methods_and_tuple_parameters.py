"""Dictionaries with iteritems and has_key, functions with tuples in their parameters."""
import itertools
import theano
import theano.tensor as T
from collections import OrderedDict

sizes = OrderedDict([('input', 4), ('hidden', 3), ('output', 2)])
for name, size in sizes.iteritems():
    print name, size
print sizes.has_key('hidden'), sizes.has_key('other'), sizes.keys()[0], sizes.values()[1:], sizes.items()[-1]
print [k for k in sizes.iterkeys()], sum(sizes.itervalues())
keys = sizes.keys()
keys.sort()
print keys, {'a': 1}.items() + [('b', 2)]
for key in sizes.keys():
    if key == 'hidden':
        del sizes[key]
print len(sizes)

def area((width, height), scale=1):
    return width * height * scale

print area((3, 4)), area((3, 4), 2), map(lambda (a, b): a - b, [(5, 2), (1, 1)])
first = lambda (a, (b, c)): (c, b, a)
print first((1, (2, 3)))
print list(itertools.izip([1, 2], 'ab')), [a + b for a, b in itertools.izip_longest([1, 2], [10], fillvalue=0)]
numbers = iter([4, 5, 6])
print numbers.next(), next(numbers)


class Counter:
    __metaclass__ = type
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def next(self):
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        return self.n
    def __nonzero__(self):
        return self.n > 0

print list(Counter(3)), bool(Counter(0)), bool(Counter(2))
params = {'W': theano.shared(2.), 'b': theano.shared(1.)}
grads = T.grad(params['W'] ** 2 * params['b'], [v for k, v in sorted(params.iteritems())])
f = theano.function([], grads, updates=dict((p, p - g) for p, g in zip([params[k] for k in sorted(params)], grads)))
print [float(v) for v in f()], [float(params[k].get_value()) for k in sorted(params)], filter(lambda (k, v): v > 2, sizes.items())

"""Comparisons gave whole numbers: they were added, subtracted, negated, averaged, and they picked by index."""
import numpy as np
import theano
import theano.tensor as T

a = T.ivector('a')
b = T.ivector('b')
first = np.array([1, 2, 3, 4, 5], dtype='int32')
second = np.array([1, 0, 3, 0, 9], dtype='int32')

def show(name, expression):
    value = theano.function([a, b], expression, on_unused_input='ignore')(first, second)
    print name, value.tolist()

show('neq', T.neq(a, b))
show('errors', T.mean(T.neq(a, b)))
show('hits', T.sum(T.eq(a, b)))
show('-neq', -T.neq(a, b))
show('neq - neq', T.neq(a, b) - T.neq(b, 0))
show('1 - eq', 1 - T.eq(a, b))
show('gt + lt', T.gt(a, b) + T.ge(a, b) + T.lt(a, 3) + T.le(a, 2))
show('(a > 2) * a', (a > 2) * a)
show('product of masks', (a > 1) * (a < 5))
show('and', T.and_(a > 1, a < 5))
show('or', T.or_(T.eq(a, 1), T.eq(a, 5)))
show('|', T.eq(a, 1) | T.eq(a, 5))
show('&', (a > 1) & (a < 4))
show('xor', T.xor(a > 1, b > 1))
show('all and any', T.all(a > 0) + T.any(b > 5))
show('whole numbers pick elements 0 and 1', a[T.cast(a > 2, 'int32')])
show('nonzero picks by the mask', a[(a > 2).nonzero()])
show('mask of a 2-d comparison', T.eq(a.dimshuffle(0, 'x'), b.dimshuffle('x', 0)).sum(axis=0))
print T.neq(a, b).dtype, (a > b).dtype, (T.dvector() <= 0).dtype, T.isnan(T.dvector()).ndim

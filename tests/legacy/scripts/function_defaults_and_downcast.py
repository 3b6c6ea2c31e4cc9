"""What theano.function takes besides inputs and outputs."""
import numpy as np
import theano
import theano.tensor as T
from theano import In, Param

x, y, w = T.dscalars('x', 'y', 'w')
f = theano.function([x, Param(y, default=1), Param(w, default=2, name='weight')], (x + y) * w)
print(float(f(33)), float(f(33, 2)), float(f(33, 0, 1)), float(f(33, weight=1)), float(f(33, weight=1, y=0)))

g = theano.function([In(x, name='first'), In(y, value=0.5)], [x - y, x * y])
print([float(v) for v in g(3)], [float(v) for v in g(first=1, y=2)])

v = T.fvector('v')
strict = theano.function([v], v.sum())
try:
    strict(np.array([0.5, 1.5], dtype='float64'))
except TypeError:
    print('float64 is not taken for float32')
easy = theano.function([v], v.sum(), allow_input_downcast=True)
print(float(easy(np.array([0.5, 1.5], dtype='float64'))))
print(float(easy([1, 2, 3])))

k = T.iscalar('k')
try:
    theano.function([k], k + 1)(2.5)
except TypeError:
    print('2.5 is not taken for a whole number')
print(int(theano.function([k], k + 1, allow_input_downcast=True)(2.5)))

try:
    theano.function([x, y], x ** 2)
except theano.compile.UnusedInputError:
    print('an unused input is refused')
unused = theano.function([x, y], x ** 2, on_unused_input='ignore', mode='FAST_COMPILE', name='square')
print(float(unused(3, 4)))

total = theano.shared(np.float64(0), name='total')
print(theano.function([x], updates=[(total, total + x)])(2.5), float(total.get_value()))
print(float(theano.function([x], total * x, givens={total: T.constant(np.float64(4))})(3)), float(total.get_value()))
print(sorted((key, float(value)) for key, value in theano.function([x], outputs={'a': x + 1, 'b': x * 2})(5).items()))

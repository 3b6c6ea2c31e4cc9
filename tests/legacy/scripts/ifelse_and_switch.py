"""ifelse computes one branch, switch both."""
import numpy as np
import theano
import theano.tensor as T
from theano.ifelse import ifelse

a, b = T.scalars('a', 'b')
x, y = T.matrices('x', 'y')
z_switch = T.switch(T.lt(a, b), T.mean(x), T.mean(y))
z_lazy = ifelse(T.lt(a, b), T.mean(x), T.mean(y))
f_switch = theano.function([a, b, x, y], z_switch, mode=theano.Mode(linker='vm'))
f_lazy = theano.function([a, b, x, y], z_lazy, mode=theano.Mode(linker='vm'))
big1, big2 = np.ones((3, 4)), np.ones((3, 4)) * 2
print(float(f_switch(0., 1., big1, big2)), float(f_switch(2., 1., big1, big2)))
print(float(f_lazy(0., 1., big1, big2)), float(f_lazy(2., 1., big1, big2)))

two = ifelse(a > 0, [x + 1, y], [x, y * 10])
f = theano.function([a, x, y], two)
print([v.tolist() for v in f(1., [[1.]], [[2.]])], [v.tolist() for v in f(-1., [[1.]], [[2.]])])

g = theano.function([a, x], T.grad(ifelse(T.gt(a, 0), T.sum(x ** 2), T.sum(3 * x)), x))
print(g(1., [[5.]]).tolist(), g(0., [[5.]]).tolist())

rate = theano.shared(np.asarray(0.1, dtype=theano.config.floatX), name='rate')
epoch = T.iscalar('epoch')
decay = theano.function([epoch], updates=[(rate, ifelse(T.eq(epoch % 2, 0), rate * 0.5, rate))])
for e in range(4):
    decay(e)
print('%.6f' % rate.get_value())

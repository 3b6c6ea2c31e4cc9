"""Since Theano 1.0 a comparison was a mask that picks, and ~ its opposite."""
import numpy as np
import theano
import theano.tensor as T

x = T.dvector('x')
m = T.dmatrix('m')
values = np.array([-2., 0.5, 3., -1., 4.])
table = np.arange(6.).reshape(2, 3)


def show(name, inputs, expression, *given):
    print(name, np.asarray(theano.function(inputs, expression)(*given)).tolist())


show('picked', [x], x[x > 0], values)
show('the others', [x], x[~(x > 0)], values)
show('rows', [m], m[m[:, 0] > 1], table)
show('of a matrix', [m], m[m > 2], table)
show('two conditions', [x], x[(x > 0) & (x < 4)], values)
show('either', [x], x[T.or_(T.lt(x, -1), T.gt(x, 3))], values)
show('set', [x], T.set_subtensor(x[x < 0], 0.), values)
show('incremented', [x], T.inc_subtensor(x[x < 0], 10.), values)
show('gradient', [x], T.grad(T.sum(x[x > 0] ** 2), x), values)
show('how many', [x], T.sum(x > 0) + (x > 3).sum(), values)
show('which', [x], T.nonzero(x > 0)[0], values)
show('switched', [x], T.switch(~T.eq(x, 3.), x, 100.), values)

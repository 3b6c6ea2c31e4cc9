"""Elementwise functions, with the names some of them have lost since."""
import numpy as np
import theano
import theano.tensor as T

x = T.dvector('x')
values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
positive = np.array([0.25, 1., 2., 3.5])

def show(name, expression, given=values):
    print name, ' '.join(['%.8f' % v for v in theano.function([x], expression)(given)])

show('exp', T.exp(x))
show('log', T.log(x), positive)
show('log1p', T.log1p(x), positive)
show('log2', T.log2(x), positive)
show('sqrt', T.sqrt(x), positive)
show('sqr', T.sqr(x))
show('inv', T.inv(x))
show('abs_', T.abs_(x))
show('abs', abs(x))
show('sgn', T.sgn(x))
show('neg', -x)
show('tanh', T.tanh(x))
show('sin', T.sin(x))
show('cos', T.cos(x))
show('arctan', T.arctan(x))
show('erf', T.erf(x))
show('clip', T.clip(x, -1, 2))
show('x.clip', x.clip(0., 1.))
show('maximum', T.maximum(x, 0))
show('minimum', T.minimum(x, T.zeros_like(x)))
show('switch', T.switch(T.lt(x, 0), x * 10, x))
show('where', T.where(x > 1, 1, 0))
show('floor', T.floor(x))
show('ceil', T.ceil(x))
show('round', T.round(x))
show('round half to even', T.round(x, mode='half_to_even'))
show('round away from zero', T.round(x, mode='half_away_from_zero'))
show('iround', T.iround(x, mode='half_away_from_zero'))
show('mod', x % 2)
show('floor division', x // 2)
show('pow', T.pow(abs(x), 1.5))
show('intdiv', T.int_div(T.cast(x, 'int64'), 2))

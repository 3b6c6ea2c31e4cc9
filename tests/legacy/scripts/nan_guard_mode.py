"""NanGuardMode, MonitorMode's detectors, and Assert."""
import numpy as np
import theano
import theano.tensor as T
from theano.compile.nanguardmode import NanGuardMode

x = T.dvector('x')
f = theano.function([x], T.log(x).sum(), mode=NanGuardMode(nan_is_error=True, inf_is_error=True, big_is_error=True))
print('%.6f' % f([1., 2.]))
for bad in ([0., 1.], [-1., 1.], [1e300, 1.]):
    try:
        print('%.6f' % f(bad))
    except AssertionError:
        print('refused')
lenient = theano.function([x], T.log(x), mode=NanGuardMode(nan_is_error=True, inf_is_error=False, big_is_error=False))
print(lenient([0., 1.]).tolist())

assert_op = T.opt.Assert('all have to be positive')
g = theano.function([x], T.sum(assert_op(x, T.all(x > 0))))
print('%.6f' % g([1., 2.]))
try:
    g([1., -2.])
except AssertionError as error:
    print('refused', 'all have to be positive' in str(error))
print(np.isnan(theano.function([x], T.sqrt(x))([-1.])).tolist())
print(theano.function([x], T.isnan(x).sum() + 2 * T.isinf(x).sum())([np.nan, np.inf, 1., np.nan]).tolist())

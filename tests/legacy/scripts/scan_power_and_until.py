"""Loops: powers, polynomials, taps, a condition that ends one, foldl, map and reduce."""
import numpy as np
import theano
import theano.tensor as T
from theano.scan_module import until

k = T.iscalar('k')
A = T.vector('A')
result, updates = theano.scan(fn=lambda prior, A: prior * A, outputs_info=T.ones_like(A), non_sequences=A, n_steps=k)
power = theano.function(inputs=[A, k], outputs=result[-1], updates=updates)
print power(range(5), 3).tolist(), power(range(5), 1).tolist()

coefficients, x = T.vector('c'), T.scalar('x')
parts, _ = theano.scan(lambda c, i, x: c * (x ** i), outputs_info=None, sequences=[coefficients, T.arange(1000)],
                       non_sequences=x)
print '%.6f' % theano.function([coefficients, x], parts.sum())([1, 0, 2], 3)

fib, _ = theano.scan(lambda a, b: a + b, outputs_info=[dict(initial=T.as_tensor_variable(np.array([0, 1])), taps=[-2, -1])],
                     n_steps=8)
print theano.function([], fib)().tolist()

def doubled(last, most):
    return last * 2, until(last * 2 > most)

most = T.scalar('most')
grown, _ = theano.scan(doubled, outputs_info=T.constant(1., dtype=theano.config.floatX), non_sequences=most, n_steps=1024)
print theano.function([most], grown)(45).tolist()

windows, _ = theano.scan(lambda a, b, c: c - a + 10 * b, sequences=dict(input=A, taps=[-1, 0, 1]))
print theano.function([A], windows)([1., 2., 4., 8., 16.]).tolist()
back, _ = theano.scan(lambda a, s: s / 2. + a, sequences=A, outputs_info=T.zeros_like(A[0]), go_backwards=True)
print theano.function([A], back)([1., 2., 4.]).tolist()
total, _ = theano.reduce(lambda a, s: a + s, sequences=A, outputs_info=T.zeros_like(A[0]))
squares, _ = theano.map(lambda a: a ** 2, sequences=A)
folded, _ = theano.foldr(lambda a, s: a - s, sequences=A, outputs_info=T.zeros_like(A[0]))
print [v.tolist() for v in theano.function([A], [total, squares, folded])([1., 2., 5.])]
two, _ = theano.scan(lambda s, t: [s + t, s * 1.], outputs_info=[T.zeros_like(x), T.ones_like(x)], n_steps=5, strict=True)
print [v.tolist() for v in theano.function([x], two)(0)], '%.6f' % theano.function([x], T.grad(
    theano.scan(lambda s: T.tanh(s), outputs_info=x, n_steps=4)[0][-1], x))(0.3)

"""pp, debugprint and printing.Print."""
import sys
import theano
import theano.tensor as T
from theano import pp

x = T.dscalar('x')
y = T.dscalar('y')
v = T.dvector('v')
z = x ** 2
print pp(x + y)
print pp(x * y - x / y)
print theano.pp(z)
print theano.printing.pp(T.exp(x))
print pp(T.dot(T.dmatrix('A'), v))

shown = theano.printing.Print('value of v')(v * 2)
f = theano.function([v], shown.sum())
print f([1., 2.])
shapes = theano.printing.Print('v', attrs=['shape'])(v)
print theano.function([v], shapes.sum())([1., 2., 4.])

hello = theano.printing.Print('hello', attrs=[])
print theano.function([x], hello(x) + 1)(1)

text = theano.printing.debugprint(z, file='str')
print len(text.splitlines()) > 2, 'x' in text, 'TensorType(float64, scalar)' in text or True
sys.stdout.flush()
theano.printing.min_informative_str(z)

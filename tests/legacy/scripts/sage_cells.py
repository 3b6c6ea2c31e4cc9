"""What a notebook of Sage had around a script: DATA, html and its tables."""
import numpy, os
import theano
import theano.tensor as T

x = T.dvector('x')
f = theano.function([x], [T.sum(x), T.mean(x)])
rows = [[n] + ['%.4f' % v for v in f(numpy.arange(n) / 2.)] for n in range(1, 4)]
html.table(rows, header=['n', 'sum', 'mean'])
html('<b>%d rows</b>' % len(rows))
numpy.savetxt(os.path.join(DATA, 'rows.txt'), numpy.ones((2, 2)), fmt='%d')
print open(DATA + '/rows.txt').read().split()
for row in rows: print row[0], row[1], row[2]

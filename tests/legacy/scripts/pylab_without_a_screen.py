"""Plots that nobody sees must not stop a script."""
import matplotlib
matplotlib.use('Agg')
import pylab
import pylab as p
from matplotlib import pyplot as plt
from pylab import plot, show, gray, imshow, subplot, axis
import numpy
import theano
import theano.tensor as T

x = T.dvector('x')
f = theano.function([x], T.nnet.sigmoid(x))
points = numpy.linspace(-4, 4, 9)
pylab.figure(figsize=(4, 3))
pylab.plot(points, f(points), 'r-', label='sigmoid')
pylab.xlabel('x')
pylab.legend()
pylab.title('a curve')
pylab.show()
for i in xrange(4):
    subplot(2, 2, i + 1)
    imshow(f(points).reshape(3, 3) * i, interpolation='nearest')
    axis('off')
    gray()
show()
plt.subplot(1, 2, 1); plt.hist(points, bins=3); plt.tight_layout()
plt.savefig('curve.png')
plt.close()
p.ion()
p.draw()
plot([1, 2, 3])
print ' '.join(['%.8f' % v for v in f(points)])

"""7 / 2 was 3: of numbers, of arrays, and of symbolic sizes."""
import numpy as np
import theano
import theano.tensor as T

n_examples, batch_size = 103, 20
n_batches = n_examples / batch_size
print n_batches, range(n_batches), -7 / 2, 7 / 2., 7. / 2, 7 // 2, 7 % 2, -7 % 3
data = np.zeros((9, 4))
half = data[:len(data) / 2]
print half.shape, data.shape[0] / 2, np.int32(7) / 2, np.float32(7) / 2
print (np.arange(6) / 2).tolist(), (np.arange(6) / 2.).tolist(), (np.arange(-3, 3) / 2).tolist()
size = 28
size /= 3
image = np.arange(12)
image /= 5
print size, image.tolist()
weights = np.ones(4)
weights /= 8
print weights.tolist(), [0] * (10 / 4), 'ab' * (5 / 2), divmod(17, 5), 3 / 4 * 100, 100 * 3 / 4

i, j = T.iscalars('i', 'j')
x = T.dmatrix('x')
f = theano.function([i, j], [i / j, i // j, i % j, i / 2, 7 / j, i * 1. / j, T.true_div(i, j)])
print [v.tolist() for v in f(17, 5)]
print [v.tolist() for v in f(-17, 5)]
print theano.function([x], x[:x.shape[0] / 2])(np.arange(10.).reshape(5, 2)).tolist()
print theano.function([x], T.sum(x) / x.shape[0])(np.ones((4, 2))).tolist(), (x / 2).dtype, (i / 2).dtype, (x.size / 2).dtype
print theano.function([x], (x.shape[0] * x.shape[1] - 1) / 2)(np.ones((3, 4))).tolist()
out_size = (28 - 5 + 1) / 2
n_in = 50 * np.prod((out_size, out_size)) / 4
print out_size, n_in, theano.shared(np.zeros(n_in)).get_value().shape

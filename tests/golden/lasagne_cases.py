"""Programs on Lasagne that real Theano and symae.theano both run: classifiers as in its mnist.py, and autoencoders.

Runs on Python 3.8 too.
"""

import numpy as np

SIDE, BATCH, STEPS = 12, 8, 4


def images(n=BATCH * STEPS):
    """Return pictures of bars, (n, 1, 12, 12), and their classes."""
    rng = np.random.RandomState(7)
    classes = np.arange(n) % 10
    x = 0.1 * rng.uniform(size=(n, 1, SIDE, SIDE))
    for i, k in enumerate(classes):
        x[i, 0, k : k + 3, rng.randint(6) :] += 0.8
    return x, classes.astype("int32")


def _input(lasagne, flat=False):
    from theano import tensor as T

    x = T.tensor4("x")
    layer = lasagne.layers.InputLayer((BATCH, 1, SIDE, SIDE), x)
    return x, lasagne.layers.flatten(layer) if flat else layer


def mlp(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    layer = nn.DropoutLayer(layer, p=0.2)
    for _ in range(2):
        layer = nn.DenseLayer(layer, 30, W=lasagne.init.GlorotUniform(), nonlinearity=lasagne.nonlinearities.rectify)
        layer = nn.DropoutLayer(layer, p=0.5)
    return x, nn.DenseLayer(layer, 10, nonlinearity=lasagne.nonlinearities.softmax)


def cnn(lasagne):
    nn, relu = lasagne.layers, lasagne.nonlinearities.rectify
    x, layer = _input(lasagne)
    layer = nn.MaxPool2DLayer(nn.Conv2DLayer(layer, 8, (5, 5), nonlinearity=relu, W=lasagne.init.GlorotUniform()), (2, 2))
    layer = nn.MaxPool2DLayer(nn.Conv2DLayer(layer, 8, (3, 3), nonlinearity=relu), (2, 2))
    layer = nn.DenseLayer(nn.dropout(layer, p=0.5), 16, nonlinearity=relu)
    return x, nn.DenseLayer(nn.dropout(layer, p=0.5), 10, nonlinearity=lasagne.nonlinearities.softmax)


def inverse_dense(lasagne):
    nn = lasagne.layers
    x, flat = _input(lasagne, flat=True)
    code = nn.DenseLayer(flat, 20, nonlinearity=lasagne.nonlinearities.sigmoid)
    return x, nn.ReshapeLayer(nn.InverseLayer(code, code), ([0], 1, SIDE, SIDE))


def inverse_conv_and_pool(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    conv = nn.Conv2DLayer(layer, 6, (3, 3), nonlinearity=lasagne.nonlinearities.tanh)
    pool = nn.MaxPool2DLayer(conv, (2, 2))
    code = nn.DenseLayer(pool, 15, nonlinearity=None)
    back = nn.ReshapeLayer(nn.DenseLayer(code, 6 * 25, nonlinearity=None), ([0], 6, 5, 5))
    return x, nn.InverseLayer(nn.InverseLayer(back, pool), conv)


def transposed(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    layer = nn.Conv2DLayer(layer, 4, (4, 4), stride=2, nonlinearity=lasagne.nonlinearities.leaky_rectify)
    layer = nn.TransposedConv2DLayer(layer, 4, (4, 4), stride=2, nonlinearity=lasagne.nonlinearities.elu)
    return x, nn.TransposedConv2DLayer(layer, 1, (3, 3), crop=1, nonlinearity=lasagne.nonlinearities.sigmoid)


def batch_norm(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    layer = nn.batch_norm(nn.Conv2DLayer(layer, 4, (3, 3), pad="same"))
    layer = nn.batch_norm(nn.DenseLayer(layer, 20))
    return x, nn.ReshapeLayer(nn.DenseLayer(layer, SIDE * SIDE, nonlinearity=None), ([0], 1, SIDE, SIDE))


def upscale(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    layer = nn.Pool2DLayer(nn.Conv2DLayer(layer, 5, (3, 3), pad="same"), (2, 2), mode="average_exc_pad")
    layer = nn.Upscale2DLayer(nn.Conv2DLayer(layer, 5, (3, 3), pad="same"), 2)
    return x, nn.Conv2DLayer(layer, 1, (3, 3), pad="same", nonlinearity=lasagne.nonlinearities.sigmoid)


def tied_with_noise(lasagne):
    nn = lasagne.layers
    x, flat = _input(lasagne, flat=True)
    noisy = nn.GaussianNoiseLayer(nn.DropoutLayer(flat, p=0.3), sigma=0.1)
    code = nn.DenseLayer(noisy, 20, nonlinearity=lasagne.nonlinearities.sigmoid)
    drawn = nn.DenseLayer(code, SIDE * SIDE, W=code.W.T, nonlinearity=lasagne.nonlinearities.sigmoid)
    return x, nn.ReshapeLayer(drawn, ([0], 1, SIDE, SIDE))


def shapes_known_by_half(lasagne):
    nn = lasagne.layers
    x, layer = _input(lasagne)
    layer.shape = (None, 1, None, None)
    layer = nn.batch_norm(nn.Conv2DLayer(layer, 3, (3, 3), pad="full"))
    return x, nn.Conv2DLayer(layer, 1, (3, 3), nonlinearity=None)


CLASSIFIERS = {"mlp": mlp, "cnn": cnn}
AUTOENCODERS = {
    f.__name__: f
    for f in (
        inverse_dense,
        inverse_conv_and_pool,
        transposed,
        batch_norm,
        upscale,
        tied_with_noise,
        shapes_known_by_half,
    )
}
NAMES = [*CLASSIFIERS, *AUTOENCODERS]


def figures(name):
    """Train a program for a few steps; return its costs, and what it says with ``deterministic=True`` before and after."""
    import lasagne
    import theano
    from theano import tensor as T

    lasagne.random.set_rng(np.random.RandomState(42))
    x, network = {**CLASSIFIERS, **AUTOENCODERS}[name](lasagne)
    values, classes = images()
    out, sure = (lasagne.layers.get_output(network, deterministic=d) for d in (False, True))
    y = T.ivector("y")
    if name in CLASSIFIERS:
        cost = lasagne.objectives.categorical_crossentropy(out, y).mean()
        said = [lasagne.objectives.categorical_crossentropy(sure, y).mean(), T.mean(T.eq(T.argmax(sure, axis=1), y))]
    else:
        cost = lasagne.objectives.squared_error(out, x).mean()
        said = [lasagne.objectives.squared_error(sure, x).mean(), sure.sum() + 0 * y.sum()]
    params = lasagne.layers.get_all_params(network, trainable=True)
    cost = cost + 1e-4 * lasagne.regularization.regularize_network_params(network, lasagne.regularization.l2)
    rule = lasagne.updates.adam if name in AUTOENCODERS else lasagne.updates.nesterov_momentum
    train = theano.function([x, y], cost, updates=rule(cost, params, learning_rate=0.01), on_unused_input="ignore")
    look = theano.function([x, y], said, on_unused_input="ignore")
    numbers = [float(n) for n in look(values[:BATCH], classes[:BATCH])]
    for i in range(STEPS):
        part = slice(BATCH * i, BATCH * (i + 1))
        numbers.append(float(train(values[part], classes[part])))
    numbers += [float(n) for n in look(values[:BATCH], classes[:BATCH])]
    return {"params": [p.name for p in params], "numbers": numbers}

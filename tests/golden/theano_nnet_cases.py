"""What is asked of Theano 1.0.5 and of `symae.theano`: expressions that both understand, and the arrays that go into them.

A case is (build, arrays): ``build(theano, *variables)`` gives an expression or several, and the variables have the dtypes of
the arrays, of which the floats are cast to floatX. No NumPy newer than Theano's is needed here.
"""

import numpy as np


def numbers(*shape, seed=0, scale=1.0):
    return np.random.RandomState(seed).uniform(-scale, scale, shape)


def integers(*shape, below=4, seed=0, dtype="int32"):
    return np.random.RandomState(seed).randint(below, size=shape).astype(dtype)


def probabilities(*shape, seed=0):
    p = np.random.RandomState(seed).uniform(0.05, 1, shape)
    return p / p.sum(axis=-1, keepdims=True)


LINE = np.array([[-200.0, -60.0, -7.0, -6.5, -3.5, -3.0, -1.0, -0.25, 0.0], [200.0, 60.0, 7.0, 6.5, 3.5, 3.0, 1.0, 0.25, 1e-3]])
LOGITS = np.array([[0.0, 1000.0, -1000.0, 3.0], [200.0, -300.0, 5.0, 200.0], [1.0, 2.0, 3.0, 4.0]])
CLASSES = np.array([0, 1, 3], dtype="int32")
ONE_HOT = np.eye(4)[CLASSES]
CLIPPED = np.maximum(np.round(numbers(2, 2, 6, 7, seed=1) * 3) / 3, 0)  # many equal maxima, as after relu


def nnet(name, *arguments):
    return lambda theano, *v: getattr(theano.tensor.nnet, name)(*v, *arguments)


def with_settings(function, **settings):
    return lambda theano, *v: function(theano)(*v, **settings)


CASES = {}

for _name in ("sigmoid", "softplus", "hard_sigmoid", "softsign", "relu", "selu"):
    CASES[_name] = (nnet(_name), [LINE])
    for _dtype in ("int8", "int32"):
        CASES[_name + " of " + _dtype] = (nnet(_name), [np.array([[-2, -1, 0, 1, 2]], dtype=_dtype)])
CASES.update(
    {
        "relu 0.1": (nnet("relu", 0.1), [LINE]),
        "relu numpy 0.1": (nnet("relu", np.float64(0.1)), [LINE]),
        "relu of int32 0.1": (nnet("relu", 0.1), [np.array([-2, 0, 2], dtype="int32")]),
        "relu of a variable": (nnet("relu"), [LINE, numbers(9)]),
        "elu": (nnet("elu"), [LINE.clip(-200, 60)]),  # Theano's gradient at 200 is NaN in float32
        "elu 0.5": (nnet("elu", 0.5), [LINE.clip(-200, 60)]),
        "softmax": (nnet("softmax"), [LOGITS]),
        "softmax of a vector": (nnet("softmax"), [numbers(5)]),
        "logsoftmax": (nnet("logsoftmax"), [LOGITS]),
        "softmax_graph": (nnet("softmax_graph"), [numbers(2, 3, 4)]),
        "softmax_with_bias": (nnet("softmax_with_bias"), [numbers(3, 4), numbers(4)]),
        "logs of entries of softmax": (
            lambda t, x, y: t.tensor.log(t.tensor.nnet.softmax(x)[t.tensor.arange(y.shape[0]), y]),
            [LOGITS, CLASSES],
        ),
        "log of softmax": (lambda t, x: t.tensor.log(t.tensor.nnet.softmax(x)), [LOGITS]),
        "entries of log of softmax": (
            lambda t, x, y: -t.tensor.mean(t.tensor.log(t.tensor.nnet.softmax(x))[t.tensor.arange(y.shape[0]), y]),
            [LOGITS, CLASSES],
        ),
        "categorical_crossentropy of softmax, classes": (
            lambda t, x, y: t.tensor.nnet.categorical_crossentropy(t.tensor.nnet.softmax(x), y),
            [LOGITS, CLASSES],
        ),
        "categorical_crossentropy of softmax, distributions": (
            lambda t, x, y: t.tensor.nnet.categorical_crossentropy(t.tensor.nnet.softmax(x), y),
            [LOGITS, ONE_HOT],
        ),
        "categorical_crossentropy, classes": (nnet("categorical_crossentropy"), [probabilities(3, 4), CLASSES]),
        "categorical_crossentropy, distributions": (
            nnet("categorical_crossentropy"),
            [probabilities(2, 3, 4), probabilities(2, 3, 4, seed=1)],
        ),
        "binary_crossentropy": (nnet("binary_crossentropy"), [probabilities(3, 4), probabilities(3, 4, seed=1)]),
        "binary_crossentropy, int32": (nnet("binary_crossentropy"), [probabilities(3, 4), integers(3, 4, below=2)]),
        "binary_crossentropy of sigmoid": (
            lambda t, x, y: t.tensor.nnet.binary_crossentropy(t.tensor.nnet.sigmoid(x), y),
            [LINE, integers(2, 9, below=2, dtype="int8")],
        ),
        "sigmoid_binary_crossentropy": (nnet("sigmoid_binary_crossentropy"), [LINE, probabilities(2, 9)]),
        "log of 1 - sigmoid": (lambda t, x: t.tensor.log(1 - t.tensor.nnet.sigmoid(x)), [LINE]),
        "confusion_matrix": (nnet("confusion_matrix"), [np.array([2, 0, 2, 2, 0, 1]), np.array([0, 0, 2, 2, 0, 5])]),
        "prepend_scalar_to_each_row": (lambda t, x: t.tensor.nnet.prepend_scalar_to_each_row(2.5, x), [numbers(2, 3)]),
        "prepend_1_to_each_row": (nnet("prepend_1_to_each_row"), [numbers(2, 3)]),
    }
)
for _name, _arrays in {
    "crossentropy_softmax_argmax_1hot_with_bias": [LOGITS, numbers(4), CLASSES],
    "crossentropy_softmax_1hot_with_bias": [LOGITS, numbers(4), CLASSES],
    "crossentropy_softmax_1hot": [LOGITS, CLASSES],
    "crossentropy_softmax_max_and_argmax_1hot": [numbers(3, 4), CLASSES],
    "crossentropy_softmax_max_and_argmax_1hot_with_bias": [numbers(3, 4), numbers(4), CLASSES],
    "crossentropy_categorical_1hot": [probabilities(3, 4), CLASSES],
    "crossentropy_categorical_1hot_grad": [numbers(3), probabilities(3, 4), CLASSES],
    "crossentropy_softmax_1hot_with_bias_dx": [numbers(3), probabilities(3, 4), CLASSES],
    "softmax_grad": [numbers(3, 4), probabilities(3, 4)],
}.items():
    CASES[_name] = (nnet(_name), _arrays)

H_SOFTMAX = [numbers(3, 5), numbers(5, 2, seed=1), numbers(2, seed=2), numbers(2, 5, 4, seed=3), numbers(2, 4, seed=4)]
CASES["h_softmax"] = (lambda t, x, *w: t.tensor.nnet.h_softmax(x, 3, 7, 2, 4, *w), H_SOFTMAX)
CASES["h_softmax with target"] = (
    lambda t, x, *w: t.tensor.nnet.h_softmax(x, 3, 7, 2, 4, *w[:4], target=w[4]),
    [*H_SOFTMAX, np.array([0, 6, 3], dtype="int32")],
)
CASES["sparse_block_dot"] = (
    lambda t, *v: __import__(t.__name__ + ".tensor.nnet.blocksparse", fromlist=["x"]).sparse_block_dot(*v),
    [numbers(3, 2, 4, 5), numbers(2, 2, 4, seed=1), integers(2, 2, below=3), numbers(2, 5, seed=2), integers(2, 3, below=2)],
)


def bn(theano):
    return theano.tensor.nnet.bn


IMAGES, FILTERS = numbers(2, 3, 7, 6), numbers(4, 3, 3, 2, seed=1)
CHANNELS = [numbers(3, seed=s) + 1.5 for s in range(4)]
PIXELS = [numbers(3, 7, 6, seed=s) + 1.5 for s in range(4)]
CASES.update(
    {
        "bn low_mem": (nnet("batch_normalization"), [numbers(5, 4), *[numbers(4, seed=s) + 1.5 for s in range(4)]]),
        "bn high_mem": (
            nnet("batch_normalization", "high_mem"),
            [numbers(5, 4), *[numbers(4, seed=s) + 1.5 for s in range(4)]],
        ),
        "bn train": (with_settings(lambda t: bn(t).batch_normalization_train), [IMAGES, *PIXELS[:2]]),
        "bn train spatial": (with_settings(lambda t: bn(t).batch_normalization_train, axes="spatial"), [IMAGES, *CHANNELS[:2]]),
        "bn train running": (
            lambda t, x, g, b, m, v: bn(t).batch_normalization_train(x, g, b, "spatial", 1e-3, 0.3, m, v),
            [IMAGES, *CHANNELS],
        ),
        "bn test": (with_settings(lambda t: bn(t).batch_normalization_test, axes=(0, 2, 3)), [IMAGES, *CHANNELS]),
    }
)


def conv(theano):
    return theano.tensor.nnet.conv2d


def old_conv(theano):
    return __import__(theano.__name__ + ".tensor.nnet.conv", fromlist=["conv2d"]).conv2d


def abstract(name):
    return lambda theano: getattr(theano.tensor.nnet.abstract_conv, name)


FILM, FILM_FILTERS = numbers(2, 2, 5, 6, 4), numbers(3, 2, 2, 3, 2, seed=1)
CASES.update(
    {
        "conv2d": (with_settings(conv), [IMAGES, FILTERS]),
        "conv2d hints": (
            with_settings(conv, input_shape=(2, 3, 7, 6), filter_shape=(4, 3, None, 2), border_mode="half"),
            [IMAGES, FILTERS],
        ),
        "conv2d full": (with_settings(conv, border_mode="full", subsample=(2, 1), filter_flip=False), [IMAGES, FILTERS]),
        "conv2d padded": (with_settings(conv, border_mode=(1, 2), filter_dilation=(2, 1)), [IMAGES, FILTERS]),
        "conv2d groups": (with_settings(conv, num_groups=3, border_mode=1), [IMAGES, numbers(6, 1, 3, 2)]),
        "old conv2d": (with_settings(old_conv), [IMAGES, FILTERS]),
        "old conv2d full": (with_settings(old_conv, border_mode="full", image_shape=(2, 3, 7, 6)), [IMAGES, FILTERS]),
        "old conv2d subsample": (with_settings(old_conv, subsample=(2, 3), filter_shape=(4, 3, 3, 2)), [IMAGES, FILTERS]),
        "conv2d_transpose": (
            with_settings(lambda t: t.tensor.nnet.conv2d_transpose, output_shape=(2, 3, 8, 13), input_dilation=(1, 2)),
            [numbers(2, 4, 6, 6), FILTERS],
        ),
        "conv2d_grad_wrt_inputs": (
            with_settings(abstract("conv2d_grad_wrt_inputs"), input_shape=(2, 3, 7, 6), border_mode="half", subsample=(2, 2)),
            [numbers(2, 4, 4, 4), FILTERS],
        ),
        "conv2d_grad_wrt_weights": (
            with_settings(abstract("conv2d_grad_wrt_weights"), filter_shape=(4, 3, 3, 2), filter_flip=False),
            [IMAGES, numbers(2, 4, 5, 5)],
        ),
        "separable_conv2d": (
            with_settings(abstract("separable_conv2d"), num_channels=3, border_mode="half"),
            [IMAGES, numbers(6, 1, 3, 3), numbers(2, 6, 1, 1, seed=2)],
        ),
        "causal_conv1d": (
            with_settings(abstract("causal_conv1d"), filter_shape=(4, 2, 3), filter_dilation=2),
            [numbers(2, 2, 9), numbers(4, 2, 3, seed=1)],
        ),
        "bilinear_upsampling 2": (
            with_settings(abstract("bilinear_upsampling"), ratio=2, batch_size=2, num_input_channels=3),
            [IMAGES],
        ),
        "bilinear_upsampling 3": (
            with_settings(abstract("bilinear_upsampling"), ratio=3, batch_size=2, num_input_channels=3, use_1D_kernel=False),
            [IMAGES],
        ),
        "bilinear_kernel_2D": (lambda t: t.tensor.nnet.abstract_conv.bilinear_kernel_2D(3), []),
        "conv3d": (with_settings(abstract("conv3d")), [FILM, FILM_FILTERS]),
        "conv3d padded": (
            with_settings(abstract("conv3d"), border_mode=(1, 0, 2), subsample=(2, 1, 1), filter_flip=False),
            [FILM, FILM_FILTERS],
        ),
        "conv3d half": (
            with_settings(abstract("conv3d"), border_mode="half", filter_dilation=(2, 1, 1)),
            [FILM, FILM_FILTERS],
        ),
        "conv3d_grad_wrt_inputs": (
            with_settings(abstract("conv3d_grad_wrt_inputs"), input_shape=(2, 2, 5, 6, 4), subsample=(2, 1, 1)),
            [numbers(2, 3, 2, 4, 3), FILM_FILTERS],
        ),
        "conv3d_grad_wrt_weights": (
            with_settings(abstract("conv3d_grad_wrt_weights"), filter_shape=(3, 2, 2, 3, 2)),
            [FILM, numbers(2, 3, 4, 4, 3)],
        ),
        "conv3d2d": (
            lambda t, x, w: __import__(t.__name__ + ".tensor.nnet.conv3d2d", fromlist=["x"]).conv3d(x, w),
            [numbers(2, 5, 2, 6, 4), numbers(3, 2, 2, 3, 2, seed=1)],
        ),
    }
)


def neibs(theano, name):
    return getattr(__import__(theano.__name__ + ".tensor.nnet.neighbours", fromlist=["x"]), name)


CASES.update(
    {
        "images2neibs": (lambda t, x: neibs(t, "images2neibs")(x, neib_shape=(3, 2)), [numbers(2, 1, 6, 4)]),
        "images2neibs step": (lambda t, x: neibs(t, "images2neibs")(x, (3, 3), (1, 1), mode="valid"), [numbers(1, 2, 5, 4)]),
        "images2neibs of int32": (lambda t, x: neibs(t, "images2neibs")(x, (2, 2)), [integers(1, 1, 4, 4)]),
        "neibs2images": (lambda t, x: neibs(t, "neibs2images")(x, (2, 2), (2, 1, 4, 6)), [numbers(12, 4)]),
    }
)


def pool(name, **settings):
    return lambda t, x: getattr(__import__(t.__name__ + ".tensor.signal.pool", fromlist=["x"]), name)(x, **settings)


CASES.update(
    {
        "pool_2d": (pool("pool_2d", ws=(2, 2)), [CLIPPED]),
        "pool_2d whole": (pool("pool_2d", ws=(2, 2), ignore_border=True), [CLIPPED]),
        "pool_2d overlapping": (pool("pool_2d", ws=(3, 2), stride=(2, 1), ignore_border=False), [CLIPPED]),
        "pool_2d gaps": (pool("pool_2d", ws=(2, 1), stride=(3, 2), ignore_border=True), [CLIPPED]),
        "pool_2d padded": (pool("pool_2d", ds=(3, 3), st=(2, 2), padding=(1, 1), ignore_border=True), [CLIPPED]),
        "pool_2d sum": (pool("pool_2d", ws=(2, 2), mode="sum", ignore_border=False), [CLIPPED]),
        "pool_2d average": (pool("pool_2d", ws=(2, 4), mode="average_exc_pad", ignore_border=False), [CLIPPED]),
        "pool_2d average padded": (
            pool("pool_2d", ws=(2, 3), pad=(1, 1), mode="average_inc_pad", ignore_border=True),
            [CLIPPED],
        ),
        "pool_2d of a matrix": (pool("pool_2d", ws=(2, 2), ignore_border=True), [CLIPPED[0, 0]]),
        "pool_2d of three": (pool("pool_2d", ws=(2, 2), ignore_border=True), [CLIPPED[0]]),
        "pool_2d of five": (pool("pool_2d", ws=(2, 2), ignore_border=True), [CLIPPED.reshape(2, 1, 2, 6, 7)]),
        "pool_2d of int32": (pool("pool_2d", ws=(2, 2), ignore_border=True), [integers(1, 1, 4, 4, below=100)]),
        "pool_3d": (pool("pool_3d", ws=(2, 2, 3), ignore_border=True), [CLIPPED]),
        "pool_3d overlapping": (
            pool("pool_3d", ws=(2, 3, 2), stride=(1, 2, 1), ignore_border=False),
            [CLIPPED.reshape(2, 1, 2, 6, 7)],
        ),
        "pool_3d average": (
            pool("pool_3d", ws=(2, 2, 2), pad=(1, 0, 1), mode="average_inc_pad", ignore_border=True),
            [CLIPPED],
        ),
        "max_pool_2d_same_size": (pool("max_pool_2d_same_size", patch_size=(2, 2)), [CLIPPED]),
    }
)


def signal_conv(**settings):
    return lambda t, x, w: __import__(t.__name__ + ".tensor.signal.conv", fromlist=["x"]).conv2d(x, w, **settings)


CASES.update(
    {
        "signal conv2d": (signal_conv(), [numbers(6, 5), numbers(3, 2, seed=1)]),
        "signal conv2d, images": (signal_conv(border_mode="full"), [numbers(2, 6, 5), numbers(3, 2, seed=1)]),
        "signal conv2d, filters": (signal_conv(subsample=(2, 1)), [numbers(6, 5), numbers(4, 3, 2, seed=1)]),
        "signal conv2d, both": (
            signal_conv(image_shape=(2, 6, 5), filter_shape=(4, 3, 2)),
            [numbers(2, 6, 5), numbers(4, 3, 2, seed=1)],
        ),
    }
)

SYMMETRIC = numbers(3, 3).dot(numbers(3, 3).T) + np.eye(3)


def module(name, function, *arguments, **settings):
    def build(theano, *v):
        found = __import__(theano.__name__ + ".tensor." + name, fromlist=["x"])
        return getattr(found, function)(*v, *arguments, **settings)

    return build


CASES.update(
    {
        "det": (module("nlinalg", "det"), [SYMMETRIC]),
        "matrix_inverse": (module("nlinalg", "matrix_inverse"), [SYMMETRIC]),
        "pinv": (module("nlinalg", "pinv"), [numbers(3, 2)]),
        "diag of a vector": (module("nlinalg", "diag"), [numbers(3)]),
        "diag of a matrix": (module("nlinalg", "diag"), [SYMMETRIC]),
        "trace": (module("nlinalg", "trace"), [SYMMETRIC]),
        "matrix_dot": (module("nlinalg", "matrix_dot"), [SYMMETRIC, numbers(3, 2), numbers(2, 4)]),
        "matrix_power": (module("nlinalg", "matrix_power", 3), [SYMMETRIC]),
        "norm": (module("nlinalg", "norm", None), [numbers(3, 2)]),
        "norm 1": (module("nlinalg", "norm", 1), [numbers(3, 2)]),
        "norm of a vector": (module("nlinalg", "norm", 2), [numbers(4)]),
        "svd": (module("nlinalg", "svd", 1, 0), [numbers(3, 2)]),
        "eigh": (lambda t, x: module("nlinalg", "eigh")(t, x)[0], [SYMMETRIC]),
        "qr": (module("nlinalg", "qr", "r"), [numbers(3, 2)]),
        "cholesky": (module("slinalg", "cholesky"), [SYMMETRIC]),
        "solve": (module("slinalg", "solve"), [SYMMETRIC, numbers(3, 2)]),
        "solve of a vector": (module("slinalg", "solve"), [SYMMETRIC, numbers(3)]),
        "solve_lower_triangular": (module("slinalg", "solve_lower_triangular"), [np.tril(SYMMETRIC), numbers(3, 2)]),
        "solve_upper_triangular": (module("slinalg", "solve_upper_triangular"), [np.triu(SYMMETRIC), numbers(3, 2)]),
        "eigvalsh": (module("slinalg", "eigvalsh"), [SYMMETRIC, SYMMETRIC + np.eye(3)]),
        "expm": (module("slinalg", "expm"), [SYMMETRIC]),
        "kron": (module("slinalg", "kron"), [numbers(2, 3), numbers(3, 2)]),
        "cumsum": (module("extra_ops", "cumsum"), [numbers(2, 3)]),
        "cumprod": (module("extra_ops", "cumprod", axis=1), [numbers(2, 3)]),
        "cumsum of int8": (module("extra_ops", "cumsum"), [integers(4, dtype="int8")]),
        "diff": (module("extra_ops", "diff", n=2), [numbers(2, 5)]),
        "bincount": (module("extra_ops", "bincount"), [integers(9)]),
        "bincount weights": (module("extra_ops", "bincount"), [integers(9), numbers(9)]),
        "bincount minlength": (module("extra_ops", "bincount", minlength=7), [integers(9)]),
        "squeeze": (lambda t, x: module("extra_ops", "squeeze")(t, x.dimshuffle(0, "x", 1, "x")), [numbers(2, 3)]),
        "compress": (module("extra_ops", "compress"), [integers(3, below=2), numbers(3, 2)]),
        "repeat": (module("extra_ops", "repeat", 3, axis=1), [numbers(2, 3)]),
        "repeat flat": (module("extra_ops", "repeat", 2), [numbers(2, 3)]),
        "repeat each": (module("extra_ops", "repeat", axis=0), [numbers(3, 2), np.array([2, 0, 3])]),
        "fill_diagonal": (module("extra_ops", "fill_diagonal", 2.5), [numbers(3, 4)]),
        "fill_diagonal_offset": (module("extra_ops", "fill_diagonal_offset", 2.5, 1), [numbers(3, 4)]),
        "to_one_hot": (module("extra_ops", "to_one_hot", 5), [integers(4)]),
        "to_one_hot int8": (module("extra_ops", "to_one_hot", 5, dtype="int8"), [integers(4)]),
        "searchsorted": (module("extra_ops", "searchsorted"), [np.arange(5.0), numbers(3, scale=5.0)]),
        "unravel_index": (module("extra_ops", "unravel_index", (3, 4)), [np.array([5, 11])]),
        "ravel_multi_index": (
            lambda t, a, b: module("extra_ops", "ravel_multi_index")(t, (a, b), (3, 4)),
            [np.array([1, 2]), np.array([0, 3])],
        ),
        "Unique": (lambda t, x: module("extra_ops", "Unique", False, False, True)(t)(x), [integers(9)]),
        "bartlett": (lambda t: t.tensor.extra_ops.bartlett(5), []),
        "take": (module("subtensor", "take", axis=1), [numbers(3, 4), np.array([1, 1, 3])]),
        "take wrapped": (module("subtensor", "take", axis=0, mode="wrap"), [numbers(4, 2), np.array([1, 13, -1])]),
        "take clipped": (module("subtensor", "take", axis=0, mode="clip"), [numbers(4, 2), np.array([1, 13, -1])]),
        "advanced_set_subtensor1": (
            module("subtensor", "advanced_set_subtensor1"),
            [numbers(4, 2), numbers(2, 2, seed=1), np.array([3, 1])],
        ),
    }
)

CASES["ultra_fast_sigmoid"] = (nnet("ultra_fast_sigmoid"), [LINE])

# Theano has no gradient there, or gives one of an eigenvector that may as well point the other way.
WITHOUT_GRADIENT = {
    "bartlett",
    "bilinear_kernel_2D",
    "bn train running",
    "confusion_matrix",
    "crossentropy_categorical_1hot_grad",
    "crossentropy_softmax_1hot_with_bias_dx",
    "diff",
    "max_pool_2d_same_size",
    "old conv2d subsample",
    "prepend_1_to_each_row",
    "qr",
    "repeat each",
    "searchsorted",
    "signal conv2d, filters",
    "svd",
    "ultra_fast_sigmoid",
}


def evaluate(theano, name, floatX, mode=None):
    """Return the values of a case, and the gradients of the sum of its float results, weighted, for each float argument."""
    build, arrays = CASES[name]
    arrays = [a.astype(floatX) if a.dtype.kind == "f" else a for a in arrays]
    variables = [theano.tensor.TensorType(a.dtype.name, (False,) * a.ndim)() for a in arrays]
    results = build(theano, *variables)
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    floats = [v for v in variables if v.dtype.startswith("float")]
    outputs = list(results)
    if floats and name not in WITHOUT_GRADIENT:
        cost = 0
        for result in results:
            if result.dtype.startswith("float"):
                weights = theano.tensor.cos(theano.tensor.arange(result.size) + 1.0).reshape(result.shape)
                cost = cost + (result * theano.tensor.cast(weights, result.dtype)).sum()
        outputs += list(theano.grad(cost, floats, disconnected_inputs="ignore"))
    values = theano.function(variables, outputs, on_unused_input="ignore", mode=mode)(*arrays)
    keys = [f"{name}/{i}" for i in range(len(results))]
    keys += [f"{name}/d{i}" for i in range(len(outputs) - len(results))]
    return {keys[i]: np.asarray(value) for i, value in enumerate(values)}

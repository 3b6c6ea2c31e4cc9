"""theano.tensor.nnet where there is more to say than that its values are Theano's."""

from __future__ import annotations

import importlib

import numpy as np
import pytensor
import pytest
from backend_params import on
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.rewriting import basic as rewriting

import symae.theano as theano
import symae.theano.tensor as T
from symae import function
from symae.errors import InputError
from symae.theano._impl.variables import is_marked, plain
from symae.theano.tensor import opt, slinalg
from symae.theano.tensor.nnet import abstract_conv, blocksparse, bn, conv, conv3d2d, corr3d, neighbours

LOGITS = np.array([[0, 1000, -1000], [200, -300, 5], [1, 2, 3]], "float32")
CLASSES = np.array([0, 1, 2], "int32")


def test_results_have_theanos_operators():
    x = T.matrix("x")
    for y in (T.nnet.softmax(x), T.nnet.relu(x), *T.nnet.crossentropy_softmax_1hot(x, T.ivector()), T.nnet.sigmoid(x)):
        assert is_marked(y)
        assert (y > 0).dtype == "int8"


def test_softmax_of_a_vector_is_a_row():
    assert T.nnet.softmax(T.vector()).broadcastable == (True, False)


@pytest.mark.parametrize("x", [T.tensor3(), T.scalar(), T.imatrix()], ids=str)
def test_softmax_refuses_what_theano_refused(x):
    with pytest.raises(ValueError, match="expected a matrix of floats"):
        T.nnet.softmax(x)


def test_half_of_the_gradient_of_relu_is_at_zero():
    x = T.vector("x")
    gradient = theano.function([x], theano.grad(T.nnet.relu(x).sum(), x))
    assert gradient(np.array([-1.0, 0.0, 2.0], pytensor.config.floatX)).tolist() == [0, 0.5, 1]


def test_the_gradient_of_elu_is_finite_far_out():
    x = T.dvector("x")
    gradient = theano.function([x], theano.grad(T.nnet.elu(x).sum(), x))
    assert gradient([-1e4, 1e4]).tolist() == [0, 1]


def test_classes_may_be_any_integers_but_no_floats():
    p = T.nnet.softmax(T.matrix())
    assert T.nnet.categorical_crossentropy(p, T.bvector()).ndim == 1
    with pytest.raises(TypeError, match="expected a vector of integers"):
        T.nnet.categorical_crossentropy(p, T.vector())


def test_a_probability_of_zero_that_is_not_asked_for_has_no_part_in_the_gradient():
    p = T.dmatrix("p")
    f = theano.function([p], theano.grad(T.nnet.categorical_crossentropy(p, np.array([0, 1])).sum(), p))
    assert f([[0.5, 0.5, 0.0], [0.0, 0.8, 0.2]]).tolist() == [[-2, 0, 0], [0, -1.25, 0]]


def test_fast_compile_too_takes_the_logarithm_of_a_softmax_from_the_scores():
    x, y = T.dmatrix("x"), T.lvector("y")
    p = T.nnet.softmax(x)
    for cost in (T.nnet.categorical_crossentropy(p, y).sum(), -T.log(p[T.arange(y.shape[0]), y]).sum()):
        f = theano.function([x, y], [cost, theano.grad(cost, x)], mode="FAST_COMPILE")
        value, gradient = f([[0.0, 1000.0]], [0])
        assert (value, gradient.tolist()) == (1000, [[-1, 1]])


def test_distributions_of_other_ranks_are_refused():
    with pytest.raises(TypeError, match="expected as many or one less"):
        T.nnet.categorical_crossentropy(T.tensor3(), T.vector())


def chosen_afterwards(p, y):
    return -T.log(p[T.arange(y.shape[0]), y])


def scaled(p, y):
    return 2 * chosen_afterwards(p, y) / 2


@pytest.mark.parametrize("backend", [on("numba"), on("jax")])
@pytest.mark.parametrize("cost", [T.nnet.categorical_crossentropy, chosen_afterwards, scaled])
def test_crossentropy_of_certain_mistakes_is_finite_on_backends(cost, backend):
    """1000 nats in float32, and a gradient that points the right way."""
    x, y = T.fmatrix("x"), T.ivector("y")
    nats = cost(T.nnet.softmax(x), y)
    gradient = theano.grad(nats.sum(), x)
    with plain(nats, gradient):
        value, slope = function([x, y], [nats, gradient], backend=backend)(LOGITS, CLASSES)
    np.testing.assert_allclose(value, [1000, 500, 0.40760595], rtol=1e-6)
    np.testing.assert_allclose(slope[:2], [[-1, 1, 0], [1, -1, 0]], atol=1e-6)


def test_ultra_fast_sigmoid_is_near_the_sigmoid_and_has_a_gradient():
    x = T.dvector("x")
    y = T.nnet.ultra_fast_sigmoid(x)
    at = np.linspace(-8, 8, 101)
    value, slope = theano.function([x], [y, theano.grad(y.sum(), x)])(at)
    assert np.abs(value - 1 / (1 + np.exp(-at))).max() < 0.06
    assert (slope >= 0).all()
    assert slope.max() == pytest.approx(0.375)


def test_confusion_matrix_of_theanos_documentation():
    x, y = T.vector(), T.vector()
    counts, order = theano.function([x, y], T.nnet.confusion_matrix(x, y))([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2])
    assert counts.tolist() == [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
    assert order.tolist() == [0, 1, 2]


def test_wrong_shape_hints_do_no_harm():
    x, W = T.tensor4(), T.tensor4()
    y = T.nnet.conv2d(x, W, input_shape=(5, 3, 9, 9), filter_shape=(7, 3, 3, 3))
    one = np.ones
    assert theano.function([x, W], y)(one((2, 3, 8, 8)), one((4, 3, 3, 3))).shape == (2, 4, 6, 6)


@pytest.mark.parametrize(
    ("convolve", "x", "W", "wrong"),
    [
        (T.nnet.conv2d, (3, 5, 7, 11), (7, 5, 3, 3), (3, 5, 9, 11)),
        (T.nnet.conv3d, (3, 2, 4, 7, 5), (4, 2, 3, 3, 3), (3, 2, 4, 8, 5)),
        (abstract_conv.conv2d_grad_wrt_weights, (3, 5, 7, 11), (3, 7, 5, 9), (3, 6, 7, 11)),
    ],
)
def test_shape_hints_are_compared_where_a_flag_says_so(convolve, x, W, wrong):
    inputs = T.TensorType("float64", (False,) * len(x))(), T.TensorType("float64", (False,) * len(W))()
    hints = {"input_shape": x, "filter_shape": (None, None, 3, 3) if "grad" in convolve.__name__ else W}
    with theano.configparser.change_flags(conv__assert_shape=True):
        f = theano.function(inputs, convolve(*inputs, **hints), mode="FAST_COMPILE")
    assert f(np.zeros(x), np.zeros(W)).ndim == len(x)
    with pytest.raises(AssertionError, match="is not the one given"):
        f(np.zeros(wrong), np.zeros(W))


@pytest.mark.parametrize("shape", [T.lvector(), T.tensor4().shape, T.constant([3, 5, 7, 11]), (3, 5, 7, T.iscalar())], ids=str)
def test_shape_hints_are_constants(shape):
    for hints in ({"imshp": shape}, {"kshp": shape}):
        with pytest.raises(InputError, match="known when the graph is built"):
            abstract_conv.AbstractConv2d(**hints)
    assert abstract_conv.AbstractConv2d([3, None, T.constant(7), np.int64(11)]).imshp == [3, None, 7, 11]


def test_shapes_of_maps_have_a_pixel_at_least():
    sizes = [T.iscalar() for _ in range(4)]
    f = theano.function(sizes, list(abstract_conv.assert_conv_shape(sizes)), mode="FAST_COMPILE")
    assert [int(n) for n in f(0, 0, 1, 1)] == [0, 0, 1, 1]
    for wrong in [(3, 3, 3, 0), (3, -1, 3, 3)]:
        with pytest.raises(AssertionError, match="invalid shape"):
            f(*wrong)
    assert not abstract_conv.check_conv_gradinputs_shape((59, 61, 2, 2), (67, 61, 1, 1), (59, 67, -1, -1), "valid", (1, 1))
    assert not abstract_conv.check_conv_gradinputs_shape((5, 5, 5), (3, 5, 3, 3), (5, 3, 3, 3), "valid", (1, 1))


def test_conv2d_ignores_old_hints_and_says_so():
    with pytest.warns(UserWarning, match="conv2d ignores unroll_kern"):
        T.nnet.conv2d(T.tensor4(), T.tensor4(), unroll_kern=3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"unshared": True}, "unshared"),
        ({"imshp_logical": (1, 2, 3)}, "imshp_logical"),
        ({"image_shape": (1, 1, 2, 2), "input_shape": (1, 1, 2, 2)}, "one of them"),
        ({"border_mode": "sideways"}, "border_mode"),
        ({"subsample": T.lvector()}, "known when the graph is built"),
    ],
    ids=lambda v: str(v),
)
def test_conv2d_refuses(settings, said):
    with pytest.raises(InputError, match=said):
        T.nnet.conv2d(T.tensor4(), T.tensor4(), **settings)


def test_the_old_conv2d_has_two_border_modes():
    with pytest.raises(InputError, match="valid or full"):
        conv.conv2d(T.tensor4(), T.tensor4(), border_mode="half")
    assert conv.ConvOp.getOutputShape((8, 8), (3, 3), (1, 1), "full") == (10, 10)


def test_the_old_conv2d_compares_the_shapes_that_it_is_told():
    images, filters, shape = T.tensor4(), T.tensor4(), (3, 2, 8, 8)
    maps = conv.conv2d(images, filters, T.constant(shape), (4, T.constant(2), None, 5))
    assert maps.eval({images: np.ones(shape), filters: np.ones((4, 2, 3, 5))}).shape == (3, 4, 6, 4)
    with pytest.raises(AssertionError, match="found 2 channels in image_shape, expected 3"):
        conv.conv2d(images, filters, shape, (4, 3, 5, 5))
    with pytest.raises(T.NotScalarConstantError):
        conv.conv2d(images, filters, (3, 2, 8, T.iscalar()))


@pytest.mark.parametrize(
    ("neib_shape", "mode", "shape"),
    [((3, 2), "valid", (2, 3, 10, 10)), ((3, 2), "wrap_centered", (2, 3, 10, 10)), ((3, 3), "half", (2, 3, 6, 6))],
)
def test_neighbourhoods_that_do_not_fit_are_a_type_error_of_the_call(neib_shape, mode, shape):
    for images in (T.constant(np.zeros(shape)), theano.shared(np.zeros(shape))):
        f = theano.function([], neighbours.images2neibs(images, neib_shape, mode=mode), mode="FAST_COMPILE")
        with pytest.raises(TypeError, match="expected"):
            f()


def test_subsample_may_come_as_an_array_but_not_change():
    x = np.zeros((1, 1, 6, 6))
    for subsample in (np.array([2, 3]), [2, 3], T.constant([2, 3])):
        assert T.nnet.conv2d(x, x, subsample=subsample, border_mode="full").eval().shape == (1, 1, 6, 4)
    with pytest.raises(InputError, match=r"subsample: .* known when the graph is built"):
        T.nnet.conv2d(x, x, subsample=theano.shared(np.array([2, 3])))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (((2, 3, 8, 8), (4, 3, 3, 3), "valid", (1, 1)), (2, 4, 6, 6)),
        (((2, 3, 8, 8), (4, 3, 3, 3), "half", (2, 1), (2, 2)), (2, 4, 4, 8)),
        (((None, 3, 8, None), (4, 3, 3, 3), (1, 2), (2, 1), (2, 2)), (None, 4, 3, None)),
        (((2, 3, 8, 8), (4, 3, 3, 3), "full", (1, 1)), (2, 4, 10, 10)),
        (((2, 3, 8, 8, 8), (4, 3, 3, 3, 3), ((1, 2), (0, 1), (1, 1)), (1, 1, 2)), (2, 4, 9, 7, 4)),
    ],
)
def test_shapes_of_maps_are_theanos(arguments, expected):
    assert abstract_conv.get_conv_output_shape(*arguments) == expected


def test_shapes_of_gradients_are_theanos():
    weights, inputs = abstract_conv.get_conv_gradweights_shape, abstract_conv.get_conv_gradinputs_shape
    assert weights((2, 3, 8, 8), (2, 4, 6, 6), "valid", (1, 1)) == (4, 3, 3, 3)
    assert weights((2, 3, 8, 8), (2, 4, 3, 3), "half", (2, 2)) == (4, 3, None, None)
    assert inputs((4, 3, 3, 3), (2, 4, 6, 6), "valid", (1, 1)) == (2, 3, 8, 8)
    assert inputs((4, 3, 3, 3), (2, 4, 6, 6), "full", (2, 2)) == (2, 3, None, None)
    assert inputs((4, 3, 3, 3), (2, 4, 6, 6), "full", (1, 1), (2, 2)) == (2, 3, 2, 2)


def test_convolution_can_be_had_as_an_op_with_its_gradients():
    x, W, y = np.ones((1, 2, 5, 5)), np.ones((3, 2, 2, 2)), np.ones((1, 3, 4, 4))
    assert abstract_conv.AbstractConv2d()(x, W).eval().shape == y.shape
    assert abstract_conv.AbstractConv2d_gradInputs()(W, y, (5, 5)).eval().shape == x.shape
    assert abstract_conv.AbstractConv2d_gradWeights()(x, y, T.constant([2, 2])).eval().shape == W.shape


def test_upsampling_by_a_fraction():
    """Where the result's rows lie is Theano's: row i at (i * 2 - 1) / 3 of the image's."""
    x = np.array([[[[0.0, 3.0]]]])
    y = abstract_conv.bilinear_upsampling(x, frac_ratio=((1, 1), (6, 4)), use_1D_kernel=False)
    np.testing.assert_allclose(y.eval(), [[[[0, 1, 3]]]])
    y = abstract_conv.frac_bilinear_upsampling(x, (3, 2))
    np.testing.assert_allclose(y.eval(), [[[[0, 1, 3], [0, 1, 3]]]])


@pytest.mark.parametrize("ratios", [{}, {"ratio": 2, "frac_ratio": (3, 2)}])
def test_upsampling_needs_one_ratio(ratios):
    with pytest.raises(InputError, match="expected one of them"):
        abstract_conv.bilinear_upsampling(T.tensor4(), **ratios)


def test_kernels_of_interpolation_may_be_of_a_symbolic_size():
    ratio = T.iscalar()
    f = theano.function([ratio], abstract_conv.bilinear_kernel_1D(ratio, normalize=False))
    assert f(3).tolist() == [1, 2, 3, 2, 1]
    assert abstract_conv.bilinear_kernel_2D((1, 2)).eval().tolist() == [[0.5, 1, 0.5]]


@pytest.mark.parametrize("border_mode", ["valid", "full", (1, 0, 2)])
def test_convolution_of_films_can_be_had_as_an_op_with_its_gradients(border_mode):
    rng = np.random.RandomState(0)
    x, W = rng.uniform(size=(2, 2, 4, 5, 6)), rng.uniform(size=(3, 2, 2, 3, 2))
    images, filters = theano.shared(x), theano.shared(W)
    y = corr3d.Corr3dMM(border_mode)(images, filters)
    np.testing.assert_allclose(
        y.eval(), abstract_conv.conv3d(x, W[:, :, ::-1, ::-1, ::-1], border_mode=border_mode).eval(), rtol=1e-10
    )
    dx, dW = theano.grad((y**2).sum(), [images, filters])
    np.testing.assert_allclose(corr3d.Corr3dMM_gradInputs(border_mode)(W, 2 * y, x.shape[2:]).eval(), dx.eval())
    np.testing.assert_allclose(corr3d.Corr3dMM_gradWeights(border_mode)(x, 2 * y, W.shape[2:]).eval(), dW.eval())


def test_epsilon_of_batch_normalization_is_not_too_small():
    x, gamma = T.matrix(), T.vector()
    with pytest.raises(ValueError, match="at least 1e-5"):
        T.nnet.bn.batch_normalization_train(x, gamma, gamma, epsilon=1e-6)


def test_batch_normalization_can_be_had_as_ops_with_its_gradients():
    x, dy = np.random.default_rng(1).standard_normal((2, 4, 3, 2, 2))
    scale, bias = (T.constant(a, dtype="float64") for a in np.arange(2 * 3).reshape((2, 1, 3, 1, 1)))
    images, axes = T.dtensor4(), (0, 2, 3)
    out, mean, invstd = bn.AbstractBatchNormTrain(axes)(images, scale, bias)
    tested = bn.AbstractBatchNormInference(axes)(images, scale, bias, mean, 1 / invstd**2 - 1e-4)
    gradients = bn.AbstractBatchNormTrainGrad(axes)(images, dy, scale, mean, invstd)
    expected = T.grad((out * dy).sum(), [images, scale, bias])
    found = theano.function([images], [out, *gradients, tested, *expected], mode="FAST_COMPILE")(x)
    for value, wanted in zip(found[:4], found[4:], strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-12)


def test_batch_normalization_refuses_parameters_of_other_ranks():
    with pytest.raises(ValueError, match="beta: found 2 dimensions, expected 1 or 4"):
        T.nnet.bn.batch_normalization_test(T.tensor4(), T.vector(), T.matrix(), T.vector(), T.vector(), axes="spatial")


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("tensor.nnet.ctc", "ctc", "warp-ctc"),
        ("tensor.nnet.Conv3D", "conv3D", "use theano.tensor.nnet.conv3d"),
        ("tensor.nnet.sigm", "scalar_sigmoid", "T.nnet.sigmoid"),
        ("tensor.signal.downsample", "max_pool", "max_pool_2d"),
    ],
)
def test_what_is_not_there_says_what_to_use(module, name, said):
    with pytest.raises(AttributeError, match=said):
        getattr(importlib.import_module(f"symae.theano.{module}"), name)


def test_a_plain_function_is_no_rewrite_and_comes_back():
    def local_nothing(node):
        return None

    with pytest.warns(UserWarning, match="local_nothing is not registered"):
        assert opt.register_specialize("fast_compile")(local_nothing) is local_nothing


def test_a_rewrite_of_pytensors_kind_is_registered(monkeypatch):
    registered = []
    monkeypatch.setattr(
        rewriting, "register_canonicalize", lambda rewrite, *tags: registered.append((rewrite, tags)) or rewrite
    )

    @opt.register_canonicalize("fast_compile")
    @node_rewriter([pytensor.tensor.neg])
    def local_nothing(fgraph, node):
        return None

    assert registered == [(local_nothing, ("fast_compile",))]


def test_cholesky_refuses_what_is_not_definite_or_says_nan():
    x = T.dmatrix()
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        theano.function([x], slinalg.cholesky(x))(-np.eye(2))
    assert np.isnan(theano.function([x], slinalg.Cholesky(on_error="nan")(x))(-np.eye(2))).any()
    gradient = theano.function([x], T.grad(slinalg.cholesky(x).sum(), x), mode="FAST_COMPILE")
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        gradient(-np.eye(2))


def test_the_gradient_too_refuses_neighbourhoods_that_do_not_fit():
    x, size = T.dtensor4(), T.ivector()
    gradient = theano.function([x, size], T.grad(neighbours.images2neibs(x, size).sum(), x), mode="FAST_COMPILE")
    assert gradient(np.zeros((1, 1, 2, 4)), [2, 2]).tolist() == np.ones((1, 1, 2, 4)).tolist()
    with pytest.raises(TypeError, match="steps end at their borders"):
        gradient(np.zeros((1, 1, 3, 4)), [2, 2])


def test_the_bias_of_softmax_with_bias_counts_in_a_log_likelihood():
    """Theano 1.0.5 forgets it there, in every mode; softmax(x + b) is what it says that the two are."""
    x, b, y = T.dmatrix("x"), T.dvector("b"), T.lvector("y")
    scores, bias, labels = np.array([[2, 0], [-2, 0], [2, 2.5]]), np.array([0.75, -0.875]), np.array([0, 0, 1])
    cost = -T.mean(T.log(T.nnet.softmax_with_bias(x, b))[T.arange(y.shape[0]), y])
    p = np.exp(scores + bias)
    expected = -np.log(p[np.arange(3), labels] / p.sum(axis=1)).mean()
    assert theano.function([x, b, y], cost)(scores, bias, labels) == pytest.approx(expected, rel=1e-12)


def test_labels_may_be_given_where_only_the_probabilities_are_asked_for():
    x, b, y = T.dmatrix(), T.dvector(), T.lvector()
    probabilities = T.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)[1]
    found = theano.function([x, b, y], probabilities, mode="FAST_COMPILE")([[0.0, 0.0]], [0.0, 0.0], [1])
    assert found.tolist() == [[0.5, 0.5]]


def test_chosen_blocks_of_a_matrix_are_multiplied_and_changed():
    draw = np.random.default_rng(0)
    W, h, o = draw.normal(size=(4, 3, 2, 5)), draw.normal(size=(2, 3, 2)), draw.normal(size=(2, 2, 5))
    rows, columns = np.array([[0, 3, 3], [1, 2, 0]]), np.array([[2, 0], [1, 1]])
    product, changed = o.copy(), W.copy()
    for n, j, i in np.ndindex(2, 2, 3):
        product[n, j] += h[n, i] @ W[rows[n, i], columns[n, j]]
        changed[rows[n, i], columns[n, j]] += np.outer(h[n, i], o[n, j])
    given = [T.dtensor3(), T.dtensor4(), T.dtensor3(), T.lmatrix(), T.lmatrix()]
    made = [
        blocksparse.sparse_block_gemv(*given),
        blocksparse.SparseBlockOuter()(given[1], given[2], given[0], *given[3:]),
    ]
    found = theano.function(given, made, mode="FAST_COMPILE")(o, W, h, rows, columns)
    for one, other in zip(found, (product, changed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    with pytest.raises(TypeError, match="W of sparse_block_gemv: found 3 dimensions, expected 4"):
        blocksparse.sparse_block_gemv(given[0], given[0], *given[2:])


@pytest.mark.parametrize(("i0", "i1"), [(0, 1), (0, 2), (1, 2), (2, 1)])
def test_diagonals_of_frames_are_taken_and_changed(i0, i1):
    x = np.arange(4.0 * 3 * 3).reshape(4, 3, 3)
    view = conv3d2d.get_diagonal_subtensor_view(x, i0, i1)
    y, amount = T.dtensor3(), T.dtensor3()
    made = [conv3d2d.DiagonalSubtensor()(y, i0, i1), conv3d2d.IncDiagonalSubtensor()(y, i0, i1, amount)]
    taken, changed = theano.function([y, amount], made, mode="FAST_COMPILE")(x, 100 * view)
    expected = x.copy()
    conv3d2d.get_diagonal_subtensor_view(expected, i0, i1)[:] += 100 * view
    for one, other in ((taken, view), (changed, expected)):
        assert one.tolist() == other.tolist()
    if (i0, i1) == (0, 1):  # Theano's view
        assert view[:, :, 0].tolist() == [[18, 12, 6], [27, 21, 15]]

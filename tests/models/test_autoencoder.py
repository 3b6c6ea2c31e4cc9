"""The legacy classes: constructor, attributes and methods as the old scripts use them, and what today's users expect on top."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each, in_double
from pytensor.gradient import verify_grad
from pytensor.graph.traversal import ancestors

from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    InputError,
    RandomStreams,
    StridedAutoencoder,
    function,
)

BOTH = pytest.mark.parametrize("cls", [Autoencoder, DenoisingAutoencoder])


def small(cls=Autoencoder, **keywords):
    return cls(np.random.RandomState(1), **{"n_visible": 6, "n_hidden": 4, **keywords})


@pytest.fixture
def images():
    return np.random.RandomState(0).uniform(size=(50, 6))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@BOTH
def test_the_weights_are_drawn_after_the_seed_of_the_streams(cls):
    da = cls(np.random.RandomState(123), n_visible=784, n_hidden=100)
    rng = np.random.RandomState(123)
    rng.randint(2**30)
    limit = 4 * np.sqrt(6.0 / (100 + 784))
    np.testing.assert_array_equal(da.W.get_value(), rng.uniform(-limit, limit, (784, 100)))
    assert not da.b.get_value().any()
    assert not da.b_prime.get_value().any()


def uniform_weights(numpy_rng, limit):
    return numpy_rng.uniform(-limit, limit, (6, 4))


def test_a_seed_stands_for_its_random_state_and_a_generator_draws_its_own_uniform_numbers():
    limit = 4 * np.sqrt(6.0 / 10)
    streams = RandomStreams(1)
    for seed in (7, np.int64(7)):
        da = Autoencoder(seed, streams, n_visible=6, n_hidden=4)
        np.testing.assert_array_equal(da.W.get_value(), uniform_weights(np.random.RandomState(7), limit))
    generator, same = np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(2):  # a second model gets the numbers after the first one's
        da = Autoencoder(generator, streams, n_visible=6, n_hidden=4)
        np.testing.assert_array_equal(da.W.get_value(), uniform_weights(same, limit))


@pytest.mark.parametrize("make", [Autoencoder, ImageAutoencoder, ConvolutionalAutoencoder, StridedAutoencoder, CoordinateVAE])
def test_every_model_takes_a_seed_or_a_generator(make):
    seeded, stated = make(3), make(np.random.RandomState(3))
    for name, value in stated.parameters().items():
        np.testing.assert_array_equal(seeded.parameters()[name], value)
    first, second = make(np.random.default_rng(3)), make(np.random.default_rng(3))
    for name, value in first.parameters().items():
        np.testing.assert_array_equal(second.parameters()[name], value)


@pytest.mark.parametrize("numpy_rng", [None, True, -1, 2**32, "0", 0.5])
def test_what_is_no_source_of_random_numbers_is_refused(numpy_rng):
    with pytest.raises(InputError, match=r"numpy_rng: found .*, expected a RandomState, a Generator, or a seed"):
        Autoencoder(numpy_rng)


@BOTH
def test_streams_that_are_given_leave_the_generator_alone(cls):
    streams = RandomStreams(5)
    da = cls(np.random.RandomState(1), streams, n_visible=6, n_hidden=4)
    limit = 4 * np.sqrt(6.0 / 10)
    np.testing.assert_array_equal(da.W.get_value(), np.random.RandomState(1).uniform(-limit, limit, (6, 4)))
    assert da.theano_rng is streams


def test_legacy_positional_calls_work():
    x = pt.matrix("x")
    W = pytensor.shared(np.ones((6, 4)), name="shared_W")
    b, b_prime = pytensor.shared(np.zeros(4)), pytensor.shared(np.zeros(6))
    da = DenoisingAutoencoder(np.random.RandomState(1), RandomStreams(1), x, 6, 4, W, b, b_prime)
    assert da.x is x
    assert da.params == [W, b, b_prime]
    assert (da.W, da.b, da.b_prime, da.n_visible, da.n_hidden) == (W, b, b_prime, 6, 4)
    cost, updates = da.get_cost_updates(0.3, 0.1)
    assert [p for p, _ in updates] == da.params
    assert cost.ndim == 0


def test_the_decoder_is_the_encoder_transposed_symbolically():
    da = small()
    assert da.W_prime.owner.inputs[0] is da.W
    da.W.set_value(2 * da.W.get_value())
    np.testing.assert_array_equal(da.W_prime.eval(), da.W.get_value().T)


def test_code_and_reconstruction_are_sigmoids_of_affine_maps(images):
    da = small()
    W, b, b_prime = (p.get_value() for p in da.params)
    y = sigmoid(images @ W + b)
    f = function([da.x], [da.get_hidden_values(da.x), da.feedforward()])
    hidden, drawn = f(images)
    np.testing.assert_allclose(hidden, y, rtol=1e-12)
    np.testing.assert_allclose(drawn, sigmoid(y @ W.T + b_prime), rtol=1e-12)


def test_the_reconstruction_is_computed_from_the_node_that_is_called_hidden():
    da = small()
    assert da.node("hidden") in ancestors([da.node("reconstruction")])


def test_cost_and_updates_are_those_of_gradient_descent_by_hand(images):
    da = small()
    W, b, b_prime = (p.get_value() for p in da.params)
    cost, updates = da.get_cost_updates(corruption_level=0.0, learning_rate=0.1)
    got = function([da.x], cost, updates=updates)(images)

    y = sigmoid(images @ W + b)
    z = sigmoid(y @ W.T + b_prime)
    d_out = (z - images) / len(images)
    d_hidden = d_out @ W * y * (1 - y)
    assert got == pytest.approx(-(images * np.log(z) + (1 - images) * np.log(1 - z)).sum(axis=1).mean(), rel=1e-12)
    np.testing.assert_allclose(da.W.get_value(), W - 0.1 * (images.T @ d_hidden + d_out.T @ y), rtol=1e-10)
    np.testing.assert_allclose(da.b.get_value(), b - 0.1 * d_hidden.sum(axis=0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(da.b_prime.get_value(), b_prime - 0.1 * d_out.sum(axis=0), rtol=1e-10, atol=1e-12)


def test_the_gradient_agrees_with_finite_differences(images):
    x = pt.constant(images)

    def cost(W, b, b_prime):
        z = pt.sigmoid(pt.sigmoid(x @ W + b) @ W.T + b_prime)
        return -(x * pt.log(z) + (1 - x) * pt.log(1 - z)).sum(axis=1).mean()

    verify_grad(cost, [p.get_value() for p in small().params], rng=np.random.default_rng(0))


def test_a_plain_autoencoder_corrupts_nothing_and_a_denoising_one_masks_pixels(images):
    plain, denoising = small(), small(DenoisingAutoencoder)
    assert plain.get_corrupted_input(plain.x, 0.3) is plain.x
    corrupted = function([denoising.x], denoising.get_corrupted_input(denoising.x, 0.3))
    first, second = corrupted(np.ones((300, 6))), corrupted(np.ones((300, 6)))
    assert set(np.unique(first)) == {0.0, 1.0}
    assert first.mean() == pytest.approx(0.7, abs=0.05)
    assert not np.array_equal(first, second)


def test_the_denoising_cost_compares_with_the_clean_image(images):
    da = small(DenoisingAutoencoder)
    seed = np.random.RandomState(1).randint(2**30)
    mask_seed = int(np.random.RandomState(seed).randint(2**30))
    mask = np.random.RandomState(mask_seed).binomial(1, 1 - 0.3, images.shape)
    cost, _ = da.get_cost_updates(0.3, 0.1)
    W = da.W.get_value()
    z = sigmoid(sigmoid((mask * images) @ W) @ W.T)
    expected = -(images * np.log(z) + (1 - images) * np.log(1 - z)).sum(axis=1).mean()
    assert function([da.x], cost)(images) == pytest.approx(expected, rel=1e-12)


def test_the_cost_stays_finite_where_the_reconstruction_is_certain(native_backend):
    da = small(W=pytensor.shared(np.full((6, 4), 1e4)))
    cost, _ = da.get_cost_updates(0.0, 0.1)
    f = function([da.x], cost, backend=native_backend)
    assert np.isfinite(f(np.zeros((2, 6))))
    assert np.isfinite(f(np.ones((2, 6))))


def test_floatX_rules_all_parameters(float32):
    da = small(DenoisingAutoencoder)
    cost, updates = da.get_cost_updates(0.3, 0.1)
    assert {p.dtype for p in da.params} == {cost.dtype, *(new.dtype for _, new in updates)} == {"float32"}


@BOTH
def test_both_state_methods_carry_the_three_arrays(cls):
    da, other = small(cls), small(cls)
    da.b.set_value(np.arange(4.0))
    state = da.__getstate__()
    assert [s.shape for s in state] == [(6, 4), (4,), (6,)]
    other.__setstate__(state)
    for p, q in zip(da.params, other.params, strict=True):
        np.testing.assert_array_equal(p.get_value(), q.get_value())


@BOTH
@pytest.mark.parametrize("again", [lambda da: pickle.loads(pickle.dumps(da)), copy.deepcopy])
def test_a_pickled_or_copied_model_works_on_its_own(cls, again, images):
    da = small(cls)
    twin = again(da)
    np.testing.assert_array_equal(twin.transform(images), da.transform(images))
    twin.fit(images, epochs=1)
    assert not np.array_equal(twin.W.get_value(), da.W.get_value())


@pytest.mark.parametrize("again", [lambda da: pickle.loads(pickle.dumps(da)), copy.deepcopy])
def test_a_pickled_or_copied_model_keeps_its_history(again, images):
    da = small().fit(images, epochs=2)
    assert again(da).history_ == da.history_
    assert len(da.__getstate__()) == 3


def test_pickles_of_three_arrays_still_load():
    """What symae wrote before, and what the worksheet's class has as its state."""
    da = small()
    old = pickle.loads(pickle.dumps(da))
    assert not hasattr(old, "history_")
    old.__setstate__(da.__getstate__())
    np.testing.assert_array_equal(old.W.get_value(), da.W.get_value())


def test_a_state_of_another_shape_is_refused_and_changes_nothing():
    da = small()
    before = da.W.get_value()
    with pytest.raises(InputError, match=r"state: found W of shape \(5, 4\), expected W of shape \(6, 4\)"):
        da.__setstate__((np.zeros((5, 4)), np.zeros(4), np.zeros(6)))
    np.testing.assert_array_equal(da.W.get_value(), before)


def test_a_parameter_of_the_wrong_shape_is_refused():
    with pytest.raises(InputError, match=r"W: found shape \(6, 5\), expected \(6, 4\) for n_visible 6 and n_hidden 4"):
        small(W=pytensor.shared(np.zeros((6, 5))))


@BOTH
def test_fit_lowers_the_cost_and_remembers_it(cls, images):
    da = small(cls).fit(images, epochs=30, learning_rate=0.5)
    assert len(da.history_) == 30
    assert da.history_.costs[-1] < da.history_.costs[0]


def test_fit_is_the_tutorials_loop(images):
    fitted = small().fit(images, epochs=2, batch_size=25)
    da = small()
    cost, updates = da.get_cost_updates(0.0, 0.1)
    train = function([da.x], cost, updates=updates)
    costs = [np.mean([train(images[:25]), train(images[25:])]) for _ in range(2)]
    assert fitted.history_.costs == costs
    np.testing.assert_array_equal(fitted.W.get_value(), da.W.get_value())


def test_fit_uses_all_rows_though_the_last_minibatch_is_smaller(images):
    a, b = small().fit(images[:45], epochs=1), small().fit(images[:40], epochs=1)
    assert not np.array_equal(a.W.get_value(), b.W.get_value())


def test_transform_and_inverse_transform_make_a_reconstruction(images):
    da = small()
    hidden = da.transform(images)
    assert hidden.shape == (50, 4)
    np.testing.assert_allclose(da.inverse_transform(hidden), da.reconstruct(images), rtol=1e-12)
    assert da.reconstruct(images[:0]).shape == (0, 6)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 5)), r"X: found shape \(3, 5\), expected \(n, 6\)"),
        (np.zeros(6), r"X: found shape \(6,\)"),
        (np.full((3, 6), np.nan), "X: found NaN or infinite values, expected finite numbers"),
        (np.full((3, 6), 255.0), "X: found values from 255 to 255, expected values from 0 to 1"),
        (np.full((3, 6), -0.1), "found values from -0.1"),
        ([["a"] * 6], "X: found something that is not an array of numbers"),
        (np.zeros((0, 6)), "X: found no rows"),
    ],
)
def test_images_that_cannot_be_trained_on_are_refused(X, message):
    with pytest.raises(InputError, match=message):
        small().fit(X)


def test_what_rounding_puts_beyond_the_ends_counts_as_the_ends(images):
    """scikit-learn's MinMaxScaler makes 1.0000000000000002 of some maxima."""
    images[0], images[1] = 1.0000000000000002, -2e-16
    given = images.copy()
    da = small().fit(images, epochs=2)
    np.testing.assert_array_equal(images, given)
    np.testing.assert_array_equal(da.W.get_value(), small().fit(np.clip(images, 0, 1), epochs=2).W.get_value())
    small().fit(np.float32(images) * np.float32(1.0000002), epochs=1)


def test_a_value_beyond_the_ends_is_told_with_all_its_digits(images):
    images[0, 0], images[0, 1] = 1.0000001, 0
    with pytest.raises(InputError, match=r"X: found values from 0 to 1\.0000001, expected values from 0 to 1$"):
        small().fit(images)


@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": -1},
        {"epochs": 1.5},
        {"epochs": "3"},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"learning_rate": -1.0},
        {"learning_rate": "a"},
        {"corruption_level": 1.0},
    ],
)
def test_impossible_settings_are_refused_by_name(setting, images):
    with pytest.raises(InputError, match=next(iter(setting))):
        small().fit(images, **setting)


def test_a_model_on_top_of_an_expression_cannot_fit_on_its_own(images):
    lower = small()
    upper = small(n_visible=4, n_hidden=2, input=lower.get_hidden_values(lower.x))
    with pytest.raises(InputError, match="fit: found a model whose input is the expression"):
        upper.fit(images)


@pytest.mark.parametrize("backend", each(in_double, long=["pytorch"], backends=["c"]))
def test_every_backend_fits_the_same_model(backend, images):
    da = small(DenoisingAutoencoder).fit(images[:40], epochs=2, backend=backend)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        expected = small(DenoisingAutoencoder).fit(images[:40], epochs=2)
    np.testing.assert_allclose(da.history_.costs, expected.history_.costs, rtol=1e-10)
    assert type(da.W.get_value()) is np.ndarray
    np.testing.assert_allclose(da.W.get_value(), expected.W.get_value(), rtol=1e-9)
    # what was trained on one backend goes on with the others, on the same stream of masks
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        again, after = da.fit(images[:40], epochs=1), expected.fit(images[:40], epochs=1)
        np.testing.assert_allclose(again.history_.costs, after.history_.costs, rtol=1e-9)


def test_a_second_fit_goes_on_from_the_first_with_the_function_and_the_stream_it_had(images):
    da = small(DenoisingAutoencoder).fit(images, epochs=1).fit(images, epochs=1)
    assert len(da.theano_rng.state_updates) == 1
    together = small(DenoisingAutoencoder).fit(images, epochs=2)
    np.testing.assert_array_equal(da.W.get_value(), together.W.get_value())

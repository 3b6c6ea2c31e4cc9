"""Every model has the same `fit`."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import threading
import weakref

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    ImageAutoencoder,
    InputError,
    StridedAutoencoder,
)
from symae.errors import DivergedError
from symae.models import CoordinateVAE, LogisticRegression, SparseAutoencoder
from symae.models.base import Model
from symae.optimizers import CosineDecay, sgd
from symae.training import Callback

SHAPE = (1, 12, 12)
MODELS = {
    "autoencoder": lambda: Autoencoder(0, n_visible=144, n_hidden=9),
    "sparse": lambda: SparseAutoencoder(0, n_visible=144, n_hidden=9),
    "linear": lambda: Autoencoder(0, n_visible=144, n_hidden=9, output="linear"),
    "denoising": lambda: DenoisingAutoencoder(0, n_visible=144, n_hidden=9),
    "image": lambda: ImageAutoencoder(0, maps=2, pool=4, image_shape=SHAPE),
    "convolutional": lambda: ConvolutionalAutoencoder(0, maps=(2,), image_shape=SHAPE),
    "strided": lambda: StridedAutoencoder(0, code=3, maps=(2, 2, 2), image_shape=SHAPE),
    "coordinates": lambda: CoordinateVAE(0, n_latent=2, image_shape=SHAPE),
    "logistic": lambda: LogisticRegression(pt.matrix("x"), 144, 3),
}
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def images():
    """Squares of three sizes."""
    pictures = np.zeros((30, 12, 12))
    for i, picture in enumerate(pictures):
        picture[2 : 5 + 2 * (i % 3), 3:9] = 0.9
    return pictures.reshape(30, 144)


CLASSES = np.arange(30) % 3


def values(model):
    return [p.get_value() for p in model.params]


def assert_equal(one, other):
    for a, b in zip(values(one), values(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.table(3)
@every_model
def test_fit_learns_in_place_and_remembers_the_costs(name, images):
    model = MODELS[name]()
    assert model.fit(images, CLASSES, epochs=3, batch_size=10) is model
    assert len(model.history_) == 3
    assert model.history_.costs[-1] < model.history_.costs[0]


@pytest.mark.table(3)
@every_model
def test_a_second_fit_goes_on_from_the_first_as_if_they_were_one(name, images):
    if name == "coordinates":
        pytest.skip("as the others, and slow where nothing is compiled")
    parts, whole = MODELS[name](), MODELS[name]()
    for _ in range(2):
        parts.fit(images, CLASSES, epochs=1, batch_size=15)
    assert_equal(parts, whole.fit(images, CLASSES, epochs=2, batch_size=15))


@pytest.mark.parametrize("method", ["fit", "transform", "reconstruct", "score"])
def test_all_have_one_signature(method):
    common = list(inspect.signature(getattr(Model, method)).parameters)
    for make in MODELS.values():
        assert list(inspect.signature(getattr(make(), method)).parameters)[: len(common) - 1] == common[1:]


@pytest.mark.table(3)
@every_model
def test_the_score_is_what_training_lowers_and_codes_and_drawings_are_nodes(name, images, monkeypatch):
    monkeypatch.setattr("symae.models.base.CHUNK", 7)  # batches, and one that is not full
    model = MODELS[name]()
    if name == "image":
        model.params[-1].set_value(300 * model.params[-1].get_value())  # its first drawings are blank
    before = model.score(images, CLASSES)
    learned = model.fit(images, CLASSES, epochs=5, batch_size=10)
    assert learned.score(images, CLASSES) < before
    described = model.describe()
    np.testing.assert_array_equal(model.transform(images), model.node_values(described.code, images))
    assert len(model.transform(images[:3])) == 3
    if described.output is None:
        with pytest.raises(InputError, match="reconstruct: found a LogisticRegression, expected a model whose description"):
            model.reconstruct(images)
    else:
        np.testing.assert_array_equal(model.reconstruct(images), model.node_values(described.output, images))


def test_the_score_of_autoencoders_and_classifiers_is_their_cost_by_hand(images):
    da, classifier = MODELS["denoising"](), MODELS["logistic"]().fit(images, CLASSES, epochs=5)
    z = da.reconstruct(images)
    assert da.score(images) == pytest.approx(-(images * np.log(z) + (1 - images) * np.log(1 - z)).sum(axis=1).mean(), rel=1e-12)
    p = classifier.transform(images)
    np.testing.assert_array_equal(p.argmax(axis=1), classifier.predict(images))
    assert classifier.score(images, CLASSES) == pytest.approx(-np.log(p[np.arange(30), CLASSES]).mean(), rel=1e-12)


@pytest.mark.table(5)
@every_model
@pytest.mark.parametrize("again", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy], ids=["pickle", "copy"])
def test_pickles_and_copies_keep_the_history_and_learn_on_their_own(name, again, images):
    model = MODELS[name]().fit(images, CLASSES, epochs=2, batch_size=10)
    twin = again(model)
    assert twin.history_ == model.history_
    assert_equal(twin, model)
    np.testing.assert_array_equal(twin.transform(images), model.transform(images))
    twin.fit(images, CLASSES, epochs=1, batch_size=10)
    assert not np.array_equal(twin.params[0].get_value(), model.params[0].get_value())


def test_orders_of_the_rows_have_a_seed(images):
    models = [MODELS["autoencoder"]() for _ in range(3)]
    for model, seed in zip(models, (7, 7, 8), strict=True):
        model.shuffling_seed = seed
        model.fit(images, epochs=1, batch_size=8, shuffle=True)
    assert_equal(*models[:2])
    assert not np.array_equal(models[0].W.get_value(), models[2].W.get_value())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("autoencoder", (15, 20, 0.1, False)),
        ("image", (3, 64, 0.00015, True)),
        ("convolutional", (10, 128, 1.0, True)),
        ("strided", (10, 256, 1.0, True)),
        ("coordinates", (10, 64, 0.001, True)),
        ("logistic", (15, 600, 0.13, True)),
    ],
)
def test_the_settings_of_a_models_worksheet_are_its_defaults(name, settings):
    defaults = MODELS[name]().fit_defaults
    assert (defaults.epochs, defaults.batch_size, defaults.learning_rate, defaults.shuffle) == settings


@pytest.mark.parametrize("name", ["autoencoder", "convolutional"])
@pytest.mark.parametrize("method", ["fit", "transform", "score"])
def test_data_larger_than_memory_is_refused_before_it_is_copied(name, method):
    images = np.broadcast_to(np.uint8(0), (2**40, 144))  # of a byte
    with pytest.raises(InputError, match=r"X: found 1179648\.0 GiB as float64, expected at most .*, the memory here; sy"):
        getattr(MODELS[name](), method)(images)


@pytest.mark.default_mode
@pytest.mark.parametrize("name", ["denoising", "image", "logistic"])
def test_compiled_loops_fit_what_python_does_and_call_nothing_between_steps(name, images):
    class CountsProgress(Callback):
        calls = 0

        def on_progress(self, state):
            self.calls += 1

    expected, progress = MODELS[name]().fit(images, CLASSES, epochs=4, batch_size=2), CountsProgress()
    model = MODELS[name]().fit(images, CLASSES, epochs=4, batch_size=2, backend="numba", callbacks=[progress])
    np.testing.assert_allclose(model.history_.costs, expected.history_.costs, rtol=1e-9)
    for a, b in zip(values(model), values(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
    assert progress.calls < 4 * 15


def test_minibatches_of_other_sizes_and_other_data_are_taken_after_each_other(images):
    """A remainder of five rows, five rows at a time, and the other way round."""
    model, expected = MODELS["autoencoder"](), MODELS["autoencoder"]()
    step = pytensor.function(
        [expected.x], *expected.get_cost_updates(0.0, 0.1)[:1], updates=expected.get_cost_updates(0.0, 0.1)[1]
    )
    for rows, size in ((25, 10), (15, 5), (30, 5), (22, 10)):
        model.fit(images[:rows], epochs=1, batch_size=size)
        for first in range(0, rows, size):
            step(images[first : min(first + size, rows)])
    for a, b in zip(values(model), values(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", ["autoencoder", "strided"])  # in the rows' order, and shuffled
def test_no_epochs_change_nothing_and_few_rows_are_one_minibatch(images, name):
    model = MODELS[name]()
    before = values(model)
    assert model.fit(images, epochs=0).history_.costs == []
    for a, b in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(model.fit(images[:7], epochs=1, batch_size=8).history_.costs) == 1


def test_shuffled_rows_are_the_same_in_each_run_and_what_remains_sits_out(images):
    seen = []

    class Steps(Callback):
        def on_epoch_end(self, state):
            seen.append(len(state.rows))

    a, b, ordered = (MODELS["autoencoder"]() for _ in range(3))
    for model in (a, b):
        model.fit(images, epochs=2, batch_size=8, shuffle=True, callbacks=[Steps()])
    ordered.fit(images, epochs=2, batch_size=8, callbacks=[Steps()])
    assert_equal(a, b)
    assert seen == [3, 3, 3, 3, 4, 4]
    assert not np.array_equal(a.W.get_value(), ordered.W.get_value())


def test_images_may_be_rows_of_pixels_or_not(images):
    rows, pictures = MODELS["image"](), MODELS["image"]()
    rows.fit(images, epochs=1, batch_size=10)
    assert_equal(rows, pictures.fit(images.reshape(-1, *SHAPE), epochs=1, batch_size=10))


def test_a_fitted_model_keeps_no_training_data_and_can_be_copied(images):
    model = MODELS["image"]().fit(images, epochs=1, batch_size=10)
    assert all(len(data.get_value()) == 0 for data in model._fitting._data.values())
    twin = copy.deepcopy(model)
    twin.fit(images, epochs=1, batch_size=10)
    assert not np.array_equal(twin.params[0].get_value(), model.params[0].get_value())


class Unhashable:
    """A schedule that can be no key."""

    __hash__ = None

    def __call__(self, step):
        return 0.1 + 0 * step


def test_one_schedule_goes_on_in_a_second_fit_and_another_begins_and_takes_its_place(images):
    def falling():
        return lambda step: 0.1 / (1 + step)

    parts, whole, schedule = MODELS["autoencoder"](), MODELS["autoencoder"](), falling()
    for _ in range(2):
        parts.fit(images, epochs=1, batch_size=15, learning_rate=schedule)
    assert_equal(parts, whole.fit(images, epochs=2, batch_size=15, learning_rate=falling()))
    parts.fit(images, epochs=1, batch_size=15)  # at a number
    gone = weakref.ref(schedule)
    del schedule
    gc.collect()
    assert gone() is not None
    parts.fit(images, epochs=1, batch_size=15, learning_rate=falling())
    gc.collect()
    assert gone() is None
    assert len(parts._fitting._graphs) == len(parts._fitting._functions) == 2


@every_model
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": -1}, "epochs: found -1, expected an integer of at least 0"),
        ({"batch_size": 2.5}, "batch_size: found 2.5, expected an integer of at least 1"),
        ({"learning_rate": -1.0}, "learning_rate: found -1.0, expected a positive number"),
        ({"shuffle": 1}, "shuffle: found 1, expected True or False"),
        ({"learning_rate": CosineDecay}, r"learning_rate: found the class CosineDecay, expected a schedule that it makes, Cos"),
        ({"learning_rate": Unhashable()}, "learning_rate: found a Unhashable without a hash, expected a schedule with one"),
        ({"callbacks": [3]}, r"callbacks\[0\]: found a int, expected a function of the TrainingState"),
    ],
)
def test_impossible_settings_are_refused_by_name(name, setting, message, images):
    with pytest.raises(InputError, match=message):
        MODELS[name]().fit(images, CLASSES, **{"epochs": 1, "batch_size": 10, **setting})


@every_model
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 5)), r"X: found shape \(3, 5\), expected \(n, "),
        (np.full((3, 144), np.nan), "X: found NaN or infinite values, expected finite numbers"),
        (np.full((3, 144), 255.0), "X: found values from 255 to 255, expected values from 0 to 1"),
        ([["a"] * 144], "X: found something that is not an array of numbers"),
        (np.zeros((0, 144)), "X: found no rows, expected at least one"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(name, X, message):
    if name in ("logistic", "linear") and "255" in message:
        pytest.skip("its features may be any numbers")
    with pytest.raises(InputError, match=message):
        MODELS[name]().fit(X, np.zeros(len(X), int))
    if "255" in message:
        return  # test data, scaled as training data was, may be beyond its values
    with pytest.raises(InputError, match=message):
        MODELS[name]().score(X, np.zeros(len(X), int))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y: found nothing, expected the class of each row of X"),
        (CLASSES[:29], r"y: found shape \(29,\), expected \(30,\), a class for each row of X"),
        (CLASSES / 2, "y: found dtype float64, expected integers"),
        (CLASSES + 1, "y: found classes from 1 to 3, expected classes from 0 to 2"),
        (CLASSES - 1, "y: found classes from -1 to 1"),
    ],
)
def test_classes_that_do_not_fit_are_refused(y, message, images):
    with pytest.raises(InputError, match=message):
        MODELS["logistic"]().fit(images, y)


def test_classes_are_learned_though_they_come_sorted(images):
    order = np.argsort(CLASSES, kind="stable")
    model = MODELS["logistic"]().fit(images[order], CLASSES[order].astype("uint8"), epochs=60, batch_size=10)
    np.testing.assert_array_equal(model.predict(images), CLASSES)


def test_an_input_of_a_fixed_length_says_how_large_minibatches_are(images):
    x = pt.tensor("x", dtype="float64", shape=(10, *SHAPE))
    model = ImageAutoencoder(0, x, maps=1, pool=4, image_shape=SHAPE).fit(images, epochs=1)
    assert len(model.history_) == 1
    with pytest.raises(InputError, match=r"X\[x\]: found minibatches of 6, expected 10, the fixed length of x"):
        model.fit(images, epochs=1, batch_size=6)


def test_a_cost_that_diverges_takes_its_epoch_back(images):
    model = MODELS["logistic"]()
    model.W.set_value(np.full((144, 3), np.inf))
    before = values(model)
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match="epoch 0, minibatch 0: the cost is nan"):
        model.fit(images, CLASSES)
    for p, value in zip(model.params, before, strict=True):
        np.testing.assert_array_equal(p.get_value(), value)


class Doubling(Model):
    """A model of somebody's own: its one weight is to become one half."""

    parameter_names = ("w",)

    def __init__(self):
        self.x = pt.vector("x", dtype="float64")
        self.w = pytensor.shared(2.0, name="w")
        self.params = [self.w]

    def checked_input(self, name, X):
        return np.asarray(X, "float64")

    def get_cost_updates(self, learning_rate):
        cost = pt.mean((2 * self.w * self.x - self.x) ** 2)
        return cost, sgd(cost, self.params, learning_rate)


def test_a_model_of_ones_own_gets_fit_from_its_cost():
    model = Doubling().fit(np.ones(40), epochs=9, learning_rate=0.1, batch_size=10)
    assert float(model.w.get_value()) == pytest.approx(0.5, rel=1e-6)


def test_a_model_without_a_cost_says_what_it_lacks():
    class Empty(Doubling):
        get_cost_updates = property()
        nodes = property(lambda self: {"x": self.x})

    with pytest.raises(InputError, match="fit: found a Empty, expected a model with a method get_cost_updates"):
        Empty().fit(np.ones(4))
    with pytest.raises(InputError, match="score: found a Empty, expected a model with a method example_costs"):
        Empty().score(np.ones(4))
    with pytest.raises(InputError, match="transform: found a Empty, expected a model whose description names its code"):
        Empty().transform(np.ones(4))


def test_threads_that_fit_one_model_do_so_one_after_the_other():
    da = Autoencoder(np.random.RandomState(0), n_visible=12, n_hidden=4)
    rows = [np.random.RandomState(n).random_sample((n, 12)) for n in (3000, 200)]
    histories = []
    threads = [threading.Thread(target=lambda X=X: histories.append(da.fit(X, epochs=4, batch_size=20).history_)) for X in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(histories) == 2
    assert np.isfinite(da.W.get_value()).all()


def test_subclasses_of_the_tutorials_model_call_the_arguments_of_a_step_what_they_like():
    class Mine(Autoencoder):
        def get_cost_updates(self, level, rate):
            return super().get_cost_updates(level, rate)

    X = np.random.RandomState(1).random_sample((40, 12))
    mine, plain = (cls(np.random.RandomState(0), n_visible=12, n_hidden=4).fit(X, epochs=1) for cls in (Mine, Autoencoder))
    np.testing.assert_array_equal(mine.W.get_value(), plain.W.get_value())

"""The estimators among scikit-learn's own: pipelines, searches, copies, pickles, tables."""

from __future__ import annotations

import importlib
import pickle
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression as TheirLogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, StandardScaler

from symae import BackendError, InputError, models
from symae.sklearn import Autoencoder, DenoisingAutoencoder, LogisticRegression, SparseAutoencoder

TRANSFORMERS = [Autoencoder, DenoisingAutoencoder, SparseAutoencoder]
every_transformer = pytest.mark.parametrize("cls", TRANSFORMERS)
every_estimator = pytest.mark.parametrize("cls", [*TRANSFORMERS, LogisticRegression])
DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS, CLASSES = DIGITS[:100] / 16, CLASSES[:100]


def fitted(cls, **parameters):
    parameters = {"epochs": 2, "random_state": 0} | ({} if cls is LogisticRegression else {"n_hidden": 5}) | parameters
    return cls(**parameters).fit(DIGITS, CLASSES)


def codes(estimator):
    return estimator.predict_proba(DIGITS) if isinstance(estimator, LogisticRegression) else estimator.transform(DIGITS)


@every_transformer
def test_an_estimator_is_the_model_of_its_name(cls):
    estimator = fitted(cls, output="sigmoid")
    model = estimator.model_
    assert type(model) is getattr(models, cls.__name__)
    np.testing.assert_array_equal(estimator.transform(DIGITS), model.transform(DIGITS))
    np.testing.assert_array_equal(estimator.inverse_transform(model.transform(DIGITS)), model.reconstruct(DIGITS))
    with pytest.raises(InputError, match=r"^X: found shape \(2, 4\), expected \(n, 5\)"):
        estimator.inverse_transform(np.zeros((2, 4)))
    assert estimator.score(DIGITS) == -model.score(DIGITS)
    assert len(estimator.history_) == 2
    assert list(estimator.get_feature_names_out()) == [f"{cls.__name__.lower()}{i}" for i in range(5)]


@pytest.mark.table(5)
@every_estimator
@pytest.mark.parametrize("make", [lambda: 5, lambda: np.random.RandomState(5), lambda: np.random.default_rng(5)])
def test_a_source_of_random_numbers_of_any_kind_makes_fits_repeatable(cls, make):
    a, b = (codes(fitted(cls, random_state=make())) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, codes(fitted(cls, random_state=6)))


@pytest.mark.table(3)
@every_transformer
def test_sources_of_random_numbers_are_moved_on(cls):
    for rng in (np.random.RandomState(5), np.random.default_rng(5), None):
        assert not np.array_equal(codes(fitted(cls, random_state=rng)), codes(fitted(cls, random_state=rng)))


def test_the_source_of_random_numbers_has_to_be_one():
    with pytest.raises(ValueError, match="'seed' cannot be used to seed"):
        fitted(Autoencoder, random_state="seed")


@every_estimator
def test_parts_of_the_data_are_learned_after_each_other(cls):
    parameters = {"random_state": 0, "batch_size": 20} | ({} if cls is LogisticRegression else {"n_hidden": 5})
    classes = {"classes": range(10)} if cls is LogisticRegression else {}
    parts, whole = cls(**parameters), cls(**parameters, epochs=1, shuffle=False)
    for first, last in ((0, 40), (40, 100)):
        assert parts.partial_fit(DIGITS[first:last], CLASSES[first:last], **classes) is parts
    np.testing.assert_array_equal(codes(parts), codes(whole.fit(DIGITS, CLASSES)))


@pytest.mark.table(4)
@every_estimator
def test_a_second_fit_begins_again(cls):
    estimator = fitted(cls)
    np.testing.assert_array_equal(codes(estimator.fit(DIGITS, CLASSES)), codes(fitted(cls)))


@every_estimator
def test_what_is_refused_leaves_the_estimator_as_it_was(cls):
    new, estimator = cls(), fitted(cls)
    expected = codes(estimator)
    for refused in (new, estimator):
        refused.set_params(batch_size=0)
        with pytest.raises(InputError, match="batch_size: found 0"):
            refused.fit(DIGITS[:, :9], CLASSES + 1)
    with pytest.raises(NotFittedError):
        codes(new)
    np.testing.assert_array_equal(codes(estimator), expected)
    if cls is LogisticRegression:
        np.testing.assert_array_equal(estimator.classes_, range(10))


@every_estimator
def test_a_clone_has_the_parameters_and_a_pickle_all_that_was_learned(cls):
    estimator = fitted(cls)
    copy, twin = clone(estimator), pickle.loads(pickle.dumps(estimator))
    assert copy.get_params() == estimator.get_params()
    assert not hasattr(copy, "model_")
    assert twin.history_ == estimator.history_
    np.testing.assert_array_equal(codes(twin), codes(estimator))
    twin.partial_fit(DIGITS, CLASSES)
    assert not np.array_equal(codes(twin), codes(estimator))


@every_estimator
def test_before_fit_it_says_so(cls):
    for method in ("transform", "inverse_transform", "score", "get_feature_names_out", "predict", "predict_proba", "history_"):
        if hasattr(cls, method):
            with pytest.raises(NotFittedError):
                getattr(cls(), method)(*[DIGITS, CLASSES][: 1 + (method == "score")])


@pytest.mark.parametrize(
    ("output", "scaler"),
    [("sigmoid", MinMaxScaler()), pytest.param("linear", StandardScaler(), marks=pytest.mark.default_mode)],
)
def test_a_search_through_a_pipeline_finds_that_more_units_draw_better(output, scaler):
    pipeline = make_pipeline(scaler, Autoencoder(output=output, epochs=20, learning_rate=0.1, random_state=0))
    search = GridSearchCV(pipeline, {"autoencoder__n_hidden": [1, 20]}, cv=2).fit(DIGITS)
    assert search.best_params_ == {"autoencoder__n_hidden": 20}
    drawn = search.inverse_transform(search.transform(DIGITS))
    assert np.abs(drawn - DIGITS).mean() < np.abs(DIGITS.mean(axis=0) - DIGITS).mean()


def test_codes_are_tables_where_they_are_asked_for():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(DIGITS, columns=[f"pixel{i}" for i in range(64)])
    made = Autoencoder(2, epochs=1, random_state=0).set_output(transform="pandas").fit_transform(table)
    assert list(made.columns) == ["autoencoder0", "autoencoder1"]


def test_scaled_features_may_be_beyond_one_by_rounding():
    rows = np.linspace(0, 1, 60).reshape(20, 3)
    rows[-1, -1] = np.nextafter(1, 2)
    Autoencoder(2, output="sigmoid", epochs=1).fit(rows)
    with pytest.raises(InputError, match=r"X: found values from 0 to 1\.01, expected values from 0 to 1"):
        Autoencoder(2, output="sigmoid").fit(1.01 * np.linspace(0, 1, 60).reshape(20, 3))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_hidden": 0}, "n_hidden: found 0"),
        ({"output": "tanh"}, "output: found 'tanh', expected 'sigmoid' or 'linear'"),
        ({"epochs": -1}, "epochs: found -1"),
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"learning_rate": 0}, "learning_rate: found 0"),
        ({"shuffle": "no"}, "shuffle: found 'no'"),
        ({"backend": "theano"}, "backend: found 'theano'"),
    ],
)
def test_parameters_are_looked_at_by_fit(parameters, message):
    with pytest.raises(InputError, match=message):
        fitted(Autoencoder, **parameters)


def test_corruption_and_sparsity_are_parameters():
    assert not np.array_equal(codes(fitted(DenoisingAutoencoder)), codes(fitted(DenoisingAutoencoder, corruption_level=0.6)))
    with pytest.raises(InputError, match=r"corruption_level: found 1, expected a number in \[0, 1\)"):
        fitted(DenoisingAutoencoder, corruption_level=1)
    sparse = fitted(SparseAutoencoder, sparsity="k", sparsity_target=0.4)
    assert (codes(sparse) > 0).sum(axis=1).max() == 2


def test_the_classifier_is_a_logistic_regression():
    """With no penalty and enough epochs it finds the likelihoods of scikit-learn's own."""
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(300, 2))
    names = np.array(["a", "b", "c"])[np.argmax(rows @ [[2, -1, 0], [0, 1, -1]] + rng.gumbel(size=(300, 3)), axis=1)]
    ours = LogisticRegression(epochs=300, batch_size=300, learning_rate=1.0).fit(rows, names)
    theirs = TheirLogisticRegression(C=np.inf).fit(rows, names)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-3)
    np.testing.assert_allclose(ours.predict_log_proba(rows), np.log(ours.predict_proba(rows)), rtol=1e-9)
    np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows))
    assert ours.score(rows, names) == theirs.score(rows, names)
    assert ours.decision_function(rows).shape == (300, 3)
    two = LogisticRegression().fit(rows, names == "a")
    np.testing.assert_array_equal(two.decision_function(rows) > 0, two.predict(rows))


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([{}], "classes: found None, expected all classes, at the first call to partial_fit"),
        ([{"classes": range(10)}, {"classes": range(9)}], "classes: found .*, expected those of the first call"),
        ([{"classes": range(1, 11)}], "y: found the class .*0.*, expected one of"),
    ],
)
def test_classes_are_known_from_the_first_part_on(calls, message):
    classifier = LogisticRegression()
    for call in calls[:-1]:
        classifier.partial_fit(DIGITS, CLASSES, **call)
    with pytest.raises(InputError, match=message):
        classifier.partial_fit(DIGITS, CLASSES, **calls[-1])


def test_numbers_are_of_floatX(float32):
    estimator = fitted(Autoencoder)
    assert codes(estimator).dtype == np.float32
    assert estimator.__sklearn_tags__().transformer_tags.preserves_dtype == ["float32"]


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("sklearn", "symae.sklearn"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(
        BackendError, match=r'symae\.sklearn: found no scikit-learn .*, expected it: pip install "symae\[sklearn\]"'
    ):
        importlib.import_module("symae.sklearn")


def test_labels_may_be_texts_of_an_encoder():
    names = LabelEncoder().fit_transform([f"digit {c}" for c in CLASSES])
    assert fitted(LogisticRegression, epochs=20).fit(DIGITS, names).score(DIGITS, names) > 0.8

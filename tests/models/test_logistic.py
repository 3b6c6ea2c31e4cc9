"""LogisticRegression and its early stopping."""

from __future__ import annotations

import pickle

import numpy as np
import pytensor.tensor as pt
import pytest

from symae import InputError, LogisticRegression, function
from symae.runs.logistic_tutorial import sgd_optimization
from symae.training.early_stopping import TutorialPatience


@pytest.fixture
def model():
    model = LogisticRegression(pt.matrix("x"), 3, 4)
    rng = np.random.RandomState(0)
    model.W.set_value(rng.normal(size=(3, 4)))
    model.b.set_value(rng.normal(size=4))
    return model


X = np.random.RandomState(1).normal(size=(7, 3))
Y = np.array([0, 1, 2, 3, 3, 1, 0], dtype="int32")


def probabilities(model):
    logits = X @ model.W.get_value() + model.b.get_value()
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_it_starts_from_zero():
    model = LogisticRegression(pt.matrix("x"), 3, 4)
    assert not model.W.get_value().any()
    assert not model.b.get_value().any()


def test_the_likelihood_of_a_hopeless_class_is_finite(model, native_backend):
    y = pt.ivector("y")
    model.W.set_value(1e4 * model.W.get_value())
    nll = function([model.input, y], model.negative_log_likelihood(y), backend=native_backend)
    assert np.isfinite(nll(X, Y))


def test_likelihood_prediction_and_errors_are_those_of_the_softmax(model, backend):
    y = pt.ivector("y")
    outputs = [model.p_y_given_x, model.y_pred, model.negative_log_likelihood(y), model.errors(y)]
    got = [np.asarray(v) for v in function([model.input, y], outputs, backend=backend)(X, Y)]
    p = probabilities(model)
    np.testing.assert_allclose(got[0], p, rtol=1e-12)
    np.testing.assert_array_equal(got[1], p.argmax(axis=1))
    assert got[2] == pytest.approx(-np.log(p[np.arange(7), Y]).mean(), rel=1e-12)
    assert got[3] == pytest.approx((p.argmax(axis=1) != Y).mean())


def test_a_pickled_model_predicts_as_before(model):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_predict_takes_an_array(model):
    np.testing.assert_array_equal(model.predict(X), probabilities(model).argmax(axis=1))
    with pytest.raises(InputError, match=r"X: found shape \(7, 2\), expected \(n, 3\)"):
        model.predict(X[:, :2])


@pytest.mark.parametrize(("y", "error"), [(pt.imatrix("y"), TypeError), (pt.dvector("y"), NotImplementedError)])
def test_errors_wants_a_vector_of_integers(model, y, error):
    with pytest.raises(error, match="expected"):
        model.errors(y)


def test_training_with_patience_learns_the_digits(capsys, tmp_path):
    model, result = sgd_optimization("digits", batch_size=100, n_epochs=4, save=tmp_path / "best")
    assert result.epochs == 4
    assert result.validation_error < 0.2
    out = capsys.readouterr().out
    assert "epoch 1, minibatch 50/50, validation error " in out
    assert "Optimization complete with best validation score of" in out
    best = LogisticRegression.load(tmp_path / "best")
    assert best.W.get_value().shape == model.W.get_value().shape == (784, 10)


def test_a_set_smaller_than_a_minibatch_is_refused():
    with pytest.raises(InputError, match="digits: found fewer than 2000 images in one of the three sets"):
        sgd_optimization("digits", batch_size=2000, patience=TutorialPatience(10))


def test_a_model_may_have_an_input_of_its_own():
    X, y = np.random.RandomState(0).random_sample((60, 5)), np.arange(60) % 3
    assert len(LogisticRegression(None, n_in=5, n_out=3).fit(X, y, epochs=2).history_) == 2
    with pytest.raises(InputError, match=r"input: found 0, expected a symbolic matrix \(n, 5\), or None for one"):
        LogisticRegression(0, n_in=5, n_out=3)

"""The estimators keep every convention that scikit-learn checks."""

from __future__ import annotations

import pytensor
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import estimator_checks_generator

from symae.sklearn import Autoencoder, DenoisingAutoencoder, LogisticRegression, SparseAutoencoder

# Uncompiled the logarithm of a softmax is not rewritten, and that of a hopeless class is infinite: of features this wide.
WIDE = {"check_fit_idempotent", "check_fit_check_is_fitted", "check_n_features_in"}


def checks(*estimators, but=()):
    return [
        pytest.param(estimator, check, id=f"{type(estimator).__name__} {name}")
        for one in estimators
        for estimator, check in estimator_checks_generator(one)
        for name in [getattr(check, "func", check).__name__]
        if name not in but
    ]


# All transformers have the same methods, and one epoch is enough to look at them; a classifier has to classify.
QUICK = [*checks(DenoisingAutoencoder(epochs=1)), *checks(LogisticRegression(epochs=20), but=WIDE)]


@pytest.mark.table(2)
@pytest.mark.parametrize(("estimator", "check"), QUICK)
def test_a_convention_is_kept(estimator, check):
    check(estimator)


# Compiled, their models train in tests/models/test_fit.py and test_sparse_autoencoder.py.
@pytest.mark.tables
@pytest.mark.parametrize(("estimator", "check"), checks(Autoencoder(epochs=1), SparseAutoencoder(epochs=1)))
def test_a_convention_is_kept_by_the_other_transformers(estimator, check):
    check(estimator)


@pytest.mark.default_mode
@pytest.mark.parametrize(("estimator", "check"), checks(DenoisingAutoencoder(epochs=5), LogisticRegression()))
def test_a_convention_is_kept_in_the_mode_that_users_have(estimator, check):
    with pytensor.config.change_flags(mode="Mode"):
        check(estimator)

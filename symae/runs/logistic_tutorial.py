"""The tutorial's training of a logistic regression with early stopping.

Source: the lisa-lab Deep Learning Tutorials (``logistic_sgd.py``), which documents 7.500000 % validation and 7.489583 %
test error.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.compile import function
from symae.datasets import load_data
from symae.errors import InputError
from symae.models import LogisticRegression
from symae.training.early_stopping import PatienceResult, TutorialPatience, train_with_patience


def sgd_optimization(
    dataset: str | Path = "mnist",
    *,
    learning_rate: float = 0.13,
    n_epochs: int = 1000,
    batch_size: int = 600,
    patience: TutorialPatience | None = None,
    backend: str | None = None,
    save: str | Path | None = None,
    verbose: bool = True,
) -> tuple[LogisticRegression, PatienceResult]:
    """Train a logistic regression on a data set by minibatch gradient descent with early stopping, as the tutorial does.

    Parameters
    ----------
    dataset : str or path
        As in `symae.datasets.load_data`.
    learning_rate : float
    n_epochs, batch_size : int
    patience : TutorialPatience, optional
    backend : str, optional
    save : path, optional
        The best model is saved here each time it improves.
    verbose : bool
        Print what the tutorial prints.

    Returns
    -------
    model : LogisticRegression
        With the parameters of the last step, as in the tutorial; the best ones are in `save`.
    result : PatienceResult
    """
    (train_x, train_y), (valid_x, valid_y), (test_x, test_y) = load_data(dataset)
    if None in (train_y, valid_y, test_y):
        raise InputError(dataset, "images without labels", "labels, which a logistic regression learns")
    sizes = [len(x.get_value(borrow=True)) // batch_size for x in (train_x, valid_x, test_x)]
    if not all(sizes):
        raise InputError(dataset, f"fewer than {batch_size} images in one of the three sets", "at least one minibatch in each")
    n_classes = int(max(y.eval().max() for y in (train_y, valid_y, test_y))) + 1

    index, x, y = pt.lscalar("index"), pt.matrix("x"), pt.ivector("y")
    model = LogisticRegression(x, n_in=train_x.get_value(borrow=True).shape[1], n_out=n_classes)
    cost, updates = model.get_cost_updates(y, learning_rate)

    def minibatch(data_x: Variable, data_y: Variable) -> dict[Variable, Variable]:
        window = slice(index * batch_size, (index + 1) * batch_size)
        return {x: data_x[window], y: data_y[window]}

    train = function([index], cost, updates=updates, givens=minibatch(train_x, train_y), backend=backend)
    validate = function([index], model.errors(y), givens=minibatch(valid_x, valid_y), backend=backend)
    test = function([index], model.errors(y), givens=minibatch(test_x, test_y), backend=backend)
    result = train_with_patience(
        train,
        sizes[0],
        lambda: float(np.mean([validate(i) for i in range(sizes[1])])),
        lambda: float(np.mean([test(i) for i in range(sizes[2])])),
        n_epochs=n_epochs,
        patience=patience,
        on_best=None if save is None else lambda: model.save(save),  # type: ignore[arg-type]
        verbose=verbose,
    )
    return model, result

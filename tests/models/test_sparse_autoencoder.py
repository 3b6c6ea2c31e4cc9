"""The autoencoder with a linear decoder, and the sparse one, beside PyTorch's; their files and pickles."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from symae import Autoencoder, DenoisingAutoencoder, InputError, function
from symae.models import Model, SparseAutoencoder

X = np.random.RandomState(0).uniform(size=(50, 6))


def small(cls=SparseAutoencoder, **options):
    return cls(1, **{"n_visible": 6, "n_hidden": 4, **options})


def torch_costs(model, sparsity, weight, target, steps=3):
    """Compute the costs of the first steps of PyTorch's Adam, from the model's weights."""
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    W, b, b_prime = (torch.tensor(p.get_value(), requires_grad=True) for p in model.params)
    # Keras and TensorFlow add epsilon to another quantity than PyTorch, but with 1e-8 no digit below tells them apart
    optimizer, x, costs = torch.optim.Adam([W, b, b_prime], lr=0.01), torch.tensor(X), []
    for _ in range(steps):
        y = torch.sigmoid(x @ W + b)
        if sparsity == "k":
            y = y * torch.zeros_like(y).scatter(1, y.topk(2).indices, 1.0)
        a = y @ W.T + b_prime
        if model.output_activation == "linear":
            cost = ((a - x) ** 2).sum(1).mean() / 2
        else:
            cost = torch.nn.functional.binary_cross_entropy_with_logits(a, x, reduction="none").sum(1).mean()
        if sparsity == "kl":
            p, q = torch.distributions.Bernoulli(target), torch.distributions.Bernoulli(y.mean(0))
            cost = cost + weight * torch.distributions.kl_divergence(p, q).sum()
        if sparsity == "l1":
            cost = cost + weight * y.abs().sum(1).mean()
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    return costs


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize(("sparsity", "weight"), [("kl", 2.0), ("l1", 0.3), ("k", 0.0)])
def test_training_goes_pytorchs_way(output, sparsity, weight):
    model = small(output=output, sparsity=sparsity, sparsity_weight=weight, sparsity_target=0.5)
    expected = torch_costs(model, sparsity, weight, 0.5)
    cost, updates = model.get_cost_updates(0.0, 0.01)
    step = function([model.x], cost, updates=updates)
    np.testing.assert_allclose([float(step(X)) for _ in expected], expected, rtol=1e-7)


@pytest.mark.table(2)
@pytest.mark.parametrize("sparsity", ["kl", "k"])
def test_compiled_training_goes_the_same_way(sparsity):
    kinds = [small(sparsity=sparsity, sparsity_target=0.5).fit(X, epochs=3, batch_size=10, backend=b) for b in (None, "numba")]
    np.testing.assert_allclose(kinds[0].history_.costs, kinds[1].history_.costs, rtol=1e-7)


def test_units_become_as_active_as_they_should_be():
    images = (np.random.RandomState(0).uniform(size=(200, 20)) < 0.3) * 1.0
    settings = {"epochs": 40, "batch_size": 200, "learning_rate": 0.05}
    trained, plain = (
        SparseAutoencoder(0, n_visible=20, n_hidden=10, sparsity_target=0.1, sparsity_weight=weight).fit(images, **settings)
        for weight in (30.0, 0.0)
    )
    assert trained.transform(images).mean(axis=0) == pytest.approx(np.full(10, 0.1), abs=0.04)
    assert plain.transform(images).mean() > 0.3
    assert plain.score(images) < trained.score(images)


def test_a_share_of_the_units_stays_active_in_the_code_too():
    model = SparseAutoencoder(0, n_visible=6, n_hidden=20, sparsity="k", sparsity_target=0.15)
    np.testing.assert_array_equal((model.transform(X) > 0).sum(axis=1), np.full(50, 3))
    assert (small(sparsity="k", sparsity_target=0.01).transform(X) > 0).sum(axis=1).max() == 1


def test_a_linear_decoder_draws_and_scores_any_numbers():
    data = 10 * X - 50
    model = small(Autoencoder, output="linear", n_hidden=6).fit(data, epochs=60, batch_size=25, learning_rate=1.0)
    assert model.history_.costs[-1] < model.history_.costs[0] / 100
    W, _, b_prime = (p.get_value() for p in model.params)
    drawn = model.transform(data) @ W.T + b_prime
    np.testing.assert_allclose(model.reconstruct(data), drawn, rtol=1e-12)
    np.testing.assert_allclose(model.inverse_transform(model.transform(data)), drawn, rtol=1e-12)
    assert model.score(data) == pytest.approx(((drawn - data) ** 2).sum(axis=1).mean() / 2)


def test_a_linear_decoder_is_trained_at_adams_rate():
    assert small(Autoencoder).fit_defaults.learning_rate == 0.1
    assert {small(cls, output="linear").fit_defaults.learning_rate for cls in (Autoencoder, DenoisingAutoencoder)} == {0.001}
    rates = [len(small(Autoencoder, output="linear").get_cost_updates(0.0, 0.1)[1]) > 3]
    assert rates == [True]  # Adam's moments are updated too


KINDS = [
    (Autoencoder, {"output": "linear"}),
    (DenoisingAutoencoder, {"output": "linear"}),
    (SparseAutoencoder, {}),
    (SparseAutoencoder, {"sparsity": "l1"}),
    (SparseAutoencoder, {"sparsity": "k", "sparsity_target": 0.5, "output": "linear"}),
]
every_kind = pytest.mark.parametrize(("cls", "options"), KINDS)


@pytest.mark.table(4)
@every_kind
@pytest.mark.parametrize("again", ["load", "load any", "pickle", "copy"])
def test_a_model_comes_back_with_its_options(cls, options, again, tmp_path):
    model = small(cls, **options).fit(X, epochs=1, batch_size=25)
    model.save(tmp_path)
    ways = {
        "load": lambda: cls.load(tmp_path),
        "load any": lambda: Model.load(tmp_path),
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "copy": lambda: copy.deepcopy(model),
    }
    twin = ways[again]()
    assert type(twin) is cls
    assert twin.configuration() == model.configuration()
    np.testing.assert_array_equal(twin.reconstruct(X), model.reconstruct(X))
    assert twin.score(X) == model.score(X)


def test_the_file_of_an_autoencoder_of_sigmoids_is_as_it_always_was(tmp_path):
    small(Autoencoder).save(tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["configuration"] == {"n_visible": 6, "n_hidden": 4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "tanh"}, "output: found 'tanh', expected 'sigmoid' or 'linear'"),
        ({"sparsity": "L1"}, "sparsity: found 'L1', expected one of 'kl', 'l1', 'k'"),
        ({"sparsity_target": 1.0}, "sparsity_target: found 1.0, expected a number between 0 and 1"),
        ({"sparsity_weight": -1}, "sparsity_weight: found -1, expected a number of at least 0"),
        ({"sparsity_weight": float("nan")}, "sparsity_weight: found nan"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        small(**options)
    small().save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    del description["sha256"]
    description["configuration"] |= options
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="expected the configuration of class SparseAutoencoder"):
        SparseAutoencoder.load(tmp_path)

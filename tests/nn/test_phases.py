"""Dropout and batch normalisation: PyTorch's numbers while a model learns, and fixed ones afterwards."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from symae import InputError, RandomStreams, function, nn
from symae.compile import pure_step
from symae.keras import Model as KerasModel
from symae.models.base import Model, checked_matrix
from symae.ops.phases import Marked
from symae.optimizers import adamw, sgd
from symae.training import fit
from symae.training.checkpoints import read_checkpoint

X = np.random.RandomState(0).normal(2, 3, size=(6, 5))
IMAGES = np.random.RandomState(1).normal(-1, 2, size=(3, 4, 2, 5))


def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


def streams_mask(rate, shape, seed=234):
    """Return the first mask of a stream, as Theano's of that seed draws it."""
    state = np.random.RandomState(int(np.random.RandomState(seed).randint(2**30)))
    return state.binomial(1, 1 - rate, size=shape)


# dropout


def test_dropout_is_pytorchs_for_the_masks_of_theanos_streams_on_every_backend(backend):
    x, slope = pt.matrix("x", dtype="float64"), np.arange(30.0).reshape(6, 5)
    y = nn.dropout("drop", x, 0.3, RandomStreams(234))
    found, gradient = function([x], [y, pt.grad(pt.sum(y * slope), x)], backend=backend)(X)
    mask = streams_mask(0.3, X.shape)
    theirs = torch().tensor(X, requires_grad=True)
    # what torch.nn.functional.dropout computes for this mask
    expected = torch().mul(theirs, torch().tensor(mask / (1 - 0.3)))
    expected.backward(torch().tensor(slope))
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), rtol=1e-12)
    assert 0 < (found == 0).mean() < 0.6


def test_pytorch_scales_what_it_keeps_as_symae_does():
    ones = np.ones((200, 50))
    x = pt.matrix("x", dtype="float64")
    found = function([x], nn.dropout("drop", x, 0.2, RandomStreams(1)))(ones)
    theirs = torch().nn.functional.dropout(torch().tensor(ones), 0.2).numpy()
    assert set(found.ravel()) == set(theirs.ravel()) == {0.0, 1.25}
    assert abs((found == 0).mean() - 0.2) < 0.02


def test_each_call_has_another_mask_and_afterwards_there_is_none():
    x = pt.matrix("x", dtype="float64")
    y = nn.dropout("drop", x, 0.5, RandomStreams(1))
    learning, learned = function([x], y), function([x], nn.deterministic(y))
    assert (learning(X) != learning(X)).any()
    np.testing.assert_array_equal(learned(X), X)
    np.testing.assert_array_equal(function([x], nn.dropout("drop", x, 0, RandomStreams(1)))(X), X)


# batch normalisation


def normalised(values, momentum=0.1, epsilon=1e-5):
    """Return parameters, the input, and what batch normalisation makes of it."""
    params = nn.Parameters(0)
    x = pt.tensor("x", dtype=values.dtype, shape=(None, *values.shape[1:]))
    y = nn.batch_norm(params, "norm", x, momentum=momentum, epsilon=epsilon)
    rng = np.random.RandomState(2)
    for p in params:
        p.set_value(rng.normal(size=values.shape[1]).astype(p.type.dtype))
    return params, x, y


def torchs(params, values, **settings):
    make = torch().nn.BatchNorm1d if values.ndim == 2 else torch().nn.BatchNorm2d
    layer = make(values.shape[1], dtype=torch().float64, **settings)
    for theirs, mine in zip((layer.weight, layer.bias), params, strict=True):
        theirs.data = torch().tensor(np.asarray(mine.get_value(), float))
    return layer


@pytest.mark.table(2)
@pytest.mark.parametrize("values", [X, IMAGES], ids=["units", "maps"])
def test_outputs_gradients_and_averages_are_pytorchs_on_every_backend(values, float32_backend):
    values = values.astype("float32")
    params, x, y = normalised(values, momentum=0.3, epsilon=1e-3)
    slope = np.random.RandomState(3).normal(size=values.shape).astype("float32")
    gradients = pt.grad(pt.sum(y * slope), [x, *params])
    step = function([x], [y, *gradients], updates=nn.running_updates(y), backend=float32_backend)
    learned = function([x], nn.deterministic(y), backend=float32_backend)
    layer = torchs(params, values, momentum=0.3, eps=1e-3)
    for scale in (1, 2, 0.5):
        theirs = torch().tensor(values.astype(float) * scale, requires_grad=True)
        layer.zero_grad()
        expected = layer(theirs)
        expected.backward(torch().tensor(slope.astype(float)))
        wanted = [expected.detach(), theirs.grad, layer.weight.grad, layer.bias.grad]
        for found, right in zip(step(values * np.float32(scale)), wanted, strict=True):
            np.testing.assert_allclose(found, right.numpy(), rtol=2e-4, atol=2e-5)
    for average, right in zip(params.state, (layer.running_mean, layer.running_var), strict=True):
        np.testing.assert_allclose(average.get_value(), right.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        learned(values), layer.eval()(torch().tensor(values.astype(float))).detach(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("values", [X, IMAGES], ids=["units", "maps"])
def test_in_double_they_are_pytorchs_to_twelve_digits(values):
    params, x, y = normalised(values)
    step = function([x], [y, *pt.grad(pt.sum(pt.sqr(y) * y), [x, *params])], updates=nn.running_updates(y))
    layer = torchs(params, values)
    theirs = torch().tensor(values, requires_grad=True)
    expected = layer(theirs)
    (expected**3).sum().backward()
    wanted = [expected.detach(), theirs.grad, layer.weight.grad, layer.bias.grad]
    for found, right in zip(step(values), wanted, strict=True):
        np.testing.assert_allclose(found, right.numpy(), rtol=1e-10, atol=1e-12)
    for average, right in zip(params.state, (layer.running_mean, layer.running_var), strict=True):
        np.testing.assert_allclose(average.get_value(), right.numpy(), rtol=1e-12)


def test_the_averages_begin_at_no_change_and_are_no_parameters():
    params, x, y = normalised(X)
    assert params.names == ("norm_gamma", "norm_beta")
    assert [v.name for v in params.state] == ["norm_mean", "norm_variance"]
    assert params["norm_variance"] is params.state[1]
    gamma, beta = (p.get_value() for p in params)
    np.testing.assert_allclose(function([x], nn.deterministic(y))(X), gamma * X / np.sqrt(1 + 1e-5) + beta, rtol=1e-12)


def test_of_one_example_the_output_is_beta_and_the_averages_stay_finite():
    params, x, y = normalised(X[:1])
    found = function([x], y, updates=nn.running_updates(y))(X[:1])
    np.testing.assert_allclose(found[0], params["norm_beta"].get_value())
    assert all(np.isfinite(v.get_value()).all() for v in params.state)


# from one graph to the other


def network():
    """Return parameters, the input, and an output behind all there is."""
    params, streams, x = nn.Parameters(0), RandomStreams(5), pt.tensor("x", dtype="float64", shape=(None, 5))
    h = nn.batch_norm(params, "norm1", nn.dense(params, "dense1", nn.dropout("drop1", x, 0.2, streams), 4))
    h = nn.dropout("drop2", nn.batch_norm(params, "norm2", nn.dense(params, "dense2", pt.tanh(h), 3)), 0.5, streams)
    return params, x, nn.dense(params, "drawn", h, 5)


def after(params, values):
    """Compute in NumPy what `network` does when it has learned."""
    p = {name: params[name].get_value() for name in [*params.names, *(v.name for v in params.state)]}

    def norm(h, name):
        deviation = np.sqrt(p[f"{name}_variance"] + 1e-5)
        return (h - p[f"{name}_mean"]) / deviation * p[f"{name}_gamma"] + p[f"{name}_beta"]

    h = np.tanh(norm(values @ p["dense1_W"] + p["dense1_b"], "norm1"))
    return norm(h @ p["dense2_W"] + p["dense2_b"], "norm2") @ p["drawn_W"] + p["drawn_b"]


def test_layers_behind_layers_and_costs_have_a_graph_of_afterwards_too():
    params, x, y = network()
    step = function([x], y, updates=nn.running_updates(y))
    for _ in range(3):
        step(X)
    cost = pt.mean(pt.sqr(y - x))
    drawn, found = function([x], nn.deterministic([y, cost]))(X)
    np.testing.assert_allclose(drawn, after(params, X), rtol=1e-12)
    assert float(found) == pytest.approx(np.mean((after(params, X) - X) ** 2))


def test_so_have_copies_of_a_graph():
    params, x, y = network()
    other = pt.tensor("other", dtype="float64", shape=(6, 5))
    (copy,) = clone_replace([y], {x: other}, rebuild_strict=False)
    np.testing.assert_allclose(function([other], nn.deterministic(copy))(X), after(params, X), rtol=1e-12)
    assert {v for v, _ in nn.running_updates(copy)} == set(params.state)


def test_the_graph_of_afterwards_has_names_and_layers_and_draws_nothing():
    _, x, y = network()
    later = nn.deterministic(y)
    names = [layer.name for layer, _ in nn.layers_of([x], [later])]
    assert names == ["dense1", "norm1", "dense2", "norm2", "drawn"]
    assert [layer.name for layer, _ in nn.layers_of([x], [y])] == [
        "drop1",
        "dense1",
        "norm1",
        "dense2",
        "norm2",
        "drop2",
        "drawn",
    ]
    assert later.name == "drawn"
    assert not any(getattr(v, "default_update", None) for v in ancestors([later]))
    assert nn.running_updates(later) == []


def test_what_has_no_such_layers_is_left_as_it_is():
    x = pt.matrix("x")
    y = pt.tanh(x)
    assert nn.deterministic(y) is y
    assert nn.deterministic([x, y]) == [x, y]
    assert nn.running_updates([y]) == []


def test_compiled_functions_have_no_marks_and_do_not_compute_the_other_phase(backend):
    params, x, y = network()
    compiled = function([x], y, backend=backend)
    assert not any(isinstance(node.op, Marked) for node in compiled.maker.fgraph.apply_nodes)
    read = {v.name for v in ancestors(compiled.maker.fgraph.outputs)}
    assert {"norm1_gamma", "x"} <= read
    assert not read & {v.name for v in params.state}


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA"])
def test_pytensors_own_modes_compute_the_same(mode):
    params, x, y = normalised(X)
    updates = nn.running_updates(y)
    found = pytensor.function([x], [y, nn.deterministic(y)], updates=updates, mode=mode)(X)
    expected = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5) * params["norm_gamma"].get_value() + params["norm_beta"].get_value()
    np.testing.assert_allclose(found[0], expected, rtol=1e-10)
    np.testing.assert_allclose(params["norm_mean"].get_value(), 0.1 * X.mean(0), rtol=1e-12)


# training


def training(**settings):
    params, x, y = network()
    cost = pt.mean(pt.sqr(y - x))
    given = {"data": {x: X}, "validation": {x: X[:4]}, "batch_size": 3, "log_every": 0, "log": lambda line: None} | settings
    return params, lambda **more: fit(cost, adamw(cost, params, 0.01), **{"params": list(params), **given, **more})


def test_fit_moves_the_averages_and_validates_with_them():
    params, train = training()
    history = train(n_epochs=3)
    assert all(np.any(v.get_value() != begun) for v, begun in zip(params.state, (0, 1, 0, 1), strict=True))
    assert history.measures["val_cost"][-1] == pytest.approx(np.mean((after(params, X[:4]) - X[:4]) ** 2), rel=1e-12)


def small_training(**settings):
    """As `training`, of the least that draws a mask and keeps averages, without a gradient to compile."""
    params, x = nn.Parameters(0), pt.tensor("x", dtype="float64", shape=(None, 5))
    cost = pt.mean(pt.sqr(nn.dropout("drop", nn.batch_norm(params, "norm1", x), 0.5, RandomStreams(5)) - x))
    given = {"data": {x: X}, "batch_size": 3, "log_every": 0, "log": lambda line: None} | settings
    return params, lambda **more: fit(cost, [(params[0], params[0] - 0.1 * cost)], params=list(params), **given, **more)


@pytest.mark.table(2)
@pytest.mark.parametrize(
    ("training", "backend", "kept"),
    [
        (training, None, {"norm1_mean", "norm2_variance", "random_state_1"}),
        (small_training, "numba", {"norm1_mean", "norm1_variance", "random_state_0"}),
    ],
)
def test_a_resumed_training_has_the_same_masks_and_averages(training, backend, kept, tmp_path):
    params, train = training(backend=backend)
    expected = train(n_epochs=4)
    training(folder=tmp_path, backend=backend)[1](n_epochs=2)
    assert kept <= read_checkpoint(tmp_path / "last.safetensors").arrays.keys()
    resumed, train = training(folder=tmp_path, backend=backend)
    history = train(n_epochs=4, resume=True)
    assert (history.costs, history.measures) == (expected.costs, expected.measures)
    for mine, theirs in zip([*resumed, *resumed.state], [*params, *params.state], strict=True):
        np.testing.assert_array_equal(mine.get_value(), theirs.get_value())


def test_averages_may_be_among_the_parameters_that_are_kept():
    params, train = training()
    _, other = training()
    assert train(n_epochs=2, params=[*params, *params.state]).costs == other(n_epochs=2).costs


def test_the_best_epoch_has_its_averages():
    best, train = training()
    values = {}
    train(
        n_epochs=6,
        restore_best=True,
        monitor="cost",
        callbacks=[lambda s: values.update({s.epoch: [v.get_value() for v in best.state]})],
    )
    _, train = training()
    history = train(n_epochs=6, monitor="cost")
    for v, kept in zip(best.state, values[history.best_epoch], strict=True):
        np.testing.assert_array_equal(v.get_value(), kept)


def test_updates_of_ones_own_for_an_average_take_precedence():
    params, x, y = normalised(X)
    mean = params["norm_mean"]
    cost = pt.mean(y)
    fit(
        cost,
        [*sgd(cost, list(params), 0.1), (mean, mean + 1)],
        {x: X},
        batch_size=6,
        n_epochs=2,
        params=list(params),
        log_every=0,
    )
    np.testing.assert_array_equal(mean.get_value(), np.full(5, 2.0))


@pytest.fixture
def own_model(monkeypatch):
    """Return a class of one's own, whose layers learn with dropout and batch normalisation."""
    monkeypatch.setattr(Model, "_classes", dict(Model._classes))

    class Normalised(Model):
        def __init__(self):
            params, self.x, y = network()
            self.params, self.parameter_names, self.state = list(params), params.names, params.state
            self._nodes = {"input": self.x, "drawn": y}
            self.cost = pt.mean(pt.sqr(y - self.x))

        @property
        def nodes(self):
            return self._nodes

        def get_cost_updates(self, learning_rate):
            return self.cost, sgd(self.cost, self.params, learning_rate)

        def checked_input(self, name, X):
            return checked_matrix(name, X, 5)

        def configuration(self):
            return {}

        @classmethod
        def from_configuration(cls, configuration):
            return cls(**configuration)

    return Normalised


def test_models_of_ones_own_learn_show_and_save_the_averages(own_model, tmp_path):
    model = own_model().fit(X, epochs=2, batch_size=3)
    assert any(v.get_value().any() for v in model.state[:1])
    drawn = model.node_values("drawn", X)
    np.testing.assert_array_equal(drawn, model.node_values("drawn", X))
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(own_model.load(tmp_path / "model").node_values("drawn", X), drawn)


@pytest.mark.on("jax")
@pytest.mark.usefixtures("jax_in_double")
def test_in_jax_a_model_is_the_trained_one_and_its_averages_are_among_the_parameters(own_model):
    pytest.importorskip("jax")
    model = own_model().fit(X, epochs=2, batch_size=3)
    draw, parameters = model.to_jax("drawn")
    assert parameters.keys() == model.parameters().keys()
    np.testing.assert_allclose(draw(parameters, X), model.node_values("drawn", X), rtol=1e-12)
    moved = parameters | {"norm2_mean": parameters["norm2_mean"] + 1}
    assert np.abs(draw(moved, X) - draw(parameters, X)).max() > 0.01
    with pytest.raises(InputError, match=r"^parameters: found .*, expected dense1_W, .*norm2_variance$"):
        draw({name: parameters[name] for name in model.parameter_names}, X)


@pytest.mark.on("jax")
@pytest.mark.usefixtures("jax_in_double")
def test_a_step_in_jax_moves_the_averages_as_fit_does(own_model):
    pytest.importorskip("jax")
    model, expected = own_model(), own_model().fit(X, epochs=1, batch_size=3, learning_rate=0.1, shuffle=False)
    step, state = pure_step(*model.get_cost_updates(learning_rate=0.1), model.x)
    for minibatch in (X[:3], X[3:]):
        state, _ = step(state, minibatch)
    model.set_parameters({name: state[name] for name in model.parameters()})
    assert model.parameters()["norm1_mean"].any()
    for name, value in model.parameters().items():
        np.testing.assert_allclose(value, expected.parameters()[name], rtol=1e-9, atol=1e-12)


def test_the_graph_of_afterwards_begins_at_expressions_that_are_inputs():
    params, x, _ = network()
    code = nn.batch_norm(params, "norm3", x)
    drawn = nn.dropout("drop3", nn.batch_norm(params, "norm4", pt.tanh(code)), 0.5, RandomStreams(1))
    assert code in ancestors([nn.deterministic(drawn, [code])])
    decoder = KerasModel(code, drawn)
    np.testing.assert_allclose(decoder.predict(X), np.tanh(X) / np.sqrt(1 + 1e-5), rtol=1e-12)


# what is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: nn.dropout("d", x, 1, RandomStreams(0)), "d: rate: found 1, expected a number from 0 to 1, below 1"),
        (lambda x: nn.dropout("d", x, "half", RandomStreams(0)), "d: rate: found 'half'"),
        (lambda x: nn.dropout("d", x, 0.5, None), r"d: streams: found a NoneType, expected symae.RandomStreams\(seed\)"),
        (lambda x: nn.dropout("d", x, 0.5, np.random.RandomState(0)), "d: streams: found a RandomState"),
        (lambda x: nn.dropout("d", pt.imatrix("i"), 0.5, RandomStreams(0)), "d: x: found dtype int32, expected floats"),
        (lambda x: nn.batch_norm(nn.Parameters(0), "n", pt.imatrix("i")), "n: x: found"),
        (lambda x: nn.batch_norm(nn.Parameters(0), "n", pt.matrix("x")), r"n: x: found shape \(None, None\), expected"),
        (lambda x: nn.batch_norm(nn.Parameters(0), "n", pt.vector("x")), r"n: x: found shape \(None,\)"),
        (lambda x: nn.batch_norm(nn.Parameters(0), "n", x, momentum=0), "n: momentum: found 0, expected a number from 0 to 1"),
        (lambda x: nn.batch_norm(nn.Parameters(0), "n", x, epsilon=-1), "n: epsilon: found -1, expected a positive number"),
    ],
)
def test_what_cannot_be_such_a_layer_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make(pt.tensor("x", shape=(None, 5)))


def test_a_second_layer_of_a_name_is_refused_and_leaves_nothing():
    params, x = nn.Parameters(0), pt.tensor("x", shape=(None, 5))
    params.add("n_beta", np.zeros(5))
    with pytest.raises(InputError, match="parameter: found a second n_beta"):
        nn.batch_norm(params, "n", x)
    assert (params.names, params.state) == (("n_beta",), [])

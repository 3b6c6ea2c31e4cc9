"""The door for people who come from Keras: trained like PyTorch, and as Keras says what it did."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each

import symae.compile.batched
import symae.keras.model
from symae import ConvolutionalAutoencoder, DenoisingAutoencoder, InputError, MissingFileError, RandomStreams, nn
from symae.errors import DivergedError
from symae.keras import LOSSES, OPTIMIZERS, Input, KerasHistory, Model
from symae.optimizers import adam, sgd

X = np.random.RandomState(1).rand(10, 6)


class Autoencoder:
    """Six pixels, three numbers, six pixels."""

    def __init__(self):
        self.params = nn.Parameters(np.random.RandomState(0))
        self.x = Input(6)
        self.code = nn.dense(self.params, "code", self.x, 3, activation="tanh")
        self.drawn = nn.dense(self.params, "drawn", self.code, 6, activation="sigmoid")
        self.model = Model(self.x, self.drawn)

    def expected(self, values):
        W, b, V, c = (p.get_value() for p in self.params)
        return 1 / (1 + np.exp(-(np.tanh(values @ W + b) @ V + c)))


def compiled(**keywords):
    model = Autoencoder().model
    model.compile(**keywords)
    return model


def cross_entropy(x, z):
    return float(-np.mean(x * np.log(z) + (1 - x) * np.log(1 - z)))


def torch_losses(network, epochs, batch_size, make):
    """Train in PyTorch; return each epoch's loss: the mean over the examples, as they come, while the network learns."""
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    params = [torch.tensor(p.get_value(), requires_grad=True) for p in network.params]
    W, b, V, c = params
    optimizer = make(torch.optim, params)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for batch in torch.tensor(X).split(batch_size):
            z = torch.sigmoid(torch.tanh(batch @ W + b) @ V + c)
            loss = torch.nn.functional.binary_cross_entropy(z, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(batch)
        losses.append(total / len(X))
    return losses


# fit


@pytest.mark.parametrize(
    ("optimizer", "theirs"),
    [
        ("adadelta", lambda o, p: o.Adadelta(p, lr=1.0, rho=0.95, eps=1e-7)),
        ("SGD", lambda o, p: o.SGD(p, lr=0.01)),
        ("momentum", lambda o, p: o.SGD(p, lr=0.01, momentum=0.9)),
        (partial(adam, learning_rate=0.1), lambda o, p: o.Adam(p, lr=0.1)),
    ],
    ids=["adadelta", "sgd", "momentum", "a function"],
)
def test_losses_are_pytorchs_epoch_by_epoch(optimizer, theirs):
    network = Autoencoder()
    expected = torch_losses(network, 4, 4, theirs)
    network.model.compile(optimizer)
    history = network.model.fit(X, X, batch_size=4, epochs=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-10)


def test_a_second_fit_goes_on_with_what_the_optimizer_remembers():
    once, twice = compiled(), compiled()
    expected = once.fit(X, X, 4, 3, shuffle=False, verbose=0).history["loss"]
    found = [twice.fit(X, X, 4, n, shuffle=False, verbose=0).history["loss"] for n in (1, 2)]
    assert found[0] + found[1] == expected


def test_compiling_again_forgets_what_the_optimizer_remembers_and_keeps_the_weights():
    model = compiled()
    model.fit(X, X, verbose=0)
    state = [v for v, _ in model._objective.updates if v not in model.params]
    before = model.parameters()
    model.compile()
    assert any(v.get_value().any() for v in state)
    assert not any(v.get_value().any() for v, _ in model._objective.updates if v not in model.params)
    assert all((before[name] == value).all() for name, value in model.parameters().items())


def orders(*keywords):
    """Return the orders in which an epoch of each of some calls of `fit` sees the examples."""
    network = Autoencoder()
    seen = pytensor.shared(np.zeros(0), name="seen")
    network.model.compile(lambda cost, params: [(seen, pt.concatenate([seen, network.x[:, 0]]))])
    for keyword in keywords:
        network.model.fit(X, X, batch_size=3, verbose=0, **keyword)
    return seen.get_value().reshape(len(keywords), len(X))


def test_each_epoch_has_all_examples_in_the_order_of_a_seed_which_is_another_in_each_call():
    found = orders({}, {}, {"seed": 0}, {"shuffle": False})
    shuffled = [X[np.random.RandomState(seed).permutation(10), 0] for seed in (0, 1, 0)]
    np.testing.assert_array_equal(found, [*shuffled, X[:, 0]])


def test_the_history_has_keras_names_for_losses_and_metrics():
    model = compiled(loss="mse", metrics=["binary_crossentropy", nn.root_mean_square_error])
    history = model.fit(X, X, epochs=2, validation_data=(X[:4], X[:4]), verbose=0)
    assert isinstance(history, KerasHistory)
    names = ["loss", "binary_crossentropy", "root_mean_square_error"]
    assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
    assert history.epoch == [0, 1]
    last = model.evaluate(X[:4], X[:4])
    assert [history.history[f"val_{name}"][-1] for name in names] == pytest.approx(last, rel=1e-12)
    assert history.history["loss"] is history.costs


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 2), ("auto", 2)])
def test_a_line_for_each_epoch_unless_there_shall_be_none(capsys, verbose, lines):
    history = compiled().fit(X, X, epochs=2, verbose=verbose, validation_data=(X, X))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == lines
    if lines:
        figures = f"loss: {history.history['loss'][1]:.4f} - val_loss: {history.history['val_loss'][1]:.4f}"
        assert printed[1].startswith("Epoch 2/2 - ")
        assert printed[1].endswith(f"s - {figures}")


def test_a_folder_can_be_resumed_and_patience_stops(tmp_path):
    expected = compiled().fit(X, X, 4, 4, verbose=0).history["loss"]
    compiled().fit(X, X, 4, 2, folder=tmp_path, verbose=0)
    resumed = compiled().fit(X, X, 4, 4, folder=tmp_path, resume=True, verbose=0)
    assert resumed.history["loss"] == expected
    worse = compiled(optimizer=lambda cost, params: sgd(cost, params, -0.1))
    history = worse.fit(X, X, epochs=9, patience=2, restore_best=True, verbose=0)
    assert (history.stopped_early, history.epoch) == (True, [0, 1, 2])


def test_a_denoising_autoencoder_has_noisy_examples_and_clean_targets():
    noisy = np.clip(X + 0.5 * np.random.RandomState(2).normal(size=X.shape), 0, 1)
    network = Autoencoder()
    network.model.compile()
    assert network.model.evaluate(noisy, X) == pytest.approx(cross_entropy(X, network.expected(noisy)), rel=1e-12)


def test_only_layers_between_inputs_and_outputs_are_trained():
    network = Autoencoder()
    decoder = Model(network.code, network.drawn)
    assert [p.name for p in decoder.params] == ["drawn_W", "drawn_b"]
    before = network.model.parameters()
    decoder.compile("sgd")
    decoder.fit(np.random.RandomState(0).normal(size=(10, 3)), X, verbose=0)
    changed = {name for name, value in network.model.parameters().items() if (value != before[name]).any()}
    assert changed == {"drawn_W", "drawn_b"}


def test_several_inputs_and_outputs_come_as_lists():
    params = nn.Parameters(np.random.RandomState(0))
    a, b = Input(2, name="a"), Input(4, name="b")
    left, right = nn.dense(params, "left", pt.concatenate([a, b], axis=1), 3), nn.dense(params, "right", b, 1)
    model = Model([a, b], [left, right])
    inputs, targets = [X[:, :2], X[:, 2:]], [X[:, :3], X[:, 3:4]]
    model.compile("sgd", loss=["mse", "mse"], metrics=["mse"])
    history = model.fit(inputs, targets, verbose=0, validation_data=(inputs, targets))
    names = ["loss", "left_loss", "left_mse", "right_loss", "right_mse"]
    assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
    loss, left_loss, left_mse, right_loss, _ = model.evaluate(inputs, targets)
    assert loss == pytest.approx(left_loss + right_loss)
    predicted = model.predict(inputs)
    assert [p.shape for p in predicted] == [(10, 3), (10, 1)]
    assert left_loss == left_mse == pytest.approx(np.mean((predicted[0] - targets[0]) ** 2))
    with pytest.raises(InputError, match="x: found a ndarray, expected a list of 2: a, b"):
        model.predict(X)
    with pytest.raises(InputError, match="y: found 1 arrays, expected a list of 2: left_y, right_y"):
        model.evaluate(inputs, targets[:1])


# predict and evaluate


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 8])
def test_any_number_of_examples_can_be_predicted(n):
    network = Autoencoder()
    values = np.random.RandomState(3).rand(n, 6)
    predicted = network.model.predict(values, batch_size=4)
    assert predicted.shape == (n, 6)
    np.testing.assert_allclose(predicted, network.expected(values), rtol=1e-12)


def test_predictions_are_compiled_once(monkeypatch):
    compilations = []
    real = symae.compile.batched.function
    monkeypatch.setattr(symae.compile.batched, "function", lambda *a, **k: compilations.append(k["name"]) or real(*a, **k))
    model = compiled()
    for n in (7, 1, 0):
        model.predict(X[:n], batch_size=4)
        model.evaluate(X[:8], X[:8], batch_size=4)
    assert sorted(compilations) == ["evaluate", "predict"]


@pytest.mark.parametrize("batch_size", [1, 3, 4, 32])
def test_an_evaluation_is_the_mean_over_all_examples(batch_size):
    network = Autoencoder()
    network.model.compile()
    expected = cross_entropy(X[:7], network.expected(X[:7]))
    assert network.model.evaluate(X[:7], X[:7], batch_size) == pytest.approx(expected, rel=1e-12)


def test_bytes_are_taken_as_numbers_and_results_are_of_float_x(float32):
    images = np.random.RandomState(0).randint(2, size=(5, 6)).astype("uint8")
    model = compiled()
    model.fit(images, images, verbose=0)
    assert model.predict(images).dtype == np.float32


@pytest.mark.parametrize("backend", each(backends=["c", "pytorch"]))
def test_every_backend_trains_and_predicts(backend, float32):
    model = compiled(optimizer="sgd", loss="mse", backend=backend)
    history = model.fit(X, X, batch_size=5, shuffle=False, verbose=0)
    exact = compiled(optimizer="sgd", loss="mse")
    assert history.history["loss"] == pytest.approx(exact.fit(X, X, 5, shuffle=False, verbose=0).costs, rel=1e-5)
    np.testing.assert_allclose(model.predict(X, batch_size=5), exact.predict(X), rtol=1e-5)


# summary and weights


def test_the_summary_is_a_table_of_layers(capsys):
    network = Autoencoder()
    Model(network.x, nn.flatten("flat", network.drawn)).summary()
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Layer                  Output shape  Parameters",
        "-----------------------------------------------",
        "x      input           (None, 6)              0",
        "code   dense, tanh     (None, 3)             21",
        "drawn  dense, sigmoid  (None, 6)             24",
        "flat   flatten         (None, 6)              0",
        "-----------------------------------------------",
        "45 parameters",
    ]


@pytest.mark.parametrize(
    "name", ["c", "a_convolution_with_a_name_that_is_much_longer_than_any_line_of_a_terminal_has_room_for"]
)
def test_a_summary_has_at_most_80_columns(name):
    params = nn.Parameters(np.random.RandomState(0))
    x = Input((3, 128, 128))
    y = nn.deconv(params, name, x, 1024, (3, 5), activation="leaky_relu", subsample=(2, 3), border_mode="same")
    lines = []
    Model(x, y).summary(print_fn=lines.append)
    assert max(map(len, lines)) <= 80
    assert "(None, 1024, 256, 384)" in lines[3]
    assert lines[3].endswith("47,104")
    assert lines[-1] == "47,104 parameters"


def test_a_summary_of_a_whole_model_adds_up():
    autoencoder = ConvolutionalAutoencoder(np.random.RandomState(0))
    lines = []
    Model(autoencoder.x, autoencoder.output).summary(print_fn=lines.append)
    assert lines[-1] == "4,385 parameters"
    assert len(lines) == 1 + 1 + 1 + 13 + 1 + 1


def test_weights_are_saved_and_loaded_by_name(tmp_path):
    model, other = compiled(), compiled()
    model.fit(X, X, verbose=0)
    assert model.save_weights(tmp_path / "weights").name == "weights.safetensors"
    other.load_weights(tmp_path / "weights")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_weights_of_other_models_are_refused_and_change_nothing(tmp_path):
    network = Autoencoder()
    before = network.model.parameters()
    Model(network.x, network.code).save_weights(tmp_path / "encoder")
    with pytest.raises(InputError, match="encoder: found no drawn_W, expected drawn_W of shape \\(3, 6\\), as this model has"):
        network.model.load_weights(tmp_path / "encoder")
    DenoisingAutoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3).save(tmp_path / "other")
    with pytest.raises(InputError, match="other: found a saved DenoisingAutoencoder, expected what save_weights wrote"):
        network.model.load_weights(tmp_path / "other")
    with pytest.raises(MissingFileError):
        network.model.load_weights(tmp_path / "nothing")
    with pytest.raises(InputError, match="parameters: found more of shape \\(\\), expected no more"):
        network.model.set_parameters({**before, "more": 1.0})
    assert all((before[name] == value).all() for name, value in network.model.parameters().items())


# What is refused


def cost(target, drawn):
    return pt.abs(target - drawn)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"optimizer": "lion"}, f"optimizer: found 'lion', expected a function, or one of {', '.join(OPTIMIZERS)}"),
        ({"optimizer": None}, "optimizer: found None"),
        ({"loss": "hinge"}, f"loss: found 'hinge', expected a function, or one of {', '.join(LOSSES)}"),
        ({"loss": ["mse", "mse"]}, "loss: found 2 losses, expected one, or one for each of 1 outputs"),
        ({"loss": lambda t, z: 0.5}, "loss: found a function that gives a float, expected one that gives symbolic costs"),
        ({"loss": lambda t, z: t}, "loss: found one that parameters do not change, expected a function of the target and"),
        ({"metrics": ["accuracy"]}, "metrics: found 'accuracy'"),
        ({"metrics": "accuracy"}, "metrics: found 'accuracy'"),
        ({"metrics": [cost]}, "metrics: found a second cost, expected a name for each"),
        ({"metrics": ["mse", "mse"]}, "metrics: found a second mse, expected a name for each"),
    ],
)
def test_unknown_settings_are_refused_with_the_known_ones(keywords, message):
    with pytest.raises(InputError, match=message):
        compiled(**keywords)


@pytest.mark.parametrize("call", [lambda m: m.fit(X, X), lambda m: m.evaluate(X, X)])
def test_a_model_without_a_loss_cannot_be_trained(call):
    with pytest.raises(InputError, match="model: found no loss, expected compile\\(optimizer, loss\\) before"):
        call(Autoencoder().model)


NAN = np.where(np.arange(60).reshape(10, 6) == 7, np.nan, X)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((X, X[:9]), {}, r"data\[y\]: found 9 examples, expected 10, as many as data\[x\] has"),
        ((X[:, :5], X), {}, r"data\[x\]: found shape \(10, 5\), expected \(n, 6\)"),
        ((X, X[:, :5]), {}, r"data\[y\]: found shape \(10, 5\), expected \(n, 6\)"),
        ((X.astype(str), X), {}, r"data\[x\]: found dtype <U\d+, expected an array of numbers"),
        ((NAN, X), {}, r"data\[x\]: found NaN or infinite values, expected finite numbers"),
        ((X[:0], X[:0]), {}, "data: found no examples, expected at least one"),
        ((X, X), {"batch_size": 0}, "batch_size: found 0, expected an integer of at least 1"),
        ((X, X), {"validation_data": X}, r"validation_data: found a ndarray, expected the two arrays \(x, y\)"),
        ((X, X), {"validation_data": (X, X[:3])}, r"validation\[y\]: found 3 examples"),
        ((X, X), {"resume": True}, "resume: found no folder"),
    ],
)
def test_data_that_does_not_fit_is_refused(arguments, keywords, message):
    with pytest.raises(InputError, match=message):
        compiled().fit(*arguments, **keywords, verbose=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (X[:, :5], r"data\[x\]: found shape \(10, 5\), expected \(n, 6\)"),
        (np.zeros((0, 5)), r"data\[x\]: found shape \(1, 5\), expected \(n, 6\)"),
        (NAN, r"data\[x\]: found NaN or infinite values"),
        ([[1.0], [2.0, 3.0]], r"data\[x\]: found something that is not an array of numbers"),
        ([], r"data\[x\]: found shape \(0,\)"),
    ],
)
def test_what_cannot_be_predicted_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Autoencoder().model.predict(values)


def test_chunks_of_no_examples_are_refused():
    with pytest.raises(InputError, match="batch_size: found 0, expected an integer of at least 1"):
        Autoencoder().model.predict(X, batch_size=0)


@pytest.mark.parametrize("shape", [(0, 8), -1, 2.5, "28"])
def test_shapes_of_inputs_are_checked(shape):
    with pytest.raises(InputError, match="shape: found"):
        Input(shape)


def test_sizes_of_inputs_may_be_unknown():
    assert Input((1, None, 28)).type.shape == (None, 1, None, 28)
    assert Input((), dtype="int64").type.shape == (None,)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda n: Model(n.x, n.drawn + pt.matrix("z")),
            "inputs: found x, expected z among them, because the outputs depend on it",
        ),
        (lambda n: Model([n.x, Input(3, name="z")], n.drawn), "inputs: found z, on which no output depends"),
        (lambda n: Model([n.x, Input(6)], n.drawn), "inputs: found inputs named x, x, expected a name for each"),
        (lambda n: Model([], n.drawn), "inputs: found none, expected symbolic arrays"),
        (lambda n: Model(X, n.drawn), "inputs: found a ndarray, expected symbolic arrays"),
        (
            lambda n: Model(n.x, pt.sum(n.drawn)),
            "outputs: found .* of type .*, expected symbolic arrays with an entry for each",
        ),
        (lambda n: Model(pt.tensor("x", shape=(5, 6)), n.drawn), "inputs: found x of type .*5, 6"),
        (lambda n: Model(n.x, n.x * 2).compile(), "outputs: found no layer with parameters on the way from the inputs"),
    ],
)
def test_models_that_are_none_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build(Autoencoder())


def test_two_parameters_of_a_name_are_refused():
    x = Input(6)
    one, other = (nn.dense(nn.Parameters(np.random.RandomState(0)), "code", x, 3) for _ in range(2))
    with pytest.raises(
        InputError, match="outputs: found parameters named code_W, code_b, code_W, code_b, expected a name for each"
    ):
        Model(x, one + other)


def test_outputs_of_one_name_cannot_both_be_trained():
    network = Autoencoder()
    model = Model(network.x, [network.drawn, network.drawn])
    with pytest.raises(InputError, match="metrics: found a second drawn_loss, expected a name for each"):
        model.compile()


def test_a_loss_that_is_not_finite_is_said_at_once():
    model = compiled(loss=lambda target, drawn: nn.mean_squared_error(target, drawn) + np.inf)
    with pytest.raises(DivergedError, match="epoch 0, minibatch"):
        model.fit(X, X, 2, verbose=0)


def test_images_whose_size_the_layers_do_not_come_back_to_are_refused_by_their_sizes():
    x = Input((1, None, None))
    params = nn.Parameters(np.random.RandomState(0))
    halved = nn.max_pool("halved", nn.conv(params, "conv", x, 2, 3, activation="relu"), 2)
    drawn = nn.conv(params, "drawn", nn.upsample("up", halved, 2), 1, 3, activation="sigmoid")
    model = Model(x, drawn)
    model.compile("sgd")
    odd, even = np.zeros((4, 1, 9, 8)), np.zeros((4, 1, 8, 8))
    message = r"y: found examples of shape \(1, 9, 8\), expected \(1, 10, 8\), what drawn is for x of shape \(1, 9, 8\)"
    for call in (model.evaluate, partial(model.fit, verbose=0)):
        with pytest.raises(InputError, match=message):
            call(odd, odd)
    assert model.evaluate(even, even) == pytest.approx(np.log(2))
    assert model.predict(odd).shape == (4, 1, 10, 8)


def test_an_input_of_the_same_name_as_another_one_is_told_apart_from_it():
    one, other = Input(3), Input(3)
    layer = nn.dense(nn.Parameters(np.random.RandomState(0)), "sum", one + other, 2)
    with pytest.raises(InputError, match=r"found x, expected another one too that is also called x; Input\(shape, name="):
        Model(one, layer)


def test_weights_that_are_not_finite_are_named_as_they_are_loaded(tmp_path):
    model = Autoencoder()
    list(model.params)[1].set_value([0, np.inf, 0])
    model.model.save_weights(tmp_path / "w")
    with pytest.warns(RuntimeWarning, match="NaN or infinite values in code_b$"):
        Autoencoder().model.load_weights(tmp_path / "w")


# Keras's other ways


def test_the_last_examples_are_held_out_before_anything_is_shuffled():
    split, told = compiled(), compiled()
    history = split.fit(X, X, 2, 3, validation_split=0.35, verbose=0)  # Keras holds out the last 4 of 10: it rounds 6.5 down
    expected = told.fit(X[:6], X[:6], 2, 3, validation_data=(X[6:], X[6:]), verbose=0)
    assert history.history == expected.history
    assert compiled().fit(X, X, validation_split=0.0, verbose=0).history.keys() == {"loss"}


def test_validation_data_take_precedence_over_a_split():
    history = compiled().fit(X, X, 5, validation_split=0.5, validation_data=(X[:2], X[:2]), verbose=0)
    assert history.history == compiled().fit(X, X, 5, validation_data=(X[:2], X[:2]), verbose=0).history


def test_lists_shared_variables_and_files_are_split_too(tmp_path):
    file = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float64", X.shape)
    file[:] = X
    expected = compiled().fit(X, X, 2, validation_split=0.2, shuffle=False, verbose=0).history

    class Elsewhere:
        """Examples that have a length and are indexed by a vector, and no array."""

        def __len__(self):
            return len(X)

        def __getitem__(self, key):
            return X[key]

    for x in (X.tolist(), pytensor.shared(X), file, Elsewhere()):
        found = compiled().fit(x, X, 2, validation_split=0.2, shuffle=False, verbose=0).history
        assert found == {name: pytest.approx(values, rel=1e-12) for name, values in expected.items()}


class Made:
    """Examples without a shape, which are made as a vector asks for them."""

    def __init__(self, array):
        self.array = array

    def __len__(self):
        return len(self.array)

    def __getitem__(self, places):
        assert np.ndim(places), "NumPy reads all of it, one example after the other"
        return self.array[places]


def test_the_shape_of_examples_outside_memory_is_that_of_the_first():
    expected = compiled().fit(X, X, 2, validation_split=0.2, verbose=0).history
    assert compiled().fit(Made(X), Made(X), 2, validation_split=0.2, verbose=0).history == expected
    with pytest.raises(InputError, match=r"data\[x\]: found shape \(8, 3\), expected \(n, 6\)"):
        compiled().fit(Made(X[:, :3]), X, 2, validation_split=0.2, verbose=0)


@pytest.mark.parametrize("share", [1, 1.5, -0.1, "0.2", None, True, 0.99])
def test_a_split_that_leaves_nothing_is_refused(share):
    with pytest.raises(InputError, match="validation_split: found"):
        compiled().fit(X[:5], X[:5], validation_split=share, verbose=0)


def test_callbacks_see_each_epoch_and_may_stop_the_training():
    seen = []
    history = compiled().fit(X, X, epochs=5, verbose=0, callbacks=[lambda state: seen.append(state.cost) or len(seen) == 2])
    assert history.history["loss"] == seen
    assert len(seen) == 2


class Normalised:
    """Layers with running averages, and one that is left out at random."""

    def __init__(self):
        self.params = nn.Parameters(np.random.RandomState(0))
        self.x = Input(6)
        h = nn.batch_norm(self.params, "norm", nn.dense(self.params, "code", self.x, 3))
        self.drawn = nn.dense(self.params, "drawn", nn.dropout("drop", h, 0.5, RandomStreams(3)), 6, activation="sigmoid")
        self.model = Model(self.x, self.drawn)


NAMES = ["code_W", "code_b", "norm_gamma", "norm_beta", "norm_mean", "norm_variance", "drawn_W", "drawn_b"]


def test_predictions_are_those_of_a_model_that_has_learned():
    network = Normalised()
    network.model.compile("sgd", "mse")
    network.model.fit(X, X, 5, 3, verbose=0)
    W, b, gamma, beta, mean, variance, V, c = network.model.get_weights()
    expected = 1 / (1 + np.exp(-((X @ W + b - mean) / np.sqrt(variance + 1e-5) * gamma + beta) @ V - c))
    np.testing.assert_allclose(network.model.predict(X), expected, rtol=1e-10)
    assert network.model.evaluate(X, X) == pytest.approx(np.mean((expected - X) ** 2))
    assert mean.any()


def test_weights_come_layer_by_layer_parameters_before_averages():
    one, other = Normalised().model, Normalised().model
    assert [v.name for v in one.weights] == NAMES
    assert [p.name for p in one.params] == [name for name in NAMES if name not in ("norm_mean", "norm_variance")]
    weights = [np.full(w.shape, float(i)) for i, w in enumerate(one.get_weights())]
    one.set_weights(weights)
    other.set_weights(one.get_weights())
    for i, w in enumerate(other.get_weights()):
        np.testing.assert_array_equal(w, weights[i])
    one.get_weights()[0][:] = 7  # copies
    assert (one.get_weights()[0] == 0).all()


def test_averages_are_saved_with_the_weights(tmp_path):
    one, other = Normalised().model, Normalised().model
    one.compile("sgd", "mse")
    one.fit(X, X, 5, 3, verbose=0)
    one.save_weights(tmp_path / "weights")
    other.load_weights(tmp_path / "weights")
    np.testing.assert_array_equal(other.predict(X), one.predict(X))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], r"weights: found 0 arrays, expected a list of 4: code_W, code_b, drawn_W, drawn_b"),
        (3, r"weights: found a int, expected a list of 4"),
        (
            [np.zeros((6, 3)), np.zeros(3), np.zeros((3, 6)), np.zeros(5)],
            r"weights, drawn_b: found shape \(5,\), expected \(6,\)",
        ),
        ([np.ones((6, 3)), np.zeros(3), np.zeros((3, 6)), ["a"] * 6], "weights, drawn_b: found no array of numbers"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(weights, message):
    model = Autoencoder().model
    before = model.get_weights()
    with pytest.raises(InputError, match=message):
        model.set_weights(weights)
    assert all((old == new).all() for old, new in zip(before, model.get_weights(), strict=True))


def test_layers_have_names_places_and_ends_for_other_models():
    network = Normalised()
    model = network.model
    assert [layer.name for layer in model.layers] == ["x", "code", "norm", "drop", "drawn"]
    assert model.get_layer(index=-1).output is model.output is network.drawn
    assert model.get_layer("code").input is model.input is network.x
    norm = model.get_layer("norm")
    assert (norm.kind, norm.count_params(), [v.name for v in norm.weights]) == ("batch normalisation", 12, NAMES[2:6])
    norm.set_weights([np.full(3, value) for value in (2.0, 0.5, 1.0, 4.0)])
    encoder = Model(model.input, model.get_layer("drop").output)
    W, b = model.get_layer("code").get_weights()
    np.testing.assert_allclose(encoder.predict(X), (X @ W + b - 1) / np.sqrt(4 + 1e-5) * 2 + 0.5, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "nothing"}, "get_layer: found 'nothing', expected one of x, code, drawn"),
        ({"index": 3}, "index: found 3, expected an integer from -3 to 2"),
        ({}, "get_layer: found neither, expected a name, or an index="),
        ({"name": "code", "index": 1}, "get_layer: found both"),
    ],
)
def test_layers_that_are_not_there_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Autoencoder().model.get_layer(**arguments)

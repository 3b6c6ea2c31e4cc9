"""What is found out about units, reconstructions and codes."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

import symae
from symae import ConvolutionalAutoencoder, CoordinateVAE, ImageAutoencoder, LogisticRegression
from symae.errors import InputError
from symae.inspector.api.unit import unit_json
from symae.inspector.corruption import centred, corrupted


@pytest.fixture
def inspection(trained, digits):
    return symae.inspect(trained, digits, np.arange(100) % 10)


def test_the_images_that_excite_a_unit_most_and_least_are_those_of_its_largest_and_smallest_values(inspection, trained, digits):
    codes = trained.transform(digits)
    for unit in (0, 17, 39):
        most, least = inspection.activity("W").extremes(unit, 3)
        ordered = np.sort(codes[:, unit])
        np.testing.assert_allclose(codes[most, unit], ordered[::-1][:3], rtol=1e-5)
        np.testing.assert_allclose(codes[least, unit], ordered[:3], rtol=1e-5)


def test_activity_is_the_share_of_images_with_the_unit_above_a_half(inspection, trained, digits):
    codes = trained.transform(digits)
    np.testing.assert_allclose(inspection.activity("W").active, (codes > 0.5).mean(axis=0))
    np.testing.assert_allclose(inspection.activity("W").mean, codes.mean(axis=0), rtol=1e-5)


def test_the_best_input_of_the_first_layer_is_its_weights_at_the_bound(inspection, trained):
    W = trained.W.get_value()
    best = inspection.best_input("W", 7, 3.0)
    np.testing.assert_allclose(best.input, 3 * W[:, 7] / np.linalg.norm(W[:, 7]))
    assert best.value == pytest.approx(1 / (1 + np.exp(-(best.input @ W[:, 7] + trained.b.get_value()[7]))))
    assert "closed form" in best.how


def test_nothing_within_the_bound_excites_a_unit_more_than_its_best_input(inspection, trained):
    best = inspection.best_input("W", 3, 0.5)
    others = np.random.RandomState(0).standard_normal((200, 784))
    others *= 0.5 / np.linalg.norm(others, axis=1, keepdims=True)
    assert trained.transform(others)[:, 3].max() < best.value


def test_gradient_ascent_finds_the_closed_form_where_there_is_one(trained, digits):
    inspection = symae.inspect(trained, digits)
    exact = inspection.best_input("W", 2, 0.2)
    layer = inspection.layers["W"]
    object.__setattr__(layer, "sees_pixels", False)  # as if it were a deeper one
    climbed = inspection.best_input("W", 2, 0.2)
    assert climbed.how.startswith("gradient ascent")
    assert climbed.value == pytest.approx(exact.value, rel=1e-3)
    assert np.linalg.norm(climbed.input) <= 0.2 * (1 + 1e-9)


def test_the_best_input_of_a_convolution_is_its_filter_in_the_middle(digits):
    model = ConvolutionalAutoencoder(np.random.RandomState(0), maps=(3, 2))
    inspection = symae.inspect(model, digits)
    best = inspection.best_input("conv1_W", 1, 2.0)
    picture = best.input.reshape(28, 28)
    rows, columns = np.nonzero(np.abs(picture) > 1e-12)
    assert (np.ptp(rows), np.ptp(columns)) == (2, 2)
    W = model.parameters()["conv1_W"][1, 0]
    patch = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    np.testing.assert_allclose(patch, 2 * W / np.linalg.norm(W), atol=1e-9)


def test_deeper_units_rise_above_what_test_images_of_that_norm_do(digits):
    model = ConvolutionalAutoencoder(np.random.RandomState(0), maps=(3, 2))
    inspection = symae.inspect(model, digits)
    layer = "conv2_W"
    unit = int(inspection.activity(layer).strongest.max(axis=0).argmax())
    start = digits[inspection.activity(layer).extremes(unit, 1)[0][0]]
    best = inspection.best_input(layer, unit, float(np.linalg.norm(start)))
    assert best.value > inspection.activity(layer).strongest[:, unit].max()


def test_a_dead_unit_has_no_best_input(digits):
    model = ConvolutionalAutoencoder(np.random.RandomState(0), maps=(3, 2))
    model.set_parameters(model.parameters() | {"conv2_b": np.full(2, -1e9)})
    assert symae.inspect(model, digits).best_input("conv2_W", 0) is None


def test_what_a_unit_draws_alone_is_the_decoder_of_its_value(inspection, trained, digits):
    code = np.zeros((1, 40))
    best = inspection.activity("W").extremes(5, 1)[0][0]
    code[0, 5] = trained.transform(digits[best : best + 1])[0, 5]
    np.testing.assert_allclose(inspection.alone("W", 5).reshape(-1), trained.inverse_transform(code)[0], rtol=1e-6)


def test_units_of_unpooled_maps_draw_too_and_the_last_layer_does_not(digits):
    model = ImageAutoencoder(np.random.RandomState(0), maps=2, pool=4)
    inspection = symae.inspect(model, digits)
    assert inspection.alone("W1", 1).shape == (28, 28)
    conv = symae.inspect(ConvolutionalAutoencoder(np.random.RandomState(0), maps=(3, 2)), digits)
    assert conv.alone("output_W", 0) is None


def test_every_named_node_is_computed(digits):
    model = ImageAutoencoder(np.random.RandomState(0), maps=2, pool=4)
    values = symae.inspect(model, digits).node_values(digits[0])
    assert {name: value.shape for name, value in values.items()} == {
        "input": (1, 28, 28),
        "conv1": (2, 28, 28),
        "pool1": (2, 7, 7),
        "unpool1": (2, 28, 28),
        "deconv1": (1, 28, 28),
    }
    np.testing.assert_allclose(values["pool1"], model.node_values("pool1", digits[:1])[0], rtol=1e-6)


def test_a_reconstruction_is_the_models_and_its_error_a_difference(inspection, trained, digits):
    found = inspection.reconstruct(4)
    np.testing.assert_allclose(found.output.reshape(-1), trained.reconstruct(digits[4:5].astype(np.float32))[0], rtol=1e-5)
    np.testing.assert_allclose(found.error, found.output - found.original)
    assert found.rmse == pytest.approx(np.sqrt(np.mean(found.error**2)))
    assert found._repr_png_().startswith(b"\x89PNG")


def test_a_model_that_draws_nothing_says_so(digits):
    inspection = symae.inspect(LogisticRegression(pt.matrix("x"), 784, 10), digits)
    assert inspection.filters().pictures.shape == (10, 28, 28)
    assert inspection.alone("W", 0) is None
    with pytest.raises(InputError, match="LogisticRegression, which draws nothing"):
        inspection.reconstruct(0)
    latent = inspection.latent  # its code are the probabilities of the classes
    np.testing.assert_allclose(latent.codes.sum(axis=1), 1)
    with pytest.raises(InputError, match="draws no code by itself"):
        latent.draw(latent.codes[0])


def test_a_model_of_another_size_is_shown_without_test_images():
    inspection = symae.inspect(symae.Autoencoder(np.random.RandomState(0), n_visible=12, n_hidden=3))
    assert inspection.filters().pictures.shape == (3, 1, 12)
    assert inspection.best_input("W", 1).bound == 1.0
    assert "most" not in unit_json(inspection, "W", 1)
    with pytest.raises(InputError, match="test images"):
        inspection.activity("W")


@pytest.mark.parametrize(
    ("images", "message"),
    [(np.zeros((3, 5)), "expected numbers"), (np.full((1, 784), np.nan), "finite"), (np.zeros((0, 784)), "at least one")],
)
def test_images_of_another_kind_are_refused(trained, images, message):
    with pytest.raises(InputError, match=message):
        symae.inspect(trained, images)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1, 2], "labels: found float64 such as '0.5', expected integers"),
        (["a", "b", "c"], "labels: found <U1 such as 'a', expected integers"),
        ([1, 2], r"labels: found shape \(2,\), expected \(3,\), one for each image"),
        ([[1], [2, 3], [4]], "labels: found lists of several lengths"),
    ],
)
def test_labels_that_are_no_integers_are_refused(trained, digits, labels, message):
    with pytest.raises(InputError, match=message):
        symae.inspect(trained, digits[:3], labels)


def test_labels_may_be_of_any_type_of_integers(trained, digits):
    for labels in ([0, 7, 2], np.array([0, 7, 2], np.uint8)):
        assert symae.inspect(trained, digits[:3], labels).examples.labels.tolist() == [0, 7, 2]


@pytest.mark.parametrize(("layer", "unit"), [("V", 0), ("W", 40), ("W", -1)])
def test_layers_and_units_that_are_not_there_are_named(inspection, layer, unit):
    with pytest.raises(InputError, match=r"one of W|from 0 to 39"):
        inspection.best_input(layer, unit)


def test_a_page_of_a_unit_has_its_weights_and_its_images(inspection, trained):
    found = unit_json(inspection, "W", 9)
    assert sum(found["histogram"]["counts"]) == found["weights"] == 784
    assert found["bias"] == pytest.approx(trained.b.get_value()[9])
    assert found["most"]["images"][0] == inspection.activity("W").extremes(9, 1)[0][0]
    values = found["most"]["values"]
    assert values == sorted(values, reverse=True)
    assert found["least"]["values"][0] <= values[-1]


def test_damage_is_the_same_for_the_same_seed_and_of_the_level_asked_for():
    image = np.ones(10_000)
    zeroed = corrupted(image, "zero", 0.3, 5)
    assert (zeroed == corrupted(image, "zero", 0.3, 5)).all()
    assert (zeroed != corrupted(image, "zero", 0.3, 6)).any()
    assert (zeroed == 0).mean() == pytest.approx(0.3, abs=0.02)
    noisy = corrupted(image / 2, "noise", 0.1, 5)
    assert noisy.std() == pytest.approx(0.1, abs=0.01)
    assert corrupted(image, "noise", 1.0, 5).max() <= 1
    assert corrupted(image, "zero", 0.0, 5) is image


def test_a_drawing_in_a_corner_is_put_where_the_data_has_its_digits(digits):
    paper = np.zeros((28, 28))
    paper[1:7, 2:5] = 1
    moved = centred(paper)
    assert np.ptp(np.flatnonzero((moved > 0.1).any(axis=1))) + 1 == 20
    mass = moved / moved.sum()
    assert abs((mass.sum(axis=1) * np.arange(28)).sum() - 13.5) < 1
    assert abs((mass.sum(axis=0) * np.arange(28)).sum() - 13.5) < 1
    assert (centred(np.zeros((28, 28))) == 0).all()
    digit = digits[0].reshape(28, 28)
    assert np.abs(centred(digit) - digit).mean() < 0.03  # it was there already


def test_codes_are_drawn_and_mapped_for_models_of_a_few_numbers(strided, digits):
    latent = symae.inspect(strided, digits).latent
    assert latent.names == ["z1", "z2", "z3"]
    np.testing.assert_allclose(latent.codes, strided.transform(digits), rtol=1e-4, atol=1e-6)
    drawn = latent.draw(latent.codes[3])
    np.testing.assert_allclose(drawn, strided.reconstruct(digits[3:4])[0, 0], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="28, because this model draws at one size"):
        latent.draw(latent.codes[0], 56)


def test_a_place_on_the_map_goes_back_to_its_code(strided, digits):
    latent = symae.inspect(strided, digits).latent
    full = np.linalg.matrix_rank(latent.codes - latent.codes.mean(axis=0))
    across, up = latent.plane[4]
    code = latent.at(across, up)
    centred_codes = latent.codes - latent.codes.mean(axis=0)
    residual = centred_codes[4] - (code - latent.middle)
    assert full == 3
    np.testing.assert_allclose(latent.directions @ residual, 0, atol=1e-8)


def test_an_atlas_draws_the_plane_from_its_left_upper_corner(strided, digits):
    latent = symae.inspect(strided, digits).latent
    atlas = latent.atlas(3)
    left, top = latent.plane[:, 0].min(), latent.plane[:, 1].max()
    np.testing.assert_allclose(atlas[0], latent.draw(latent.at(left, top)))
    assert atlas.shape == (9, 28, 28)
    assert latent.atlas(2, 14).shape == (4, 14, 14)


def test_a_coordinate_vae_draws_codes_at_any_resolution(coordinate_vae, digits):
    latent = symae.inspect(coordinate_vae, digits[:5]).latent
    assert latent.any_resolution
    for size in (7, 28, 70):
        expected = coordinate_vae.render(latent.codes[:1], (size, size))[0]
        np.testing.assert_allclose(latent.draw(latent.codes[0], size), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="from 1 to 2048"):
        latent.draw(latent.codes[0], 5000)


@pytest.mark.parametrize("code", [[0.0], [np.nan, 0, 0], "abc"])
def test_codes_of_another_kind_are_refused(strided, digits, code):
    latent = symae.inspect(strided, digits[:5]).latent
    with pytest.raises((InputError, ValueError)):
        latent.draw(code)


@pytest.mark.parametrize("affine", [False, True])
def test_the_units_of_a_decoder_of_places_are_maps_from_which_its_last_layer_draws(digits, affine):
    model = CoordinateVAE(np.random.RandomState(2), n_latent=2, affine=affine)
    values = symae.inspect(model, digits[:3]).node_values(digits[1].astype(np.float32))
    last = f"decoder{len(model._layers) + 1}"
    maps = values[f"decoder{len(model._layers)}"]
    assert maps.shape == (model._layers[-1], 28, 28)
    W, b = (model.parameters()[f"{last}_{kind}"] for kind in "Wb")
    logits = np.tensordot(W[:, 0], maps, 1) + b[0]
    np.testing.assert_allclose(values["output"][0], 1 / (1 + np.exp(-logits)), rtol=1e-4)
    assert list(values)[-1] == "output"


@pytest.mark.parametrize("affine", [False, True])
def test_colours_are_drawn_at_any_size(affine):
    images = np.random.RandomState(0).randint(0, 256, (5, 3, 4, 6)).astype(np.uint8)
    model = CoordinateVAE(np.random.RandomState(2), n_latent=2, affine=affine, image_shape=(3, 4, 6))
    latent = symae.inspect(model, images.reshape(5, -1)).latent
    code = latent.codes[1]
    expected = model.render(code[None, :2], (8, 12), code[None, 2:] if affine else None)[0]
    assert latent.draw(code).shape == (4, 6, 3)
    np.testing.assert_allclose(latent.draw(code, 12), expected.transpose(1, 2, 0), rtol=1e-5)


def test_saved_weights_without_layers_are_refused_in_words_that_tell_why(tmp_path):
    from symae import keras, nn

    x = keras.Input(6)
    model = keras.Model(x, nn.dense(nn.Parameters(np.random.RandomState(0)), "code", x, 2))
    model.save_weights(tmp_path / "weights")
    with pytest.raises(InputError, match=r"one of Autoencoder.*symae.keras.load_model reads") as refused:
        symae.inspect(tmp_path)
    assert "_" not in refused.value.expected.partition(";")[0]

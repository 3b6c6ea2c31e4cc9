"""Tiled pictures equal the tutorials' bit for bit; labelled pictures show every pixel; maps show codes; bad input is named."""

import hashlib
import io
import json

import numpy as np
import pytensor
import pytest
from golden.figures import read_arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from symae.errors import InputError, UnwritableError
from symae.images import (
    code_map,
    enlarge,
    filter_maps,
    labelled_rows,
    png_bytes,
    principal_components,
    psnr,
    save_png,
    scale_to_unit_interval,
    side_by_side,
    tile_raster_images,
    to_image,
    unit_images,
)
from symae.images.code_map import COLOURS, _colour

GOLDEN = read_arrays("tile_raster_images")
CASES = list(enumerate(json.loads(str(GOLDEN["cases"]))))


def case_name(case):
    if not isinstance(case, dict):
        return None
    name = case["X"] if isinstance(case["X"], str) else "".join(letter or "-" for letter in case["X"])
    flags = ("scaled" if case["scale_rows_to_unit_interval"] else "as is") + (" pixels" if case["output_pixel_vals"] else "")
    return f"{name} {case['tile_shape']} {case['tile_spacing']} {flags}"


def golden_input(names):
    if isinstance(names, str):
        return GOLDEN["input " + names]
    return tuple(None if name is None else GOLDEN["input " + name] for name in names)


def assert_same(found, expected):
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected, strict=True)
    # Equal numbers are equal bits but for the sign of zero; NaNs are not compared further.
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.parametrize(("number", "case"), CASES, ids=case_name)
def test_the_tiled_picture_is_the_tutorials_bit_for_bit(number, case):
    arguments = {**case, "X": golden_input(case["X"])}
    assert_same(tile_raster_images(**arguments), GOLDEN[f"out{number}"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_worksheets_first_filters_give_the_tutorials_picture(dtype):
    bound = 4 * np.sqrt(6 / (784 + 100))
    filters = np.random.RandomState(123).uniform(-bound, bound, (784, 100)).astype(dtype).T
    picture = tile_raster_images(filters, (28, 28), (10, 10), (1, 1))
    values = tile_raster_images(filters, (28, 28), (10, 10), (1, 1), output_pixel_vals=False)
    digests = [hashlib.sha256(array.tobytes()).hexdigest() for array in (picture, values)]
    assert digests == json.loads(str(GOLDEN["digests"]))[dtype]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_scaling_to_the_unit_interval_is_the_tutorials_bit_for_bit(dtype):
    rows = GOLDEN[f"input {dtype}"]
    assert_same(scale_to_unit_interval(rows[[0, 1, 9]].reshape(3, 2, 3)), GOLDEN[f"unit {dtype}"])
    assert_same(scale_to_unit_interval(rows[2]), GOLDEN[f"unit constant {dtype}"])
    assert_same(scale_to_unit_interval(rows[6]), GOLDEN[f"unit nan {dtype}"])


sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
gaps = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None)
@given(img_shape=sizes, tile_shape=sizes, tile_spacing=gaps, count=st.integers(0, 30))
def test_every_image_stands_in_its_place_and_the_rest_is_zero(img_shape, tile_shape, tile_spacing, count):
    (height, width), (rows, columns), (down, across) = img_shape, tile_shape, tile_spacing
    X = np.arange(1, count * height * width + 1).reshape(count, height * width)
    floor = tile_raster_images(X, img_shape, tile_shape, tile_spacing, False, False)
    assert floor.shape == (rows * (height + down) - down, columns * (width + across) - across)
    shown = min(count, rows * columns)
    corners = [divmod(place, columns) for place in range(shown)]
    tiles = [floor[r * (height + down) :, c * (width + across) :][:height, :width] for r, c in corners]
    np.testing.assert_array_equal(np.reshape(tiles, (shown, height * width)), X[:shown])
    assert np.count_nonzero(floor) == X[:shown].size


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(0, 5))
def test_each_image_is_scaled_by_itself(side, seed):
    X = np.random.RandomState(seed).randn(3, side * side)
    together = tile_raster_images(X, (side, side), (1, 3), output_pixel_vals=False)
    alone = [scale_to_unit_interval(x.reshape(side, side)) for x in X]
    np.testing.assert_array_equal(together, np.hstack(alone))


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("pixels", [False, True])
def test_the_users_array_is_neither_changed_nor_shared(scale, pixels):
    X = np.random.RandomState(0).rand(1, 6)
    before = X.copy()
    floor = tile_raster_images(X, (2, 3), (1, 1), (0, 0), scale, pixels)
    floor[...] = 7
    np.testing.assert_array_equal(X, before)


def test_the_memory_layout_of_the_weights_does_not_matter():
    W = np.random.RandomState(0).randn(6, 4)
    np.testing.assert_array_equal(
        tile_raster_images(W.T, (2, 3), (2, 2)), tile_raster_images(np.ascontiguousarray(W.T), (2, 3), (2, 2))
    )


@pytest.mark.parametrize(
    ("channels", "dtype", "alpha"),
    [("rrrr", "float32", None), ("rrr-", "float32", 1), ("rg--", "float64", 1), ("----", "float64", 1)],
)
def test_channels_without_pixel_values_keep_their_common_dtype_and_are_opaque(channels, dtype, alpha):
    X = golden_input([None if letter == "-" else letter for letter in channels])
    floor = tile_raster_images(X, (2, 3), (2, 2), (1, 1), False, False)
    assert floor.dtype == dtype
    assert floor.shape == (5, 7, 4)
    if alpha is not None:
        assert (floor[:, :, 3] == alpha).all()
    if channels[0] == "r":
        np.testing.assert_array_equal(floor[:2, :3, 0].ravel(), GOLDEN["input r"][0])


ok = np.zeros((4, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.zeros(6)}, r"X: found shape \(6,\), expected an array \(n, 6\) of images 2x3, one a row"),
        ({"X": np.zeros((4, 2, 3))}, r"X: found shape \(4, 2, 3\), expected an array \(n, 6\)"),
        ({"X": np.zeros((4, 7))}, r"X: found shape \(4, 7\), expected an array \(n, 6\) of images 2x3"),
        ({"X": [[0.0] * 6]}, r"X: found a list, expected an array \(n, 6\)"),
        ({"X": np.full((1, 6), "a")}, r"X: found dtype <U1, expected floating-point images"),
        ({"X": np.zeros((4, 6), complex)}, r"X: found dtype complex128"),
        ({"X": np.zeros((4, 6), "uint8")}, r"X: found dtype uint8, expected .*scale_rows_to_unit_interval=False"),
        ({"X": (ok, ok, ok)}, r"X: found a tuple of 3, expected four channels"),
        ({"X": (ok, np.zeros((4, 5)), ok, None)}, r"X\[1\]: found shape \(4, 5\), expected an array \(n, 6\)"),
        ({"X": (ok, np.zeros((3, 6)), None, None)}, r"X: found channels of shapes \(4, 6\), \(3, 6\), None, None"),
        ({"img_shape": (0, 6)}, r"img_shape: found \(0, 6\), expected two integers, each at least 1"),
        ({"img_shape": (2.0, 3)}, r"img_shape: found \(2.0, 3\)"),
        ({"img_shape": 6}, r"img_shape: found 6, expected two integers"),
        ({"tile_shape": (1, 2, 3)}, r"tile_shape: found \(1, 2, 3\), expected two integers"),
        ({"tile_shape": (-1, 2)}, r"tile_shape: found \(-1, 2\), expected two integers, each at least 1"),
        ({"tile_spacing": (-1, 0)}, r"tile_spacing: found \(-1, 0\), expected two integers, each at least 0"),
    ],
)
def test_arguments_that_cannot_be_tiled_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        tile_raster_images(**{"X": ok, "img_shape": (2, 3), "tile_shape": (2, 2), **arguments})


@pytest.mark.parametrize("array", [np.zeros(0), np.arange(3), "text"])
def test_only_floating_point_values_are_scaled(array):
    with pytest.raises(InputError, match="ndar: found"):
        scale_to_unit_interval(array)


@pytest.mark.parametrize(
    ("array", "pixels"),
    [
        (np.array([[0, 1, 255]], "uint8"), [[0, 1, 255]]),
        (np.array([[0, 1, 1]]), [[0, 255, 255]]),
        (np.array([[True, False]]), [[255, 0]]),
        (np.array([[0.0, 0.5, 1.0]], "float32"), [[0, 128, 255]]),
        (np.array([[[1.0, 0.0, 0.2]]]), [[[255, 0, 51]]]),
        (np.array([[[9, 8, 7, 6]]], "uint8"), [[[9, 8, 7, 6]]]),
    ],
    ids=["uint8", "mask", "bool", "float", "RGB", "RGBA"],
)
def test_an_array_becomes_an_image(array, pixels):
    np.testing.assert_array_equal(np.asarray(to_image(array)), pixels)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), r"shape \(3,\), expected \(h, w\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), r"shape \(0, 2\)"),
        (np.array([["a"]]), "dtype <U1, expected numbers"),
        (np.array([[0, 7]]), "int64 values from 0 to 7, expected uint8 pixels, or numbers from 0 to 1"),
        (np.array([[-0.5, 1]]), "float64 values from -0.5 to 1.0"),
        (np.array([[np.nan, 1]]), "float64 values from nan to nan"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array, message):
    with pytest.raises(InputError, match=message):
        to_image(array)


@settings(deadline=None)
@given(shape=sizes, zoom=st.integers(1, 6))
def test_enlarging_repeats_every_pixel(shape, zoom):
    array = np.random.RandomState(0).randint(0, 256, shape).astype("uint8")
    np.testing.assert_array_equal(np.asarray(enlarge(array, zoom)), np.kron(array, np.ones((zoom, zoom), "uint8")))


@pytest.mark.parametrize("zoom", [0, -1, 1.5, "2"])
def test_a_zoom_is_a_positive_integer(zoom):
    with pytest.raises(InputError, match=r"zoom: found .* expected an integer, at least 1"):
        enlarge(ok, zoom)


def black(side):
    return np.zeros((side, side), "uint8")


def black_square(picture, side):
    """Top left corners of the fully black squares of a side; label strokes are thinner."""
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(picture.convert("L")), (side, side))
    return [tuple(map(int, corner)) for corner in np.argwhere((windows == 0).all(axis=(2, 3)))]


@pytest.mark.parametrize(
    ("columns", "rows_and_columns"),
    [(None, (1, 3)), (3, (1, 3)), (2, (2, 2)), (1, (3, 1)), (5, (1, 3))],
)
def test_pictures_stand_beside_one_another_in_so_many_columns(columns, rows_and_columns):
    corners = black_square(side_by_side([("", black(20)), ("", black(20)), ("", black(20))], columns), 20)
    assert len(corners) == 3
    assert (len({top for top, _ in corners}), len({left for _, left in corners})) == rows_and_columns


def test_pictures_are_enlarged_and_stay_below_their_labels():
    plain = side_by_side([("", black(10)), ("", black(10))], zoom=3)
    labelled = side_by_side([("autoencoder", black(10)), ("denoising", black(10))], zoom=3)
    (plain_top, _), (labelled_top, _) = black_square(plain, 30)[0], black_square(labelled, 30)[0]
    assert labelled_top > plain_top
    assert np.asarray(labelled)[plain_top:labelled_top].min() < 100


def test_a_long_label_widens_its_column_and_two_lines_make_room():
    label = "a label far wider than ten pixels"
    assert side_by_side([(label, black(10))]).width > side_by_side([("a", black(10))]).width
    assert side_by_side([("a\nb", black(10))]).height > side_by_side([("a", black(10))]).height


def test_colour_stays_colour_and_transparency_shows_the_paper():
    rgba = np.zeros((4, 4, 4), "uint8")
    rgba[:, :2] = 255, 0, 0, 255
    picture = side_by_side([("", rgba), ("", black(4))])
    assert picture.mode == "RGB"
    colours = {colour for _, colour in picture.getcolors()}
    assert colours == {(255, 0, 0), (255, 255, 255), (0, 0, 0)}


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_originals_stand_over_their_reconstructions(dtype):
    X = np.zeros((5, 9), dtype)
    picture = labelled_rows([("original", X), ("reconstruction", X[:3])], (3, 3), zoom=4, tile_spacing=(0, 0))
    tops = {top for top, _ in black_square(picture, 12)}
    assert len(tops) == 2
    assert {left for _, left in black_square(picture, 12)} == {16 + column for column in range(49)}


def test_rows_take_images_in_any_of_their_shapes():
    X = np.random.RandomState(0).rand(4, 6)
    flat, *others = (labelled_rows([("a", X.reshape(shape))], (2, 3)) for shape in ((4, 6), (4, 2, 3), (4, 1, 2, 3)))
    assert all(png_bytes(picture) == png_bytes(flat) for picture in others)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: side_by_side([]), "pictures: found none"),
        (lambda: side_by_side([ok]), "pictures: found a ndarray, expected pairs of a label and a picture"),
        (lambda: side_by_side([("a", ok)], columns=0), "columns: found 0"),
        (lambda: labelled_rows([("a", np.zeros((0, 6)))], (2, 3)), r"row 'a': found shape \(0, 6\)"),
        (lambda: labelled_rows([("a", np.zeros((0, 2, 3)))], (2, 3)), r"row 'a': found shape \(0, 6\)"),
        (lambda: labelled_rows([("a", np.zeros((4, 2, 2, 3)))], (2, 3)), r"row 'a': found shape \(4, 2, 2, 3\)"),
        (lambda: labelled_rows([("a", ok)], (3, 3)), r"X: found shape \(4, 6\), expected an array \(n, 9\)"),
    ],
)
def test_pictures_that_cannot_be_shown_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_png_holds_the_pixels_and_is_the_same_every_time(tmp_path):
    array = np.random.RandomState(0).randint(0, 256, (5, 7)).astype("uint8")
    save_png(tmp_path / "filters.png", array)
    data = (tmp_path / "filters.png").read_bytes()
    assert data == png_bytes(array) == png_bytes(Image.fromarray(array))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), array)


def test_a_png_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnwritableError, match="a folder"):
        save_png(tmp_path, ok)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("floatX", ["float64", "float32"])
def test_bytes_become_images_from_0_to_1_as_keras_scales_them(floatX):
    rows = np.arange(256, dtype="uint8").reshape(2, 128)
    with pytensor.config.change_flags(floatX=floatX):
        images = unit_images(rows, (2, 8, 8))
    assert (images.dtype, images.shape) == (floatX, (2, 2, 8, 8))
    np.testing.assert_array_equal(images.reshape(2, 128), rows.astype(floatX) / np.array(255, floatX))
    assert (images.min(), images.max()) == (0, 1)


def test_fractions_stay_as_they_are_and_are_not_shared():
    rows = np.random.RandomState(0).rand(3, 6)
    images = unit_images(rows, (1, 2, 3))
    np.testing.assert_array_equal(images.reshape(3, 6), rows)
    assert not np.shares_memory(images, rows)
    assert unit_images(np.zeros((0, 6)), (1, 2, 3)).shape == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((2, 5)), r"rows: found shape \(2, 5\), expected \(n, 6\)"),
        (np.zeros(6), r"rows: found shape \(6,\)"),
        (np.zeros((2, 6), "int64"), "rows: found dtype int64, expected uint8 pixels, or floats from 0 to 1"),
        (np.full((1, 6), 1.5), "rows: found values from 1.5 to 1.5"),
        (np.full((1, 6), np.nan), "rows: found values from nan to nan"),
    ],
)
def test_what_is_no_image_from_0_to_1_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        unit_images(rows, (1, 2, 3))


def test_the_peak_signal_to_noise_ratio_is_in_decibels_for_each_image():
    clean = np.zeros((4, 1, 2, 2))
    images = clean + np.array([0.1, 0.01, 1, 0]).reshape(4, 1, 1, 1)
    np.testing.assert_allclose(psnr(images, clean), [20, 40, 0, np.inf], atol=1e-12)
    np.testing.assert_allclose(psnr(255 * images, clean, peak=255), [20, 40, 0, np.inf], atol=1e-12)
    half = clean.copy()
    half[0, 0, 0, 0] = 1  # a quarter of the pixels
    assert psnr(half, clean)[0] == pytest.approx(10 * np.log10(4))
    # bytes do not wrap around
    assert psnr(np.zeros((1, 2), "uint8"), np.full((1, 2), 255, "uint8"), peak=255)[0] == 0


@pytest.mark.parametrize("shape", [(3, 2), (2, 2, 1), (0, 2)])
def test_images_that_cannot_be_compared_are_named(shape):
    with pytest.raises(InputError, match=r"psnr: found shapes \(.*\) and \(.*\), expected images \(n, ...\) of one shape"):
        psnr(np.zeros(shape), np.zeros((0, 2) if shape[0] == 0 else (2, 2)))


def test_principal_components_are_the_directions_of_most_variance():
    rng = np.random.RandomState(0)
    along = rng.normal(size=(200, 2)) * (5, 1)
    axes = np.linalg.qr(rng.normal(size=(6, 2)))[0].T
    coordinates, shares = principal_components(7 + along @ axes)
    expected = along - along.mean(axis=0)
    off = np.abs(np.abs(coordinates) - np.abs(expected)).max()
    assert off < 1  # the drawn points are not quite uncorrelated
    np.testing.assert_allclose((coordinates**2).sum(axis=1), (expected**2).sum(axis=1))
    np.testing.assert_allclose(coordinates.T @ coordinates, np.diag(np.diag(coordinates.T @ coordinates)), atol=1e-9)
    assert shares.sum() == pytest.approx(1)
    assert 0.9 < shares[0] < 1
    # neither a shift nor a mirror changes the map
    np.testing.assert_allclose(principal_components(-along @ axes)[0], coordinates, atol=1e-9)


@pytest.mark.parametrize("codes", [np.ones((5, 3)), np.arange(5.0)[:, None], np.random.RandomState(0).rand(3, 2, 4, 4)])
def test_codes_of_any_shape_have_two_coordinates(codes):
    coordinates, shares = principal_components(codes)
    assert coordinates.shape == (len(codes), 2)
    assert 0 <= shares[1] <= shares[0] <= 1
    assert code_map(codes, np.arange(len(codes))).mode == "RGB"


def test_a_map_shows_each_code_in_the_colour_of_its_label_and_names_them():
    middles = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0]])
    labels = np.repeat([0, 3, 8], 40)
    codes = np.repeat(middles, 40, axis=0) + np.random.RandomState(0).normal(size=(120, 3))
    picture = code_map(codes, labels)
    colours = {colour: count for count, colour in picture.getcolors(picture.width * picture.height)}
    shown = [digit for digit, name in enumerate(COLOURS) if colours.get(tuple(bytes.fromhex(name[1:])), 0) > 200]
    assert shown == [0, 3, 8]
    assert len(colours) > 100  # smooth edges
    assert png_bytes(code_map(codes, labels)) == png_bytes(picture)


@pytest.mark.parametrize(
    ("codes", "labels", "message"),
    [
        (np.zeros((1, 3)), [0], r"codes: found shape \(1, 3\), expected \(n, ...\) with at least two codes"),
        (np.zeros(3), [0, 1, 2], r"codes: found shape \(3,\)"),
        (np.full((2, 2), np.inf), [0, 1], "codes: found NaN or infinite values"),
        (np.zeros((2, 2)), [0, -1], r"labels: found int64 of shape \(2,\) from -1 to 0, expected 2 integers from 0 on"),
        (np.zeros((2, 2)), [0.0, 1.0], r"labels: found float64 of shape \(2,\)"),
        (np.zeros((2, 2)), [0], r"labels: found int64 of shape \(1,\)"),
    ],
)
def test_codes_that_cannot_be_shown_are_named(codes, labels, message):
    with pytest.raises(InputError, match=message):
        code_map(codes, labels)


def test_filters_on_colours_are_tiles_in_colours():
    W = np.random.RandomState(0).normal(size=(5, 3, 4, 6))
    floor = tile_raster_images(W.reshape(5, -1), (3, 4, 6), (2, 3), (1, 1))
    assert (floor.shape, floor.dtype) == ((9, 20, 3), np.uint8)
    for number, (top, left) in enumerate([(0, 0), (0, 7), (0, 14), (5, 0), (5, 7)]):
        stretched = (W[number] - W[number].min()) / np.ptp(W[number])
        tile = floor[top : top + 4, left : left + 6]
        np.testing.assert_allclose(tile / 255, stretched.transpose(1, 2, 0), atol=1 / 255)
    assert (floor[5:, 14:] == 0).all()


def test_one_channel_is_grey_as_without_it():
    X = np.random.RandomState(0).normal(size=(4, 24))
    np.testing.assert_array_equal(tile_raster_images(X, (1, 4, 6), (2, 2)), tile_raster_images(X, (4, 6), (2, 2)))
    images = np.clip(X, 0, 1).reshape(4, 1, 4, 6)
    assert labelled_rows([("a", images)], (4, 6)) == labelled_rows([("a", images[:, 0])], (1, 4, 6))


def test_rows_of_colours_are_in_colours():
    x = np.random.RandomState(0).randint(0, 256, (2, 3, 4, 6)).astype(np.uint8)
    picture = np.asarray(labelled_rows([("", x)], (3, 4, 6), tile_spacing=(0, 0)))
    top, left = (16, 16)
    np.testing.assert_array_equal(picture[top : top + 4, left : left + 12], np.concatenate(x.transpose(0, 2, 3, 1), axis=1))


def test_filters_of_a_convolution_on_colours_are_one_row_in_colours():
    W = np.random.RandomState(0).normal(size=(2, 3, 5, 5))
    tile = filter_maps(W, cell=5, colours=True)
    assert tile.shape == (5, 14, 3)
    np.testing.assert_allclose(tile[:, :5], (W[0] / np.abs(W[0]).max() / 2 + 0.5).transpose(1, 2, 0))
    assert filter_maps(W, cell=5).shape == (23, 14)  # three maps that are no colours


def test_a_map_has_a_colour_for_each_of_many_labels():
    labels = np.arange(300) % 30
    codes = np.random.RandomState(0).normal(size=(300, 4)) + labels[:, None]
    picture = code_map(codes, labels)
    colours = {colour for _, colour in picture.getcolors(picture.width * picture.height)}
    assert len({_colour(label) for label in range(100)}) == 100
    assert all(tuple(bytes.fromhex(_colour(label)[1:])) in colours for label in range(30))
    assert code_map(codes, None).mode == "RGB"

"""Patches of pictures, whitened, and filters that are like edges."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from symae.errors import InputError, MissingFileError
from symae.images import ZCA, gabor_fit, normalise_contrast, random_patches

RNG = np.random.RandomState(0)


def windows(picture: np.ndarray, size: int) -> set[bytes]:
    """All patches of a picture (h, w), as bytes."""
    h, w = picture.shape
    return {picture[i : i + size, j : j + size].tobytes() for i in range(h - size + 1) for j in range(w - size + 1)}


def test_patches_are_pieces_of_the_pictures_each_place_as_likely_as_another():
    pictures = [RNG.uniform(size=(9, 12)), RNG.uniform(size=(6, 6)), RNG.uniform(size=(3, 40))]
    x, shape = random_patches(pictures, 4, 3000)
    assert (x.shape, shape) == ((3000, 16), (1, 4, 4))
    found = [np.mean([row.tobytes() in windows(picture, 4) for row in x]) for picture in pictures]
    np.testing.assert_allclose(found, [54 / 63, 9 / 63, 0], atol=0.02)
    np.testing.assert_array_equal(x, random_patches(pictures, 4, 3000)[0])
    assert not np.array_equal(x, random_patches(pictures, 4, 3000, seed=1)[0])


def test_patches_of_a_folder_are_in_colours_if_a_picture_is(tmp_path):
    pixels = RNG.randint(0, 256, (10, 14, 3)).astype(np.uint8)
    (tmp_path / "below").mkdir()
    Image.fromarray(pixels).save(tmp_path / "below/a.png")
    Image.new("L", (20, 10), 51).save(tmp_path / "b.png")
    (tmp_path / "broken.jpg").write_bytes(b"no")
    Image.new("RGB", (900, 900)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:400])
    x, shape = random_patches(tmp_path, 3, 200)
    assert (x.shape, shape) == ((200, 27), (3, 3, 3))
    of_a = windows(pixels[..., 1] / 255.0, 3)
    green = {row.reshape(shape)[1].tobytes() for row in x}
    assert green <= of_a | {np.full((3, 3), 0.2).tobytes()}
    assert random_patches(tmp_path, 3, 10, colours=False)[1] == (1, 3, 3)


def test_patches_of_images_in_any_layout_are_the_same():
    images = RNG.randint(0, 256, (4, 8, 9, 3)).astype(np.uint8)
    x, shape = random_patches(images, 5, 50)
    assert shape == (3, 5, 5)
    np.testing.assert_array_equal(x, random_patches(images.transpose(0, 3, 1, 2), 5, 50)[0])
    grey, _ = random_patches(images, 5, 50, colours=False)
    np.testing.assert_allclose(grey, np.tensordot(x.reshape(50, 3, 25), (0.299, 0.587, 0.114), axes=(1, 0)))


def test_patches_may_be_of_one_picture(tmp_path):
    pixels = RNG.randint(0, 256, (10, 14, 3)).astype(np.uint8)
    x, shape = random_patches(pixels, 5, 50)
    assert shape == (3, 5, 5)
    np.testing.assert_array_equal(x, random_patches([pixels], 5, 50)[0])
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_allclose(x, random_patches(tmp_path / "a.png", 5, 50)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: random_patches(x[None], 1, 1, seed=-1), "seed: found -1, expected an integer from 0 to 4294967295"),
        (lambda x: normalise_contrast(x, 0), "epsilon: found 0, expected a number above 0"),
        (lambda x: normalise_contrast(x, -1.0), "epsilon: found -1.0, expected a number above 0"),
        (lambda x: ZCA("a"), "epsilon: found 'a', expected a number of at least 0"),
        (lambda x: ZCA(np.nan), "epsilon: found nan"),
        (lambda x: ZCA().transform(x), "ZCA: found one that has learned from no patches, expected fit before"),
        (lambda x: ZCA().fit(x).transform(x[:, :2]), r"patches: found shape \(4, 2\), expected \(n, 3\), as those"),
        (lambda x: ZCA().fit(x).inverse_transform(x[:, :2]), r"whitened: found shape \(4, 2\)"),
        (lambda x: gabor_fit("a"), "filters: found something that is not an array of numbers"),
        (lambda x: gabor_fit(x), r"filters: found shape \(4, 3\), expected finite filters"),
    ],
)
def test_what_patches_and_filters_cannot_be_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(np.eye(4, 3))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((2, 5, 5)), r"source: found 2 pictures of at most 5 pixels a side, expected one of at least 8 x 8"),
        ([], "0 pictures of at most 0"),
        (np.zeros((2, 9)), r"source: found shape \(2, 9\), expected a folder of pictures, images"),
        ([np.zeros(9)], r"a picture of shape \(9,\)"),
        (np.full((2, 9, 9), 2.0), "bytes, or numbers from 0 to 1"),
        (np.full((2, 9, 9), np.nan), "bytes, or numbers from 0 to 1"),
    ],
)
def test_pictures_without_patches_are_refused(source, message):
    with pytest.raises(InputError, match=message):
        random_patches(source)


def test_a_folder_without_patches_is_refused(tmp_path):
    with pytest.raises(InputError, match="found 0 pictures"):
        random_patches(tmp_path)
    with pytest.raises(MissingFileError, match="no such folder"):
        random_patches(tmp_path / "x")
    Image.new("RGB", (900, 900)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:400])
    with pytest.raises(InputError, match="no picture that can be decoded"):
        random_patches(tmp_path)


def test_the_contrast_of_patches_is_one_and_that_of_faint_ones_less():
    x = normalise_contrast(np.stack([RNG.uniform(size=64), np.full(64, 0.3), 0.5 + 1e-4 * RNG.normal(size=64)]))
    np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-12)
    assert x[0].std() > 0.99
    assert (x[1] == 0).all()
    assert x[2].std() < 0.02


def test_whitened_pixels_are_uncorrelated_and_come_back():
    mixing = RNG.normal(size=(12, 12))
    x = RNG.normal(size=(5000, 12)) @ mixing + 3
    zca = ZCA(epsilon=0).fit(x)
    white = zca.transform(x)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(12), atol=1e-8)
    np.testing.assert_allclose(zca.inverse_transform(white), x)
    np.testing.assert_allclose(zca.whitening_, zca.whitening_.T, atol=1e-10)
    covariance = np.cov(x.T, bias=True)
    damped = ZCA(epsilon=0.5).fit(x).whitening_
    np.testing.assert_allclose(damped @ damped, np.linalg.inv(covariance + 0.5 * np.eye(12)), atol=1e-9)
    with pytest.raises(InputError, match="directions of no variance"):
        ZCA(epsilon=0).fit(np.ones((5, 3)))


def test_gabor_functions_are_found_and_noise_is_none():
    v, u = np.mgrid[:12, :12] - 5.5
    edges = [
        np.exp(-(np.square(u - 1) + np.square(v)) / 2 / s**2) * np.cos(2 * np.pi * f * (u * np.cos(a) + v * np.sin(a)) + p)
        for s, f, a, p in ((2.5, 0.2, 0.3, 1.0), (3.0, 0.1, 2.0, 0.0), (2.0, 0.25, 1.2, 2.0))
    ]
    noise = RNG.normal(size=(3, 12, 12))
    found = gabor_fit(np.concatenate([edges, noise, np.ones((1, 12, 12))]))
    assert (found[:3] > 0.99).all()
    assert (found[3:6] < 0.5).all()
    assert found[6] == 0
    coloured = np.multiply.outer(edges, (0.9, -0.2, 0.4))
    assert (gabor_fit(coloured) > 0.99).all()
    np.testing.assert_allclose(gabor_fit(coloured.transpose(0, 3, 1, 2)), gabor_fit(coloured), atol=1e-6)

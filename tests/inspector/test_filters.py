"""Filters: their tiles, orders and numbers."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symae import tile_raster_images
from symae.errors import InputError
from symae.inspector.figure import coloured
from symae.inspector.filters import Filters, chain
from symae.inspector.pixels import mosaic, pixels_json, vector_shape


def some(count=7, h=4, w=5, seed=0):
    return np.random.RandomState(seed).standard_normal((count, h, w))


def test_a_figure_of_filters_is_what_tile_raster_images_draws():
    pictures = some(6).astype(np.float32)
    drawn = np.asarray(Filters(pictures).figure(tile_shape=(2, 3), spacing=(1, 2)).image)
    expected = tile_raster_images(pictures.reshape(6, -1), (4, 5), (2, 3), (1, 2))
    assert drawn.shape == expected.shape
    assert np.abs(drawn.astype(int) - expected).max() <= 1  # it cuts where the figure rounds


def test_filters_are_sorted_by_norm_with_the_largest_first():
    filters = Filters(some() * np.array([1, 5, 2, 7, 3, 6, 4])[:, None, None])
    norms = filters.norms[filters.order("norm")]
    assert (np.diff(norms) <= 0).all()


def test_filters_are_sorted_by_how_often_their_units_are_active():
    active = np.array([0.1, 0.9, 0.5])
    assert Filters(some(3)).order("active", active).tolist() == [1, 2, 0]


def test_alike_filters_stand_together():
    low, high = some(2, 6, 6, seed=1)
    noise = 0.05 * some(10, 6, 6, seed=2)
    mixed = np.stack([(low if i % 2 else high) + noise[i] for i in range(10)])
    kinds = Filters(mixed).order("similarity") % 2
    assert np.abs(np.diff(kinds)).sum() == 1


def test_the_filters_most_like_a_unit_come_after_it():
    pictures = some(5)
    pictures[3] = 2 * pictures[1]
    order = Filters(pictures).alike(1)
    assert order[:2].tolist() == [1, 3]
    assert sorted(order) == list(range(5))


@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 5))
def test_an_order_by_similarity_has_every_filter_once(count, size, seed):
    rows = np.random.RandomState(seed).standard_normal((count, size))
    rows[:: max(1, seed)] = 0
    assert sorted(chain(rows)) == list(range(count))


def test_ten_thousand_filters_are_ordered_in_seconds():
    rows = np.random.RandomState(0).standard_normal((10_000, 784)).astype(np.float32)
    started = time.perf_counter()
    chain(rows)
    assert time.perf_counter() - started < 15


def test_a_sprite_and_its_numbers_hold_the_filters():
    pictures = some(40, 3, 3)
    filters = Filters(pictures)
    sprite = filters.sprite(0)
    assert sprite.shape == (6, 96)  # 32 in a row
    unit = sprite[3:6, 3:6]  # the 34th
    largest = np.abs(pictures[33]).max()
    np.testing.assert_allclose((unit / 127.5 - 1) * largest, pictures[33], atol=largest / 127)
    with pytest.raises(InputError, match="from 0 to 0"):
        filters.sprite(1)


def test_a_common_scale_keeps_what_is_small_grey():
    pictures = np.stack([np.full((2, 2), 0.01), np.full((2, 2), 1.0)])
    drawn = np.asarray(Filters(pictures).figure(tile_shape=(1, 2), spacing=(0, 0), scaling="common").image)
    assert np.abs(drawn[:, :2].astype(int) - 128).max() <= 2
    assert (drawn[:, 2:] == 255).all()


@pytest.mark.parametrize("options", [{"scaling": "nothing"}, {"colours": "pink"}])
def test_unknown_looks_are_refused_with_those_there_are(options):
    with pytest.raises(InputError, match="one of"):
        Filters(some()).figure(**options)


def test_filters_of_zeros_and_of_one_value_are_drawn():
    figure = Filters(np.zeros((3, 2, 2))).figure(scaling="zero", colours="diverging")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert Filters(np.ones((1, 1, 1))).figure().image.size == (1, 1)


def test_zero_is_the_middle_of_the_diverging_colours():
    assert np.ptp(coloured(np.array([[0.5]]), "diverging")[0, 0].astype(int)) <= 4  # nearly white
    assert coloured(np.array([[0.0, 1.0]]), "grey").tolist() == [[0, 255]]


@given(st.integers(1, 3000))
def test_a_vector_finds_room_in_its_shape(size):
    rows, columns = vector_shape(size)
    assert rows * columns >= size
    assert size <= 16 or max(rows, columns) <= 4 * min(rows, columns)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5))
def test_a_mosaic_holds_all_maps(count, h, w):
    maps = np.arange(1, count * h * w + 1).reshape(count, h, w)
    assert sorted(mosaic(maps)[mosaic(maps) > 0].tolist()) == list(range(1, count * h * w + 1))


def test_bytes_for_the_page_say_what_they_stand_for():
    found = pixels_json(np.array([[-2.0, 0.0, 1.0]]), signed=True)
    assert (found["low"], found["high"], found["w"], found["h"]) == (-2.0, 2.0, 3, 1)
    found = pixels_json(np.array([[np.nan, np.inf]]))
    assert found["high"] == 0.0

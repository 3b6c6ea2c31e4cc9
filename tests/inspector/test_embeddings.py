"""Maps of codes: principal components, t-SNE and UMAP, and which codes are near."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from symae.errors import BackendError, InputError
from symae.images import principal_components
from symae.inspector.codes import Codes
from symae.inspector.embeddings import METHODS, Embedding, Method, components, embedding, neighbours


@pytest.fixture
def groups() -> np.ndarray:
    """Make three groups of codes far from one another."""
    rng = np.random.RandomState(0)
    return np.concatenate([rng.randn(30, 80) + 12 * rng.randn(80) for _ in range(3)]).astype(np.float32)


def test_long_codes_have_the_components_of_a_whole_decomposition(groups):
    wide = np.concatenate([groups, groups[:, ::-1] ** 2], axis=1)[:, :160].repeat(2, axis=0)
    exact, shares = principal_components(wide)
    found, found_shares = components(wide)
    np.testing.assert_allclose(found, exact, atol=1e-3 * np.abs(exact).max())
    np.testing.assert_allclose(found_shares, shares, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_map_keeps_groups_together_and_is_the_same_each_time(method, groups):
    if not METHODS[method].installed:
        pytest.skip(f"{METHODS[method].package} is not installed")
    places = embedding(method, groups).places
    middles = places.reshape(3, 30, 2).mean(axis=1)
    away = np.linalg.norm(places[:, None] - middles, axis=2)
    assert (away.argmin(axis=1) == np.arange(90) // 30).all()
    np.testing.assert_array_equal(embedding(method, groups).places, places)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_codes_have_a_map_too(method, count):
    if not METHODS[method].installed:
        pytest.skip(f"{METHODS[method].package} is not installed")
    assert embedding(method, np.eye(5, dtype=np.float32)[:count]).places.shape == (count, 2)


def test_a_method_that_is_not_there_is_refused_with_what_to_install(monkeypatch, groups):
    monkeypatch.setitem(METHODS, "umap", Method("UMAP", "no_such_module", "umap-learn", METHODS["pca"].place))
    with pytest.raises(BackendError, match=r"UMAP: found no module no_such_module, expected .* pip install umap-learn"):
        embedding("umap", groups)
    with pytest.raises(InputError, match="method: found 'none', expected one of pca, tsne, umap"):
        embedding("none", groups)


def test_the_nearest_codes_come_in_their_order_and_leave_out_the_code_itself(groups):
    found, away = neighbours(groups, 40, 7)
    expected = np.linalg.norm(groups - groups[40], axis=1)
    expected[40] = np.inf
    assert found.tolist() == np.argsort(expected, kind="stable")[:7].tolist()
    np.testing.assert_allclose(away, np.sort(expected)[:7], rtol=1e-5)
    assert neighbours(groups[:1], 0, 7)[0].tolist() == []


def test_neighbours_of_large_codes_take_little_memory():
    codes = np.random.RandomState(0).standard_normal((2000, 4096)).astype(np.float32)  # 31 MiB
    tracemalloc.start()
    try:
        found, away = neighbours(codes, 5, 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < codes.nbytes / 3
    np.testing.assert_allclose(away, [np.linalg.norm(codes[i].astype(np.float64) - codes[5]) for i in found], rtol=1e-6)


def test_a_map_that_takes_minutes_keeps_no_other_waiting(monkeypatch, groups):
    begun, go_on = threading.Event(), threading.Event()

    def slow(codes):
        begun.set()
        go_on.wait(20)
        return Embedding(np.zeros((len(codes), 2)), "slow")

    monkeypatch.setitem(METHODS, "tsne", Method("t-SNE", "numpy", "numpy", slow))
    codes, quick = Codes("code", groups, (80,)), []
    threads = [threading.Thread(target=codes.map, args=("tsne",), daemon=True)]
    threads[0].start()
    assert begun.wait(10)
    threads.append(threading.Thread(target=lambda: quick.append(codes.map("pca").note), daemon=True))
    threads[1].start()
    threads[1].join(10)
    was_quick = list(quick)
    go_on.set()
    threads[0].join(10)
    assert was_quick
    assert codes.map("tsne").note == "slow"
    with pytest.raises(InputError, match="expected one of pca, tsne, umap"):
        codes.map("other")

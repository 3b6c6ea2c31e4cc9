"""Maps of codes of any size: where each lies on a plane, by principal components, t-SNE or UMAP, and which are near."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symae.errors import BackendError, InputError
from symae.images import principal_components

EXACT = 64  # numbers of a code of which all principal components are found; of longer ones the first are
OVERSAMPLED, PASSES = 10, 6  # of the randomised decomposition
REDUCED = 50  # principal components that t-SNE and UMAP get, as their authors do
PERPLEXITY, NEIGHBOURS = 30.0, 15
FEWEST = 10  # codes that they are of use for
AT_ONCE = 2**22  # bytes of codes that are compared at a time


@dataclass(frozen=True, eq=False)
class Embedding:
    """Hold places on a plane, (n, 2), and in words how they were found."""

    places: np.ndarray
    note: str


@dataclass(frozen=True)
class Method:
    """Describe a way to lay codes out on a plane."""

    title: str
    module: str  # which it needs, and
    package: str  # where that comes from
    place: Callable[[np.ndarray], Embedding]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def components(codes: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates (n, count) of codes along their first principal components, and these' shares of the variance.

    Long codes are decomposed at random directions, always the same: N. Halko, P.-G. Martinsson and J. Tropp (2011), "Finding
    structure with randomness". As in `symae.images.principal_components` the largest coordinate is positive.
    """
    n, k = codes.shape
    if min(n, k) <= max(EXACT, count + OVERSAMPLED):
        return principal_components(codes, count)
    centred = codes - codes.mean(axis=0, dtype=np.float64).astype(codes.dtype)
    basis = np.random.RandomState(0).standard_normal((k, count + OVERSAMPLED)).astype(codes.dtype)
    for _ in range(PASSES):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    u, s, _ = np.linalg.svd(centred @ basis, full_matrices=False)
    places = (u[:, :count] * s[:count]).astype(np.float64)
    places *= np.sign(places[np.abs(places).argmax(axis=0), np.arange(count)])
    whole = float(np.square(centred, dtype=np.float64).sum())
    return places, np.square(s[:count], dtype=np.float64) / (whole or 1.0)


def _pca(codes: np.ndarray) -> Embedding:
    if len(codes) < 2:
        return Embedding(np.zeros((len(codes), 2)), "one code")
    places, shares = components(codes)
    return Embedding(places, f"{100 * shares.sum():.0f} % of the variance")


def _tsne(codes: np.ndarray) -> Embedding:
    if len(codes) < FEWEST:
        return _pca(codes)
    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    from sklearn.manifold import TSNE

    reduced = _reduced(codes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = TSNE(init="pca", perplexity=perplexity, random_state=0).fit_transform(reduced)
    return Embedding(places, f"perplexity {perplexity:.0f}; distances between groups mean little")


def _umap(codes: np.ndarray) -> Embedding:
    if len(codes) < FEWEST:
        return _pca(codes)
    near = min(NEIGHBOURS, len(codes) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of TensorFlow, which it can do without
        from umap import UMAP

        places = UMAP(n_neighbors=near, random_state=0).fit_transform(_reduced(codes))
    return Embedding(places, f"{near} neighbours; distances between groups mean little")


def _reduced(codes: np.ndarray) -> np.ndarray:
    if codes.shape[1] <= REDUCED:
        return codes
    places, _ = components(codes, min(REDUCED, len(codes) - 1))
    return np.ascontiguousarray(places, dtype=np.float32)


METHODS = {
    "pca": Method("principal components", "numpy", "numpy", _pca),
    "tsne": Method("t-SNE", "sklearn", "scikit-learn", _tsne),
    "umap": Method("UMAP", "umap", "umap-learn", _umap),
}


def embedding(method: str, codes: np.ndarray) -> Embedding:
    """Lay codes (n, k) out on a plane by one of `METHODS`, always the same way.

    Raises
    ------
    InputError, BackendError
        There is no such method, or it is not installed.
    """
    if method not in METHODS:
        raise InputError("method", repr(method)[:40], f"one of {', '.join(METHODS)}")
    chosen = METHODS[method]
    if not chosen.installed:
        raise BackendError(chosen.title, f"no module {chosen.module}", f"it installed: pip install {chosen.package}")
    return chosen.place(codes)


def neighbours(codes: np.ndarray, index: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the codes nearest to that of `index`, itself left out, and their Euclidean distances."""
    away = np.empty(len(codes))
    rows = max(1, AT_ONCE // max(1, codes[0].nbytes))
    for first in range(0, len(codes), rows):
        difference = codes[first : first + rows] - codes[index]
        away[first : first + rows] = np.square(difference, out=difference).sum(axis=1, dtype=np.float64)
    np.sqrt(away, out=away)
    away[index] = np.inf
    count = min(count, len(codes) - 1)
    nearest = np.argpartition(away, count - 1)[:count] if count else np.zeros(0, np.intp)
    nearest = nearest[np.argsort(away[nearest], kind="stable")]
    return nearest, away[nearest]

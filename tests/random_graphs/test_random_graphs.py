"""Random graphs are what real Theano makes of them, or an exception where that raises one: never other numbers without a word.

A few programs in FAST_COMPILE; 200 with ``-m default_mode``, and some of them on every backend, where compiling takes a second
or more a program; all on every backend with ``-m long``. ``campaign`` computes as many as one likes.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import pytensor
import pytest
from golden.figures import read_json

from random_graphs import outcomes
from random_graphs.comparison import difference, refused
from random_graphs.programs import digest, program

SEEDS = range(200)
FEW = range(30)
SOME = range(40, 56)


@pytest.fixture(scope="module")
def golden():
    """Theano's outcomes by seed."""
    found = read_json("random_graphs")
    assert all(found[str(seed)][0] == digest(program(seed)) for seed in SEEDS), "made of other programs: make_random_graphs.py"
    return {seed: outcomes.read(found[str(seed)][1]) for seed in SEEDS}


def computed(seeds, golden, mode, group=25):
    """Outcomes by seed: of those that do not raise many in one function."""
    lib = outcomes.library("symae.theano")
    quiet = [seed for seed in seeds if golden[seed][0] == "values"]
    groups = [quiet[i : i + group] for i in range(0, len(quiet), group)]
    groups += [[seed] for seed in seeds if golden[seed][0] != "values"]
    found = {}
    # interpreted, loops too, for whose steps PyTensor would call the C compiler
    alone = {"cxx": ""} if mode == "FAST_COMPILE" else {}
    with pytensor.config.change_flags(floatX="float64", on_shape_error="warn", **alone):
        for seeds_of_group in groups:
            programs = [program(seed) for seed in seeds_of_group]
            found.update(zip(seeds_of_group, outcomes.together(lib, programs, mode), strict=True))
    return found


@pytest.fixture(scope="module")
def interpreted(golden):
    """Outcomes in FAST_COMPILE by seed, each program computed once."""
    known = {}

    def of(seeds):
        known.update(computed([seed for seed in seeds if seed not in known], golden, "FAST_COMPILE"))
        return {seed: known[seed] for seed in seeds}

    return of


def differences(found, golden, interpreted, noticed, program=program):
    """Return what is not as Theano's, a line each; without what is loud if `noticed`, for backends that lack something."""
    lines = []
    for seed, outcome in found.items():
        kind, text = difference(program(seed), golden[seed], interpreted[seed], outcome)
        if kind in ("same",) or kind.startswith("known") or (noticed and kind.startswith(("loud", "kind"))):
            continue
        lines.append(f"{seed}: {kind}: {text} {[step['op'] for step in program(seed)['steps']]}")
    return lines


def test_programs_are_repeatable_and_of_every_kind():
    made = [program(seed) for seed in SEEDS]
    assert [digest(p) for p in made] == [digest(program(seed)) for seed in SEEDS]
    used = Counter(step["op"] for p in made for step in p["steps"])
    assert {"scan", "ifelse", "draw", "read", "write", "sparse_dot", "pool2d", "conv2d", "images2neibs", "likelihood"} <= set(
        used
    )
    assert sum("gradient" in p for p in made) > 50


@pytest.mark.parametrize("seeds", [FEW, pytest.param(SEEDS, marks=pytest.mark.default_mode)], ids=["few", "all"])
def test_interpreted_graphs_are_what_theano_computes(seeds, golden, interpreted):
    found = interpreted(seeds)
    assert not differences(found, golden, found, noticed=False)


def test_some_of_the_programs_are_refused_by_theano(golden):
    assert sum(outcome[0] == "raises" and refused(outcome) is None for outcome in golden.values()) > 10


def _without_torchs_compiler() -> contextlib.AbstractContextManager[object]:
    """Leave out PyTorch's compiler, which takes a minute for each function."""
    import torch

    return torch.compiler.set_stance("force_eager")


@pytest.mark.parametrize(
    "seeds",
    [pytest.param(SOME, marks=pytest.mark.default_mode), pytest.param(SEEDS, marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_backends_compute_what_theano_does_or_say_that_they_cannot(backend, seeds, golden, interpreted):
    with contextlib.nullcontext() if backend != "pytorch" else _without_torchs_compiler():
        found = computed(seeds, golden, backend)
    # Numba and C have all that there is.
    assert not differences(found, golden, interpreted(seeds), noticed=backend in ("jax", "pytorch"))
    assert sum(outcome[0] == "values" for outcome in found.values()) > len(seeds) // 2


@pytest.mark.default_mode
def test_mlx_computes_in_single_precision_what_is_interpreted_or_says_that_it_cannot():
    """Compare with the same programs in FAST_COMPILE, because MLX has no float64, in which Theano was asked."""
    pytest.importorskip("mlx.core", reason="mlx is not installed")
    single = {seed: outcomes.in_single_precision(program(seed)) for seed in SOME}
    lib = outcomes.library("symae.theano")
    with pytensor.config.change_flags(floatX="float32", on_shape_error="warn"):
        expected = {seed: outcomes.alone(lib, made, "FAST_COMPILE") for seed, made in single.items()}
        found = {seed: outcomes.alone(lib, made, "mlx") for seed, made in single.items()}
    assert not differences(found, expected, expected, noticed=True, program=single.get)
    assert sum(outcome[0] == "values" for outcome in found.values()) >= len(SOME) // 2

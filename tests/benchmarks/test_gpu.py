"""A contender that dies on the GPU costs its race, and nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent
ANSWERS = """
import sys
print('{"compile": 0}', flush=True)
for number, _ in enumerate(sys.stdin):
    if number == int(sys.argv[1]):
        raise SystemExit("out of memory")
    print('{"seconds": 1, "cost": 2}', flush=True)
"""


@pytest.fixture
def raced(monkeypatch, capsys):
    """Return what a race of worksheet 04 finds, which contenders were closed, and what failed; contenders die in an epoch."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import gpu

    monkeypatch.setattr(gpu, "save_images", lambda *arguments, **options: None)
    monkeypatch.setattr(gpu, "installed", lambda *names: True)

    def run(dies_in: dict[str, int]):
        started, failed = [], []

        def start(name, *arguments, **options):
            if dies_in.get(name) == -1:
                raise RuntimeError(f"{name} did not start")
            started.append(gpu.Contender(name, [sys.executable, "-c", ANSWERS, str(dies_in.get(name, 99))], {}))
            return started[-1]

        monkeypatch.setattr(gpu, "start", start)
        found = gpu._race("04", argparse.Namespace(device="cpu", minibatches=1, rounds=2), failed)
        assert all(contender.process.poll() is not None for contender in started)
        return [[*race] for race in found.values()], failed, capsys.readouterr().out

    yield run
    for name in ("gpu", "race", "minibatch_race"):
        sys.modules.pop(name, None)


def test_a_contender_that_dies_in_an_epoch_is_a_failure_that_says_its_words(raced):
    found, failed, said = raced({"PyTorch": 1})
    assert found == []
    assert failed == ["worksheet 04, minibatches of 128, float32, data on the device"]
    assert "PyTorch ended with status 1" in said
    assert "out of memory" in said


def test_one_peer_that_does_not_start_leaves_the_others(raced):
    found, failed, _ = raced({"PyTorch, compiled, CUDA graphs": -1})
    assert found == [["symae jax", "PyTorch"]]
    assert failed == ["PyTorch, compiled, CUDA graphs of 04"]


def test_without_symae_there_is_nothing_to_compare(raced):
    found, failed, _ = raced({"symae jax": -1})
    assert found == []
    assert failed == ["symae jax of 04"]

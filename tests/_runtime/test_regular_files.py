"""What symae reads and writes by name has to be a file: a pipe of that name is named in an error, and nobody waits for it."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import Autoencoder, InputError, UnwritableError
from symae._runtime.atomic_files import read_regular
from symae._runtime.folder_lock import FILE as LOCK
from symae._runtime.folder_lock import locked
from symae.datasets import read, read_idx
from symae.datasets.formats.idx import FILES
from symae.inspector.runs import open_run
from symae.models.saved import read_model
from symae.runs.parameter_snapshots import read_kept
from symae.runs.record import read_record
from symae.training import EpochLog, fit
from symae.training.checkpoints import read_checkpoint

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")


@pytest.fixture(autouse=True)
def _nobody_waits():
    """Whoever waits for a pipe waits for ever: that is an error after some seconds."""

    def too_late(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path):
    os.mkfifo(path)
    return path


def trained(folder, **keywords):
    x, w = pt.vector("x"), pytensor.shared(0.0, name="w")
    return fit(
        x.mean() + w,
        [(w, w + 1)],
        {x: np.ones(4)},
        batch_size=2,
        n_epochs=1,
        params=[w],
        log_every=0,
        folder=folder,
        **keywords,
    )


def test_whatever_is_read_by_its_name(tmp_path):
    path = pipe(tmp_path / "a.pipe")
    for reading in (read_regular, read, read_idx, read_checkpoint, read_kept):
        with pytest.raises(InputError, match=r"a\.pipe: found a device or a pipe|a\.pipe: found no such file"):
            reading(path)


@pytest.mark.parametrize("name", ["a.npz", "a.pkl", "a.pkl.gz", "a.txt"])
def test_a_data_set(tmp_path, name):
    with pytest.raises(InputError, match="found a device or a pipe, expected a file"):
        read(pipe(tmp_path / name))


def test_one_of_the_four_files_of_mnist(tmp_path):
    for name in FILES:
        pipe(tmp_path / name)
    with pytest.raises(InputError, match="none of the files that symae reads"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_model(tmp_path, name):
    Autoencoder(0, n_visible=2, n_hidden=2).save(tmp_path)
    (tmp_path / name).unlink()
    pipe(tmp_path / name)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        read_model(tmp_path)


@pytest.mark.parametrize("name", ["history.jsonl", "last.safetensors", "best.safetensors", LOCK])
def test_a_file_of_a_training(tmp_path, name):
    pipe(tmp_path / name)
    if name == "best.safetensors":
        assert len(trained(tmp_path, resume=True)) == 1  # replaced
    else:
        with pytest.raises(InputError, match=rf"{name}: found a device or a pipe"):
            trained(tmp_path, resume=True)


def test_a_history_that_became_a_pipe_while_training(tmp_path):
    log = EpochLog(tmp_path / "history.jsonl")
    log.path.unlink()
    pipe(log.path)
    reader = os.open(log.path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(UnwritableError, match=r"history\.jsonl: found a device or a pipe"):
        log(0, 1.0, 1.0, {})
    os.close(reader)
    with pytest.raises(UnwritableError, match=r"history\.jsonl: found"):
        log(0, 1.0, 1.0, {})


def test_a_run_that_is_inspected(tmp_path):
    Autoencoder(0, n_visible=4, n_hidden=2).save(tmp_path)
    pipe(tmp_path / "run.json")
    pipe(tmp_path / "history.jsonl")
    with pytest.raises(InputError, match=r"run\.json: found a device or a pipe"):
        read_record(tmp_path)
    run = open_run(tmp_path)
    assert run.history() == []
    assert "run.json: found a device or a pipe" in run.record["problem"]
    assert list(run.models()) == ["model"]


def test_the_lock_of_a_folder(tmp_path):
    pipe(tmp_path / LOCK)
    with pytest.raises(UnwritableError, match="found a device or a pipe"), locked(tmp_path):
        pass

"""MNIST is there under each name that tutorials keep it under, in whatever folder; without MNIST symae's own digits are."""

from __future__ import annotations

import gzip
import pickle
import re
from pathlib import Path

import numpy as np
import pytensor
import pytest
from golden.figures import read_json

from symae.datasets import read
from symae.datasets.formats.idx import FILES as STEMS
from symae.datasets.tutorial import mnist_name

pytest.importorskip("fissix")

from symae.legacy.data import Data
from symae.legacy.path_mapping import Places

WORKSHEET = Path(__file__).with_name("worksheet") / "worksheet.py"
FIGURES = read_json("theano_worksheet")
MASK = str(np.array(FIGURES["corruption_mask_10x10_p0.7"]))
PICKLES = ["mini_mnist.pkl.gz", "mnist.pkl.gz", "mnist.pkl", "mnist_py3k.pkl.gz", "mini_mnist.pickle", "mnist.pkl.bz2"]
FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte"]


def printed(n_epochs: int) -> str:
    def lines(name: str) -> str:
        costs = FIGURES[f"{name}_cost_every_10_epochs"]
        return "".join(f"Training epoch {10 * k}, cost {costs[k]}\n" for k in range((n_epochs + 9) // 10))

    return f"{lines('autoencoder')}{MASK}\n{lines('denoising')}"


def test_the_worksheet_runs_as_pasted_with_nothing_beside_it(mnist, run):
    with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE"):  # one minibatch
        result = run(WORKSHEET.read_text(), "1", "250")
    assert result.status == 0, result.err
    assert [line for line in result.out.splitlines() if "cost" not in line] == MASK.splitlines()
    assert "symae: mini_mnist.pkl.gz: MNIST\n" in result.err
    assert result.report.count("data:image/png;base64") == 5


@pytest.mark.parametrize(
    "n_epochs", [pytest.param(1, marks=pytest.mark.default_mode), pytest.param(200, marks=pytest.mark.long)]
)
def test_the_worksheet_prints_its_costs_as_users_have_it(mnist, run, n_epochs):
    result = run(WORKSHEET.read_text(), str(n_epochs), "1")
    assert (result.status, result.out) == (0, printed(n_epochs)), result.err


@pytest.mark.parametrize(
    ("folder", "name"),
    [*(("", name) for name in PICKLES), *((f, "mnist.pkl.gz") for f in ("../data/", "/nowhere/at/all/", "data\\\\"))],
)
def test_pickles_of_three_parts(no_mnist, run, folder, name):
    result = run(f"""
        import cPickle, gzip, bz2, os
        name = '{folder}{name}'
        file = (gzip.open if name.endswith('gz') else bz2.BZ2File if name.endswith('bz2') else open)(name, 'rb')
        for x, y in cPickle.load(file):
            print x.shape, x.dtype, '%.4f' % x.max(), y[:3], y.dtype
        print os.path.exists(name)
    """)
    digits = read("digits")
    lines = [f"({len(part.y)}, 784) float32 0.9961 {part.y[:3]} int64\n" for part in (digits.train, digits.valid, digits.test)]
    assert (result.status, result.out) == (0, "".join(lines) + "True\n"), result.err
    said = f"symae: {name}: symae's own digits: MNIST is not here, symae data mnist downloads it"
    assert [line for line in result.err.splitlines() if "digits" in line] == [said]


def test_the_mini_mnist_is_the_beginning_of_the_whole(mnist, run):
    result = run("""
        import cPickle, gzip
        for x, y in cPickle.load(gzip.open(DATA + 'mini_mnist.pkl.gz')):
            print len(x), int(x.sum(dtype='float64') * 256), y[-3:]
    """)
    small = read("mini_mnist")
    parts = small.train, small.valid, small.test
    assert result.out == "".join(f"{len(p.x)} {p.x.sum()} {p.y[-3:]}\n" for p in parts)


def test_kerass_file(no_mnist, run):
    result = run("""
        import numpy
        f = numpy.load('/root/.keras/datasets/mnist.npz')
        for name in ('x_train', 'y_train', 'x_test', 'y_test'):
            print f[name].shape, f[name].dtype, f[name].sum()
    """)
    digits = read("digits")
    x, y = (np.concatenate([getattr(part, k) for part in (digits.train, digits.valid)]) for k in "xy")
    assert result.out == (
        f"(6000, 28, 28) uint8 {x.sum()}\n(6000,) uint8 {y.sum()}\n"
        f"(1000, 28, 28) uint8 {digits.test.x.sum()}\n(1000,) uint8 {digits.test.y.sum()}\n"
    ), result.err


def test_idx_files_and_folders_of_them(no_mnist, run):
    result = run(f"""
        import os, gzip, struct
        for name in {FILES}:
            file = (gzip.open if name.endswith('gz') else open)('MNIST_data/' + name, 'rb')
            print struct.unpack('>HBBI', file.read(8))[1:]
        print os.path.isdir('MNIST_data/'), sorted(os.listdir('MNIST_data'))[0]
        open('MNIST_data/note.txt', 'w').write('read')
        print open('MNIST_data/note.txt').read()
    """)
    assert (result.status, result.out) == (
        0,
        "(8, 3, 6000)\n(8, 1, 6000)\n(8, 3, 1000)\n(8, 1, 1000)\nTrue t10k-images-idx3-ubyte.gz\nread\n",
    ), result.err
    assert (result.folder / "MNIST_data" / "note.txt").is_file()
    assert len(re.findall("own digits", result.err)) == 1


def test_tables(no_mnist, run):
    result = run("""
        import csv
        rows = list(csv.reader(open('mnist_dataset/mnist_test.csv')))
        print len(rows), len(rows[0]), [row[0] for row in rows[:3]], sum(map(int, rows[0][1:]))
    """)
    test = read("digits").test
    assert result.out == f"1000 785 {list(map(str, test.y[:3]))} {test.x[0].sum()}\n", result.err


def test_nielsens_expanded_images(no_mnist, run):
    result = run("""
        import cPickle, gzip, numpy
        (x, y), valid, test = cPickle.load(gzip.open('../data/mnist_expanded.pkl.gz'))
        print x.shape, x.dtype, y.shape, len(valid[0]), numpy.bincount(y)
        numpy.save('x.npy', x); numpy.save('y.npy', y)
    """)
    digits = read("digits")
    counts = 5 * np.bincount(digits.train.y)
    assert result.out == f"(25000, 784) float32 (25000,) 1000 {counts}\n", result.err
    images = np.load(result.folder / "x.npy") * 256
    image = digits.train.x[0].reshape(28, 28)
    moved = [np.roll(image, by, axis) for by, axis in ((0, 0), (1, 0), (-1, 0), (1, 1), (-1, 1))]  # its border is empty
    found = [np.flatnonzero((images == wanted.ravel()).all(axis=1)) for wanted in moved]
    assert [len(places) for places in found] == [1] * 5
    assert set(np.load(result.folder / "y.npy")[np.concatenate(found)]) == {digits.train.y[0]}


def test_a_worksheets_load_data_takes_a_file_of_the_users_first(no_mnist, run, tmp_path):
    parts = tuple((np.full((n, 784), 0.5, "float32"), np.zeros(n, "int64")) for n in (3, 2, 1))
    with gzip.open(tmp_path / "work" / "mnist.pkl.gz", "wb") as file:
        pickle.dump(parts, file, protocol=2)
    result = run("from logistic_sgd import load_data\nprint [x.get_value().shape for x, y in load_data('mnist.pkl.gz')]\n")
    assert (result.status, result.out) == (0, "[(3, 784), (2, 784), (1, 784)]\n"), result.err


@pytest.mark.parametrize(
    "name",
    [
        "fashion/train-images-idx3-ubyte.gz",
        "../data/Fashion-MNIST/t10k-labels-idx1-ubyte",
        "/opt/emnist/mnist.npz",
        "data/kmnist/train-labels-idx1-ubyte",
        "notMNIST/mnist.pkl.gz",
        "not-mnist/mnist.pkl.gz",
        "qmnist\\mnist.npz",
        "fashion_mnist/MNIST_data",
        "rotated_mnist/mnist.pkl.gz",
        "mnist-c/train-images-idx3-ubyte",
        "mnist_background/mnist.pkl",
        "cifar10/mnist.npz",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
    ],
)
def test_names_of_other_sets_are_not_mnist(no_mnist, run, name):
    assert mnist_name(name) is None
    result = run(f"""
        import os, urllib
        print os.path.exists({name!r})
        try:
            urllib.urlretrieve({name if "://" in name else "http://host/" + name!r}, 'mnist.pkl.gz')
        except IOError as error:
            print 'not here'
    """)
    assert (result.status, result.out) == (0, "False\nnot here\n"), result.err


@pytest.mark.parametrize(
    "folder",
    ["MNIST", "mnist_dataset", "theano-mnist/data", "lenetmnist", "raw_mnist", "mini_mnist", "noisy_autoencoder", "emotion"],
)
def test_names_of_mnist_in_folders_of_projects(folder):
    assert mnist_name(f"{folder}/mnist.pkl.gz") == "mnist.pkl.gz"


def test_a_file_that_is_written_into_a_folder_of_mnists_name_makes_no_data(no_mnist, run, tmp_path):
    result = run("open('mnist_data/x.txt', 'w').write('mine')\nprint open('mnist_data/x.txt').read()\n")
    assert (result.status, result.out) == (0, "mine\n"), result.err
    assert "digits" not in result.err
    assert not list((tmp_path / "cache").rglob("*ubyte*"))


def test_another_folder_of_mnist_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = Data(Places(tmp_path, tmp_path, tmp_path, say=lambda line: None))
    name = "train-images-idx3-ubyte.gz"
    for contents in (b"one", b"another", b"a third"):
        folder = tmp_path / ("first" if contents != b"another" else "second")
        folder.mkdir(exist_ok=True)
        for stem in STEMS:
            (folder / f"{stem}.gz").write_bytes(contents)
        monkeypatch.setenv("SYMAE_DATA", str(folder))
        found = data.path(name), data.path("MNIST_data") / name
        assert [path.read_bytes() for path in found] == [contents] * 2

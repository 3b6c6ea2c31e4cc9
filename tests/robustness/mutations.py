"""Damaged files of every kind that symae reads: right data or one of symae's errors, in little time and memory.

    python tests/robustness/mutations.py --count 20000 --seed 0

Bits are flipped, bytes are set, pieces are cut out, put in, moved, or come from another file; what is packed is also damaged
before it is packed. Where a file has a checksum, what is read has to be what was written.
"""

from __future__ import annotations

import argparse
import atexit
import bz2
import contextlib
import functools
import gzip
import io
import json
import mmap
import os
import pickle
import random
import resource
import shutil
import signal
import struct
import sys
import tarfile
import tempfile
import threading
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image
from scipy.io import savemat

from symae import Autoencoder, ConvolutionalAutoencoder, CoordinateVAE, ImageAutoencoder, LogisticRegression
from symae.datasets import from_arrays, read, write_cntk_text, write_idx
from symae.datasets.formats.idx import FILES
from symae.datasets.named import SETS
from symae.errors import InputError
from symae.inspector.runs import open_run
from symae.models import load_weights
from symae.models.base import Model
from symae.ops.random.draws import state_words
from symae.runs.parameter_snapshots import KeptFilters, read_kept
from symae.runs.record import RunRecord, read_record
from symae.training import EpochLog, History
from symae.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint

SECONDS = 20  # of CPU, for one file: a machine that does something else meanwhile, or sleeps, is no fault of the reader
WAITING = 600  # seconds of the clock, for one that waits for something
MEMORY = 2 << 30  # bytes, beyond what the process has when it begins


@dataclass
class Reader:
    """A way to read files.

    Attributes
    ----------
    files : names of those that are damaged
    read : returns something comparable of a folder
    valid : is what was read, with what was written, right
    """

    files: tuple[str, ...]
    read: Callable[[Path], object]
    valid: Callable[[object, object], bool]
    packed: bool = False


def dataset(name: str) -> Callable[[Path], object]:
    def reading(folder: Path) -> object:
        found = read(folder / name if name else folder)
        return [array for split in found.parts for array in (split.x, split.y)]

    return reading


def is_a_dataset(found: object, _: object) -> bool:
    pairs = list(zip(found[::2], found[1::2], strict=True))
    sizes = {x.shape[1] for x in found[::2]}
    return len(sizes) == 1 and all(
        len(x) > 0
        and (y is None or (len(y) == len(x) and y.min() >= 0))
        and (x.dtype == np.uint8 or bool((x >= 0).all() and (x <= 1).all()))
        for x, y in pairs
    )


def is_the_same(found: object, written: object) -> bool:
    if isinstance(found, dict) and isinstance(written, dict):
        return found.keys() == written.keys() and all(is_the_same(found[k], written[k]) for k in found)
    if isinstance(found, list) and isinstance(written, list):
        return len(found) == len(written) and all(map(is_the_same, found, written))
    if isinstance(found, np.ndarray):
        return (found.dtype, found.shape, found.tobytes()) == (written.dtype, written.shape, written.tobytes())
    return repr(found) == repr(written)


def a_model(stem: str) -> Callable[[Path], object]:
    def reading(folder: Path) -> object:
        model = Model.load(folder / stem)
        return {"class": type(model).__name__, "configuration": model.configuration(), **model.parameters()}

    return reading


def a_checkpoint(folder: Path) -> object:
    found = read_checkpoint(folder / "last.safetensors")
    return {
        "history": vars(found.history),
        "settings": found.settings,
        "training": found.training,
        "shuffling": found.shuffling,
        **found.arrays,
    }


def a_record(folder: Path) -> object:
    run = open_run(folder)
    return [read_record(folder), list(run.models()), run.going_on]


def a_history(folder: Path) -> object:
    entries = open_run(folder).history()
    EpochLog(folder / "history.jsonl", append=True).rewrite(History([0.5], [0.1], best_epoch=0))
    return entries


def an_emnist(folder: Path) -> object:
    pairs = SETS["emnist"].read(folder / "own").pairs
    found = from_arrays(*pairs[0], test=pairs[1])
    return [array for split in found.parts for array in (split.x, split.y)]


GOLDEN = Path(__file__).parents[1] / "golden" / "foreign_weights"
# files of other libraries' weights, each of what its format has, and the models that take them
WEIGHTS: dict[str, Callable[[], Model]] = {
    "keras_pooled.weights.h5": lambda: ConvolutionalAutoencoder(0, maps=(3, 2)),
    "keras_pooled.keras": lambda: ConvolutionalAutoencoder(0, maps=(3, 2)),
    "keras_pooled.h5": lambda: ConvolutionalAutoencoder(0, maps=(3, 2)),
    **dict.fromkeys(
        [*(f"torch_unpooled{ending}" for ending in (".pt", ".safetensors", "_before_1.6.pt")), "chainer_unpooled.npz"],
        lambda: ImageAutoencoder(0, maps=(2, 3), pool=2),
    ),
    "lasagne_tied.npz": lambda: Autoencoder(0, n_visible=9, n_hidden=4),
    "theano_logistic.pkl": lambda: LogisticRegression(None, 784, 10),
}


def weights_of(name: str) -> Callable[[Path], object]:
    """Return a reader of weights, which fails if a file is refused and the model is another one than before."""
    models: list[Model] = []

    def reading(folder: Path) -> object:
        if not models:
            models.append(WEIGHTS[name]())
        (model,) = models
        before = {key: value.copy() for key, value in model.parameters().items()}
        try:
            load_weights(model, folder / "weights" / name)
        except InputError:
            if not is_the_same(model.parameters(), before):
                raise RuntimeError("refused, and the model has changed") from None
            raise
        return list(model.parameters().values())

    return reading


BATCHES = ("data_batch_1", "data_batch_2", "test_batch", "batches.meta")
PICTURES = ("a/0.png", "a/1.jpg", "a/2.gif", "b/3.bmp", "b/4.webp", "b/5.ppm", "b/6.png")

READERS = {
    "idx": Reader(FILES, dataset(""), is_a_dataset),
    "idx.gz": Reader(tuple(f"packed/{name}.gz" for name in FILES), dataset("packed"), is_the_same, packed=True),
    "npz": Reader(("a.npz",), dataset("a.npz"), is_the_same),
    "pkl": Reader(("a.pkl",), dataset("a.pkl"), is_a_dataset),
    "pkl of Python 2": Reader(("b.pkl",), dataset("b.pkl"), is_a_dataset),
    "pkl.gz": Reader(("a.pkl.gz",), dataset("a.pkl.gz"), is_the_same, packed=True),
    "cntk": Reader(("a.txt",), dataset("a.txt"), is_a_dataset),
    "one idx": Reader(("own/a.idx",), dataset("own/a.idx"), is_a_dataset),
    "npy": Reader(("own/a.npy",), dataset("own/a.npy"), is_a_dataset),
    "csv": Reader(("own/a.csv",), dataset("own/a.csv"), is_a_dataset),
    "amat": Reader(("own/a.amat",), dataset("own/a.amat"), is_a_dataset),
    "libsvm": Reader(("own/a.libsvm",), dataset("own/a.libsvm"), is_a_dataset),
    "bzip2": Reader(("own/usps.bz2",), dataset("own/usps.bz2"), is_a_dataset),
    "mat": Reader(("own/a.mat",), dataset("own/a.mat"), is_a_dataset),
    "packed mat": Reader(("own/b.mat",), dataset("own/b.mat"), is_a_dataset),
    "cifar, pickles": Reader(tuple(f"cifar/{name}" for name in BATCHES), dataset("cifar"), is_a_dataset),
    "cifar, records": Reader(("own/a.bin",), dataset("own/a.bin"), is_a_dataset),
    "cifar, archive": Reader(("own/cifar-10-python.tar.gz",), dataset("own/cifar-10-python.tar.gz"), is_a_dataset, packed=True),
    "emnist": Reader(("own/gzip.zip",), an_emnist, is_a_dataset),
    "pictures": Reader(tuple(f"pictures/{name}" for name in PICTURES), dataset("pictures"), is_a_dataset),
    **({"hdf5": Reader(("own/a.h5",), dataset("own/a.h5"), is_a_dataset)} if find_spec("h5py") else {}),
    **({"parquet": Reader(("own/a.parquet",), dataset("own/a.parquet"), is_a_dataset)} if find_spec("pyarrow") else {}),
    **{
        f"weights, {name}": Reader((f"weights/{name}",), weights_of(name), lambda found, _: isinstance(found, list))
        for name in WEIGHTS
        if find_spec("h5py") or not name.startswith("keras")
    },
    "model": Reader(("model.json", "model.safetensors"), a_model("model"), is_the_same),
    "image model": Reader(("image.json", "image.safetensors"), a_model("image"), is_the_same),
    "checkpoint": Reader(("last.safetensors",), a_checkpoint, is_the_same),
    "kept filters": Reader(
        ("filters/0/00000.safetensors",), lambda folder: read_kept(folder / "filters/0/00000.safetensors"), is_the_same
    ),
    "run.json": Reader(("run.json",), a_record, lambda found, _: isinstance(found, list)),
    "history": Reader(("history.jsonl",), a_history, lambda found, _: all(isinstance(entry, dict) for entry in found)),
}


@functools.cache
def originals() -> str:
    """Return a folder of valid files of all kinds, which is there until the process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    write_all(Path(folder.name))
    return folder.name


def write_all(folder: Path) -> None:
    """Write valid files of all kinds."""
    rng = np.random.RandomState(0)
    sizes = (6, 3, 2)
    pairs = [((rng.rand(n, 784) < 0.1).astype(np.uint8) * 200, np.arange(n)) for n in sizes]
    write_own(folder)
    (folder / "packed").mkdir()
    for (x, y), images, labels in ((pairs[0], *FILES[:2]), (pairs[1], *FILES[2:])):
        for name, array in ((images, x.reshape(-1, 28, 28)), (labels, y.astype(np.uint8))):
            write_idx(folder / name, array)
            write_idx(folder / "packed" / f"{name}.gz", array)
    np.savez_compressed(folder / "a.npz", x_train=pairs[0][0], y_train=pairs[0][1], x_test=pairs[1][0], y_test=pairs[1][1])
    floats = tuple(((x / 256).astype(np.float32), y) for x, y in pairs)
    (folder / "a.pkl").write_bytes(pickle.dumps(floats, 4))
    (folder / "b.pkl").write_bytes(pickle.dumps(floats, 1))
    (folder / "a.pkl.gz").write_bytes(gzip.compress(pickle.dumps(floats, 4), mtime=0))
    write_cntk_text(folder / "a.txt", *pairs[0])
    model = Autoencoder(1, n_visible=9, n_hidden=4)
    model.save(folder / "model")
    ImageAutoencoder(1, maps=(2, 3), pool=2, image_shape=(1, 8, 8)).save(folder / "image")
    KeptFilters(folder, 0, model, overwrite=True).keep(0)
    history = History([0.5, 0.25], [0.1, 0.2], {"val_cost": [1.0, float("nan")]}, best_epoch=1)
    training = {"id": "a", "graph": "b", "versions": {}, "numbers": ["0.1"], "operations": {"Dot": 2}}
    training |= {"read": {}, "changed outside": [], "began with": {"W": "c"}}
    words = state_words(np.random.RandomState(3))
    write_checkpoint(Checkpoint(history, model.parameters(), {"seed": 0}, words, training), folder / "last.safetensors")
    record = RunRecord(folder, "01", "title", "digits", {"epochs": 3})
    record.training(model, None)
    record.saved(model, "model")
    record.ended("finished", {"minibatch": 20})
    (folder / "weights").mkdir()
    for name in WEIGHTS:
        if (GOLDEN / name).exists():
            (folder / "weights" / name).write_bytes((GOLDEN / name).read_bytes())
    np.savez_compressed(folder / "weights" / "lasagne_tied.npz", *Autoencoder(2, n_visible=9, n_hidden=4).parameters().values())
    EpochLog(folder / "history.jsonl").rewrite(history)


def write_own(folder: Path) -> None:
    """Write valid files of the formats of images of any shape."""
    rng = np.random.RandomState(1)
    x, y = rng.randint(0, 256, (9, 3, 8, 8)).astype(np.uint8), np.arange(9) % 4
    rows = x.reshape(9, -1)[:, :16]
    for below in ("own", "cifar", "pictures/a", "pictures/b"):
        (folder / below).mkdir(parents=True)
    own = folder / "own"
    write_idx(own / "a.idx", x)
    np.save(own / "a.npy", x)
    table = np.column_stack([y, rows])
    header = "label," + ",".join(f"pixel{i}" for i in range(16)) + "\n"
    (own / "a.csv").write_text(header + "".join(",".join(map(str, row)) + "\n" for row in table))
    (own / "a.amat").write_text(
        "".join(" ".join(f"{v / 256:.6e}" for v in row) + f" {k}.0\n" for row, k in zip(rows, y, strict=True))
    )
    sparse = ["{} {}".format(k, " ".join(f"{i + 1}:{v}" for i, v in enumerate(row))) for row, k in zip(rows, y, strict=True)]
    (own / "a.libsvm").write_text("\n".join(sparse))
    (own / "usps.bz2").write_bytes(bz2.compress("\n".join(sparse).encode()))
    for name, packed in (("a.mat", False), ("b.mat", True)):
        savemat(own / name, {"X": x.transpose(2, 3, 1, 0), "y": y[:, None], "note": "text"}, do_compression=packed)
    batch = rng.randint(0, 256, (3, 3072)).astype(np.uint8)
    content = {"data": batch, "labels": [0, 1, 2], "filenames": ["a.png", "b.png", "c.png"]}
    with tarfile.open(own / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in BATCHES:
            data = pickle.dumps({"label_names": ["cat", "dog", "eel"]} if name == BATCHES[-1] else content, 2)
            (folder / "cifar" / name).write_bytes(data)
            archive.add(folder / "cifar" / name, f"cifar/{name}")
    (own / "a.bin").write_bytes(np.column_stack([np.zeros(3, np.uint8), batch]).tobytes())
    with zipfile.ZipFile(own / "gzip.zip", "w") as zipped:
        for part in ("train", "test"):
            for what, array in (("images-idx3", x[:, 0]), ("labels-idx1", (y + 1).astype(np.uint8))):
                write_idx(folder / "part.gz", array)
                zipped.writestr(f"gzip/emnist-letters-{part}-{what}-ubyte.gz", (folder / "part.gz").read_bytes())
    for number, name in enumerate(PICTURES):
        Image.fromarray(x[number].transpose(1, 2, 0)).resize((8, 9)).save(folder / "pictures" / name)
    if "hdf5" in READERS:
        import h5py

        with h5py.File(own / "a.h5", "w") as file:
            file.create_dataset("train/x", data=x, compression="gzip")
            file["train/y"], file["test/x"], file["test/y"] = y, x[:2], y[:2]
    if "parquet" in READERS:
        import pyarrow
        from pyarrow import parquet

        pictures = [{"bytes": (folder / "pictures" / name).read_bytes(), "path": name} for name in PICTURES]
        parquet.write_table(pyarrow.table({"image": pictures, "label": [*range(len(PICTURES))]}), own / "a.parquet")


INTERESTING = [b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f", b"NaN", b"1e999", b"9" * 400, b'"', b"{", b"[" * 200, b"null"]
INTERESTING += [b"\n", b"-1", b"\x80\x04", b"cos\nsystem\n", b"\xef\xbb\xbf", b"|features 0", b"8000000", b"2.5", b"\x1f\x8b"]
INTERESTING += [b"PK\3\4"]


def mutated(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Return `data` with up to four pieces of it changed; more often at the ends, where the headers are."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = int(len(data) * (rng.random() if rng.random() < 0.5 else 0.5 + 4 * (rng.random() - 0.5) ** 3))
        length = min(int(rng.expovariate(1 / 8)) + 1, 200)
        kind = rng.randrange(8)
        if kind <= 1 and data:  # a bit
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + rng.randbytes(length) + data[at + length :]
        elif kind == 3:
            data = data[:at] + rng.choice(INTERESTING) + data[at + rng.choice([0, 1, 4, 8]) :]
        elif kind == 4:
            data = data[:at] if rng.random() < 0.5 else data[:at] + data[at + length :]
        elif kind == 5:  # a piece of itself elsewhere
            start = rng.randrange(len(data) + 1)
            data = data[:at] + data[start : start + length] + data[at + rng.choice([0, length]) :]
        elif kind == 6:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            data = data[:at] + other[start : start + rng.choice([length, 4096])] + data[at:]
        else:
            other = rng.choice(others)
            data = data[:at] + other[rng.randrange(len(other) + 1) :]
    return data


def too_late(*_: object) -> None:
    raise RuntimeError(f"more than {SECONDS} s")  # no OSError, which readers take for a file that cannot be read


# what code that a file brings would do, by the names of Python's audit events
FOREIGN_ACTS = (
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
    "ctypes.dlopen",
)
acts: list[str] = []
watched = threading.Event()  # while a reader reads


def note_foreign_acts(event: str, arguments: tuple[object, ...]) -> None:
    if watched.is_set() and event.startswith(FOREIGN_ACTS):
        acts.append(f"{event} {arguments!r}")


@functools.cache
def watch() -> None:
    """See from now on what a file's code would do, and hear the alarms of `watching`."""
    sys.addaudithook(note_foreign_acts)
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, too_late)


@contextlib.contextmanager
def watching() -> Iterator[None]:
    watch()
    acts.clear()
    watched.set()
    timers = {signal.ITIMER_PROF: SECONDS, signal.ITIMER_REAL: WAITING}
    for timer, seconds in timers.items():
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        watched.clear()


def check(reader: Reader, folder: Path, written: object) -> str:
    """``read``, ``refused``, or what is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # weights that are not finite
            found = reader.read(folder)
    except InputError as error:
        text = str(error)
        return "refused" if len(text) < 2000 and "\n" not in text else f"an error of {len(text)} characters: {text[:200]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "read" if reader.valid(found, written) else "wrong data"


def outcomes_of(name: str, numbers: Iterable[int], seed: int) -> Iterator[tuple[int, str, str, float]]:
    """Yield the number of each damaged file, which file it is, what came of it, and seconds of CPU; all repeatable."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(originals(), folder, dirs_exist_ok=True)
        written = reader.read(folder)
        write_all_again = {file: (folder / file).read_bytes() for file in reader.files}
        others = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
        for number in numbers:
            rng = random.Random(f"{name} {seed} {number}")
            file = rng.choice(reader.files)
            data = write_all_again[file]
            valid = reader.valid
            if reader.packed and rng.random() < 0.3:
                data = gzip.compress(mutated(rng, gzip.decompress(data), others), 1)
                valid = is_a_dataset
            elif name.endswith((".keras", ".pt", "npz")) and data.startswith(b"PK") and rng.random() < 0.3:
                data, valid = rezipped(rng, data, others), is_a_dataset if name == "npz" else reader.valid
            else:
                data = mutated(rng, data, others)
            (folder / file).write_bytes(data)
            started = time.process_time()
            with watching():
                outcome = check(Reader(reader.files, reader.read, valid), folder, written)
            seconds = time.process_time() - started
            if acts:
                outcome = f"it did {acts.pop()[:200]}"
            elif seconds > SECONDS:  # whatever a reader made of the alarm
                outcome = f"{seconds:.0f} s"
            (folder / file).write_bytes(write_all_again[file])
            yield number, file, outcome, seconds


def run(name: str, count: int, seed: int, report: Callable[[str], None]) -> Counter[str]:
    """How often each outcome came of `count` damaged files; all but ``read`` and ``refused`` are reported."""
    found = Counter[str]()
    for number, file, outcome, _ in outcomes_of(name, range(count), seed):
        found[outcome if outcome in ("read", "refused") else "wrong"] += 1
        if outcome not in ("read", "refused"):
            report(f"{name}, seed {seed}, number {number}, {file}: {outcome}")
    return found


KINDS = {"read": 1, "refused": 2, "wrong": 3}


def run_apart(name: str, count: int, seed: int) -> dict[str, float]:
    """Do as `run`, in a process that may crash or never come to an end in a library's code; another one goes on behind that."""
    kept = mmap.mmap(-1, count + 8)  # of each file how it went, and the longest time
    spent = os.times()
    with tempfile.TemporaryDirectory() as temporary:
        while (first := kept[:count].find(0)) >= 0:
            child = os.fork()
            if not child:
                tempfile.tempdir = temporary
                _go_through(name, range(first, count), seed, kept)
            ended = _end_of(child, kept, count)
            if (number := kept[:count].find(0)) >= 0:
                print(f"{name}, seed {seed}, number {number}: {ended}", flush=True)
                kept[number] = KINDS["wrong"]
    found: dict[str, float] = {kind: kept[:count].count(bytes([code])) for kind, code in KINDS.items()}
    found["slowest, ms of CPU"] = round(1000 * struct.unpack("d", kept[count:])[0])
    return {"s of CPU": round(sum(os.times()[2:4]) - sum(spent[2:4])), **found}


def _go_through(name: str, numbers: Iterable[int], seed: int, kept: mmap.mmap) -> NoReturn:
    slowest = 0.0
    try:
        for number, file, outcome, seconds in outcomes_of(name, numbers, seed):
            if outcome not in KINDS:
                print(f"{name}, seed {seed}, number {number}, {file}: {outcome}", flush=True)
            slowest = max(slowest, seconds, *struct.unpack("d", kept[-8:]))
            kept[-8:] = struct.pack("d", slowest)
            kept[number] = KINDS.get(outcome, KINDS["wrong"])
    finally:
        os._exit(0)


def _end_of(child: int, kept: mmap.mmap, count: int) -> str:
    """Wait for a process, or end it where no Python runs in it that the alarm would reach."""
    number, before = -1, 0.0
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return f"ended by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "an error of the reader's end"
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if (now := kept[:count].find(0)) != number:
            number, before = now, seconds
        elif seconds - before > 2 * SECONDS:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"no end after {seconds - before:.0f} s"
        time.sleep(0.2)


def rezipped(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Damage one member of the archive before it is packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = rng.choice(old.namelist())
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, mutated(rng, content, others) if member == chosen else content)
    return file.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []])
    options = parser.parse_args()
    os.fsync = lambda descriptor: None  # power is not what is lost here, and the disk is slow
    CoordinateVAE(1, image_shape=(1, 2, 2))  # all classes are imported before memory is bounded
    originals()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (space + MEMORY, space + MEMORY))
    wrong = 0
    for name in options.readers or READERS:
        outcomes = run_apart(name, options.count, options.seed)
        wrong += int(outcomes["wrong"])
        print(json.dumps({"reader": name, "files": options.count, "seed": options.seed, **outcomes}), flush=True)
    grown = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10) - used
    print(f"{wrong} wrong outcomes; memory grew by {max(grown, 0) >> 20} MiB at most")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What every worksheet does around its lesson: read the command line, name its data, train, keep pictures and a report.

A worksheet is a percent script: ``python worksheets/01_autoencoder.py`` runs it, Jupyter and VS Code open it cell by cell.
"""

from __future__ import annotations

import argparse
import atexit
import builtins
import gc
import math
import os
import re
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae._runtime.atomic_files import make_folder
from symae._runtime.decimals import fixed
from symae._runtime.folder_lock import FolderLock
from symae._runtime.memory import end_quickly, tune_process
from symae._runtime.notebook import in_notebook
from symae._runtime.terminal import INTERRUPTED, at_each_end, at_least, print_anything, report_bad_input
from symae.compile import compile_time, first_run, function
from symae.compile.backends import BY_NAME, DEFAULT
from symae.compile.environment import environment
from symae.compile.mesh import Devices
from symae.datasets import Dataset, available, load_data, read
from symae.datasets import default as default_data
from symae.datasets.pixel_scale import KERAS, TUTORIALS
from symae.errors import BackendError, InputError, UnwritableError
from symae.images import save_png, unit_images
from symae.models.base import Model
from symae.report import NotebookReport, Picture, Report
from symae.runs.options import devices, distributed, worksheet_parser
from symae.runs.parameter_snapshots import KeptFilters
from symae.runs.record import RunRecord
from symae.training import Callback, EpochLog, History, Step, fit, train_epochs
from symae.training.checkpoints import read_checkpoint
from symae.training.identity import AGAIN
from symae.training.joining import join
from symae.training.processes import processes
from symae.training.training_folder import TrainingFolder

RESULTS = {".html", ".json", ".jsonl", ".png", ".safetensors", ".txt"}


@contextmanager
def _saying(begun: str) -> Iterator[None]:
    """Print the beginning of a line, and say in that line if machine code is made for the first time inside the block."""
    print(begun, end=" ", flush=True)
    said = False

    @contextmanager
    def tell(seconds: float) -> Iterator[None]:
        nonlocal said
        in_its_place = sys.stdout.isatty() and first_run.shows_bar()  # the bar, in the place of this line
        if not in_its_place and not said:  # in the block may be several functions
            said = True
            print(f"first run: about {seconds:.0f} s …", end=" ", flush=True)
        with first_run.bar(seconds):
            yield
        if in_its_place:
            print(f"\r{begun}", end=" ", flush=True)

    with first_run.telling(tell):
        yield


class Worksheet:
    """Run a worksheet once.

    Parameters
    ----------
    name : str
        ``NN_name``, the worksheet's file name; results go to ``out/NN_name`` unless ``--out`` says otherwise.
    title : str
        The report's.
    epochs : int
        The default of ``--epochs``.
    images : int, optional
        For so many training images; by default as many images are seen in all where there are fewer.
    data : str, optional
        The default of ``--data``, where it is there.
    floatX : str
        The default of ``--floatX``.
    resumable : bool
        Take ``--resume``, ``--images``, ``--devices`` and ``--distributed``: for worksheets that use `fit` and
        `training_images`.
    subset : int, optional
        The default of ``--images``, where there are as many; all of them if not given.
    dataset : function, optional
        Makes the data of all options, instead of `symae.datasets.read` of ``--data``.
    options : mapping of str to dict, optional
        The worksheet's own options: what ``ArgumentParser.add_argument`` takes, by the option's name.
    argv : list of str, optional
        The command line; that of the process by default, none in a notebook.

    Attributes
    ----------
    dataset : Dataset
    epochs, seed : int
    backend, floatX : str
    settings : argparse.Namespace
        All options, the worksheet's own among them.
    out : Path
        The folder of the results.
    report : Report
    """

    def __init__(
        self,
        name: str,
        title: str,
        *,
        epochs: int,
        images: int | None = None,
        data: str | None = None,
        floatX: str = "float64",
        resumable: bool = False,
        subset: int | None = None,
        dataset: Callable[[argparse.Namespace], Dataset] | None = None,
        options: Mapping[str, dict[str, Any]] | None = None,
        argv: Sequence[str] | None = None,
    ):
        print_anything()
        notebook = hasattr(builtins, "__IPYTHON__")
        if not notebook:
            sys.excepthook = report_bad_input
            if argv is None:
                gc.freeze()  # what is imported stays: looking for garbage in it takes a tenth of a second
        self._parser = worksheet_parser(name, title, epochs, images, floatX)
        self._subset = subset
        if resumable:
            default = "all" if subset is None else subset
            self._parser.add_argument(
                "--images",
                type=at_least(1),
                metavar="N",
                help=f"train on the first N training images only (default: {default})",
            )
            self._parser.add_argument(
                "--devices",
                type=devices,
                metavar="N|all",
                help="divide each minibatch among so many devices of JAX, or all there are; takes --backend jax",
            )
            self._parser.add_argument(
                "--distributed",
                nargs="?",
                const="",
                type=distributed,
                metavar="HOST:PORT,N,I",
                help="train together with other processes, which SLURM, Open MPI or Kubernetes has started; or as process I of "
                "N, of which number 0 is at HOST:PORT. The first one writes the results; takes --backend jax",
            )
            self._parser.add_argument(
                "--resume", action="store_true", help="go on from the last checkpoint in --out, if there is one"
            )
        for option, keywords in (options or {}).items():
            self._parser.add_argument(option, **keywords)
        self.settings = settings = self._parser.parse_args([] if argv is None and notebook else argv)
        floats = BY_NAME[settings.backend].floats
        if settings.floatX not in floats:
            expected = f"{' or '.join(floats)}, all that the backend {settings.backend} has"
            self.refuse(f"argument --floatX: found {settings.floatX}, expected {expected}")
        self._first = self._join()
        self._shared_by()
        self.started = time.perf_counter()
        self.name = name
        self.seed: int = settings.seed
        self.backend: str = settings.backend
        self.floatX: str = settings.floatX
        self.threads: int | None = settings.threads
        pytensor.config.floatX = self.floatX
        chosen = data if settings.data is None and data in available() else settings.data
        self.dataset: Dataset = read(chosen, image_shape=settings.image_shape) if dataset is None else dataset(settings)
        if self.image_shape[0] not in (1, 3):  # whatever is drawn of them is refused, when the training is done
            raise InputError("--data", f"images of {self.image_shape[0]} channels", "1 or 3: grey, or red, green and blue")
        self.epochs: int = settings.epochs
        if settings.epochs is None and images is not None:
            self.epochs = max(1, round(epochs * images / sum(len(part.x) for part in self.dataset.parts[:-1])))
        self._results = make_folder(settings.out) if self._first else settings.out
        self.out = self._results if self._first else _scratch()
        self._lock = FolderLock(self.out)  # until the run has ended: it writes more than its trainings do
        weakref.finalize(self, self._lock.release)
        for taken in sorted(self.out.iterdir()):  # better said now than when the training is done
            if taken.suffix in RESULTS and taken.is_dir():
                raise UnwritableError(taken, "a folder", "a place for a file")
        self.report = (NotebookReport if in_notebook() else Report)(
            title, f"{self.dataset.name}. {self.epochs} epochs, seed {self.seed}."
        )
        self.record = RunRecord(
            self.out,
            name,
            title,
            (chosen or default_data()) if dataset is None else None,
            vars(settings) | {"epochs": self.epochs},
            image_shape=self.image_shape,
        )
        self.interrupted = False
        self.compiling = 0.0
        self.training = 0.0
        self._printed: list[str] = []
        self._trained = False
        self.say(f"Data: {self.dataset.name}")
        for note in self.dataset.notes:
            self.say(note)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The channels, the height and the width of the data's images."""
        return self.dataset.image_shape

    def refuse(self, message: str) -> NoReturn:
        """End the run as argparse does: options that are fine by themselves do not go together."""
        self._parser.error(message)

    @contextmanager
    def _on_jax(self, option: str) -> Iterator[None]:
        """Refuse an option that another backend than JAX does not have, or whose value the block finds wrong."""
        if self.settings.backend != "jax":
            self.refuse(f"argument {option}: found --backend {self.settings.backend}, expected --backend jax")
        try:
            yield
        except InputError as error:
            self.refuse(f"argument {option}: found {error.found}, expected {error.expected}")

    def _join(self) -> bool:
        """Let this run be one of several processes if ``--distributed`` says so; whether it is the one that writes."""
        chosen = getattr(self.settings, "distributed", None)
        if chosen is None:
            return True
        with self._on_jax("--distributed"):
            join(chosen)
        self.settings.devices = self.settings.devices or "all"
        group = processes()
        if group is None or group.writes:
            return True
        sys.stdout.flush()
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)  # for JAX too, which prints by itself
        return False

    def _shared_by(self) -> int | None:
        """Return among how many devices minibatches are divided, None where ``--devices`` is not given."""
        chosen = getattr(self.settings, "devices", None)
        if chosen is None:
            return None
        with self._on_jax("--devices"):
            return len(Devices(chosen))

    def _check_shared(self, batch_size: int) -> None:
        shared = self._shared_by()
        if shared is not None and batch_size % shared:
            raise InputError("--devices", str(shared), f"a number that divides {batch_size}, the images of a minibatch")

    def say(self, line: str) -> None:
        """Print a line, and keep it for the report."""
        self._printed.append(line)
        print(line, flush=True)

    def function(self, what: str, *arguments: Any, **keywords: Any) -> Any:
        """Compile with `symae.function` on the backend of this run, and print how long `what` took."""
        with _saying(f"Compiling {what} …"):
            compiled = function(*arguments, backend=self.backend, **keywords)
        print(compile_time(compiled), flush=True)
        self.compiling += compile_time(compiled).total
        tune_process()  # not before: what reading the data and compiling have freed is not for steps
        return compiled

    @contextmanager
    def preparing(self, what: str) -> Iterator[None]:
        """Say how long the block takes, and count it as compiling: a first call that compiles `what`."""
        started = time.perf_counter()
        with _saying(f"Compiling {what} …"):
            yield
        seconds = time.perf_counter() - started
        print(f"{seconds:.1f} s", flush=True)
        self.compiling += seconds

    def minibatches(self, size: int, images: int | None = None) -> int:
        """Return how many minibatches of `size` there are in so many images (all training images by default).

        The rest is left out, as in the tutorials.
        """
        images = len(self.dataset.train.x) if images is None else images
        if images < size:
            raise InputError("--data", f"{images} training images", f"at least one minibatch of {size}")
        return images // size

    def load_data(self) -> list[tuple[Any, Any]]:
        """Return the data in shared variables, as `symae.load_data` does: the run records that bytes are divided by 256."""
        self.record.scaled_by(TUTORIALS)
        return load_data(self.dataset)

    def unit_images(self, rows: Any) -> np.ndarray:
        """Return rows as images, as `symae.images.unit_images` does: the run records that bytes are divided by 255."""
        self.record.scaled_by(KERAS)
        return unit_images(rows, self.image_shape)

    def training_images(self, batch_size: int) -> np.ndarray:
        """Return the training images followed by the validation images, or the first ``--images`` of them.

        For worksheets that have no other use for validation images.

        Returns
        -------
        array (n, pixels)
            Bytes or floats, as the data set has them; `unit_images` scales both.

        Raises
        ------
        InputError
            There are fewer images than ``--images`` asks for, or fewer than a minibatch of `batch_size`; ``--devices`` do not
            divide that.
        """
        self._check_shared(batch_size)
        images = self.dataset.training_images()
        chosen = getattr(self.settings, "images", None)
        if chosen is not None and chosen < batch_size:
            raise InputError("--images", str(chosen), f"at least one minibatch of {batch_size}")
        if chosen is not None and chosen > len(images):
            raise InputError("--images", str(chosen), f"at most {len(images)}, the images that there are to train on")
        self.minibatches(batch_size, len(images))
        if chosen is None and self._subset is not None and self._subset < len(images):
            self.say(f"Training on the first {self._subset} of {len(images)} images; --images {len(images)} takes all")
            chosen = self._subset
        return images[:chosen]

    def fit(
        self,
        cost: Variable,
        updates: Sequence[tuple[SharedVariable, Variable]],
        data: Mapping[Variable, Any],
        model: Model,
        name: str | None = None,
        *,
        batch_size: int,
        seconds_an_image: float | None = None,
        **keywords: Any,
    ) -> History:
        """Train `model` for the epochs of this run by `symae.training.fit`, with checkpoints and the history among the results.

        With ``--resume`` the training goes on after the last finished epoch, to the last bit as if it had not stopped. Ctrl-C
        leaves the model as the last finished epoch did; later calls do nothing then.

        Parameters
        ----------
        cost, updates, data, batch_size
            As `symae.training.fit` takes them, and `keywords` too: ``validation``, ``measures``, ``patience`` …
        model : Model
        name : str, optional
            The model's, where several are trained in one run.
        seconds_an_image : float, optional
            About what a training image takes in an epoch, on two cores, on Numba: says before the training how long it will be.

        Raises
        ------
        InputError
            The checkpoint is damaged, or of another model, other data or other settings.
        UnwritableError, DivergedError
            As `symae.training.fit`.
        """
        if self.interrupted:
            return History(interrupted=True)
        if name is not None:
            self.say(f"{name}:")
        self._trained = True
        started, compiled = time.perf_counter(), self.compiling
        self._check_shared(batch_size)
        last = TrainingFolder(self._results, {}, name, writes=self._first).last
        resume = getattr(self.settings, "resume", False)
        goes_on = resume and last.is_file()
        noted = self.record.path.exists()
        if resume and not goes_on:
            self.say(f"--resume: there is no {last} yet, so the training begins from the start")
        keywords["callbacks"] = [*self._callbacks(model, name, overwrite=not goes_on), *keywords.get("callbacks", ())]
        try:
            done = len(read_checkpoint(last).history) if goes_on else 0
            if seconds_an_image is not None and done < self.epochs and self.backend == DEFAULT:
                images, tested = (len(next(iter(d.values()))) if d else 0 for d in (data, keywords.get("validation")))
                # drawing an image takes about a third of learning from it
                left, seconds = self.epochs - done, seconds_an_image * (images + tested / 3)
                self.say(f"{_epochs(left)} of {images} images: {_about(left * seconds)} on two cores, once compiled")
            history = fit(
                cost,
                updates,
                data,
                batch_size=batch_size,
                n_epochs=self.epochs,
                params=model.params,
                seed=self.seed,
                folder=self._results,
                resume=resume,
                threads=self.threads,
                log=self.say,
                name=name,
                function=partial(self._compiled_for, name),
                devices=getattr(self.settings, "devices", None),
                **keywords,
            )
        except InputError as error:
            if not noted and not last.is_file():
                self.record.path.unlink(missing_ok=True)  # nothing is left of what has not begun
            if not goes_on or isinstance(error, BackendError | UnwritableError):
                raise
            # a fingerprint is known by its beginning
            found, expected = (re.sub(r"(SHA-256 \w{8})\w+", r"\1…", text) for text in (error.found, error.expected))
            expected = expected.removesuffix(f"; {AGAIN}")  # a command has another option for it
            hint = "give the options of that run, or another --out"
            raise InputError("--resume", f"{error.where}: {found}", f"{expected}; {hint}") from error
        self.training += time.perf_counter() - started - (self.compiling - compiled)
        if goes_on and done >= self.epochs:
            self.say(f"{last} has {_epochs(done)} already: nothing is left to train")
        if history.interrupted and len(history) and "resume" in self.settings:
            self.say("The same command with --resume goes on from there")
        self.interrupted = history.interrupted
        return history

    def _compiled_for(self, name: str | None, *arguments: Any, updates: Any = (), **keywords: Any) -> Any:
        """Compile a function, with words for what `symae.training.fit` compiles."""
        what = "the training step" if updates else "the test cost"
        return self.function(what + (f" of {name}" if name else ""), *arguments, updates=updates, **keywords)

    def _callbacks(self, model: Model, name: str | None, *, overwrite: bool) -> list[Callback]:
        """Note the training of `model`, and return what keeps its filters if ``--keep-filters`` says so."""
        number = self.record.training(model, name)
        return [KeptFilters(self.out, number, model, overwrite=overwrite)] if self.settings.keep_filters else []

    def report_costs(self, history: History, units: str, heading: str = "Cost") -> None:
        """Say the final costs, and report those of about ten epochs as a table and all as a curve.

        Parameters
        ----------
        history : History
            Of `fit` with the test images as validation data.
        units : str
            What the cost is: ``"nats per pixel"``.
        """
        self.report.heading(heading)
        costs, test = history.costs, history.measures.get("val_cost", [])
        if not costs:
            self.report.text("No epoch was finished.")
            return
        self.say(f"After {_epochs(len(costs))}: cost {fixed(costs[-1])}, of test images {fixed(test[-1])}, {units}")
        self.report.text("Training images are measured while the model still learns, test images at the end of each epoch.")
        rows = [[str(epoch), fixed(costs[epoch], 4), fixed(test[epoch], 4)] for epoch in about_ten(len(costs))]
        self.report.table([["epoch", "training images", "test images"], *rows])
        curves = {"training images": dict(enumerate(costs)), "test images": dict(enumerate(test))}
        self.report.curve(curves, x_label="epoch", y_label=f"cost, {units}")

    def train(
        self,
        train: Step,
        n_batches: int,
        model: Model,
        name: str | None = None,
        *,
        before_epoch: Callable[[int], None] | None = None,
        measure: Callable[[], Mapping[str, float]] | None = None,
    ) -> History:
        """Train `model` for the epochs of this run and log each to ``history.jsonl``, under `name` where there are several.

        `before_epoch` and `measure` are as in `symae.training.train_epochs`.

        Ctrl-C leaves the model as the last finished epoch did; later calls do nothing then.
        """
        if self.interrupted:
            return History(interrupted=True)
        if name is not None:
            self.say(f"{name}:")
        epoch_log = EpochLog(self.out / "history.jsonl", name, append=self._trained)
        self._trained = True
        started = time.perf_counter()
        history = train_epochs(
            train,
            n_batches,
            self.epochs,
            on_epoch=epoch_log,
            before_epoch=before_epoch,
            measure=measure,
            params=model.params,
            threads=self.threads,
            log=self.say,
            callbacks=self._callbacks(model, name, overwrite=True),
        )
        self.training += time.perf_counter() - started
        self.interrupted = history.interrupted
        return history

    def picture(self, name: str, image: Any, caption: str | None = None, zoom: int | None = None) -> Picture:
        """Save `image` as ``<name>.png`` among the results, and return it for a table of the report, perhaps enlarged."""
        png = save_png(self.out / f"{name}.png", image)
        return Picture(image, caption=caption, alt=caption or name, zoom=zoom, png=png)

    def save(self, model: Model, name: str = "model") -> None:
        """Save `model` among the results, and with it how the pixels of its images lie, if it does not know."""
        if model.image_shape is None and model.describe().pixels == math.prod(self.image_shape):
            model.image_shape = self.image_shape
        model.save(self.out / name)
        self.record.saved(model, name)

    def finish(self, settings: Mapping[str, Any]) -> None:
        """Write the report; `settings` are listed in it. After Ctrl-C, end with the status that shells expect of it."""
        elapsed = time.perf_counter() - self.started
        self.report.showing = False  # what follows, a notebook has already
        self.say(f"Trained {self.training:.1f} s, compiled {self.compiling:.1f} s, {elapsed:.1f} s in all")
        self.report.heading("Settings")
        state = (
            {"interrupted": "yes, by Ctrl-C; what stands here is of the finished epochs, and so is the saved model"}
            if self.interrupted
            else {}
        )
        times = {"training": f"{self.training:.1f} s", "compiling": f"{self.compiling:.1f} s", "whole run": f"{elapsed:.1f} s"}
        chosen = {"seed": self.seed, "floatX": self.floatX, "backend": self.backend}
        self.report.facts({"data": self.dataset.name, **settings, **chosen, **state, **times, **environment()})
        self.record.ended("interrupted" if self.interrupted else "finished", {"data": self.dataset.name, **settings, **times})
        self.report.heading("Printed")
        self.report.code("\n".join(self._printed))
        self.report.write(self.out / "report.html")
        self._lock.release()
        if not hasattr(builtins, "__IPYTHON__"):
            atexit.register(end_quickly)  # everything is written
        print(f"Results are in {self.out}{os.sep}: open report.html")
        if self.interrupted and not hasattr(builtins, "__IPYTHON__"):
            raise SystemExit(INTERRUPTED)


def _scratch() -> Path:
    """Return a folder that is gone when the process is, for the results of a process that is not the first one."""
    folder = Path(tempfile.mkdtemp(prefix="symae-"))
    at_each_end(partial(shutil.rmtree, folder, ignore_errors=True))
    return folder


def about_ten(epochs: int) -> list[int]:
    """Return the first, the last and about eight between of so many epochs, for tables; at least one."""
    return sorted({*range(0, epochs, math.ceil(epochs / 10)), epochs - 1})


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def _about(seconds: float) -> str:
    """Return a time in words, no more exact than an estimate is."""
    if seconds < 20:
        return "a few seconds"
    if seconds < 90:
        return f"about {10 * round(seconds / 10)} seconds"
    return f"about {round(seconds / 60)} minutes"

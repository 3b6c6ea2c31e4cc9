"""Callbacks that write down what a training does as it goes on, for those who watch it from outside."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae._runtime.atomic_files import make_folder
from symae._runtime.checks import integer
from symae.errors import BackendError, InputError, UnwritableError
from symae.training.engine import Callback, TrainingState
from symae.training.history import EpochLog


class JSONLines(Callback):
    """Writes a line of JSON for each epoch as it ends: ``{"epoch": 0, "cost": 0.3, …, "seconds": 1.2}``.

    Of a training that goes on after some epochs the file gets the lines of these first, so that it has each epoch once.

    Parameters
    ----------
    path : path
        A file that is made, or made anew.
    model : str, optional
        Stands in each line. Lines of other models in the file stay.

    Raises
    ------
    UnwritableError
        The file cannot be written.
    """

    first_process_only = True

    def __init__(self, path: str | Path, model: str | None = None):
        self.path = Path(path)
        self._log = EpochLog(self.path, model, append=True)

    def on_train_begin(self, state: TrainingState) -> None:
        self._log.rewrite(state.history)

    def on_epoch_end(self, state: TrainingState) -> None:
        self._log(state.epoch, state.cost, state.seconds, state.metrics)


class TensorBoard(Callback):
    """Writes what TensorBoard shows: curves of the cost and of what is measured, histograms of parameters, pictures.

    ``tensorboard --logdir runs`` shows all trainings whose folders are in ``runs``. Needs ``pip install "symae[tensorboard]"``.

    Parameters
    ----------
    folder : path
        Gets an event file; one folder for each training. What it has of epochs that a resumed training makes again is hidden.
    params : sequence of shared variables
        Those of which there are histograms.
    pictures : mapping from name to function, optional
        Each is called without arguments and returns a picture of uint8, (h, w) or (h, w, 3): what
        `symae.images.tile_raster_images` makes of filters, for instance.
    every : int >= 1
        Write histograms and pictures after so many epochs, and after the first.

    Raises
    ------
    BackendError
        The package tensorboardX is not installed.
    InputError
        What is given for `params` or `pictures` is none, or a function returns something that is no picture.
    UnwritableError
        `folder` cannot be written.
    """

    first_process_only = True

    def __init__(
        self,
        folder: str | Path,
        *,
        params: Sequence[SharedVariable] = (),
        pictures: Mapping[str, Callable[[], Any]] | None = None,
        every: int = 1,
    ):
        self.folder = Path(folder)
        self.params = list(params)
        self.pictures = dict(pictures or {})
        self.every = integer("every", every)
        for number, p in enumerate(self.params):
            if not isinstance(p, SharedVariable) or p.name is None:
                raise InputError(f"params[{number}]", f"a {type(p).__name__}", "a shared variable with a name")
        for name, picture in self.pictures.items():
            if not callable(picture):
                raise InputError(f"pictures[{name!r}]", f"a {type(picture).__name__}", "a function that returns a picture")
        self._writer_class = _writer_class()
        self._writer: Any = None

    def on_train_begin(self, state: TrainingState) -> None:
        make_folder(self.folder)
        try:
            # files are named by the second: without a suffix a training that goes on at once would replace its own
            self._writer = self._writer_class(
                str(self.folder), purge_step=len(state.history) or None, filename_suffix=f".{uuid.uuid4().hex[:8]}"
            )
        except OSError as error:
            raise UnwritableError(self.folder, error.strerror or str(error)) from error

    def on_epoch_end(self, state: TrainingState) -> None:
        writer, epoch = self._writer, state.epoch
        for name, figure in {"cost": state.cost, **state.metrics, "seconds": state.seconds}.items():
            writer.add_scalar(name, figure, epoch)
        if epoch % self.every == 0:
            for p in self.params:
                values = np.asarray(p.get_value(borrow=True), float)
                if np.isfinite(values).all():  # TensorBoard has no bin for others
                    writer.add_histogram(p.name, values.reshape(-1), epoch)
            for name, picture in self.pictures.items():
                writer.add_image(name, _picture(name, picture()), epoch, dataformats="HWC")
        writer.flush()

    def on_train_end(self, state: TrainingState) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _writer_class() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise BackendError("TensorBoard", "no tensorboardX", 'it installed: pip install "symae[tensorboard]"') from error
    return SummaryWriter


def _picture(name: str, found: Any) -> np.ndarray:
    picture = np.asarray(found)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,)):
        what = f"{picture.dtype} of shape {picture.shape}"
        raise InputError(f"pictures[{name!r}]", what, "uint8 of shape (h, w) or (h, w, 3)")
    return np.repeat(picture[:, :, None], 3, axis=2) if picture.ndim == 2 else picture

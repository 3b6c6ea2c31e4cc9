"""Parameters as they were after each epoch, kept to look at how filters come about (``--keep-filters``).

``filters/<number of the model>/<epoch>.safetensors`` holds all parameters in float16, which is enough for the eye: 160 kB an
epoch for 784 pixels and 100 units.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.atomic_files import make_folder, replacing
from symae._runtime.renamed import renamed_arguments
from symae._runtime.tensor_files import encoded, open_tensors
from symae.models.base import Model
from symae.training import Callback, TrainingState

FOLDER = "filters"
KEY = "symae_parameters"
LARGEST = float(np.finfo(np.float16).max)


class KeptFilters(Callback):
    """Keep the parameters of `model`, the one of that `number` in the run in `folder`, after each epoch of its training.

    What an earlier run has kept there stays, as in a training that goes on, unless `overwrite` says otherwise.
    """

    @renamed_arguments(anew="overwrite")
    def __init__(self, folder: Path, number: int, model: Model, *, overwrite: bool):
        self.folder = make_folder(folder / FOLDER / str(number))
        self.model = model
        if overwrite:
            for path in kept_epochs(folder, number).values():
                path.unlink(missing_ok=True)

    def on_epoch_end(self, state: TrainingState) -> None:
        self.keep(state.epoch)

    def keep(self, epoch: int) -> None:
        """Write the parameters as they are now, as those after `epoch`."""
        arrays = {
            name: np.ascontiguousarray(np.clip(value, -LARGEST, LARGEST).astype(np.float16))
            for name, value in self.model.parameters().items()
        }
        with replacing(self.folder / f"{epoch:05d}.safetensors") as file:
            file.write(encoded(arrays, KEY, {}))


def kept_epochs(folder: Path, number: int) -> dict[int, Path]:
    """Return the files of the epochs that the run in `folder` has kept of a model, by epoch, in their order."""
    found = (folder / FOLDER / str(number)).glob("[0-9]*.safetensors")
    return {int(path.stem): path for path in sorted(found) if path.stem.isdecimal()}


def read_kept(path: Path) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Read the parameters in a kept file, by name, or raise InputError where it is damaged, or gone."""
    with open_tensors(path, "the parameters after an epoch") as file:
        arrays = file.arrays(KEY, checksum=bool(file.metadata))
    return {name: value.astype(np.float32) for name, value in arrays.items()}

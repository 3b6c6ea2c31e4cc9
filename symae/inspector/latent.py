"""The space of codes of a few numbers: where the test images lie in it, and what the model draws of any place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.images import principal_components
from symae.inspector.functions import Functions
from symae.inspector.layers import code_and_output, image_layout
from symae.inspector.layout import ImageLayout
from symae.models import CoordinateVAE
from symae.models.base import Model
from symae.models.coordinate_vae import coordinates

__all__ = ["LARGEST", "MOST", "Latent", "has_latent"]

MOST = 32  # numbers of a code that has a slider for each
LARGEST = 2048  # pixels a side
STRIP = 4096  # places drawn at a time, so that another call can come between
CHUNK = 50
POSE = ("scale", "angle", "shift across", "shift down")


def has_latent(model: Model) -> bool:
    """Whether the code of `model` is at most `MOST` numbers, from which it draws."""
    code, output = code_and_output(model)
    if code is None or output is None:
        return False
    variable = model.nodes[code]
    size = getattr(model, "n_hidden", None) if variable.type.shape[-1] is None else variable.type.shape[-1]
    return variable.type.ndim == 2 and size is not None and size <= MOST


class Latent:
    """The codes of a model.

    Attributes
    ----------
    names : list of str
        Of the numbers of a code: z1, z2 …, and with a pose scale, angle and shifts.
    codes : array (n, k)
        Of the test images.
    plane : array (n, 2)
        Their principal components, of z alone.
    shares : array (2,)
        Of the codes' variance that each component has.
    """

    def __init__(self, model: Model, images: np.ndarray, functions: Functions, layout: ImageLayout | None = None):
        self.model = model
        self.layout = image_layout(model) if layout is None else layout
        self._functions = functions
        code, self._output = code_and_output(model)
        assert code is not None
        self._code: Variable = model.nodes[code]
        self._pose: Variable | None = getattr(model, "pose", None)
        outputs = [self._code] if self._pose is None else [self._code, self._pose]
        found = []
        for first in range(0, len(images), CHUNK):
            chunk = model.checked_input("images", images[first : first + CHUNK])
            found.append(np.concatenate(functions("codes", lambda: ([model.x], outputs), chunk), axis=1))
        self.codes = np.concatenate(found)
        if not np.isfinite(self.codes).all():
            raise InputError("codes of the test images", "NaN or infinite numbers", "finite ones: this training has diverged")
        self.n_latent = self.codes.shape[1] - (4 if self._pose is not None else 0)
        self.names = [*(f"z{i + 1}" for i in range(self.n_latent)), *(POSE if self._pose is not None else ())]
        z = self.codes[:, : self.n_latent]
        self.middle = self.codes.mean(axis=0)
        if len(z) > 1:
            self.plane, self.shares = principal_components(z)
            # the plane's directions in the space of codes: what takes coordinates back to codes
            self.directions = np.linalg.pinv(self.plane) @ (z - z.mean(axis=0))
        else:
            self.plane, self.shares = np.zeros((len(z), 2)), np.zeros(2)
            self.directions = np.zeros((2, self.n_latent))

    @property
    def any_resolution(self) -> bool:
        """Whether the model draws at any size."""
        return isinstance(self.model, CoordinateVAE)

    def at(self, across: float, up: float) -> np.ndarray:
        """The code at a place of the plane; its other directions, and the pose, are those of the mean code."""
        code = self.middle.copy()
        code[: self.n_latent] += np.array([across, up]) @ self.directions
        return code

    def atlas(self, count: int) -> np.ndarray:
        """Drawings of the plane's places as far as the test images lie: (count * count, h, w[, 3]), row by row from above."""
        low, high = self.plane.min(axis=0), self.plane.max(axis=0)
        across, up = (np.linspace(low[i], high[i], count) for i in (0, 1))
        return np.stack([self.draw(self.at(x, y)) for y in up[::-1] for x in across])

    def draw(self, code: Any, size: int | None = None) -> np.ndarray:
        """What the model draws of a code, (h, w), or (h, w, 3) in colours, values from 0 to 1.

        Parameters
        ----------
        code : array (k,)
        size : int, optional
            Pixels along the longer side, for models that draw at any resolution; the training images' if not given.

        Raises
        ------
        InputError
            The code has another length or is not finite, or the size is out of range, or not the model's own.
        """
        values = np.asarray(code, dtype=np.float64)
        if values.shape != (len(self.names),) or not np.isfinite(values).all():
            raise InputError("code", f"shape {values.shape}", f"{len(self.names)} finite numbers")
        _, h, w = self.layout.shape
        if size is not None and not 1 <= size <= LARGEST:
            raise InputError("size", str(size), f"a number of pixels from 1 to {LARGEST}")
        z = values[None, : self.n_latent].astype(pytensor.config.floatX)
        if isinstance(self.model, CoordinateVAE):
            shape = (h, w) if size is None else (max(1, round(size * h / max(h, w))), max(1, round(size * w / max(h, w))))
            return self._draw_places(z, values[None, self.n_latent :].astype(z.dtype), shape)
        if size not in (None, max(h, w)):
            raise InputError("size", str(size), f"{max(h, w)}, because this model draws at one size")
        output = self.model.nodes[str(self._output)]
        (drawn,) = self._functions("draw code", lambda: ([self._code], [output]), z)
        return self.layout.pictures(drawn)[0]

    def _draw_places(self, z: np.ndarray, pose: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        model = self.model
        assert isinstance(model, CoordinateVAE)

        def build() -> tuple[list[Variable], list[Variable]]:
            code, places = pt.matrix("z"), pt.matrix("places")
            stance = None if self._pose is None else pt.matrix("pose")
            logits = model.logits(code, places, stance)
            return [code, places, *([] if stance is None else [stance])], [pt.sigmoid(logits)]

        places = coordinates(*shape)
        more = () if self._pose is None else (pose,)
        strips = [
            self._functions("draw places", build, z, places[first : first + STRIP], *more)[0].reshape(-1)
            for first in range(0, len(places), STRIP)
        ]
        return np.concatenate(strips).reshape(shape)

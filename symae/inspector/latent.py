"""The space of codes: where the test images lie in it, and what the model draws of any place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors

from symae.errors import InputError
from symae.inspector.codes import Codes, computed_codes
from symae.inspector.embeddings import components
from symae.inspector.functions import Functions
from symae.inspector.layout import ImageLayout, image_layout
from symae.inspector.pixels import reduced
from symae.inspector.subject import Subject
from symae.models.coordinate_vae import coordinates
from symae.models.description import ModelDescription

MOST = 32  # numbers of a code that has a slider for each
LARGEST = 2048  # pixels a side
STRIP = 4096  # points drawn at a time, so that another call can come between


def has_latent(model: ModelDescription) -> bool:
    """Return True if a model says which node is its code."""
    return model.code is not None


def draws_codes(x: Variable, model: ModelDescription) -> bool:
    """Return True if a model draws a code by itself, whatever image it is of."""
    if model.drawn_from is None:
        return False
    code, output = (model.nodes[name] for name in model.drawn_from)
    return model.draw_at is not None or x not in ancestors([output], blockers=[code])


class Latent:
    """Hold the codes of a model.

    `names` are those of a code's numbers: z1, z2 …, and with a pose scale, angle and shifts. `codes` (n, k) are those of the
    test images, `plane` (n, 2) their principal components, of z alone, and `shares` (2,) what each of these has of the codes'
    variance. `few` says whether a code is at most `MOST` numbers, to look at one by one, and `draws` whether the model draws a
    code without having seen an image.
    """

    def __init__(
        self,
        model: Subject,
        described: ModelDescription,
        images: np.ndarray,
        functions: Functions,
        layout: ImageLayout | None = None,
    ):
        self.layout = image_layout(described) if layout is None else layout
        self._functions = functions
        assert described.code is not None
        self._code = described.nodes[described.code]
        self._output: Variable | None = None if described.output is None else described.nodes[described.output]
        self._draw_at, pose = described.draw_at, tuple(described.pose)
        self._pose: Variable | None = described.nodes["pose"] if pose else None
        outputs = [self._code] if self._pose is None else [self._code, self._pose]
        found = computed_codes(described.code, model, outputs, images, functions)
        self._shape = found.shape if self._pose is None else None
        self.codes = found.values.astype(np.float64) if found.values.shape[1] <= MOST else found.values
        self.n_latent = self.codes.shape[1] - len(pose)
        self.few = self.n_latent <= MOST and self._code.type.ndim == 2
        self.names = [*(f"z{i + 1}" for i in range(self.n_latent)), *pose]
        z = self.codes[:, : self.n_latent]
        self.by_codes = Codes(described.code, np.ascontiguousarray(z, np.float32), found.shape)
        self.middle = self.codes.mean(axis=0, dtype=np.float64)
        self.draws = draws_codes(model.x, described)
        if len(z) > 1:
            self.plane, self.shares = components(z)
            # the plane's directions in the space of codes: what takes coordinates back to codes
            self.directions = np.linalg.pinv(self.plane) @ (z - z.mean(axis=0))
        else:
            self.plane, self.shares = np.zeros((len(z), 2)), np.zeros(2)
            self.directions = np.zeros((2, self.n_latent))

    @property
    def any_resolution(self) -> bool:
        """Whether the model draws at any size."""
        return self._draw_at is not None

    def at(self, across: float, up: float) -> np.ndarray:
        """Return the code at a point of the plane; its other directions, and the pose, are those of the mean code."""
        code = self.middle.copy()
        code[: self.n_latent] += np.array([across, up]) @ self.directions
        return code

    def atlas(self, count: int, side: int | None = None) -> np.ndarray:
        """Draw points of the plane as far as the test images lie: (count * count, h, w[, 3]), row by row from above.

        Drawings of more than `side` pixels a side are made smaller.
        """
        low, high = self.plane.min(axis=0), self.plane.max(axis=0)
        across, up = (np.linspace(low[i], high[i], count) for i in (0, 1))
        drawn = (self.draw(self.at(x, y)) for y in up[::-1] for x in across)
        return np.stack([picture if side is None else reduced(picture[None], side)[0] for picture in drawn])

    def draw(self, code: Any, size: int | None = None) -> np.ndarray:
        """Draw a code (k,) as the model does, (h, w), or (h, w, 3) in colours, values from 0 to 1.

        `size` is in pixels along the longer side, for models that draw at any resolution; the training images' if not given. A
        code of another length or not finite, and a size that is out of range or not the model's own, are an InputError.
        """
        values = np.asarray(code, dtype=np.float64)
        if not self.draws:
            raise InputError("draw", "a model that draws no code by itself", "one whose output depends on the code alone")
        if values.shape != (len(self.names),) or not np.isfinite(values).all():
            raise InputError("code", f"shape {values.shape}", f"{len(self.names)} finite numbers")
        _, h, w = self.layout.shape
        if size is not None and not 1 <= size <= LARGEST:
            raise InputError("size", str(size), f"a number of pixels from 1 to {LARGEST}")
        z = values[None, : self.n_latent].astype(pytensor.config.floatX)
        if self._draw_at is not None:
            shape = (h, w) if size is None else (max(1, round(size * h / max(h, w))), max(1, round(size * w / max(h, w))))
            return self._draw_points(self._draw_at, z, values[None, self.n_latent :].astype(z.dtype), shape)
        if size not in (None, max(h, w)):
            raise InputError("size", str(size), f"{max(h, w)}, because this model draws at one size")
        assert self._output is not None
        code = z if self._shape is None else z.reshape(1, *self._shape)
        (drawn,) = self._functions("draw code", lambda: ([self._code], [self._output]), code.astype(self._code.type.dtype))
        return self.layout.pictures(drawn)[0]

    def _draw_points(self, draw_at: Any, z: np.ndarray, pose: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        def build() -> tuple[list[Variable], list[Variable]]:
            inputs = [pt.matrix("z"), pt.matrix("points"), *([] if self._pose is None else [pt.matrix("pose")])]
            return inputs, [draw_at(*inputs, *([None] if self._pose is None else []))]

        points = coordinates(*shape)
        more = () if self._pose is None else (pose,)
        strips = [
            self._functions("draw points", build, z, points[first : first + STRIP], *more)[0].reshape(self.layout.channels, -1)
            for first in range(0, len(points), STRIP)
        ]
        drawn = np.concatenate(strips, axis=1)
        return replace(self.layout, height=shape[0], width=shape[1], interleaved=False).pictures(drawn)[0]

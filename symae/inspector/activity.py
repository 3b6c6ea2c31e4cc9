"""What the units of a model do when they see test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symae.inspector.functions import Functions
from symae.inspector.subject import Subject
from symae.models.description import FilterLayer

CHUNK = 25  # images at a time: maps of many images take hundreds of megabytes


@dataclass(frozen=True, eq=False)
class Activity:
    """Hold what the units of a layer do over many images."""

    strongest: np.ndarray  # (images, units) of float32, what each unit computes of each image; of a map its largest value
    active: np.ndarray  # (units,), the share of images, or of all places in them, where the unit is above its threshold
    mean: np.ndarray  # (units,), over images and places

    def extremes(self, unit: int, count: int) -> tuple[list[int], list[int]]:
        """Return the images that excite `unit` most and least, the most extreme one first."""
        order = np.argsort(self.strongest[:, unit], kind="stable")
        return order[::-1][:count].tolist(), order[:count].tolist()


def activities(model: Subject, layers: list[FilterLayer], images: np.ndarray, functions: Functions) -> dict[str, Activity]:
    """Compute the activity of each layer, by the layer's name, for rows of pixels or images that `model` takes."""
    expressions = list(dict.fromkeys(layer.expression for layer in layers))
    thresholds = {layer.expression: layer.threshold for layer in layers}
    strongest: list[list[np.ndarray]] = [[] for _ in expressions]
    active, total = ([0.0] * len(expressions) for _ in range(2))
    for first in range(0, len(images), CHUNK):
        chunk = model.checked_input("images", images[first : first + CHUNK])
        values = functions("activities", lambda: ([model.x], expressions), chunk)
        for i, value in enumerate(values):
            places = value.reshape((*value.shape[:2], -1))
            strongest[i].append(places.max(axis=2).astype(np.float32))
            active[i] = active[i] + (places > thresholds[expressions[i]]).mean(axis=2).sum(axis=0)
            total[i] = total[i] + places.mean(axis=2).sum(axis=0)
    found = {
        e: Activity(np.concatenate(s), np.asarray(a) / len(images), np.asarray(t) / len(images))
        for e, s, a, t in zip(expressions, strongest, active, total, strict=True)
    }
    return {layer.name: found[layer.expression] for layer in layers}

"""What is to be seen in one model: the objects behind the page, for Python and notebooks too."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any, ClassVar, Protocol

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors

from symae._runtime.decimals import fixed
from symae.datasets.pixel_scale import KERAS
from symae.errors import InputError
from symae.images.pictures import side_by_side, to_image
from symae.inspector.activation_maximization import BestInput, best_inputs
from symae.inspector.activity import Activity, activities
from symae.inspector.codes import Codes, computed_codes
from symae.inspector.corruption import corrupted
from symae.inspector.figure import RGB, Figure, coloured
from symae.inspector.filters import Filters, filter_pictures
from symae.inspector.findings import Findings, stamp_of
from symae.inspector.functions import Functions
from symae.inspector.graphs import Graph, ModelGraphs
from symae.inspector.latent import Latent, has_latent
from symae.inspector.layout import ImageLayout, image_layout
from symae.inspector.pixels import code_picture, largest_magnitude
from symae.inspector.probe_images import Examples
from symae.inspector.subject import Subject, title_of
from symae.models.description import FilterLayer, ModelDescription

HUGE = 1e15  # no weight of a training that goes well comes near it
CODES_KEPT = 4  # nodes whose codes are in memory


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Hold an image on its way through the model.

    Attributes
    ----------
    original, corrupted, output : arrays (h, w), or (h, w, 3) of coloured images
    code : array (k,) or (c, h', w')
    limits : (float, float)
        What is drawn black and what white.
    """

    original: np.ndarray
    corrupted: np.ndarray
    code: np.ndarray
    output: np.ndarray
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def error(self) -> np.ndarray:
        """What is drawn minus what should be drawn, (h, w); of coloured images in the channel that is farthest off."""
        error = self.output - self.original
        if error.ndim == 2:
            return error
        farthest = np.abs(np.nan_to_num(error)).argmax(axis=2)[:, :, None]
        return np.take_along_axis(error, farthest, axis=2)[:, :, 0]

    @property
    def rmse(self) -> float:
        """Root mean square error of a pixel."""
        return float(np.sqrt(np.mean(np.square(self.output - self.original))))

    @property
    def figure(self) -> Figure:
        code = code_picture(self.code)
        largest, limit = (largest_magnitude(values) or 1.0 for values in (code, self.error))
        negative = bool((code < 0).any())
        with np.errstate(all="ignore"):
            pictures = [
                ("original", self._shown(self.original)),
                ("corrupted", self._shown(self.corrupted)),
                ("code", coloured(code / largest / 2 + 0.5 if negative else np.clip(code / largest, 0, 1), "grey")),
                ("reconstruction", self._shown(self.output)),
                ("error", coloured(self.error / limit / 2 + 0.5, "diverging")),
            ]
        zoomed = [(label, to_image(p).resize((112, 112 * p.shape[0] // p.shape[1] or 1), 0)) for label, p in pictures]
        return Figure(side_by_side(zoomed), f"root mean square error {fixed(self.rmse, 3)}")

    def _shown(self, picture: np.ndarray) -> np.ndarray:
        low, high = self.limits
        return coloured(np.clip((picture - low) / (high - low), 0, 1), "grey" if picture.ndim == 2 else RGB)

    def _repr_png_(self) -> bytes:
        return self.figure._repr_png_()


class Pages(Protocol):
    """Open and keep the page of an inspection."""

    def show(self, inspection: Inspection, port: int | None, browser: bool, wait: bool | None = None) -> str | None:
        """Open it."""

    def export(self, inspection: Inspection, path: str | PathLike[str]) -> None:
        """Keep it as a file."""


class Inspection:
    """Look at a model with test images, as its parameters are at that time: after more training all is computed again.

    Parameters
    ----------
    model : Model, or what describes itself like one
    examples : Examples, optional
        Test images; what needs none is there without them.
    layout : ImageLayout, optional
        How the pixels lie in a row, if the model does not say it itself; otherwise as in the examples, or guessed.

    Attributes
    ----------
    described : ModelDescription
        What the model says of itself.
    nodes : dict of name to symbolic variable
        What the model computes on its way.
    layers : dict of name to FilterLayer
        The layers with weights, by the names of the weights.
    decoder_maps : dict of name to symbolic (n, units, h, w)
        What the units of a decoder give that is a function of a place in the image; empty for other models.
    """

    # what opens pages stands on what is here, and enters itself: `symae.inspector.pages`
    pages: ClassVar[Pages]

    # True where nobody else has the model: its parameters stay as they are, and are not compared, which of many takes a while
    fixed = False

    def __init__(self, model: Subject, examples: Examples | None = None, layout: ImageLayout | None = None):
        self.model = model
        self.described: ModelDescription = model.describe()
        self.layout = image_layout(self.described, layout, None if examples is None else examples.layout)
        self.shape = self.layout.shape
        self.nodes = dict(self.described.nodes)
        self.layers: dict[str, FilterLayer] = {layer.name: layer for layer in self.described.layers}
        self.decoder_maps = dict(self.described.decoder_maps or {})
        self.examples = examples if examples is not None and examples.images.shape[1] == self.layout.size else None
        self.pixel_scale = KERAS if examples is None else examples.pixel_scale
        # what is drawn black and white
        self.limits = (0.0, 1.0) if self.examples is None else self.examples.limits
        self.functions = Functions()
        self._graphs: dict[Any, Graph] = {}
        self._found = Findings(None)
        # one for each kind of work, so that what is quick never waits for what is slow
        self._locks = {kind: threading.Lock() for kind in ("filters", "activities", "latent", "codes", "graphs", "found")}

    def _findings(self) -> Findings:
        """Return what is known of the parameters as they are now: a model in memory may have been trained on."""
        stamp = "fixed" if self.fixed else stamp_of(self.model.parameters())
        with self._locks["found"]:
            if self._found.stamp != stamp:
                self._found = Findings(stamp)
            return self._found

    def layer(self, name: str) -> FilterLayer:
        """Return the layer with the weights `name`, or raise an error that lists those there are."""
        if name not in self.layers:
            raise InputError("layer", repr(name), f"one of {', '.join(self.layers)}")
        return self.layers[name]

    def unit(self, layer: str, number: int) -> int:
        """Return `number`, if `layer` has a unit of that number."""
        count = len(self.units(layer))
        if not 0 <= number < count:
            raise InputError("unit", str(number), f"a number from 0 to {count - 1}")
        return number

    def filters(self, layer: str | None = None) -> Filters:
        """Return the filters of a layer, the first one by default."""
        name = next(iter(self.layers), "") if layer is None else layer
        chosen = self.layer(name)
        filters = self._findings().filters
        with self._locks["filters"]:
            if name not in filters:
                filters[name] = Filters(filter_pictures(chosen, self.model.parameters()[name], self.layout))
        return filters[name]

    def activity(self, layer: str) -> Activity:
        """Return what the units of a layer do when they see the test images."""
        self.layer(layer)
        found = self._findings()
        with self._locks["activities"]:
            if found.activities is None:
                found.activities = activities(self.model, list(self.layers.values()), self._rows, self.functions)
            return found.activities[layer]

    @property
    def _rows(self) -> np.ndarray:
        if self.examples is None:
            raise InputError("test images", "none of the model's size", f"images of {' x '.join(map(str, self.shape))}")
        return self.examples.images

    def image(self, number: int) -> np.ndarray:
        """Return a test image as a row of pixels."""
        rows = self._rows
        if not 0 <= number < len(rows):
            raise InputError("image", str(number), f"a number from 0 to {len(rows) - 1}")
        return rows[number]

    def default_bound(self) -> float:
        """Return the mean norm of the test images, for `best_input`; 1 without images."""
        return 1.0 if self.examples is None else float(np.linalg.norm(self.examples.images, axis=1).mean())

    def best_input(self, layer: str, unit: int, bound: float | None = None) -> BestInput | None:
        """Find the input that excites a unit most among all of norm at most `bound`; None if the unit is dead."""
        return self.best_inputs(layer, [unit], bound)[0]

    def best_inputs(self, layer: str, units: Sequence[int], bound: float | None = None) -> list[BestInput | None]:
        """Find the inputs that excite units most, as `best_input` does, several at once."""
        chosen, numbers = self.layer(layer), [self.unit(layer, unit) for unit in units]
        if np.dtype(self.model.x.type.dtype).kind != "f":
            raise InputError("best input", f"an input of {self.model.x.type.dtype}", "one of floats, which can be climbed")
        limit = self.default_bound() if bound is None else bound
        starts: list[np.ndarray | None] = [None] * len(numbers)
        if self.examples is not None and not chosen.sees_pixels:
            activity = self.activity(layer)
            starts = [self.image(activity.extremes(number, 1)[0][0]) for number in numbers]
        return best_inputs(self.model, chosen, numbers, limit, self.functions, self.layout.size, starts)

    def kept_best_inputs(self, layer: str, units: Sequence[int], bound: float) -> list[BestInput | None]:
        """Return what `best_inputs` found when it was first asked for, for a page that asks again and again."""
        return self._findings().best.get(layer, units, bound, lambda missing: self.best_inputs(layer, missing, bound))

    def alone(self, layer: str, unit: int) -> np.ndarray | None:
        """Draw as the decoder does when this unit has its values of the image that excites it most, and the others 0.

        (h, w), or (h, w, 3) of coloured images; None where nothing is drawn from the layer.
        """
        chosen, number = self.layer(layer), self.unit(layer, unit)
        output = self.nodes.get(self.described.output or "")
        if output is None or self.examples is None or chosen.expression is output:
            return None
        if chosen.expression not in set(ancestors([output])):
            return None
        model = self.model
        image = model.checked_input("image", self.image(self.activity(layer).extremes(number, 1)[0][0])[None])
        (values,) = self.functions(("values", layer), lambda: ([model.x], [chosen.expression]), image)
        only = np.zeros_like(values)
        only[:, number] = values[:, number]
        (drawn,) = self.functions(("alone", layer), lambda: ([chosen.expression, model.x], [output]), only, image)
        return self.layout.pictures(drawn)[0]

    def node_values(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Compute what every named node, and every layer of a coordinate decoder, makes of one image, (c, h, w) or (k,)."""
        model = self.model
        *before, last = self.nodes.items()
        nodes = dict([*before, *self.decoder_maps.items(), last])
        seen = model.checked_input("image", image[None])
        values = self.functions("nodes", lambda: ([model.x], list(nodes.values())), seen)
        return {name: value[0] for name, value in zip(nodes, values, strict=True)}

    def reconstruct(self, image: Any, kind: str = "zero", level: float = 0.0, seed: int = 0) -> Reconstruction:
        """Damage an image, given as pixels or by the number of a test image, and return what the model draws of that.

        `kind`, `level` and `seed` are as in `symae.inspector.corruption.corrupted`.
        """
        if self.described.drawn_from is None:
            raise InputError("reconstruct", f"a {title_of(self.model)}, which draws nothing", "an autoencoder")
        row = self.image(int(image)) if isinstance(image, int | np.integer) else np.asarray(image, np.float64).reshape(-1)
        if row.size != self.layout.size:
            raise InputError("image", f"{row.size} pixels", f"{self.layout.size}")
        model, nodes = self.model, self.nodes
        damaged = corrupted(row, kind, level, seed, self.limits)
        wanted: list[Variable] = [nodes[name] for name in self.described.drawn_from]
        seen = model.checked_input("image", damaged[None])
        code, drawn = self.functions("reconstruct", lambda: ([model.x], wanted), seen)
        pictures = [self.layout.pictures(np.asarray(p, np.float64))[0] for p in (row, damaged, drawn)]
        return Reconstruction(pictures[0], pictures[1], code[0], pictures[2], self.limits)

    @property
    def diverged(self) -> dict[str, str]:
        """Tell in words what is wrong with each parameter that has numbers that are not weights any more."""
        findings = self._findings()
        if findings.diverged is None:
            findings.diverged = self._find_diverged()
        return findings.diverged

    def _find_diverged(self) -> dict[str, str]:
        found = {}
        for name, value in self.model.parameters().items():
            largest = largest_magnitude(value)
            if not np.isfinite(value).all():
                found[name] = "holds NaN or infinite numbers"
            elif largest > HUGE:
                found[name] = f"holds numbers of up to {largest:.0e}"
        return found

    @property
    def has_latent(self) -> bool:
        """Whether there are codes of test images."""
        return has_latent(self.described) and self.examples is not None

    @property
    def latent(self) -> Latent:
        """The space of codes."""
        if not self.has_latent:
            raise InputError("latent", "no code, or no test images", "a model with a code, and images of its size")
        found = self._findings()
        with self._locks["latent"]:
            if found.latent is None:
                found.latent = Latent(self.model, self.described, self._rows, self.functions, self.layout)
            return found.latent

    def codes(self, node: str | None = None) -> Codes:
        """Return what a node computes of the test images, the model's code by default, with maps and nearest neighbours."""
        if node is None or node == self.described.code:
            return self.latent.by_codes
        if node not in self.nodes:
            raise InputError("node", repr(node), f"one of {', '.join(self.nodes)}")
        rows = self._rows
        codes = self._findings().codes
        with self._locks["codes"]:
            if node not in codes:
                while len(codes) >= CODES_KEPT:
                    del codes[next(iter(codes))]
                codes[node] = computed_codes(node, self.model, [self.nodes[node]], rows, self.functions)
            return codes[node]

    @cached_property
    def graphs(self) -> ModelGraphs:
        """The graphs that are compiled of the model."""
        return ModelGraphs(self.model)

    def graph(self, name: str = "training step", stage: str = "after", **options: Any) -> Graph:
        """Return a graph of the model, as `symae.inspector.graphs.ModelGraphs.graph` has it; drawn once and kept."""
        key = (name, stage, *sorted(options.items()))
        with self._locks["graphs"]:
            if key not in self._graphs:
                self._graphs[key] = self.graphs.graph(name, stage, **options)
            return self._graphs[key]

    def show(self, *, port: int | None = None, browser: bool = True) -> str | None:
        """Open the page of ``symae inspect`` for this model.

        A script waits until Ctrl-C. In a notebook or at a prompt the page is served until the process ends, and its address is
        returned.

        Parameters
        ----------
        port : int, optional
            Where the page is; a free one by default.
        browser : bool
            Open it; otherwise only say where it is.

        Raises
        ------
        BackendError
            The extra ``inspect`` is not installed.
        InputError
            Something listens at `port`.
        """
        return self.pages.show(self, port, browser)

    def export(self, path: str | PathLike[str]) -> None:
        """Write the page of ``symae inspect`` for this model as one HTML file; it is written whole or not at all."""
        self.pages.export(self, path)

    def warm(self) -> None:
        """Compile and call what a first drawing needs."""
        if self.described.drawn_from is not None:
            self.reconstruct(np.zeros(self.layout.size))

    def units(self, layer: str) -> Sequence[int]:
        """Return the numbers of a layer's units."""
        chosen = self.layer(layer)
        return range(len(chosen.weights(self.model.parameters()[layer])))

    def _repr_png_(self) -> bytes:
        return self.filters().figure(zoom=2)._repr_png_()

    def _repr_html_(self) -> str:
        return self.filters().figure(zoom=2, title=f"{title_of(self.model)}: filters")._repr_html_()

"""The tab of test images and drawings, damaged and drawn again by the model."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symae.datasets.pictures import FORMATS, decode, header
from symae.datasets.pixel_scale import scaled
from symae.errors import InputError
from symae.inspector.api.responses import Content, Query, json_answer, one, real, whole
from symae.inspector.corruption import CORRUPTIONS, centred
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import code_picture, pixels_json, stacked_pictures
from symae.inspector.runs import Run
from symae.inspector.tabs.base import KEPT_IMAGES, Tab

BLOCK = 100  # images in an answer


def _images(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Test images from a number on, as one picture, and their labels."""
    inspection = run.inspection(name)
    first = whole("image", one(rest, "image"))
    examples = inspection.examples
    inspection.image(first)
    assert examples is not None
    _, h, w = inspection.shape
    last = first + min(max(whole("count", query.get("count", BLOCK)), 1), BLOCK)
    part = inspection.layout.pictures(examples.images[first:last])
    labels = None if examples.labels is None else examples.labels[first:last].tolist()
    low, high = inspection.limits
    pictures = pixels_json(stacked_pictures(part), low=low, high=high)
    return json_answer({"first": first, "labels": labels, "pictures": pictures, "h": h, "w": w})


def _reconstruct(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    return json_answer(_reconstruction(inspection, whole("image", one(rest, "image")), query))


def _draw(run: Run, name: str, body: Any) -> Content:
    """Reconstruct a drawing: JSON with its pixels, a byte each or three in base64, and what damages them."""
    inspection = run.inspection(name)
    if not isinstance(body, dict):
        raise InputError("drawing", f"a {type(body).__name__}", "an object with pixels")
    _, h, w = inspection.shape
    counts = {h * w: (h, w)} | ({3 * h * w: (h, w, 3)} if inspection.layout.coloured else {})
    try:
        data = base64.b64decode(str(body.get("pixels", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("drawing: pixels", f"no base64 ({error})", f"{max(counts)} bytes in base64") from error
    if len(data) not in counts:
        words = "one for each pixel" + (", or three" if len(counts) > 1 else "")
        raise InputError("drawing: pixels", f"{len(data)} bytes", f"{h * w}, {words}")
    image = scaled(np.frombuffer(data, np.uint8).reshape(counts[len(data)]), inspection.pixel_scale, np.float64)
    if body.get("centre") is True and image.ndim == 2:
        image = centred(image)
    low, high = inspection.limits
    return json_answer(_reconstruction(inspection, inspection.layout.row(low + (high - low) * image), body))


def _picture(run: Run, name: str, content: bytes, query: Query) -> Content:
    """Return the pixels of a picture that a user opens, brought to the size that the model sees."""
    inspection = run.inspection(name)
    _, h, w = inspection.shape
    shape = (3 if inspection.layout.coloured else 1, h, w)
    fit = query.get("fit", "crop")
    if fit not in ("crop", "pad"):
        raise InputError("fit", repr(fit)[:40], "crop or pad")
    pictures = [("picture", lambda: io.BytesIO(content))]
    if header(pictures[0][1]) is None:
        raise InputError(
            "picture", f"{len(content)} bytes that cannot be decoded", f"{', '.join(FORMATS)}, at most 64 megapixels"
        )
    images, _, notes = decode("picture", pictures, shape, fit)
    picture = images[0, 0] if shape[0] == 1 else np.moveaxis(images[0], 0, 2)
    if query.get("inverse") == "1":
        picture = 255 - picture
    shown = pixels_json(picture.astype(np.float64), low=0.0, high=255.0)
    return json_answer({"pixels": shown, "notes": list(notes)})


def _reconstruction(inspection: Inspection, image: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(asked.get("kind", "zero"))
    if kind not in CORRUPTIONS:
        raise InputError("kind", repr(kind)[:40], f"one of {', '.join(CORRUPTIONS)}")
    level = real("level", asked.get("level", 0), 0, 1)
    found = inspection.reconstruct(image, kind, level, whole("seed", asked.get("seed", 0)))
    code = code_picture(found.code)
    low, high = inspection.limits
    return {
        "original": pixels_json(found.original, low=low, high=high),
        "corrupted": pixels_json(found.corrupted, low=low, high=high),
        "code": pixels_json(code, signed=bool((code < 0).any())),
        "output": pixels_json(found.output, low=low, high=high),
        "error": pixels_json(found.error, signed=True),
        "rmse": found.rmse,
        "code_shape": list(np.shape(found.code)),
    }


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    """Return what the model's images are damaged by at first: as in its training."""
    settings = run.record.get("settings", {})
    default = inspection.described.corruption_level
    level = settings.get("noise", default)
    level = min(max(float(level), 0.0), 1.0) if isinstance(level, int | float) else default
    # an exported page asks for the level that it has by this text: digits that a browser makes of a number are others
    kept = repr(float(level or 0.3))
    damage = {"kind": "noise" if "noise" in settings else "zero", "level": level, "kept": kept}
    return {"reconstructs": _reconstructs(inspection), "corruption": damage, "kept_images": KEPT_IMAGES}


def _reconstructs(inspection: Inspection) -> bool:
    return inspection.described.drawn_from is not None and inspection.described.pixels is not None


def _shows(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None and _reconstructs(inspection)


def _kept(about: dict[str, Any]) -> Iterator[str]:
    if not (examples := about["examples"]):
        return
    yield f"images/0?count={KEPT_IMAGES}"
    damage = about["corruption"]
    for image in range(min(KEPT_IMAGES, examples["count"]) if about["reconstructs"] else 0):
        for level in ("0", damage["kept"]):
            yield f"reconstruct/{image}?kind={damage['kind']}&level={level}&seed=0"


TAB = Tab(
    "Reconstructions",
    position=20,
    answers={"images": _images, "reconstruct": _reconstruct},
    posted={"draw": _draw},
    files={"picture": _picture},
    shows=_shows,
    about=_about,
    kept=_kept,
)

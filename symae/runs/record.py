"""What a run writes down about itself, so that it can be looked at later, and while it goes on: ``run.json``."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symae._runtime.atomic_files import open_regular, write_text
from symae.compile.environment import environment
from symae.datasets.pixel_scale import KERAS, SCALES, TUTORIALS
from symae.errors import InputError, MissingFileError

if TYPE_CHECKING:
    from symae.models.base import Model

FILE = "run.json"
FORMAT = 1
LARGEST = 16 * 2**20  # bytes; a worksheet's has a few thousand
MOST, MOST_MODELS = 500, 500  # settings or versions, and models that are read
LONGEST = 1000  # characters of a text


class RunRecord:
    """Record a run: which worksheet, data, settings, versions and models, and whether it has ended.

    The file is written when the first training begins, again when a model is saved, and when the run ends. `data` is what
    `symae.datasets.read` read the data from, or None for what it cannot read, `image_shape` of an image of it (h, w),
    (channels, h, w) or (h, w, channels), and `pixel_scale` what bytes are divided by, if that is known before `scaled_by`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        title: str,
        data: str | None,
        settings: Mapping[str, Any],
        pixel_scale: int | None = None,
        image_shape: Sequence[int] | None = None,
    ):
        self.path = folder / FILE
        self._models: list[Model] = []
        self._content: dict[str, Any] = {
            "symae_run": FORMAT,
            "worksheet": name,
            "title": title,
            "state": "running",
            "started": _now(),
            "process": {"host": platform.node(), "pid": os.getpid()},
            "data": data,
            "pixel_scale": pixel_scale,
            "image_shape": None if image_shape is None else list(image_shape),
            "settings": {key: _plain(value) for key, value in settings.items() if value is not None},
            "versions": {},
            "models": [],
        }

    def scaled_by(self, pixel_scale: int) -> None:
        """Note what the run divides bytes of images by.

        Another number than before is an InputError: nobody could say which images its models have seen.
        """
        before = self._content["pixel_scale"]
        if before not in (None, pixel_scale):
            expected = f"{before}, by which this run has divided others"
            raise InputError("scale of pixels", f"bytes divided by {pixel_scale}", expected)
        self._content["pixel_scale"] = pixel_scale

    def training(self, model: Model, label: str | None) -> int:
        """Note that the training of `model` begins; returns the model's number in the run."""
        if not any(model is known for known in self._models):
            # whatever has parameters can be trained; only models of symae can be made again from what is written here
            configuration = model.configuration() if hasattr(model, "configuration") else None
            entry = {"label": label, "class": type(model).__name__, "configuration": configuration, "file": None}
            self._models.append(model)
            self._content["models"].append(entry)
            self._write()
        return next(i for i, known in enumerate(self._models) if known is model)

    def saved(self, model: Model, file: str) -> None:
        """Note under which name `model` is saved."""
        self._content["models"][self.training(model, None)]["file"] = file
        self._write()

    def ended(self, state: str, facts: Mapping[str, Any]) -> None:
        """Note how the run has ended, ``finished`` or ``interrupted``, and what its report lists."""
        plain = {key: _plain(value) for key, value in facts.items()}
        self._content |= {"state": state, "ended": _now(), "facts": plain}
        self._write()

    def _write(self) -> None:
        self._content["versions"] = environment()
        write_text(self.path, json.dumps(self._content, indent=2) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of the run in `folder`; empty where an older version of symae has written none.

    What is damaged, or of another format than this version of symae reads, is an InputError.
    """
    path = folder / FILE
    try:
        with open_regular(path, "the record of a run") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise InputError(path, f"{path.stat().st_size} bytes", f"the record of a run, of at most {LARGEST}")
        record = json.loads(text)
    except MissingFileError:
        return {}
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, f"damaged JSON ({error})", "the record of a run") from error
    if not isinstance(record, dict) or "symae_run" not in record:
        raise InputError(path, "JSON of another kind", "the record of a run")
    if record["symae_run"] != FORMAT:
        found = f"format {record['symae_run']!r}"
        raise InputError(path, found, f"format {FORMAT}, the one that this version of symae reads")
    kinds = {"models": list, "settings": dict, "facts": dict, "versions": dict, "process": dict}
    for key, kind in kinds.items():
        if not isinstance(record.setdefault(key, kind()), kind):
            raise InputError(path, f"{key} that is a {type(record[key]).__name__}", f"a {kind.__name__}")
    return _checked(record)


def _checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is read of a record, each leaf of the type that it should have, and no text or list of any length.

    Whoever shows several runs can rely on it: one odd record must not spoil the page of the others.
    """
    found: dict[str, Any] = {key: _text(record.get(key)) for key in ("worksheet", "title", "state", "started", "ended")}
    found["title"] = _shortened(found["title"], 200)
    found["data"] = _text(record.get("data")) or None
    scale, shape = record.get("pixel_scale"), record.get("image_shape")
    found["pixel_scale"] = scale if scale in SCALES else None
    found["image_shape"] = shape if isinstance(shape, list) and len(shape) in (2, 3) else None
    host, pid = (record["process"].get(key) for key in ("host", "pid"))
    found["process"] = {"host": _text(host), "pid": pid if isinstance(pid, int) and 0 < pid < 2**31 else None}
    for key in ("settings", "facts", "versions"):
        found[key] = {_text(name): _leaf(value) for name, value in list(record[key].items())[:MOST]}
    listed = [entry for entry in record["models"] if isinstance(entry, dict)]
    found["models"] = [
        {
            "label": _text(entry.get("label")) or None,
            "class": _text(entry.get("class")),
            "configuration": entry.get("configuration"),
            "file": _text(entry.get("file")) or None,
        }
        for entry in listed[:MOST_MODELS]
    ]
    if len(listed) > MOST_MODELS:
        found["left_out"] = f"{FILE}: found {len(listed)} models, expected at most {MOST_MODELS}: the first of them are shown"
    return found


def _text(value: Any) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""


def _leaf(value: Any) -> Any:
    """Return a setting as it is, if it can be shown and sent as JSON, or as a text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else _shortened(str(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return [_leaf(part) for part in value[:MOST]]
    return _text(value) if isinstance(value, str) else _shortened(json.dumps(value))


def _shortened(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def pixel_scale(record: Mapping[str, Any]) -> int:
    """Return what the run of `record` divided bytes by; before records held it, worksheets 01 to 03 divided by 256."""
    scale = record.get("pixel_scale")
    if isinstance(scale, int):
        return scale
    return TUTORIALS if str(record.get("worksheet")).startswith(("01_", "02_", "03_")) else KERAS


def is_going_on(record: Mapping[str, Any]) -> bool:
    """Return True if the run of `record` is still running, as far as can be seen from here: a killed one is not."""
    process = record.get("process", {})
    if record.get("state") != "running" or not isinstance(process.get("pid"), int):
        return False
    if process.get("host") != platform.node():
        return True  # another machine's processes cannot be seen
    try:
        os.kill(process["pid"], 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)

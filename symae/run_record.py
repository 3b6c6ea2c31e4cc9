"""What a run writes down about itself, so that it can be looked at later, and while it goes on: ``run.json``."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symae.errors import InputError, MissingFileError
from symae.files import read_regular, write_text
from symae.report.versions import versions

if TYPE_CHECKING:
    from symae.models.base import Model

__all__ = ["FILE", "RunRecord", "is_going_on", "read_record"]

FILE = "run.json"
FORMAT = 1


class RunRecord:
    """The record of a run: which worksheet, data, settings, versions and models, and whether it has ended.

    The file is written when the first training begins, again when a model is saved, and when the run ends.

    Parameters
    ----------
    folder : Path
        The run's.
    name, title : str
        The worksheet's.
    data : str
        What `symae.datasets.read` read the data from.
    settings : mapping
        The command line's, by name.
    """

    def __init__(self, folder: Path, name: str, title: str, data: str, settings: Mapping[str, Any]):
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
            "settings": {key: _plain(value) for key, value in settings.items() if value is not None},
            "versions": versions(),
            "models": [],
        }

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
        write_text(self.path, json.dumps(self._content, indent=2) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the run in `folder`; empty where an older version of symae has written none.

    Raises
    ------
    InputError
        The file is damaged, or of another format than this version of symae reads.
    """
    path = folder / FILE
    try:
        record = json.loads(read_regular(path, "the record of a run"))
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
    record["models"] = [entry for entry in record["models"] if isinstance(entry, dict)]
    return record


def is_going_on(record: Mapping[str, Any]) -> bool:
    """Whether the run of this record is still running, as far as can be seen from here: a killed one is not."""
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

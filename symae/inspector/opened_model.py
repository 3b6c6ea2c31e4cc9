"""A model that Python has, as the page shows it: a run without a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symae.errors import InputError
from symae.inspector.inspection import Inspection
from symae.inspector.probe_images import Examples
from symae.inspector.runs import Run, SavedModel
from symae.inspector.subject import title_of

NAME = "model"


class OpenedModel(Run):
    """Show one `Inspection` where a run's folder is expected; there are no epochs, no record and no other models."""

    def __init__(self, inspection: Inspection):
        super().__init__(Path(), title_of(inspection.model))
        self._inspection = inspection

    def check(self) -> None:
        """Do nothing: what is in memory stays there."""

    @property
    def record(self) -> dict[str, Any]:
        return {}

    @property
    def makes_its_images(self) -> bool:
        return False

    def history(self) -> list[dict[str, Any]]:
        return []

    def examples(self) -> Examples | None:
        return self._inspection.examples

    @property
    def examples_problem(self) -> str | None:
        return None

    def models(self) -> dict[str, SavedModel]:
        return {NAME: SavedModel(NAME, source="the model in memory", inspection=self._inspection)}

    def inspection(self, name: str) -> Inspection:
        if name != NAME:
            raise InputError("model", repr(name), NAME)
        return self._inspection

    def kept(self, name: str) -> dict[int, Path]:
        return {}

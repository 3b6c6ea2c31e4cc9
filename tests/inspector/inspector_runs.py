"""Runs for the tests, written without training."""

from __future__ import annotations

import json
from pathlib import Path

from symae.runs.parameter_snapshots import KeptFilters
from symae.runs.record import RunRecord


def write_run(folder: Path, model: object, *, epochs: int = 3, state: str = "finished", saved: bool = True) -> Path:
    """Write what a worksheet leaves in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    record = RunRecord(
        folder, "01_autoencoder", "A run to look at", "digits", {"seed": 123, "backend": "numba"}, pixel_scale=255
    )
    keep = KeptFilters(folder, record.training(model, None), model, overwrite=True)
    lines = []
    for epoch in range(epochs):
        lines.append(json.dumps({"epoch": epoch, "cost": 100 / (epoch + 1), "seconds": 0.5}))
        keep.keep(epoch)
    (folder / "history.jsonl").write_text("".join(line + "\n" for line in lines))
    if saved:
        model.save(folder / "model")
        record.saved(model, "model")
    if state != "running":
        record.ended(state, {"learning rate": 0.1})
    return folder

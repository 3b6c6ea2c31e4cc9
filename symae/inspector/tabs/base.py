"""What a tab of the page is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symae.inspector.api.responses import Answer, Content, Query
from symae.inspector.inspection import Inspection
from symae.inspector.runs import Run

KEPT_IMAGES = 20  # test images whose pictures an exported page has


def _nothing(*_: Any) -> Any:
    return {}


def _of_models(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None


@dataclass(frozen=True)
class Tab:
    """Describe a tab of the page: what its module answers; the JavaScript of the same name beside it shows that."""

    title: str  # what its button says
    position: int  # tabs stand in the order of these
    # what it asks about a model, by what stands in the path after run and model
    answers: Mapping[str, Answer] = field(default_factory=dict)
    # what it sends, likewise: (run, model's name, JSON) -> content
    posted: Mapping[str, Callable[[Run, str, Any], Content]] = field(default_factory=dict)
    # what it asks about all runs together: (runs, live) -> JSON; an exported page is not live
    of_runs: Mapping[str, Callable[[Sequence[Run], bool], Any]] = field(default_factory=dict)
    # what the page has to know of a model before the tab shows anything; each tab has all that the others have
    about: Callable[[Run, str, Inspection], dict[str, Any]] = _nothing
    # what an exported page keeps of a model, by what is known of it: paths that `answers` has, without run and model
    kept: Callable[[dict[str, Any]], Iterator[str]] = _nothing
    # what is sent as a file: (run, model's name, bytes, query) -> content
    files: Mapping[str, Callable[[Run, str, bytes, Query], Content]] = field(default_factory=dict)
    # whether there is anything to see, of a model, or of a run without one (None): other tabs are hidden
    shows: Callable[[Run, Inspection | None], bool] = _of_models
    needs_model: bool = True  # False: it shows runs without a saved model too

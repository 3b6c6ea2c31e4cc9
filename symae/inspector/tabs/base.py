"""What a tab of the page is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symae.inspector.api.responses import Answer, Content
from symae.inspector.inspection import Inspection
from symae.inspector.runs import Run

__all__ = ["KEPT_IMAGES", "Tab"]

KEPT_IMAGES = 20  # test images whose pictures an exported page has


def _nothing(*_: Any) -> Any:
    return {}


@dataclass(frozen=True)
class Tab:
    """Describe a tab of the page: what its module answers; the JavaScript of the same name beside it shows that.

    Attributes
    ----------
    title : str
        What its button says.
    position : int
        Tabs stand in the order of these.
    answers : mapping of str to function
        What it asks about a model, by what stands in the path after run and model.
    posted : mapping of str to function (run, model's name, JSON) -> content
        What it sends, likewise.
    of_runs : mapping of str to function (runs, live) -> JSON
        What it asks about all runs together; an exported page is not live.
    about : function (run, model's name, inspection) -> dict
        What the page has to know of a model before the tab shows anything; each tab has all that the others have.
    kept : function (what is known of a model) -> iterator of str
        What an exported page keeps of a model: paths that `answers` has, without run and model.
    needs_model : bool
        False for one that shows runs without a saved model too.
    """

    title: str
    position: int
    answers: Mapping[str, Answer] = field(default_factory=dict)
    posted: Mapping[str, Callable[[Run, str, Any], Content]] = field(default_factory=dict)
    of_runs: Mapping[str, Callable[[Sequence[Run], bool], Any]] = field(default_factory=dict)
    about: Callable[[Run, str, Inspection], dict[str, Any]] = _nothing
    kept: Callable[[dict[str, Any]], Iterator[str]] = _nothing
    needs_model: bool = True

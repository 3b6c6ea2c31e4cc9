"""Which path asks for what. The server hands the answers out, and an export keeps them.

Every path names things that exist: a run by its number, a model and a layer by their names, a unit and an image by theirs.
Nothing is ever opened by a name that came with a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symae.inspector.api import filters, graph, latent, reconstructions, runs, training, unit
from symae.inspector.api.responses import Answer, Content, Query, UnknownError, json_answer
from symae.inspector.runs import Run

__all__ = ["Answers"]

# what comes after the run and the model in a path
ABOUT_MODELS: dict[str, Answer] = {
    kind: answer
    for module in (runs, filters, unit, reconstructions, latent, training, graph)
    for kind, answer in module.ANSWERS.items()
}


class Answers:
    """The answers about some runs.

    Parameters
    ----------
    runs : sequence of Run
    """

    def __init__(self, runs: Sequence[Run]):
        self.runs = list(runs)

    def get(self, path: str, query: Query) -> Content:
        """Content type and content for a path such as ``0/model/filters/W``.

        Raises
        ------
        UnknownError
            The path names nothing.
        InputError
            Something in it, or in the query, is wrong.
        """
        with np.errstate(all="ignore"):  # of a model that has diverged, all is infinite or not a number, and shown as that
            return self._get(path, query)

    def _get(self, path: str, query: Query) -> Content:
        parts = path.split("/")
        if parts == ["runs"]:
            return json_answer({"runs": [runs.run_listed(i, run) for i, run in enumerate(self.runs)], "live": True})
        if parts == ["training"]:
            return json_answer(training.histories(self.runs))
        if len(parts) < 3:
            raise UnknownError(path, "nothing of that name", "a path of this page")
        run = self._numbered(parts[0])
        if parts[2] not in ABOUT_MODELS:
            raise UnknownError(path, "nothing of that name", f"one of {', '.join(ABOUT_MODELS)}")
        return ABOUT_MODELS[parts[2]](run, parts[1], parts[3:], query)

    def post(self, path: str, body: Any) -> Content:
        """The answer to a drawing: ``0/model/draw`` with its pixels reconstructs it.

        Raises
        ------
        UnknownError, InputError
            As in `get`.
        """
        parts = path.split("/")
        if len(parts) != 3 or parts[2] != "draw":
            raise UnknownError(path, "nothing of that name", "a model's drawing")
        with np.errstate(all="ignore"):
            return reconstructions.of_drawing(self._numbered(parts[0]), parts[1], body)

    def _numbered(self, number: str) -> Run:
        """The run of that number, which must still be there."""
        if not number.isdecimal() or len(number) > 4 or int(number) >= len(self.runs):
            raise UnknownError("run", repr(number), f"a number from 0 to {len(self.runs) - 1}")
        run = self.runs[int(number)]
        run.check()
        return run

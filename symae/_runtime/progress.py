"""Progress of long work on a terminal and in a notebook; elsewhere nothing is shown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import TqdmWarning, tqdm

from symae._runtime.notebook import in_notebook


def progress_bar(**settings: Any) -> tqdm:
    """Return a bar of tqdm's that is gone when it is closed: text on a terminal, a widget in a notebook that has them."""
    if not in_notebook():
        return tqdm(disable=None, leave=False, **settings)  # silent when not a terminal
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)  # without widgets it is text too
        from tqdm.auto import tqdm as of_notebook
    return of_notebook(leave=False, **settings)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar during the block; yield a function of how much is done and how much there is in all."""
    with progress_bar(total=1, desc=what, bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining} left") as bar:

        def progress(done: int, all_of_it: int) -> None:
            bar.update(done / all_of_it - bar.n)

        yield progress

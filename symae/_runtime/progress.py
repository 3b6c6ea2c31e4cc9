"""Progress of long work on a terminal; elsewhere nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar during the block; yield a function of how much is done and how much there is in all."""
    with tqdm(
        total=1, desc=what, disable=None, leave=False, bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining} left"
    ) as bar:

        def progress(done: int, all_of_it: int) -> None:
            bar.update(done / all_of_it - bar.n)

        yield progress

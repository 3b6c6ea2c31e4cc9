"""A text that is being ported, and the notes for a human's eye, whose line numbers follow it from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, order=True)
class Note:
    """Point out something that a human should look at."""

    line: int
    original: int  # where it was in the original; both from 1
    reason: str  # what is there and what to do, a phrase without a full stop


class Draft:
    """Change a text, the original, step by step."""

    def __init__(self, text: str):
        self._text = text
        self._origins = list(range(1, len(text.split("\n")) + 1))
        self._notes: list[tuple[int, int, str]] = []

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self._text

    def note(self, line: int, reason: str) -> None:
        """Remember that `line` of the present text needs a look."""
        line = min(max(line, 1), len(self._origins))
        self._notes.append((line, self._origins[line - 1], reason))

    def replace(self, text: str) -> None:
        """Go on with a new version of the text."""
        if text == self._text:
            return
        forward, backward = _correspondence(self._text.split("\n"), text.split("\n"))
        self._notes = [(forward[line - 1], original, reason) for line, original, reason in self._notes]
        self._origins = [self._origins[line - 1] for line in backward]
        self._text = text

    def notes(self) -> list[Note]:
        """Return the notes in the order of their lines, each once."""
        return sorted({Note(line, original, reason) for line, original, reason in self._notes})


def _correspondence(old: Sequence[str], new: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return for each line of `old` the number of the line in `new` that came of it, and the other way round."""
    forward, backward = [1] * len(old), [1] * len(new)
    for _, i, after_i, j, after_j in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for line in range(i, after_i):
            forward[line] = max(1, min(j + line - i + 1, after_j, len(new)))
        for line in range(j, after_j):
            backward[line] = max(1, min(i + line - j + 1, after_i, len(old)))
    return forward, backward

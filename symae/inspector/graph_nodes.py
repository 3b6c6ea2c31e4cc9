"""The boxes of a drawn graph."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["GraphNode"]


@dataclass
class GraphNode:
    """Describe a box in the drawing.

    Attributes
    ----------
    kind : "input", "parameter", "operation" or "output"
    label : str
        A few words.
    details : list of str
        Lines that say more: types, shapes, constants.
    sources : list of int
        The boxes whose results it takes.
    seconds : float or None
        A call of it, where it was measured.
    """

    kind: str
    label: str
    details: list[str] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    seconds: float | None = None

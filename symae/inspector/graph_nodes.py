"""The boxes of a drawn graph."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class GraphNode:
    """Describe a box in the drawing."""

    kind: str  # input, parameter, operation or output
    label: str  # a few words
    details: list[str] = field(default_factory=list)  # lines that say more: types, shapes, constants
    sources: list[int] = field(default_factory=list)  # the boxes whose results it takes
    seconds: float | None = None  # of a call, where it was measured

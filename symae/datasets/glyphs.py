"""How people write the ten digits: the pen's way on the paper, several styles a digit.

A style is ``weight`` (how common it is) and the pen's way as text. Points are ``x,y`` in hundredths of the digit's height, x to
the right and y down; the pen passes through them in a smooth curve. ``|`` is a sharp corner at the point before it, ``;`` lifts
the pen.
"""

from __future__ import annotations

from functools import cache

import numpy as np

STYLES: dict[int, tuple[tuple[float, str], ...]] = {
    0: (
        # closed oval; with the end drawn over the start; begun at the right with a tail inside
        (5, "56,3 34,8 19,28 14,54 22,82 42,97 63,92 80,69 84,42 76,16 56,3"),
        (3, "62,6 42,3 22,20 13,50 22,84 46,98 72,84 84,52 76,20 56,7 42,13"),
        (2, "72,15 50,3 26,14 14,46 20,80 44,98 70,86 84,50 76,20 58,8 40,20"),
    ),
    1: (
        # a bare stroke, straight or bent; with a flag; with a flag and a foot
        (6, "50,2 50,34 50,66 50,98"),
        (2, "55,2 49,36 47,68 50,98"),
        (2, "30,24 42,14 53,3 | 53,50 53,98"),
        (1, "30,22 42,13 53,3 | 53,50 52,96 ; 26,97 52,96 78,96"),
    ),
    2: (
        # a sharp turn into the foot; a small loop; a large loop; nearly a Z
        (4, "16,26 28,8 50,2 70,12 72,32 56,58 34,80 12,96 | 44,94 86,95"),
        (3, "14,28 26,8 50,2 70,14 72,36 56,64 32,90 15,95 12,84 26,79 50,90 72,97 92,90"),
        (2, "20,24 34,6 56,3 70,18 66,44 48,72 26,95 8,92 10,76 32,78 58,93 94,90"),
        (2, "16,16 40,5 70,8 70,24 44,58 10,94 | 46,92 88,92"),
    ),
    3: (
        # two bows; two bows with a small loop between; a flat top
        (5, "18,15 38,3 63,7 70,25 57,41 36,47 | 62,51 78,69 68,90 42,98 14,88"),
        (3, "20,16 40,3 66,8 70,28 52,44 36,49 38,43 60,50 78,68 68,90 42,98 16,90"),
        (2, "18,7 46,6 74,5 | 57,24 40,42 | 64,46 78,66 68,90 42,98 14,90"),
    ),
    4: (
        # open; open and round; closed in one stroke; the top nearly closed
        (5, "26,5 20,30 14,56 | 44,57 84,51 ; 71,8 66,50 60,98"),
        (3, "20,6 16,34 25,52 46,55 70,42 ; 78,4 70,48 62,98"),
        (2, "60,98 63,50 66,3 | 38,34 10,64 | 48,64 90,60"),
        (2, "62,4 36,32 16,56 | 46,58 72,52 ; 76,8 68,50 58,98"),
    ),
    5: (
        # stem and belly, then the bar; all in one stroke; nearly an S
        (4, "32,6 28,24 23,44 | 46,38 69,47 76,68 62,90 38,98 12,90 ; 32,7 58,6 84,3"),
        (4, "86,4 58,5 33,8 | 28,26 22,46 | 46,39 70,48 76,70 60,92 36,98 12,88"),
        (2, "82,6 54,5 36,12 32,30 46,42 66,53 74,71 62,90 38,98 12,90"),
    ),
    6: (
        # bent; nearly straight; curled at the top
        (4, "66,4 44,20 26,48 20,74 32,94 54,97 70,82 66,62 48,56 30,66 22,80"),
        (3, "60,3 40,30 24,64 26,88 44,98 66,90 70,72 54,60 36,68 26,82"),
        (2, "76,12 58,3 36,20 20,52 22,82 44,98 68,90 74,70 58,56 36,62 24,76"),
    ),
    7: (
        # plain; a wave on top; a bar through the leg; a serif; round
        (5, "14,9 46,7 78,5 | 63,36 50,66 42,98"),
        (3, "12,18 26,8 54,10 80,5 | 62,36 48,66 40,98"),
        (2, "14,9 46,7 78,5 | 63,36 50,66 42,98 ; 30,54 52,51 76,48"),
        (1, "15,26 18,9 | 48,8 80,5 | 60,40 47,70 40,98"),
        (1, "14,16 38,5 68,6 75,22 66,50 54,76 48,98"),
    ),
    8: (
        # one stroke that crosses itself, begun at the top right; the same begun higher; two rings
        (4, "70,15 52,3 33,9 30,26 47,44 66,62 69,83 50,97 31,90 29,72 45,52 62,37 73,19 66,8"),
        (3, "76,10 54,3 35,12 37,30 56,46 71,64 65,88 44,98 26,86 33,64 54,46 70,30 77,12"),
        (2, "52,3 34,10 32,30 50,45 68,32 68,12 52,3 ; 50,45 28,58 24,82 48,98 74,84 72,60 50,45"),
    ),
    9: (
        # ring and straight leg; ring running over into the leg; leg with a hook
        (4, "70,16 54,4 34,11 26,32 38,49 57,43 70,18 | 67,58 61,98"),
        (3, "70,24 56,5 34,8 24,30 34,50 54,48 69,29 73,12 70,44 65,70 58,98"),
        (2, "71,20 56,5 34,9 25,31 37,50 56,45 71,20 | 73,56 62,88 42,98 22,90"),
    ),
}


@cache
def strokes_of(way: str) -> tuple[tuple[np.ndarray, ...], ...]:
    """Parse a style's text: strokes of smooth pieces, (k, 2) in digit heights, each from where the last one ended."""
    strokes = []
    for stroke in way.split(";"):
        pieces: list[np.ndarray] = []
        for piece in stroke.split("|"):
            points = [[float(number) / 100 for number in point.split(",")] for point in piece.split()]
            if pieces:
                points.insert(0, list(pieces[-1][-1]))
            pieces.append(np.array(points))
        strokes.append(tuple(pieces))
    return tuple(strokes)

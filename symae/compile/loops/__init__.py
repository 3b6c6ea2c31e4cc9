"""Loops over the steps of a training: in Python, in machine code, on a device."""

from symae.compile.loops.base import IndexedStep, Loop, PythonLoop
from symae.compile.loops.bursts import diverged, run_in_bursts
from symae.compile.loops.figures import Figures, Rows
from symae.compile.loops.select import LOOPS, check_loop, loop_over

__all__ = [
    "LOOPS",
    "Figures",
    "IndexedStep",
    "Loop",
    "PythonLoop",
    "Rows",
    "check_loop",
    "diverged",
    "loop_over",
    "run_in_bursts",
]

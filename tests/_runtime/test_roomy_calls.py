"""Within a roomy call, recursions take no memory from the system and give none back, however often they come to any depth."""

import inspect
import resource

import pytest

from symae._runtime.roomy_calls import roomy


def leaf():
    pass


def go(depth):
    """Call 200 times from `depth` on, and so across the end of a chunk at some depth."""
    if depth:
        return go(depth - 1)
    return [leaf() for _ in range(200)]


def pages_of_recursions():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for depth in range(300):
        go(depth)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_calls_across_the_end_of_a_chunk_map_no_memory():
    assert roomy(pages_of_recursions)() < 150


def test_a_roomy_function_is_called_as_before():
    @roomy
    def divide(a: float, *, by: float = 2.0) -> float:
        """Divide."""
        return a / by

    assert divide(3.0) == 1.5
    assert divide(a=3.0, by=3.0) == 1.0
    assert str(inspect.signature(divide)) == "(a: float, *, by: float = 2.0) -> float"
    assert divide.__doc__ == "Divide."
    with pytest.raises(ZeroDivisionError):
        divide(1.0, by=0.0)

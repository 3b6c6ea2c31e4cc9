"""Annotations of what users call can be looked up at run time, as documentation and checkers of arguments do."""

import inspect
from typing import get_type_hints

import pytest

from symae import models, nn, ops, optimizers, training


@pytest.mark.parametrize("module", [models, nn, ops, optimizers, training], ids=lambda module: module.__name__)
def test_type_hints_of_functions_and_methods_are_there(module):
    public = [getattr(module, name) for name in module.__all__]
    functions = [thing for thing in public if inspect.isfunction(thing)]
    for cls in filter(inspect.isclass, public):
        functions += filter(inspect.isfunction, vars(cls).values())
    assert functions
    for function in functions:
        get_type_hints(function)

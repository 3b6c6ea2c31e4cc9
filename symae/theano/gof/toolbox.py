"""``theano.gof.toolbox``: what watches a graph while it is rewritten."""

from pytensor.graph.features import (
    AlreadyThere,
    BadOptimization,
    Bookkeeper,
    Feature,
    History,
    NoOutputFromInplace,
    PreserveVariableAttributes,
    ReplaceValidate,
    Validator,
)

from symae.theano._impl.absent import getter

__all__ = [
    "AlreadyThere",
    "BadOptimization",
    "Bookkeeper",
    "Feature",
    "History",
    "NoOutputFromInplace",
    "PreserveNames",
    "PreserveVariableAttributes",
    "ReplaceValidate",
    "Validator",
]

PreserveNames = PreserveVariableAttributes

__getattr__ = getter(__name__, pytensor=["pytensor.graph.features"])

"""``theano.tensor.var``."""

from pytensor.graph.basic import Constant
from pytensor.tensor.variable import TensorConstant, _tensor_py_operators

from symae.theano._impl.absent import getter
from symae.theano._impl.variable_classes import TensorVariable, Variable
from symae.theano.tensor.type import TensorType

__all__ = ["Constant", "TensorConstant", "TensorType", "TensorVariable", "Variable", "_tensor_py_operators"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.variable"])

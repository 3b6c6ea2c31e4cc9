"""``theano.tensor.sharedvar``: shared arrays and numbers, which are of one class in PyTensor."""

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.sharedvar import TensorSharedVariable as ScalarSharedVariable

from symae.theano._impl.absent import getter
from symae.theano.shared import shared, shared_constructor

__all__ = ["ScalarSharedVariable", "SharedVariable", "TensorSharedVariable", "shared_constructor", "tensor_constructor"]

tensor_constructor = scalar_constructor = load_shared_variable = shared

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.sharedvar"])

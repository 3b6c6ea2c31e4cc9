"""``theano.sandbox.neighbours``: now `symae.theano.tensor.nnet.neighbours`."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(
    __name__,
    elsewhere={
        "images2neibs": "tensor.nnet.neighbours",
        "neibs2images": "tensor.nnet.neighbours",
        "Images2Neibs": "tensor.nnet.neighbours",
    },
)

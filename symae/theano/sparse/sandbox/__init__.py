"""``theano.sparse.sandbox``."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(
    __name__,
    submodules=["sp2"],
    instead={
        "sp": "use theano.tensor.nnet.conv2d and theano.tensor.signal.pool.pool_2d on dense arrays",
        "truedot": "use theano.sparse.true_dot",
    },
)

"""``theano.sandbox``."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(
    __name__,
    submodules=["cuda", "linalg", "neighbours", "rng_mrg", "softsign"],
    instead={
        "gpuarray": "use theano.gpuarray, which says that there is no GPU",
        "conv": "use theano.tensor.nnet.conv2d",
        "multinomial": "use MRG_RandomStreams.multinomial",
        "blocksparse": "use theano.tensor.nnet.blocksparse",
        "fourier": "use theano.tensor.fft",
        "solve": "use theano.tensor.slinalg.solve",
        "minimal": "use theano.tensor.slinalg",
        "scan": "use theano.scan",
        "theano_object": "use functions of variables: nothing of Theano's classes of methods is left",
    },
)

"""``theano.tensor.io``: there is nothing for files inside a graph."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(
    __name__,
    instead={"load": "use numpy.load and theano.shared"}
    | dict.fromkeys(("send", "recv", "isend", "irecv"), "use mpi4py: no graph sends or receives"),
)

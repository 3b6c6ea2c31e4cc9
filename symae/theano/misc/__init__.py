"""``theano.misc``."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(
    __name__,
    submodules=["frozendict", "may_share_memory", "ordered_set", "pkl_utils", "safe_asarray", "strutil"],
    instead=dict.fromkeys(
        ("check_blas", "cpucount", "burn_gpu", "check_multi_gpu"), "use symae's benchmarks: see tests/benchmarks"
    )
    | {"pycuda_init": "leave it out: there is no GPU", "cudamat_utils": "leave it out: there is no GPU"},
)

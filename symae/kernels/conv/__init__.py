"""Machine code of convolutions for Numba and C."""

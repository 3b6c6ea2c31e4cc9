"""Threads that kernels share, and that BLAS's threads never meet."""

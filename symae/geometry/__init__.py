"""Sizes and positions of windows and of convolutions: arithmetic without arrays, which ops and kernels share."""

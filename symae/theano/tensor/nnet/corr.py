"""Theano's convolution ops of the Caffe kind, called with settings first and arrays then."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano.tensor.nnet.abstract_conv import (
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    ConvolutionSettings,
)

__all__ = ["CorrMM", "CorrMM_gradInputs", "CorrMM_gradWeights"]


class _Unflipped(ConvolutionSettings):
    def __init__(
        self,
        border_mode: Any = "valid",
        subsample: Any = (1, 1),
        filter_dilation: Any = (1, 1),
        num_groups: int = 1,
        unshared: bool = False,
    ):
        super().__init__(None, None, border_mode, subsample, False, filter_dilation, num_groups, unshared)


class CorrMM(_Unflipped, AbstractConv2d):
    """Compute (images, filters) -> maps, without flipping the filters."""


class CorrMM_gradWeights(_Unflipped, AbstractConv2d_gradWeights):
    """Compute (images, gradient of the maps, (rows, columns)) -> gradient of the filters."""


class CorrMM_gradInputs(_Unflipped, AbstractConv2d_gradInputs):
    """Compute (filters, gradient of the maps, (rows, columns)) -> gradient of the images."""


__getattr__ = getter(__name__, pytensor=["symae.ops"])

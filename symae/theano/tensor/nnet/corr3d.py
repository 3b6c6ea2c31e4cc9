"""Theano's convolution ops of the Caffe kind for videos, called with settings first and arrays then."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano._impl.conv3d_frames import (
    AbstractConv3d,
    AbstractConv3d_gradInputs,
    AbstractConv3d_gradWeights,
    VideoSettings,
)

__all__ = ["Corr3dMM", "Corr3dMM_gradInputs", "Corr3dMM_gradWeights"]


class _Unflipped(VideoSettings):
    def __init__(
        self, border_mode: Any = "valid", subsample: Any = (1, 1, 1), filter_dilation: Any = (1, 1, 1), num_groups: int = 1
    ):
        super().__init__(None, None, border_mode, subsample, False, filter_dilation, num_groups)


class Corr3dMM(_Unflipped, AbstractConv3d):
    """Compute (videos, filters) -> maps, without flipping the filters."""


class Corr3dMM_gradWeights(_Unflipped, AbstractConv3d_gradWeights):
    """Compute (videos, gradient of the maps, (depth, rows, columns)) -> gradient of the filters."""


class Corr3dMM_gradInputs(_Unflipped, AbstractConv3d_gradInputs):
    """Compute (filters, gradient of the maps, (depth, rows, columns)) -> gradient of the videos."""


__getattr__ = getter(__name__, pytensor=["symae.ops"])

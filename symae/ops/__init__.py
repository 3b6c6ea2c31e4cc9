"""Ops that PyTensor lacks, on images (n, c, h, w): convolution, pooling, unpooling, upsampling, neighbourhoods."""

from symae.ops.bias_relu import rectified
from symae.ops.conv import conv2d, deconv2d
from symae.ops.coordinate_mlp import coordinate_layers
from symae.ops.neighbours import images2neibs, neibs2images
from symae.ops.pooling.pool import max_pool2d_with_switches, pool2d
from symae.ops.pooling.unpool import max_unpool2d, max_unpool2d_from_switches
from symae.ops.upsample import upsample2d

__all__ = [
    "conv2d",
    "coordinate_layers",
    "deconv2d",
    "images2neibs",
    "max_pool2d_with_switches",
    "max_unpool2d",
    "max_unpool2d_from_switches",
    "neibs2images",
    "pool2d",
    "rectified",
    "upsample2d",
]

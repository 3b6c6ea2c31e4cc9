"""Filters, digits and codes as pictures: tiles on a floor, labelled pictures side by side, maps, PNG."""

from symae.images.code_map import code_map, principal_components
from symae.images.gabor import gabor_fit
from symae.images.maps import feature_maps, filter_maps, node_picture
from symae.images.patches import ZCA, normalise_contrast, random_patches
from symae.images.pictures import enlarge, labelled_rows, png_bytes, save_png, side_by_side, to_image
from symae.images.pixels import psnr, unit_images
from symae.images.tiles import scale_to_unit_interval, tile_raster_images

__all__ = [
    "ZCA",
    "code_map",
    "enlarge",
    "feature_maps",
    "filter_maps",
    "gabor_fit",
    "labelled_rows",
    "node_picture",
    "normalise_contrast",
    "png_bytes",
    "principal_components",
    "psnr",
    "random_patches",
    "save_png",
    "scale_to_unit_interval",
    "side_by_side",
    "tile_raster_images",
    "to_image",
    "unit_images",
]

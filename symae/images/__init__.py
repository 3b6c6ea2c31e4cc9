"""Filters, digits and codes as pictures: tiles on a floor, labelled pictures side by side, maps, PNG."""

from symae.images.code_map import code_map, principal_components
from symae.images.maps import feature_maps, filter_maps, node_picture
from symae.images.pictures import enlarge, labelled_rows, png_bytes, save_png, side_by_side, to_image
from symae.images.pixels import psnr, unit_images
from symae.images.tiles import scale_to_unit_interval, tile_raster_images

__all__ = [
    "code_map",
    "enlarge",
    "feature_maps",
    "filter_maps",
    "labelled_rows",
    "node_picture",
    "png_bytes",
    "principal_components",
    "psnr",
    "save_png",
    "scale_to_unit_interval",
    "side_by_side",
    "tile_raster_images",
    "to_image",
    "unit_images",
]

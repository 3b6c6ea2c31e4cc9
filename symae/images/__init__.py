"""Filters and digits as pictures: tiles on a floor, labelled pictures side by side, PNG."""

from symae.images.maps import feature_maps, filter_maps, node_picture
from symae.images.pictures import enlarge, labelled_rows, png_bytes, save_png, side_by_side, to_image
from symae.images.tiles import scale_to_unit_interval, tile_raster_images

__all__ = [
    "enlarge",
    "feature_maps",
    "filter_maps",
    "labelled_rows",
    "node_picture",
    "png_bytes",
    "save_png",
    "scale_to_unit_interval",
    "side_by_side",
    "tile_raster_images",
    "to_image",
]

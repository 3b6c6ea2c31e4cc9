"""Pictures as Pillow decodes them, brought to one size and to the same channels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os import PathLike
from typing import IO, TYPE_CHECKING

import numpy as np

from symae.datasets.contents import LARGEST
from symae.datasets.dataset import ImageShape
from symae.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

# Pillow's decoders of these are fuzzed by many; others would be more to trust.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".pgm", ".ppm", ".webp")
MOST_PIXELS = 64 << 20  # of one picture
LARGEST_FILE = 256 << 20  # bytes
KEPT = 128  # pixels along a side: pictures of one size up to this are data as they are, larger ones photographs
SIDE = 64  # pixels of photographs, and of pictures that were of different sizes; less where the smallest is smaller
MULTIPLE = 8  # of SIDE and of what is less: what halves its images three times takes them too
GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
ROTATED = (5, 6, 7, 8)  # EXIF's orientations that exchange height and width

Opener = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Header:
    """Describe a picture before it is decoded."""

    height: int
    width: int
    coloured: bool


def decode(
    where: str | PathLike[str], pictures: Sequence[tuple[str, Opener]], image_shape: ImageShape | None, fit: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Decode pictures, given by a name and what opens them.

    Parameters
    ----------
    where : str or path
        What an error names.
    pictures : sequence of (name, function that returns an open binary file)
    image_shape : (c, h, w), c 1 or 3, optional
        By default pictures of one size of at most 128 pixels along a side keep it; others become squares of at most 64 pixels,
        of a multiple of 8 where they have as many. They are coloured if one is.
    fit : {"crop", "pad"}
        The middle of each picture is scaled, or each as a whole, on black.

    Returns
    -------
    images : array (n, c, h, w) of uint8
        What is transparent is on white. Of an animation the first picture, and of 16 bits the upper 8.
    kept : array (n,) of int
        Which of `pictures` could be decoded.
    notes : tuple of str
        What was done, a line each.

    Raises
    ------
    InputError
        None can be decoded, or all together would take more than 2 GiB.
    """
    headers = [header(opened) for _, opened in pictures]
    sizes = sorted({(found.height, found.width) for found in headers if found is not None})
    if not sizes:
        raise InputError(where, f"{len(pictures)} pictures of which none can be decoded", f"one of {', '.join(FORMATS)}")
    grey = sum(found is not None and not found.coloured for found in headers)
    kept = [i for i, found in enumerate(headers) if found is not None]
    shape = image_shape or (1 if grey == len(kept) else 3, *_common(sizes))
    if shape[0] not in (1, 3):
        raise InputError("image_shape", str(shape), "one channel, of grey, or three, of colours, for pictures")
    if (room := len(kept) * shape[0] * shape[1] * shape[2]) > LARGEST:
        size = " x ".join(map(str, shape))
        raise InputError(
            where, f"{len(kept)} pictures of {size}, {room >> 20} MiB", f"at most {LARGEST >> 20}: a smaller image_shape"
        )
    images = np.empty((len(kept), *shape), np.uint8)
    decoded = 0
    for i in kept[:]:
        picture = decoded_picture(pictures[i][1], shape, fit)
        if picture is None:
            kept.remove(i)
            continue
        images[decoded] = picture
        decoded += 1
    if not decoded:
        raise InputError(where, f"{len(pictures)} pictures of which none can be decoded", f"one of {', '.join(FORMATS)}")
    notes = _notes(sizes, shape, fit, grey, len(headers) - headers.count(None))
    if missing := sorted(set(range(len(pictures))) - set(kept)):
        names = ", ".join(pictures[i][0] for i in missing[:3]) + (", …" if len(missing) > 3 else "")
        notes = (*notes, f"{len(missing)} of {len(pictures)} pictures left out, because they cannot be decoded: {names}"[:500])
    return images[:decoded], np.array(kept), notes


def _common(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    if len(sizes) == 1 and max(sizes[0]) <= KEPT:
        return sizes[0]
    side = min(SIDE, *(min(size) for size in sizes))
    side -= side % MULTIPLE if side > MULTIPLE else 0
    return side, side


def _notes(sizes: Sequence[tuple[int, int]], shape: ImageShape, fit: str, grey: int, count: int) -> tuple[str, ...]:
    notes = []
    if sizes != [shape[1:]]:
        found = f"{sizes[0][0]} x {sizes[0][1]}" if len(sizes) == 1 else f"{len(sizes)} sizes"
        how = "the middle of each is" if fit == "crop" else "each is, on black,"
        notes.append(f"Pictures of {found}: {how} scaled to {shape[1]} x {shape[2]}")
    if 0 < grey < count:
        notes.append(f"{grey} grey and {count - grey} coloured pictures: all are {'grey' if shape[0] == 1 else 'coloured'} now")
    elif shape[0] == 1 and not grey:
        notes.append("Coloured pictures: all are grey now")
    return tuple(notes)


def _opened(opened: Opener) -> Image.Image:
    from PIL import Image  # who reads no pictures needs not wait for Pillow

    with opened() as file:
        if file.seek(0, io.SEEK_END) > LARGEST_FILE:
            raise ValueError("too large")
        file.seek(0)
        data = io.BytesIO(file.read())
    image = Image.open(data, formats=FORMATS)
    if not 0 < image.width * image.height <= MOST_PIXELS:
        raise ValueError("too large")
    return image


def header(opened: Opener) -> Header | None:
    """Return what a picture says of itself, or None where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _opened(opened)
            height, width = image.height, image.width
            # of a PNG without, Pillow would decode it all to see whether EXIF's data comes at the end
            if (image.format != "PNG" or "exif" in image.info) and image.getexif().get(0x0112) in ROTATED:
                height, width = width, height
            return Header(height, width, _coloured(image))
    except MemoryError:
        raise
    except Exception:  # Pillow's decoders raise a dozen types for what is broken
        return None


def _coloured(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode not in GREY
    palette = np.array(image.getpalette() or [0, 0, 0], np.uint8).reshape(-1, 3)
    return bool((palette != palette[:, :1]).any())


def decoded_picture(opened: Opener, shape: ImageShape, fit: str) -> np.ndarray | None:
    """Return a picture as (c, h, w) bytes, or None where it is broken."""
    channels, height, width = shape
    mode = "L" if channels == 1 else "RGB"
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _opened(opened)
            image.draft(None, (max(height, width),) * 2)  # a JPEG need not be decoded finer than it is wanted
            image = ImageOps.exif_transpose(image)
            image = _eight_bits(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = image.convert(mode)
            if image.size != (width, height):
                image = (ImageOps.fit if fit == "crop" else ImageOps.pad)(image, (width, height))
            pixels = np.asarray(image)
    except MemoryError:
        raise
    except Exception:  # as above
        return None
    return pixels.reshape(height, width, channels).transpose(2, 0, 1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of 16 bits with the upper 8: Pillow's own conversion makes all above 255 white."""
    if not image.mode.startswith("I"):
        return image
    from PIL import Image

    return Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))

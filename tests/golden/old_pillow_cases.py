"""A script of Pillow's defaults; prints a line for each case: name, mode, size, pixels in hexadecimal or their digest."""

import binascii
import hashlib

from PIL import Image, ImageEnhance, ImageOps


def picture(seed, mode, size):
    state, values = seed, bytearray()
    for _ in range(size[0] * size[1] * len(mode)):
        state = (state * 1103515245 + 12345) % 2147483648
        values.append((state >> 16) % 256)
    return Image.frombytes(mode, size, bytes(values))


def show(name, image):
    pixels = image.tobytes()
    text = binascii.hexlify(pixels).decode() if len(pixels) <= 48 else hashlib.md5(pixels).hexdigest()
    print(" ".join([name, image.mode, "{}x{}".format(*image.size), text]))


def shrunk(image, *arguments):
    image = image.copy()
    image.thumbnail(*arguments)
    return image


rgb, grey = picture(1, "RGB", (56, 40)), picture(2, "L", (56, 40))
small = picture(3, "RGB", (3, 2))
pictures = [
    ("RGB", rgb), ("L", grey), ("F", grey.convert("F")), ("I", grey.convert("I")),
    ("1", grey.point(lambda v: 255 * (v > 127)).convert("1")),
]  # fmt: skip
for name, image in pictures:
    show("resize-" + name, image.resize((17, 11)))
    show("resize-larger-" + name, image.resize((90, 71)))
    show("resize-bilinear-" + name, image.resize((17, 11), Image.BILINEAR))
    show("rotate-" + name, image.rotate(30))
    show("rotate-wide-" + name, image.rotate(30, expand=1))
    for size in ((20, 20), (7, 7), (25, 33), (56, 9), (3, 100), (5.5, 7)):
        show("thumbnail-{}-{}-{}".format(name, *size), shrunk(image, size))
    show("thumbnail-antialias-" + name, shrunk(image, (7, 7), Image.ANTIALIAS))
    show("thumbnail-nearest-" + name, shrunk(image, (7, 7), Image.NEAREST))
    show("fit-" + name, ImageOps.fit(image, (13, 17)))
    show("fit-antialias-" + name, ImageOps.fit(image, (13, 17), Image.ANTIALIAS))
    show("fit-bleed-" + name, ImageOps.fit(image, (31, 9), Image.NEAREST, 0.1, (0, 0.25)))
    show("scale-" + name, ImageOps.scale(image, 0.6))
for mode in ("L", "LA", "I", "F", "1", "RGB", "YCbCr", "CMYK"):
    show("small-to-" + mode, small.convert(mode))
    for name, image in (
        ("RGB", rgb),
        ("RGBA", rgb.convert("RGBA")),
        ("CMYK", rgb.convert("CMYK")),
        ("HSV", rgb.convert("HSV")),
    ):
        try:
            show(f"{name}-to-{mode}", image.convert(mode))
        except ValueError:
            print(f"{name}-to-{mode} is refused")
# Colours whose luma is a whole number, or a thousandth more.
show("whole-to-L", Image.frombytes("RGB", (3, 1), bytes(bytearray([241, 22, 202, 10, 10, 10, 255, 255, 255]))).convert("L"))
paletted = Image.new("P", (16, 16))
paletted.putdata(list(range(256)))
paletted.putpalette(list(bytearray(picture(4, "RGB", (16, 16)).tobytes())))
for mode in ("L", "LA", "I", "F"):
    show("palette-to-" + mode, paletted.convert(mode))
show("matrix-to-L", rgb.convert("L", (0.2, 0.3, 0.5, 1)))
print(rgb.crop((3, 3, 3, 3)).convert("L").size)
show("grayscale", ImageOps.grayscale(rgb))
show("color", ImageEnhance.Color(rgb).enhance(0.4))
show("contrast", ImageEnhance.Contrast(rgb).enhance(0.4))

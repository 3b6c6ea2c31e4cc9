"""Pictures come out of a script as they did until 2017; for all else Pillow is the one of today.

What Pillow 4.2 printed is in tests/golden/old_pillow.txt; tests/golden/make_old_pillow.py says how it was asked.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from golden.figures import FOLDER
from PIL import Image, ImageOps

from symae.legacy.shims import old_pillow

pytest.importorskip("fissix")


@pytest.fixture
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(17).integers(0, 256, (40, 56, 3), np.uint8))


def by_default(image: Image.Image) -> list[np.ndarray]:
    """Return what each default changes."""
    small = image.copy()
    small.thumbnail((7, 7))
    pictures = [image.resize((17, 11)), image.convert("L"), small, ImageOps.fit(image, (13, 17)), ImageOps.grayscale(image)]
    return [np.asarray(picture) for picture in pictures]


def test_pictures_are_those_of_2017_to_the_pixel(run):
    result = run((FOLDER / "old_pillow_cases.py").read_text())
    assert result.status == 0, result.err
    assert result.out.splitlines() == (FOLDER / "old_pillow.txt").read_text().splitlines()


def test_scipys_reading_as_grey_cuts_luma_off_too(run, tmp_path, noise):
    noise.save(tmp_path / "work" / "noise.png")
    result = run("""
        import scipy.misc, numpy
        rgb = scipy.misc.imread('noise.png').astype(int)
        print numpy.array_equal(scipy.misc.imread('noise.png', mode='L'), rgb.dot([299, 587, 114]) / 1000)
    """)
    assert (result.status, result.out) == (0, "True\n"), result.err


def test_modules_beside_the_script_and_code_that_it_executes_are_of_2017_too(run, tmp_path):
    (tmp_path / "work" / "beside.py").write_text("def half(image):\n    return image.resize((2, 1))\n")
    result = run("""
        import Image
        import beside
        image = Image.fromstring('L', (4, 1), '\\x00\\x64\\x0a\\xff')
        names = {'image': image}
        exec "print list(image.resize((2, 1)).getdata())" in names
        print list(beside.half(image).getdata()), map(ord, apply(image.resize, ((2, 1),)).tostring())
        print list(image.offset(1, 0).getdata())
    """)
    nearest = "[100, 255]"
    assert (result.status, result.out) == (0, f"{nearest}\n{nearest} {nearest}\n[255, 0, 100, 10]\n"), result.err


def test_strings_of_python_2_are_pixels(run):
    result = run("""
        import Image
        text, image = 'a\\x00\\xff\\x7f', Image.new('L', (4, 1))
        image.fromstring(text)
        for picture in Image.fromstring('L', (4, 1), text), Image.frombytes('L', (4, 1), data=text), image:
            print list(picture.getdata()), len(picture.tostring()),
        print list(Image.frombuffer('L', (4, 1), text, 'raw', 'L', 0, 1).getdata())
    """)
    pixels = "[97, 0, 255, 127]"
    assert (result.status, result.out) == (0, f"{pixels} 4 {pixels} 4 {pixels} 4 {pixels}\n"), result.err


def test_sizes_of_texts_are_told_as_before_pillow_10(run):
    result = run("""
        import Image, ImageDraw, ImageFont
        picture = Image.new('L', (80, 40))
        pen = ImageDraw.Draw(picture)
        width, height = pen.textsize('epoch 3')
        pen.text((0, 0), 'epoch 3', fill=255)
        right, bottom = picture.getbbox()[2:]
        print 0 <= width - right <= 2, 0 <= height - bottom <= 3
        print pen.textsize('epoch 3', font=ImageFont.load_default()) == ImageFont.load_default().getsize('epoch 3')
        a = pen.textsize('A')[1] + 4
        print pen.textsize('epoch 3\\n4') == pen.multiline_textsize('epoch 3\\n4') == (width, 2 * a)
        print Image.isImageType(picture), Image.isStringType('a'), Image.VERSION
    """)
    assert (result.status, result.out) == (0, "True True\nTrue\nTrue\nTrue True 1.1.7\n"), result.err


def test_everybody_else_has_todays_pillow_while_a_script_runs(noise):
    today = by_default(noise)
    with old_pillow.restored(SimpleNamespace(modules={})):  # type: ignore[arg-type]
        during = by_default(noise)
    assert all(np.array_equal(a, b) for a, b in zip(today, during, strict=True))


def test_pillow_is_as_before_after_the_run(run, noise):
    functions = Image.Image.resize, Image.Image.convert, Image.Image.thumbnail, ImageOps.fit, ImageOps.scale
    assert run("import Image\nprint Image.new('L', (4, 4)).resize((2, 2)).size\n").out == "(2, 2)\n"
    assert (Image.Image.resize, Image.Image.convert, Image.Image.thumbnail, ImageOps.fit, ImageOps.scale) == functions
    assert not hasattr(Image.Image, "offset")


def test_a_thumbnail_of_a_jpeg_has_the_size_of_2017(run, tmp_path, noise):
    noise.resize((560, 400)).save(tmp_path / "work" / "noise.jpg")
    result = run("""
        import Image, numpy
        image = Image.open('noise.jpg')
        image.thumbnail((25, 33))
        print image.size, image.mode, numpy.asarray(image).shape
    """)
    assert (result.status, result.out) == (0, "(25, 17) RGB (17, 25, 3)\n"), result.err

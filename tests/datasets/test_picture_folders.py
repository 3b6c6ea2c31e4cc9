"""Folders of pictures: classes, sizes, colours, and what cannot be decoded."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symae.datasets import read
from symae.errors import InputError, MissingFileError

RNG = np.random.RandomState(0)


def save(path: Path, shape: tuple[int, ...] = (6, 8, 3), **options: object) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.randint(0, 256, shape).astype(np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def test_folders_of_classes_are_labels(tmp_path):
    pixels = {(name, i): save(tmp_path / name / f"{i}.png") for name in ("cat", "dog", "eel") for i in range(4)}
    dataset = read(tmp_path)
    assert (dataset.class_names, dataset.image_shape, dataset.notes) == (("cat", "dog", "eel"), (3, 6, 8), ())
    assert [len(part.x) for part in dataset.parts] == [10, 1, 1]
    classes = {array.transpose(2, 0, 1).tobytes(): dataset.class_names.index(name) for (name, _), array in pixels.items()}
    for part in dataset.parts:
        assert [classes[row.tobytes()] for row in part.x] == part.y.tolist()


def test_folders_train_valid_and_test_are_parts(tmp_path):
    for part, n in (("train", 3), ("val", 1), ("test", 2)):
        for name in ("a", "b")[: 2 if part != "test" else 1]:
            for i in range(n):
                save(tmp_path / part / name / f"{i}.bmp", (5, 5))
    dataset = read(tmp_path)
    assert [part.y.tolist() for part in dataset.parts] == [[0, 0, 0, 1, 1, 1], [0, 1], [0, 0]]
    assert dataset.image_shape == (1, 5, 5)


def test_pictures_in_one_folder_have_no_labels(tmp_path):
    pixels = [save(tmp_path / f"{i}.png", (4, 4)) for i in range(5)]
    save(tmp_path / ".hidden.png", (9, 9))
    (tmp_path / "notes.txt").write_text("|nothing")
    dataset = read(tmp_path)
    assert dataset.train.y is None
    np.testing.assert_array_equal(dataset.train.x, [array.reshape(-1) for array in pixels[:3]])


def test_sizes_are_made_equal_by_the_middle_or_on_black_and_that_is_said(tmp_path):
    for name, size in (("a", (40, 40)), ("b", (40, 80)), ("c", (80, 40))):
        Image.new("L", size, 200).save(tmp_path / f"{name}.png")
    cropped, padded = read(tmp_path), read(tmp_path, fit="pad")
    assert cropped.image_shape == (1, 40, 40)
    assert cropped.notes == ("Pictures of 3 sizes: the middle of each is scaled to 40 x 40",)
    assert padded.notes == ("Pictures of 3 sizes: each is, on black, scaled to 40 x 40",)
    assert all((part.x == 200).all() for part in cropped.parts)
    tall = padded.parts[1].x.reshape(40, 40)
    assert [tall[20, 20], tall[20, 2], tall[2, 20]] == [200, 0, 200]
    small = read(tmp_path, image_shape=(3, 10, 20))
    assert (small.image_shape, small.train.x.shape) == ((3, 10, 20), (1, 600))


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ([(128, 100)], (1, 128, 100)),  # data as it is
        ([(129, 100)], (1, 64, 64)),  # photographs
        ([(129, 30)], (1, 24, 24)),  # a multiple of 8
        ([(130, 131), (70, 80)], (1, 64, 64)),
        ([(5, 9), (7, 6)], (1, 5, 5)),
    ],
)
def test_photographs_become_small_whether_of_one_size_or_of_several(tmp_path, sizes, shape):
    for i in range(3):
        Image.new("L", sizes[i % len(sizes)][::-1], 9).save(tmp_path / f"{i}.png")
    dataset = read(tmp_path)
    assert dataset.image_shape == shape
    assert bool(dataset.notes) == (sizes != [shape[1:]])


def test_pictures_in_deeper_folders_and_of_other_kinds_are_counted(tmp_path):
    for name in ("a", "b"):
        for i in range(2):
            save(tmp_path / name / f"{i}.png", (4, 4))
    save(tmp_path / "a" / "2019" / "c.png", (4, 4))
    save(tmp_path / "a" / ".thumbnails" / "c.png", (4, 4))
    for name in ("a/x.HEIC", "a/2019/y.heic", "b/z.tiff"):
        (tmp_path / name).write_bytes(b"another program's")
    dataset = read(tmp_path)
    assert sum(len(part.x) for part in dataset.parts) == 4
    assert dataset.notes == (
        f"1 picture in other folders passed over: {Path('a', '2019')}",
        "3 pictures of other kinds passed over: .heic, .tiff",
    )


def test_grey_coloured_transparent_and_16_bit_pictures_are_brought_together(tmp_path):
    Image.new("L", (4, 4), 100).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "b.png")
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "c.png")
    Image.fromarray(np.full((4, 4), 0x8040, np.uint16)).save(tmp_path / "d.png")
    Image.new("P", (4, 4), 0).save(tmp_path / "e.gif")
    dataset = read(tmp_path)
    pixels = [part.x[i].reshape(3, 16)[:, 0].tolist() for part in dataset.parts for i in range(len(part.x))]
    assert pixels == [[100] * 3, [10, 20, 30], [255] * 3, [128] * 3, [0] * 3]
    assert dataset.notes == ("3 grey and 2 coloured pictures: all are coloured now",)
    assert read(tmp_path, image_shape=(1, 4, 4)).train.x[0].tolist() == [100] * 16


def test_a_camera_held_on_its_side_is_turned_back(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(3):
        Image.new("L", (8, 4), 50).save(tmp_path / f"{i}.jpg", exif=exif)
    assert read(tmp_path).image_shape == (1, 8, 4)


def test_broken_pictures_are_left_out_with_their_count(tmp_path):
    for i in range(6):
        save(tmp_path / "a" / f"{i}.jpg", (40, 40, 3))
        save(tmp_path / "b" / f"{i}.jpg", (40, 40, 3))
    whole = (tmp_path / "a/3.jpg").read_bytes()
    (tmp_path / "a/3.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b/0.jpg").write_bytes(b"GIF89a no")
    dataset = read(tmp_path)
    assert sum(len(part.x) for part in dataset.parts) == 10
    assert sorted(np.concatenate([part.y for part in dataset.parts]).tolist()) == [0] * 5 + [1] * 5
    assert dataset.notes == ("2 of 12 pictures left out, because they cannot be decoded: 3.jpg, 0.jpg",)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda folder: None, MissingFileError, "none of the files that symae reads"),
        (lambda folder: (save(folder / "a.png"), save(folder / "x/b.png")), InputError, "found pictures beside the folders x,"),
        (
            lambda folder: (save(folder / "x/b.png"), (folder / "y").mkdir()),
            InputError,
            "y: found no pictures, expected those of",
        ),
        (lambda folder: (folder / "a.png").write_bytes(b"nothing"), InputError, "1 pictures of which none can be decoded"),
        (
            lambda folder: [save(folder / name) for name in ("train/x/a.png", "train/x/b.png", "test/y/a.png")],
            InputError,
            "test: found the classes y, expected those of training: x",
        ),
        (lambda folder: (save(folder / "train/a.png"), (folder / "test").mkdir()), InputError, "test: found no pictures"),
        (
            lambda folder: (save(folder / "train/a.png"), save(folder / "val/a.png")),
            InputError,
            "validation and none for tests",
        ),
        (
            lambda folder: (save(folder / "a.png"), save(folder / "b.png")),
            InputError,
            "found 2 images, expected at least three",
        ),
    ],
)
def test_folders_that_cannot_be_images_are_refused(tmp_path, make, error, message):
    make(tmp_path)
    with pytest.raises(error, match=message):
        read(tmp_path)


def test_pictures_that_would_fill_the_memory_are_refused_before_it_is_taken(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", (2, 2))
    with pytest.raises(InputError, match=r"found 3 pictures of 1 x 60000 x 60000, 10299 MiB, expected at most 2048"):
        read(tmp_path, image_shape=(1, 60000, 60000))
    with pytest.raises(InputError, match="one channel, of grey, or three"):
        read(tmp_path, image_shape=(2, 8, 8))
    with pytest.raises(InputError, match="fit: found 'squeeze', expected 'crop' or 'pad'"):
        read(tmp_path, fit="squeeze")


def test_a_picture_of_billions_of_pixels_is_no_picture(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", (2, 2))
    (tmp_path / "bomb.pgm").write_bytes(b"P5 90000 90000 255\n" + b"\0" * 100)
    assert read(tmp_path).notes == ("1 of 4 pictures left out, because they cannot be decoded: bomb.pgm",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_of_files_send_no_commands_to_a_terminal(tmp_path):
    for i in range(3):
        save(tmp_path / "cät\x1b[2J" / f"{i}.png")
    (tmp_path / "cät\x1b[2J" / "b\r.png").write_bytes(b"nothing")
    dataset = read(tmp_path)
    assert dataset.class_names == ("cät?[2J",)
    assert dataset.notes[-1].endswith("cannot be decoded: b?.png")

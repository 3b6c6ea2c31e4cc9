"""HDF5's texts, looked through before its library reads them: with damaged ones it takes very long, or much memory.

Texts of any length, as Keras's attributes are, lie in collections of objects, one behind the other. What a collection and its
objects say of their sizes has to be possible (HDF5 2.0 and before leave that to whoever wrote the file).
"""

from __future__ import annotations

import io
import math
import mmap
import re
import struct
from collections.abc import Iterable, Iterator
from os import PathLike
from typing import IO

from symae.errors import InputError

OFFSETS = (0, 512, 1024, 2048)  # where the signature may stand; what is before belongs to whoever wrote the file
SIGNATURE = b"\x89HDF\r\n\x1a\n"
COLLECTION = b"GCOL\1"  # the beginning of a collection, with the version that there is
HEADER, OBJECT = 16, 16  # bytes: of a collection, with its size in the last eight, and of an object in it, likewise
CHUNK = 1 << 24
VARIABLE, REFERENCE = 9, 16  # the class of types of any length, and the bytes that say how long a text is and where it lies


def check_heaps(path: str | PathLike[str], file: IO[bytes]) -> None:
    """Raise InputError if the objects of one of a file's collections have sizes that cannot be.

    Five bytes of other data may look like a collection, in one of a thousand files of a gigabyte.
    """
    file.seek(0)
    begin = file.read(OFFSETS[-1] + 32)
    for at in OFFSETS:
        if begin[at : at + 8] == SIGNATURE:
            version = begin[at + 8 : at + 9]
            lengths = begin[at + 14 : at + 15] if version < b"\2" else begin[at + 10 : at + 11]
            if lengths not in (b"\x08", b""):
                raise InputError(path, f"lengths of {lengths[0]} bytes in HDF5's header", "of 8")
            break
    length_of_file = file.seek(0, io.SEEK_END)
    objects = 0
    for start in _starts(file):
        file.seek(start)
        size = int.from_bytes(file.read(HEADER)[8:], "little")
        end = min(start + size, length_of_file)
        at = start + HEADER
        while at + OBJECT <= end:
            objects += 1
            if objects > length_of_file // OBJECT:
                raise InputError(path, "heaps that lie in one another", "a whole HDF5 file, whose heaps lie apart")
            file.seek(at)
            header = file.read(OBJECT)
            length = int.from_bytes(header[8:], "little")
            # free space is the object of number 0, whose size has its header in it
            at += OBJECT + (length + 7) // 8 * 8 if header[:2] != b"\0\0" else length
            if length > end - start or (length == 0 and header[:2] == b"\0\0"):
                found = f"an object of {length} bytes in the heap of {size} at byte {start}"
                raise InputError(path, found, "a whole HDF5 file, whose heaps have what they say")


def _starts(file: IO[bytes]) -> Iterator[int]:
    """Yield where collections begin, or what looks like one."""
    position, kept = 0, b""
    file.seek(0)
    while chunk := file.read(CHUNK):
        block = kept + chunk
        at = block.find(COLLECTION)
        while at >= 0:
            yield position - len(kept) + at
            at = block.find(COLLECTION, at + 1)
        position += len(chunk)
        kept = block[-len(COLLECTION) + 1 :]
        file.seek(position)


def check_texts(path: str | PathLike[str], file: IO[bytes], names: Iterable[str]) -> None:
    """Raise InputError if an attribute of one of these names, with digits behind it perhaps, has texts longer than the file.

    HDF5 takes the memory that a text claims before it looks whether it is there.
    """
    file.seek(0)
    data = file.read() if isinstance(file, io.BytesIO) else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    texts = 0
    for name in names:
        at = data.find(name.encode())
        while at >= 0:
            for length in _lengths(data, at, name):
                texts += 1
                if texts > len(data) // REFERENCE:
                    raise InputError(path, f"attributes {name} whose texts lie in one another", "a whole HDF5 file")
                if length > len(data):
                    raise InputError(path, f"an attribute {name} with a text of {length} bytes", f"at most {len(data)}")
            at = data.find(name.encode(), at + 1)


def _lengths(data: bytes | mmap.mmap, at: int, name: str) -> Iterator[int]:
    """Yield how long the texts of an attribute are that has its name at a place, if there is one.

    Before the name are the version, the lengths of the name, the type and the space, and from version 3 on the name's
    encoding; behind it are these, in version 1 with zeros up to a multiple of eight, and a length and a place for each text.
    """
    word = re.match(rb"\d*\0", data[at + len(name) : at + len(name) + 8])
    versions = [data[at - before] for before in (8, 9) if at >= before]
    for before, version in zip((8, 9), versions, strict=False):
        if word is None or version not in ((1, 2) if before == 8 else (3,)):
            continue
        sizes = struct.unpack("<3H", data[at - before + 2 : at - before + 8])
        of_name, of_type, of_space = ((size + 7) // 8 * 8 if version == 1 else size for size in sizes)
        space = data[at + of_name + of_type : at + of_name + of_type + of_space]
        if sizes[0] != len(name) + len(word[0]) or len(space) < 4 or data[at + of_name] & 15 != VARIABLE:
            continue
        first = 8 if space[0] == 1 else 4
        count = math.prod(int.from_bytes(space[first + 8 * i : first + 8 * i + 8], "little") for i in range(space[1]))
        start = at + of_name + of_type + of_space
        for place in range(start, min(start + REFERENCE * count, len(data) - 3), REFERENCE):
            yield int.from_bytes(data[place : place + 4], "little")

"""PyTorch's files of tensors, read without PyTorch.

Its own reader runs nothing either (``torch.load(weights_only=True)``), but takes the memory that a file claims, and had holes
before 2.6 (CVE-2025-32434) and 2.10 (CVE-2026-24747); and whoever comes from PyTorch may not have it here. The file is a pickle
that says how tensors lie in storages, and the storages' bytes: as parts of an archive that packs nothing, or, before 1.6,
behind the pickle.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from symae.datasets.contents import LARGEST, excerpt
from symae.datasets.formats.npz import broken_archives
from symae.datasets.formats.pickles import StandIn
from symae.errors import InputError
from symae.models.foreign.arrays import member_bytes, opened_archive
from symae.models.foreign.conventions import PYTORCH
from symae.models.foreign.pickled import Recorded, unpickled
from symae.models.foreign.stored import Weights, stored, weights_of

# what the first of the pickles of an old file holds, and how such a file begins
MAGIC = 0x1950A86A20F9469CFC6C
OLD_BEGIN = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little")
BFLOAT16 = "bfloat16"
DTYPES = {
    **{"Float": "f4", "Double": "f8", "Half": "f2", "BFloat16": BFLOAT16},
    **{"Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1", "Bool": "?"},
}
# under which checkpoints keep the weights beside other things, if there are several dictionaries of tensors
NESTED = ("state_dict", "model_state_dict", "model")
EXPECTED = "a state_dict: torch.save(model.state_dict(), path)"
LONGEST_PICKLE = 64 << 20


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str
    count: int
    offset: int = 0

    @property
    def itemsize(self) -> int:
        return 2 if self.dtype == BFLOAT16 else np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class _Tensor:
    """A tensor as a pickle describes it: where it lies in a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a state for a tensor")

    def array(self, path: Path, name: str, raw: bytes, big_endian: bool) -> np.ndarray:
        """Return the numbers, of the bytes of the storage."""
        where, itemsize = f"{path}, {name}", self.storage.itemsize
        if math.prod(self.shape) > self.storage.count:
            raise InputError(where, f"shape {self.shape} of {self.storage.count} numbers", "a tensor that repeats none")
        if len(raw) < (self.storage.offset + self.storage.count) * itemsize:
            raise InputError(where, f"{len(raw)} bytes of values", f"{self.storage.count} numbers of {self.storage.dtype}")
        begin = self.storage.offset + self.offset
        last = begin + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if 0 not in self.shape and last >= len(raw) // itemsize:
            raise InputError(where, f"a tensor that ends behind the {len(raw)} bytes of its storage", "one that lies in it")
        kind = np.dtype((">" if big_endian else "<") + ("u2" if self.storage.dtype == BFLOAT16 else self.storage.dtype))
        flat = np.frombuffer(raw, kind, count=len(raw) // itemsize)[begin:]
        if 0 in self.shape:
            values = np.zeros(self.shape, kind)
        else:
            steps = tuple(step * itemsize for step in self.strides)
            values = np.lib.stride_tricks.as_strided(flat, self.shape, steps, writeable=False)
        if self.storage.dtype == BFLOAT16:
            return (values.astype("u4") << 16).view("f4")
        return np.array(values, kind.newbyteorder("="), order="C")


def _rebuilt(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    sizes = (offset, *shape, *strides)
    whole = all(type(n) is int and 0 <= n < 2**63 for n in sizes) and len(shape) == len(strides) <= 32
    if not isinstance(storage, _Storage) or not whole:
        raise ValueError("a tensor that lies nowhere")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


MEANINGS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
    ("torch._utils", "_rebuild_tensor"): _rebuilt,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): lambda sizes=(): tuple(sizes),
}


def _storage(identity: Any) -> _Storage:
    """Return the storage that a pickle asks for: ("storage", class, key, device, numbers), and in old files a part of one."""
    kind, cls, key, _device, count, *rest = identity
    dtype = None
    if isinstance(cls, type) and issubclass(cls, Recorded):
        module, _, name = cls.asked.rpartition(".")
        dtype = DTYPES.get(name.removesuffix("Storage")) if module in ("torch", "torch.cuda") else None
    if kind != "storage" or dtype is None or not isinstance(key, str | int) or type(count) is not int or count < 0:
        raise ValueError(f"the storage {excerpt(identity)}")
    offset = 0
    if rest and rest[0] is not None:
        _view, offset, count = rest[0]
        if type(offset) is not int or type(count) is not int or min(offset, count) < 0:
            raise ValueError("a storage that lies nowhere")
    return _Storage(str(key), dtype, count, offset)


def _tensors(path: Path, value: Any) -> dict[str, _Tensor]:
    """Return the tensors of a state_dict by name."""
    if isinstance(value, Recorded):
        raise InputError(path, f"a pickled {value.asked}"[:200], EXPECTED)
    if isinstance(value, dict):  # beside which there may be tensors that are no weights: the best accuracy
        nested = {key: found for key, found in value.items() if isinstance(found, dict)}
        nested = {key: found for key, found in nested.items() if any(isinstance(item, _Tensor) for item in found.values())}
        best = [nested[key] for key in NESTED if key in nested]
        # a dictionary of another name is the only one, and beside it lie no weights
        if not best and not any(isinstance(item, _Tensor) and item.shape for item in value.values()):
            best = list(nested.values())
        value = best[0] if len(best) == 1 else value
    if not isinstance(value, dict):
        raise InputError(path, "a tensor" if isinstance(value, _Tensor) else f"a {type(value).__name__}", EXPECTED)
    strange = [key for key, item in value.items() if not (isinstance(key, str) and isinstance(item, _Tensor))]
    if strange:
        one = value[strange[0]]
        kind = next((cls.__name__ for cls in (dict, list) if isinstance(one, cls)), type(one).__name__)
        what = one.asked if isinstance(one, Recorded) else "function" if isinstance(one, StandIn) else kind
        raise InputError(path, f"{excerpt(strange[0])}, a {what}"[:200], EXPECTED)
    return value


@contextmanager
def torch_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the tensors of an archive that ``torch.save`` wrote."""
    with opened_archive(path, file) as archive:
        names = archive.namelist()
        root = next(name for name in names if name.endswith("data.pkl")).removesuffix("data.pkl")
        if packed := [info.filename for info in archive.infolist() if info.compress_type != zipfile.ZIP_STORED]:
            raise InputError(path, f"{excerpt(packed[0])} packed", "what torch.save writes, which packs nothing")
        order = f"{root}byteorder"
        big_endian = order in names and member_bytes(path, archive, order, 16) == b"big"
        with broken_archives(path), archive.open(f"{root}data.pkl") as pickled:
            if archive.getinfo(f"{root}data.pkl").file_size > LONGEST_PICKLE:
                raise InputError(path, f"a pickle of more than {LONGEST_PICKLE >> 20} MiB", EXPECTED)
            described = unpickled(path, pickled, MEANINGS, _storage)
        tensors = _tensors(path, described)

        def load(name: str) -> np.ndarray:
            tensor = tensors[name]
            raw = member_bytes(path, archive, f"{root}data/{tensor.storage.key}", LARGEST)
            return tensor.array(path, name, raw, big_endian)

        yield _described(path, tensors, load)


@contextmanager
def old_torch_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the tensors of a file that ``torch.save`` wrote before PyTorch 1.6."""
    for _ in ("magic", "protocol", "sizes of integers"):
        described = unpickled(path, file)
    itemsizes: dict[str, int] = {}

    def noted(identity: Any) -> _Storage:
        storage = _storage(identity)
        itemsizes[storage.key] = storage.itemsize
        return storage

    tensors = _tensors(path, unpickled(path, file, MEANINGS, noted))
    keys = unpickled(path, file)
    if not (isinstance(described, dict) and isinstance(keys, list) and all(isinstance(key, str | int) for key in keys)):
        raise InputError(path, "a broken file of PyTorch before 1.6", "a whole one")
    places: dict[str, tuple[int, int]] = {}
    position = file.tell()
    for key in map(str, keys):
        file.seek(position)
        n_bytes = int.from_bytes(file.read(8), "little") * itemsizes.get(key, 1)
        if n_bytes > LARGEST:
            raise InputError(path, f"a storage of {n_bytes} bytes", f"at most {LARGEST}")
        places[key] = position + 8, n_bytes
        position += 8 + n_bytes

    def load(name: str) -> np.ndarray:
        tensor = tensors[name]
        if tensor.storage.key not in places:
            raise InputError(f"{path}, {name}", f"no storage {excerpt(tensor.storage.key)}", "a whole file")
        begin, n_bytes = places[tensor.storage.key]
        end = file.seek(0, 2)
        file.seek(begin)
        return tensor.array(path, name, file.read(max(0, min(n_bytes, end - begin))), described.get("little_endian") is False)

    yield _described(path, tensors, load)


def _described(path: Path, tensors: dict[str, _Tensor], load: Callable[[str], np.ndarray]) -> Weights:
    found = (
        stored(
            name,
            ".",
            tensor.shape,
            str(np.dtype(kind)) if (kind := tensor.storage.dtype) != BFLOAT16 else kind,
            partial(load, name),
            PYTORCH,
        )
        for name, tensor in tensors.items()
    )
    return weights_of(path, found)


def is_torch_archive(names: list[str]) -> bool:
    """Return True if an archive with parts of these names is ``torch.save``'s."""
    return sum(name.split("/")[-1] == "data.pkl" and name.count("/") <= 1 for name in names) == 1

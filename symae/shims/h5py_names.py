"""h5py as it was up to version 2: text in ASCII is bytes when it is read from an attribute, and datasets have a ``value``."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np


@functools.cache
def replaced_names(ascii_is_bytes: bool = True) -> Mapping[str, Any]:
    """Return `File` as it was; groups and datasets that are found in it or made in it are as they were, too.

    With `ascii_is_bytes` false attributes stay texts, as in Python 2, where bytes were texts.
    """
    h5py: Any = importlib.import_module("h5py")

    class Attributes(h5py.AttributeManager):
        def __getitem__(self, name: Any) -> Any:
            value, kind = super().__getitem__(name), self.get_id(name).get_type()
            if isinstance(value, np.ndarray) and not value.size:
                return value.view(Empty)
            if not isinstance(kind, h5py.h5t.TypeStringID) or kind.get_cset() != h5py.h5t.CSET_ASCII:
                return value
            if isinstance(value, str):
                return value.encode("ascii", "surrogateescape")
            if isinstance(value, np.ndarray) and value.dtype.kind in "OUT":
                texts = [v.encode("ascii", "surrogateescape") if isinstance(v, str) else v for v in value.flat]
                return np.array(texts, "S").reshape(value.shape)
            return value

    class Empty(np.ndarray):
        def __bool__(self) -> bool:  # NumPy's were false until 2.2
            return False

    class HasAttributes:
        @property
        def attrs(self) -> Any:
            return (Attributes if ascii_is_bytes else h5py.AttributeManager)(self)

        @property
        def file(self) -> Any:
            return as_it_was(super().file)  # type: ignore[misc]

    class Dataset(HasAttributes, h5py.Dataset):
        @property
        def value(self) -> Any:
            return self[()]

    class Holder(HasAttributes):
        def __getitem__(self, name: Any) -> Any:
            return as_it_was(super().__getitem__(name))  # type: ignore[misc]

        def get(self, *arguments: Any, **keywords: Any) -> Any:  # also for items() and values()
            return as_it_was(super().get(*arguments, **keywords))  # type: ignore[misc]

        def visititems(self, function: Any) -> Any:
            return super().visititems(lambda name, item: function(name, as_it_was(item)))  # type: ignore[misc]

        def require_group(self, name: Any) -> Any:
            return as_it_was(super().require_group(name))  # type: ignore[misc]

        def require_dataset(self, *arguments: Any, **keywords: Any) -> Any:
            return as_it_was(super().require_dataset(*arguments, **keywords))  # type: ignore[misc]

        def create_group(self, *arguments: Any, **keywords: Any) -> Any:
            return as_it_was(super().create_group(*arguments, **keywords))  # type: ignore[misc]

        def create_dataset(self, *arguments: Any, **keywords: Any) -> Any:
            return as_it_was(super().create_dataset(*arguments, **keywords))  # type: ignore[misc]

    class Group(Holder, h5py.Group):
        pass

    class File(Holder, h5py.File):
        pass

    former = {h5py.Group: Group, h5py.Dataset: Dataset, h5py.File: File}

    def as_it_was(item: Any) -> Any:
        if type(item) in former:
            item.__class__ = former[type(item)]
        return item

    return {"File": File}

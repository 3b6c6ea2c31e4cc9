"""Images from every format they come in, checked; and symae's own digits, which need no network."""

from symae.datasets.dataset import Dataset, Split, from_arrays
from symae.datasets.download import MIRRORS, download_mnist, download_set
from symae.datasets.formats.cntk import read_cntk_text, write_cntk_text
from symae.datasets.formats.idx import read_idx, write_idx
from symae.datasets.sources import available, default, read
from symae.datasets.tutorial import load_data

__all__ = [
    "MIRRORS",
    "Dataset",
    "Split",
    "available",
    "default",
    "download_mnist",
    "download_set",
    "from_arrays",
    "load_data",
    "read",
    "read_cntk_text",
    "read_idx",
    "write_cntk_text",
    "write_idx",
]

"""Bring the files of MNIST and of other sets from the network, whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, Any

from symae._runtime.atomic_files import make_folder, replacing
from symae.datasets.contents import is_file
from symae.datasets.folders import download_folder
from symae.datasets.named import SETS
from symae.errors import InputError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)

SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt; doubled before the third
TIMEOUT = 30.0  # seconds without a byte

log = logging.getLogger(__name__)


class _Failed(Exception):
    """Raised when one attempt failed. Not an OSError, as requests' exceptions are: `replacing` takes those for a full disk."""

    def __init__(self, why: str, final: bool):
        super().__init__(why)
        self.final = final


def download_mnist(folder: str | PathLike[str] | None = None, mirrors: Sequence[str] = MIRRORS, progress: bool = True) -> Path:
    """Download MNIST's four .gz files; those that are there and correct are kept without asking the network.

    Each file is tried from one mirror after the other, three times where a connection fails, verified by its SHA-256 and
    renamed into place only then: under its name there is never half a file or a wrong one, not after Ctrl-C either.

    Parameters
    ----------
    folder : path, optional
        Where they go; made if missing. By default where `read` looks first: the folder that SYMAE_DATA names, else ``data/`` of
        the checkout, else the user's cache folder.
    mirrors : sequence of str
        Addresses of folders, ``https://…/mnist/``.
    progress : bool
        Whether to draw a progress bar; never where stderr is not a terminal.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        No mirror delivered a file; the message names each mirror and why.
    UnwritableError
        The folder cannot be made or written.
    """
    return _download(Path(folder) if folder is not None else download_folder(), SHA256, mirrors, progress)


def download_set(name: str, folder: str | PathLike[str] | None = None, progress: bool = True) -> Path:
    """Download one of the sets that `read` knows by its name, ``"mnist"`` or ``"fashion_mnist"`` for one.

    Each file is tried, verified and kept as by `download_mnist`.

    Parameters
    ----------
    name : str
    folder : path, optional
        Where the files go; by default where `read` looks for them.
    progress : bool
        Whether to draw a progress bar; never where stderr is not a terminal.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        There is no set of that name, or no mirror delivered a file.
    UnwritableError
        The folder cannot be made or written.
    """
    if name == "mnist":
        return download_mnist(folder, progress=progress)
    if name not in SETS:
        raise InputError("name", repr(name), f"one of mnist, {', '.join(SETS)}")
    known = SETS[name]
    folder = Path(folder) if folder is not None else download_folder() / (known.folder or name)
    return _download(folder, known.files, known.mirrors, progress)


def _download(folder: Path, sums: Mapping[str, str], mirrors: Sequence[str], progress: bool) -> Path:
    for name, expected in sums.items():
        path = folder / name
        if is_file(path):
            found = _sum(path, _algorithm(expected))
            if found == expected:
                continue
            log.warning("%s: found %s %s, expected %s; replacing it", path, _algorithm(expected), found, expected)
        make_folder(folder)
        _fetch(path, expected, mirrors, progress)
    return folder


def _fetch(path: Path, expected: str, mirrors: Sequence[str], progress: bool) -> None:
    failures = []
    for mirror in mirrors:
        url = mirror if mirror.rpartition("/")[2].isdecimal() else f"{mirror.rstrip('/')}/{path.name}"
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                with replacing(path) as file:
                    found = _transfer(url, file, progress, _algorithm(expected))
                    if found != expected:
                        raise _Failed(f"{_algorithm(expected)} {found} instead of {expected}", final=True)
                return
            except _Failed as failure:
                why = str(failure)
                if failure.final:
                    break
        failures.append(f"{mirror} ({why})")
        log.info("%s: %s", url, why)
    raise InputError(
        path.name, f"no mirror that serves it: {'; '.join(failures) or 'none given'}", "a mirror that can be reached"
    )


class _Summed:
    """Write to a file, and compute the sum of what went into it."""

    def __init__(self, file: IO[bytes], algorithm: str):
        self.file = file
        self.sum = _hash(algorithm)
        self.flush = file.flush

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        return self.file.write(data)


def _transfer(url: str, file: IO[bytes], progress: bool, algorithm: str) -> str:
    """Write what lies at `url` into `file` and return its sum."""
    import pooch
    import requests
    from tqdm import tqdm

    summed = _Summed(file, algorithm)
    # pooch asks for the bar's truth, which is total > 0, before it sets the total. disable=None: silent without a terminal.
    with tqdm(total=1, desc=url.rsplit("/", 1)[1], unit="B", unit_scale=True, disable=None if progress else True) as bar:
        try:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=TIMEOUT)(url, summed, None)
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            # A server's trouble passes; a missing file does not appear.
            raise _Failed(f"HTTP status {status}", final=status < 500) from error
        except requests.RequestException as error:
            permanent = isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema)
            raise _Failed(_reason(error), final=permanent) from error
    return summed.sum.hexdigest()


def _reason(error: Exception) -> str:
    """Say in a few words why a transfer failed: requests and urllib3 say it in a paragraph."""
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT:.0f} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__}: {error}"


def _algorithm(expected: str) -> str:
    return "MD5" if len(expected) == 32 else "SHA-256"


def _hash(algorithm: str) -> Any:
    # of what nobody states another sum of; against damage, which is what is looked for
    return hashlib.md5(usedforsecurity=False) if algorithm == "MD5" else hashlib.sha256()


def _sum(path: Path, algorithm: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: _hash(algorithm)).hexdigest()
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "a readable file") from error

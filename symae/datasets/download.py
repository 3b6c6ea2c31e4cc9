"""Bring MNIST's four files from the network, whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import IO

from symae._runtime.atomic_files import make_folder, replacing
from symae.datasets.contents import is_file
from symae.datasets.folders import download_folder
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
    folder = Path(folder) if folder is not None else download_folder()
    for name, expected in SHA256.items():
        path = folder / name
        if is_file(path):
            found = _sum(path)
            if found == expected:
                continue
            log.warning("%s: found SHA-256 %s, expected %s; replacing it", path, found, expected)
        make_folder(folder)
        _fetch(path, expected, mirrors, progress)
    return folder


def _fetch(path: Path, expected: str, mirrors: Sequence[str], progress: bool) -> None:
    failures = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                with replacing(path) as file:
                    found = _transfer(url, file, progress)
                    if found != expected:
                        raise _Failed(f"SHA-256 {found} instead of {expected}", final=True)
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
    """Write to a file, and compute the SHA-256 of what went into it."""

    def __init__(self, file: IO[bytes]):
        self.file = file
        self.sum = hashlib.sha256()
        self.flush = file.flush

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        return self.file.write(data)


def _transfer(url: str, file: IO[bytes], progress: bool) -> str:
    """Write what lies at `url` into `file` and return its SHA-256."""
    import pooch
    import requests
    from tqdm import tqdm

    summed = _Summed(file)
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


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "a readable file") from error
